// SPDX-License-Identifier: Apache-2.0
// The driver of a TinyBMS: who is asked what when, and what an answer means.
#include "core/device/tinybms/tinybms.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw::tinybms {
namespace {

constexpr Duration poll_min = milliseconds(100);
constexpr Duration poll_max = seconds(1);
constexpr Duration answer_within = milliseconds(200);
constexpr Duration peace = seconds(1);
constexpr std::uint8_t pairs_of_silence = 3;
constexpr Duration write_within = seconds(10);
constexpr std::uint8_t misses_most = 3;
// A current older than this is unknown to who wants to move a switch.
constexpr Duration current_fresh = seconds(2);
constexpr std::uint8_t live_words_most = 56;

// From the question to the last byte of its answer: 2 ms, two bytes a register at 115200 bit/s, and
// what adapters add.
constexpr Duration first_byte = milliseconds(13);
constexpr Duration one_register = microseconds(180);

constexpr Duration every[] = {seconds(1), seconds(3600), seconds(60), seconds(60)};

constexpr Capability capabilities[] = {
    {Quantity::voltage_mv, 0},
    {Quantity::current_ma, 0},
    {Quantity::power_w, 0},
    {Quantity::soc_permille, 0},
    {Quantity::soh_permille, 0},
    {Quantity::cell_voltage_mv, 1},
    {Quantity::cell_voltage_mv, 2},
    {Quantity::cell_voltage_mv, 3},
    {Quantity::cell_voltage_mv, 4},
    {Quantity::cell_voltage_mv, 5},
    {Quantity::cell_voltage_mv, 6},
    {Quantity::cell_voltage_mv, 7},
    {Quantity::cell_voltage_mv, 8},
    {Quantity::cell_voltage_mv, 9},
    {Quantity::cell_voltage_mv, 10},
    {Quantity::cell_voltage_mv, 11},
    {Quantity::cell_voltage_mv, 12},
    {Quantity::cell_voltage_mv, 13},
    {Quantity::cell_voltage_mv, 14},
    {Quantity::cell_voltage_mv, 15},
    {Quantity::cell_voltage_mv, 16},
    {Quantity::cell_voltage_min_mv, 0},
    {Quantity::cell_voltage_max_mv, 0},
    {Quantity::temperature_mc, 1},
    {Quantity::temperature_mc, 2},
    {Quantity::temperature_mc, 3},
    {Quantity::operating_state, 0},
    {Quantity::battery_state, 0},
    {Quantity::battery_alarm_bits, 0},
    {Quantity::balancing_bits, 0},
    {Quantity::time_left_s, 0},
    {Quantity::up_time_s, 0},
    {Quantity::cycle_count, 0},
    {Quantity::read_errors, 0},
    {Quantity::cell_full_mv, 0},
    {Quantity::cell_empty_mv, 0},
    {Quantity::cell_overvoltage_mv, 0},
    {Quantity::cell_undervoltage_mv, 0},
    {Quantity::charge_current_max_ma, 0},
    {Quantity::discharge_current_max_ma, 0},
    {Quantity::temperature_max_mc, 0},
    {Quantity::charge_temperature_min_mc, 0},
    {Quantity::cell_count, 0},
    {Quantity::capacity_mah, 0},
};
static_assert(std::size(capabilities) <= limits::values_per_reading_max);

template <std::size_t N>
std::array<std::uint16_t, N> words_of_answer(const Message& message) {
    std::array<std::uint16_t, N> words{};
    CHECK(message.data.size() >= 2 * N);
    for (std::size_t i = 0; i < N; ++i) {
        words[i] = message.word(i);
    }
    return words;
}

Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    return &arena.make<TinyBms>(settings, out);
}

}  // namespace

const Driver driver{.name = "tinybms",
                    .line = LineKind::stream,
                    .memory = sizeof(TinyBms) + alignof(TinyBms),
                    .capabilities = capabilities,
                    .make = &make,
                    .poll = milliseconds(250)};

TinyBms::TinyBms(const DeviceSettings& settings, DeviceOut& out)
    : out_(out), poll_(std::clamp(settings.poll, poll_min, poll_max)) {
    info_.name = settings.name;
    info_.driver = std::string_view(driver.name);
    cells_.reversed = settings.cells_reversed;
}

Status TinyBms::act(Quantity /*quantity*/, std::int64_t /*value*/, Instant /*now*/) {
    return JW_FAIL(unsupported);
}

Parameter TinyBms::parameter(std::size_t index) const {
    return describe(writable_at(index), settings_known_ ? settings_.data() : nullptr);
}

Status TinyBms::write_parameter(std::string_view name, std::int64_t value, Instant now) {
    const auto which = writable_named(name);
    if (!which) {
        return JW_FAIL(not_found);
    }
    if (write_.active || (which->what != nullptr && !settings_known_)) {
        return JW_FAIL(busy);
    }
    const bool fresh = current_at_.us >= 0 && now - current_at_ <= current_fresh;
    const auto words = words_for(*which, value, settings_, fresh ? current_ma_ : std::nullopt);
    if (!words) {
        return words.error();
    }
    write_ = {};
    write_.active = true;
    write_.which = *which;
    write_.value = value;
    write_.words = *words;
    write_.until = now + write_within;
    return done;
}

Status TinyBms::poll_now(Instant now) {
    live_at_ = now;
    return done;
}

void TinyBms::connected(Instant now) {
    receiver_ = Receiver(Side::reply);
    connected_ = true;
    live_at_ = now;
    silent_pairs_ = 0;
}

void TinyBms::disconnected(Instant now) {
    connected_ = false;
    contact_ = false;
    live_.open = false;
    between_.open = false;
    out_.failed(JW_FAIL(not_found), now);
    if (write_.active) {
        end_write(ResultCode::device_silent, std::nullopt, now);
    }
}

void TinyBms::received(Bytes bytes, Instant now) {
    while (!bytes.empty()) {
        bytes = bytes.subspan(receiver_.put(bytes));
        drain(now);
    }
}

void TinyBms::drain(Instant now) {
    while (const auto message = receiver_.next()) {
        take(*message, now);
    }
}

Instant TinyBms::step(Instant now) {
    if (bus_ == nullptr || !connected_) {
        return never;
    }
    if ((live_.open && now >= live_.until) || (between_.open && now >= between_.until)) {
        receiver_.silent();  // an answer may stand behind what only began like one
        drain(now);
    }
    if (live_.open && now >= live_.until) {
        live_missed(now);
    }
    if (between_.open && now >= between_.until) {
        between_missed(now);
    }
    if (write_.active && now >= write_.until) {
        between_.open = between_.open && between_.what < Ask::write;
        end_write(ResultCode::device_silent, std::nullopt, now);
    }
    if (!live_.open && now >= live_at_) {
        ask_live(now, 0);
    } else if (!live_.open && !between_.open && contact_) {
        (void)ask_between(now);
    }
    return next_turn(now);
}

Instant TinyBms::next_turn(Instant now) const {
    Instant next = live_.open ? live_.until : live_at_;
    if (between_.open) {
        next = earlier(next, between_.until);
    }
    if (write_.active) {
        next = earlier(next, write_.until);
    }
    for (const Regular& regular : regular_) {
        // What is due and found no place waits for the live poll.
        if (contact_ && !live_.open && !between_.open && regular.due > now) {
            next = earlier(next, regular.due);
        }
    }
    return next;
}

void TinyBms::send(const Message& message) {
    std::array<std::uint8_t, frame_size_max> room{};
    Writer out(room);
    CHECK(put(out, message).has_value());
    // What the bus does not take is as good as lost: nobody answers it.
    (void)bus_->send(out.written());
}

void TinyBms::ask_live(Instant now, std::uint8_t tries) {
    if (tries == 0) {
        live_count_ = live_count_ >= live_words_most ? std::uint8_t{live_words}
                                                     : static_cast<std::uint8_t>(live_count_ + 1);
        skip_to(now);
    }
    const std::uint32_t dropped_before = live_.dropped;
    live_ = {};
    live_.open = true;
    live_.count = live_count_;
    live_.tries = static_cast<std::uint8_t>(tries + 1);
    live_.until = now + answer_within;
    live_.dropped = tries == 0 ? receiver_.dropped() : dropped_before;
    Message message;
    message.command = Command::read_modbus;
    message.count = live_count_;
    send(message);
}

/// The next place of the grid that is behind `now`.
void TinyBms::skip_to(Instant now) {
    if (live_at_ <= now) {
        live_at_ = live_at_ + poll_ * ((now - live_at_).us / poll_.us + 1);
    }
}

bool TinyBms::ask_between(Instant now) {
    const auto fits = [&](Ask what) {
        std::array<std::uint8_t, 4> room{};
        return now + first_byte + one_register * question(what, room).count <= live_at_;
    };
    if (write_.active && fits(write_.step)) {
        ask(write_.step, now);
        return true;
    }
    for (std::size_t i = 0; i < regular_asks; ++i) {
        if (now >= regular_[i].due && fits(static_cast<Ask>(i))) {
            ask(static_cast<Ask>(i), now);
            return true;
        }
    }
    return false;
}

void TinyBms::ask(Ask what, Instant now) {
    std::array<std::uint8_t, 4> room{};
    const Message message = question(what, room);
    between_ = {};
    between_.open = true;
    between_.what = what;
    between_.count = static_cast<std::uint8_t>(message.count);
    between_.until = now + answer_within;
    between_.dropped = receiver_.dropped();
    if (what >= Ask::write) {
        ++write_.tries;
    }
    send(message);
}

std::uint8_t TinyBms::words_written() const {
    return write_.which.what == nullptr ? std::uint8_t{0} : words_of(write_.which.what->type);
}

Message TinyBms::question(Ask what, std::array<std::uint8_t, 4>& room) const {
    Message message;
    message.command = Command::read_modbus;
    const auto registers_from = [&message](std::uint16_t address, std::size_t count) {
        message.address = address;
        message.count = static_cast<std::uint16_t>(count);
    };
    switch (what) {
        case Ask::events:
            registers_from(first_event, event_words);
            break;
        case Ask::version:
            registers_from(first_version, version_words);
            break;
        case Ask::settings:
            registers_from(first_setting, setting_words);
            break;
        case Ask::statistics:
            registers_from(first_statistic, statistic_words);
            break;
        case Ask::write:
            if (write_.which.what == nullptr) {
                message.command = Command::reset;
                message.option = static_cast<std::uint8_t>(write_.which.action);
                break;
            }
            message.command = Command::write_modbus;
            registers_from(write_.which.what->address, words_written());
            Writer(room)
                .u16_be(static_cast<std::uint16_t>(write_.words & 0xFFFF))
                .u16_be(static_cast<std::uint16_t>(write_.words >> 16));
            message.data = Bytes(room).first(2U * words_written());
            break;
        case Ask::read_back:
            registers_from(write_.which.what->address, words_written());
            break;
    }
    return message;
}

void TinyBms::take(const Message& message, Instant now) {
    const bool writes = between_.open && between_.what == Ask::write;
    const std::size_t count = message.data.size() / 2;
    switch (message.command) {
        case Command::read_modbus:
            if (live_.open && count == live_.count) {
                take_live(message, now);
            } else if (between_.open && between_.what != Ask::write && count == between_.count) {
                take_registers(message, now);
            }
            break;
        case Command::write_modbus:
            if (writes && write_.which.what != nullptr &&
                message.address == write_.which.what->address) {
                between_.open = false;
                write_.step = Ask::read_back;
                write_.tries = 0;
            }
            break;
        case Command::accepted:
            if (writes && write_.which.what == nullptr && message.answers == Command::reset) {
                between_.open = false;
                end_write(ResultCode::executed, write_.value, now);
            }
            break;
        case Command::refused:
            refused(message, now);
            break;
        default:
            break;  // the answer to a question of somebody else
    }
}

void TinyBms::take_live(const Message& message, Instant now) {
    live_.open = false;
    skip_to(now);
    silent_pairs_ = 0;
    if (!contact_) {
        contact_ = true;  // it may be another one, or set otherwise
        regular_.fill({.due = now, .misses = 0});
    }
    const auto words = words_of_answer<live_words>(message);
    Reading reading;
    reading.device = info_.name;
    read_errors_ += put_live(words, cells_, reading.values);
    lifetime_s_ = std::uint32_t{words[33]} << 16 | words[32];
    const jw::Value* const current = reading.values.find(Quantity::current_ma);
    current_ma_ = current == nullptr ? std::nullopt : std::optional(current->number);
    current_at_ = now;
    faults_.status(words[50], now);
    reading.values.put(Quantity::battery_alarm_bits, 0, faults_.alarm_bits());
    if (settings_new_) {
        settings_new_ = false;
        read_errors_ += put_settings(settings_, reading.values);
    }
    if (statistics_new_) {
        statistics_new_ = false;
        put_statistics(statistics_, reading.values);
    }
    reading.values.put(Quantity::read_errors, 0, read_errors_);
    out_.reading(reading, now);
}

void TinyBms::take_registers(const Message& message, Instant now) {
    between_.open = false;
    const Ask what = between_.what;
    if (what == Ask::read_back) {
        take_read_back(message, now);
        return;
    }
    const auto index = static_cast<std::size_t>(what);
    regular_[index] = {.due = now + every[index], .misses = 0};
    if (what == Ask::events) {
        tell_events(message, now);
    } else if (what == Ask::version) {
        describe(words_of_answer<version_words>(message), info_);
        out_.identified(info_, now);
    } else if (what == Ask::settings) {
        settings_ = words_of_answer<setting_words>(message);
        cells_.series = static_cast<std::uint8_t>(std::min<int>(settings_[7], 255));
        settings_known_ = true;
        settings_new_ = true;
    } else {
        statistics_ = words_of_answer<statistic_words>(message);
        statistics_new_ = true;
    }
}

void TinyBms::take_read_back(const Message& message, Instant now) {
    const Register& what = *write_.which.what;
    std::array<std::uint16_t, 2> words{};
    for (std::size_t i = 0; i < words_of(what.type); ++i) {
        words[i] = message.word(i);
    }
    // What is taken over reads as 0xFFFF afterwards.
    const bool taken_over = what.type == Type::set_once && words[0] == 0xFFFF;
    if (taken_over || (std::uint32_t{words[1]} << 16 | words[0]) == write_.words) {
        for (std::size_t i = 0; i < words_of(what.type) && !taken_over; ++i) {
            settings_[what.address - first_setting + i] = words[i];
        }
        end_write(ResultCode::executed, write_.value, now);
        return;
    }
    const auto value = value_of(what, std::span(words).first(words_of(what.type)));
    end_write(ResultCode::not_confirmed, value ? std::optional(value->number) : std::nullopt, now);
}

void TinyBms::tell_events(const Message& message, Instant now) {
    NewEvents fresh;
    faults_.read(words_of_answer<event_words>(message), lifetime_s_, now, fresh);
    for (const Event& event : fresh) {
        std::array<char, limits::detail_size_max> buffer{};
        Text text(buffer);
        put_sentence(event, text);
        out_.event(text.view(), now);
    }
}

/// Whoever was refused for a wrong checksum asks again; the rest is not going to be answered.
void TinyBms::refused(const Message& message, Instant now) {
    ++read_errors_;
    const bool again = message.option == static_cast<std::uint8_t>(Refusal::wrong_checksum);
    const bool writes = between_.open && between_.what == Ask::write;
    const bool of_write =
        writes && (message.answers == Command::write_modbus || message.answers == Command::reset);
    const bool of_read = message.answers == Command::read_modbus;
    if (of_write) {
        between_.open = false;
        if (!again || write_.tries >= misses_most) {
            end_write(ResultCode::device_refused, std::nullopt, now);
        }
    } else if (of_read && between_.open && !writes) {
        between_missed(now);
    } else if (of_read && live_.open) {
        if (again && live_.tries < 2) {
            ask_live(now, live_.tries);
            return;
        }
        live_.open = false;
        silent_pairs_ = 0;
        skip_to(now);
        out_.failed(JW_FAIL(denied), now);
    }
}

void TinyBms::live_missed(Instant now) {
    if (live_.tries < 2) {
        ask_live(now, live_.tries);
        return;
    }
    live_.open = false;
    skip_to(now);
    if (receiver_.dropped() != live_.dropped) {
        ++read_errors_;
        silent_pairs_ = 0;
        out_.failed(JW_FAIL(bad_checksum), now);  // somebody is there
        return;
    }
    contact_ = false;
    live_at_ = now + peace;
    silent_pairs_ = std::min<std::uint8_t>(static_cast<std::uint8_t>(silent_pairs_ + 1), 100);
    if (silent_pairs_ >= pairs_of_silence) {
        out_.failed(JW_FAIL(timeout), now);
    }
}

void TinyBms::between_missed(Instant now) {
    between_.open = false;
    read_errors_ += receiver_.dropped() == between_.dropped ? 0U : 1U;
    if (between_.what < Ask::write) {
        miss(between_.what, now);
    } else if (write_.step == Ask::write && write_.which.what != nullptr) {
        write_.step = Ask::read_back;  // it may have done it
        write_.tries = 0;
    } else if (write_.step == Ask::write || write_.tries >= misses_most) {
        end_write(ResultCode::device_silent, std::nullopt, now);
    }
}

void TinyBms::miss(Ask what, Instant now) {
    const auto index = static_cast<std::size_t>(what);
    Regular& regular = regular_[index];
    ++regular.misses;
    if (regular.misses >= misses_most) {
        regular = {.due = now + std::min(every[index], seconds(60)), .misses = 0};
    }
}

void TinyBms::end_write(ResultCode code, std::optional<std::int64_t> value, Instant now) {
    write_.active = false;
    constexpr auto settings = static_cast<std::size_t>(Ask::settings);
    regular_[settings] = {.due = now, .misses = 0};
    out_.acted(code, value, now);
}

}  // namespace jw::tinybms
