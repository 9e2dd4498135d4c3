// SPDX-License-Identifier: Apache-2.0
// The simulated TinyBMS.
#include "sim/tinybms.h"

#include <algorithm>
#include <bit>

#include "core/device/tinybms/registers.h"

namespace jw::sim {
namespace {

using tinybms::Command;
using tinybms::Message;
using tinybms::Refusal;
using tinybms::Side;

constexpr Duration sleeps_after = seconds(10);
constexpr Duration restart = seconds(2);
constexpr Duration pause = milliseconds(20);  // longer than any inside a request
constexpr std::int64_t first_byte_us = 2000;  // as measured on hardware
constexpr std::int64_t byte_us = 87;          // 115200 bit/s, 8N1
constexpr std::uint16_t no_sensor = 0x8000;

void put_word(Writer& out, Command command, std::uint16_t word) {
    const bool big = command == Command::read_modbus || command == Command::write_modbus;
    big ? out.u16_be(word) : out.u16_le(word);
}

}  // namespace

std::optional<TinybmsScene> tinybms_scene(std::string_view name) {
    const auto found = std::find(tinybms_scene_names.begin(), tinybms_scene_names.end(), name);
    if (found == tinybms_scene_names.end()) {
        return std::nullopt;
    }
    return static_cast<TinybmsScene>(found - tinybms_scene_names.begin());
}

Tinybms::Tinybms(TinybmsScene scene, std::uint64_t seed)
    : scene_(scene), random_(seed), awake_(scene != TinybmsScene::asleep) {
    const auto set_long = [this](std::uint16_t address, std::uint32_t value) {
        set(address, static_cast<std::uint16_t>(value & 0xFFFF));
        set(static_cast<std::uint16_t>(address + 1), static_cast<std::uint16_t>(value >> 16));
    };
    for (std::uint16_t cell = 0; cell < 16; ++cell) {
        set(cell, static_cast<std::uint16_t>(32'700 + random_.below(20) * 10));
    }
    const bool idle = scene == TinybmsScene::asleep;
    std::uint16_t status = idle ? 0x97 : 0x93;
    std::uint16_t degrees = 235;
    std::uint8_t event = 0x61;
    if (scene == TinybmsScene::under_voltage) {
        set(6, 24'500);
        status = 0x9B;
        event = 0x02;
    } else if (scene == TinybmsScene::hot) {
        degrees = 620;
        status = 0x9B;
        event = 0x04;
    } else if (scene == TinybmsScene::cold) {
        degrees = static_cast<std::uint16_t>(-50);
        event = 0x37;
    }
    std::uint32_t sum = 0;
    for (std::uint16_t cell = 0; cell < 16; ++cell) {
        sum += get(cell);
    }
    const auto [least, most] = std::minmax_element(words_.begin(), words_.begin() + 16);
    const std::uint16_t least_mv = *least / 10;
    const std::uint16_t most_mv = *most / 10;
    set_long(32, 16'683'981);
    set_long(34, 5400);
    set_long(36, std::bit_cast<std::uint32_t>(static_cast<float>(sum) / 10'000));
    set_long(38, std::bit_cast<std::uint32_t>(idle || status == 0x9B ? 0.0F : -12.4F));
    set(40, least_mv);
    set(41, most_mv);
    set(42, degrees);
    set(43, no_sensor);
    set(45, 48'500);
    set_long(46, 75'000'000);
    set(48, 278);
    set(50, status);
    set(53, 16);
    set_long(200, 16'683'900 | std::uint32_t{event} << 24);
    constexpr std::array<std::uint16_t, 44> settings{
        3650, 2800, 0,   3400, 1000, 200, 28'000, 16,   15, 0, 5, 5, 1, 0,      1,
        3800, 2500, 150, 100,  60,   1,   80,     5000, 0,  0, 0, 0, 0, 0xFFFF, 0,
        0,    0,    5,   1,    0,    1,   0,      2,    4,  0, 0, 0, 0, 0};
    for (std::uint16_t i = 0; i < settings.size(); ++i) {
        set(static_cast<std::uint16_t>(300 + i), settings[i]);
    }
    constexpr std::array<std::uint16_t, 10> version{
        0x0102, 0x0301, 242, 0x0418, 0x0026, 0x002C, 0x3437, 0x510D, 0x3133, 0x3732};
    for (std::uint16_t i = 0; i < version.size(); ++i) {
        set(static_cast<std::uint16_t>(500 + i), version[i]);
    }
}

void Tinybms::set(std::uint16_t address, std::uint16_t word) {
    if (address < words_.size()) {
        words_[address] = word;
    }
}

std::uint16_t Tinybms::get(std::uint16_t address) const {
    return address < words_.size() ? words_[address] : 0;
}

void Tinybms::received(Bytes bytes, Instant now) {
    if (heard_at_ + pause < now) {
        heard_.clear();  // what had begun is not going to be completed
    }
    tick(now);
    const bool dozed = scene_ == TinybmsScene::asleep && heard_at_ + sleeps_after < now;
    awake_ = awake_ && !dozed;
    heard_at_ = now;
    heard_.insert(heard_.end(), bytes.begin(), bytes.end());
    std::size_t from = 0;
    while (from < heard_.size()) {
        const auto taken = tinybms::take(Bytes(heard_).subspan(from), Side::request);
        if (taken.code() == Code::truncated) {
            break;
        }
        const bool speaks =
            awake_ && scene_ != TinybmsScene::silent && !faults.silent && now >= restarts_until_;
        if (taken) {
            if (speaks) {
                answer(taken->message, now);
            }
            awake_ = true;
        } else if (taken.code() == Code::bad_checksum && speaks) {
            refuse(static_cast<Command>(heard_[from + 1]), Refusal::wrong_checksum, now);
        }
        from += taken ? taken->size : 1;
    }
    heard_.erase(heard_.begin(), heard_.begin() + static_cast<std::ptrdiff_t>(from));
}

void Tinybms::take(Instant now, std::vector<std::uint8_t>& out) {
    while (next() <= now) {
        out.insert(out.end(), out_.front().bytes.begin(), out_.front().bytes.end());
        out_.erase(out_.begin());
    }
}

void Tinybms::tick(Instant now) {
    if (ticked_at_.us < 0) {
        ticked_at_ = now;
    }
    const std::int64_t passed = (now - ticked_at_).us / 1'000'000;
    ticked_at_ = ticked_at_ + seconds(passed);
    if (lives && passed > 0 && (get(38) != 0 || get(39) != 0)) {
        // The lowest bits of the float's fraction: less than a percent up or down.
        set(38, static_cast<std::uint16_t>(random_.below(0x10000)));
    }
    const auto lifetime =
        static_cast<std::uint32_t>(get(32) + (std::int64_t{get(33)} << 16) + passed);
    set(32, static_cast<std::uint16_t>(lifetime & 0xFFFF));
    set(33, static_cast<std::uint16_t>(lifetime >> 16));
}

void Tinybms::add_event(std::uint8_t id) {
    constexpr std::uint16_t first = 200;
    constexpr std::uint16_t last = 296;
    std::uint16_t at = first;
    while (at < last && get(static_cast<std::uint16_t>(at + 1)) >> 8 != 0) {
        at = static_cast<std::uint16_t>(at + 2);
    }
    if (get(static_cast<std::uint16_t>(at + 1)) >> 8 != 0) {
        std::copy(words_.begin() + first + 2, words_.begin() + last + 2, words_.begin() + first);
    }
    set(at, get(32));
    set(static_cast<std::uint16_t>(at + 1),
        static_cast<std::uint16_t>(unsigned{id} << 8 | (get(33) & 0xFFU)));
}

void Tinybms::answer(const Message& request, Instant now) {
    if (faults.refuse > 0) {
        --faults.refuse;
        refuse(request.command, Refusal::wrong_command, now);
        return;
    }
    std::array<std::uint8_t, tinybms::frame_size_max> room{};
    Writer data(room);
    Message reply;
    reply.side = Side::reply;
    reply.command = request.command;
    if (read(request, data)) {
        reply.data = data.written();
    } else if (!write(request)) {
        refuse(request.command, Refusal::wrong_command, now);
        return;
    } else if (request.command == Command::write_modbus) {
        reply.address = request.address;
        reply.count = request.count;
    } else {
        reply.command = Command::accepted;
        reply.answers = request.command;
    }
    send(reply, now);
    if (request.command == Command::reset &&
        request.option == static_cast<std::uint8_t>(tinybms::Reset::bms)) {
        restarts_until_ = now + restart;
        add_event(0x61);
    }
}

void Tinybms::refuse(Command command, Refusal why, Instant now) {
    Message reply;
    reply.side = Side::reply;
    reply.command = Command::refused;
    reply.answers = command;
    reply.option = static_cast<std::uint8_t>(why);
    send(reply, now);
}

bool Tinybms::read(const Message& request, Writer& data) const {
    const auto put = [&](std::initializer_list<int> addresses) {
        for (const int address : addresses) {
            data.u16_le(get(static_cast<std::uint16_t>(address)));
        }
    };
    switch (request.command) {
        case Command::read_modbus:
        case Command::read_block:
            for (std::uint16_t i = 0; i < request.count; ++i) {
                put_word(
                    data, request.command, get(static_cast<std::uint16_t>(request.address + i)));
            }
            return true;
        case Command::read_list:
            for (std::size_t i = 0; i < request.data.size() / 2; ++i) {
                data.u16_le(request.word(i)).u16_le(get(request.word(i)));
            }
            return true;
        case Command::newest_events:
        case Command::all_events:
            put({32, 33});
            for (int at = 200; at < 298 && get(static_cast<std::uint16_t>(at + 1)) != 0; at += 2) {
                put({at, at + 1});
            }
            return true;
        case Command::cells:
            for (int cell = 0; cell < std::clamp<int>(get(53), 1, 16); ++cell) {
                put({cell});
            }
            return true;
        case Command::settings:
            read_settings(request, data);
            return true;
        default:
            return read_values(request.command, data);
    }
}

bool Tinybms::read_values(Command command, Writer& data) const {
    const auto put = [&](std::initializer_list<int> addresses) {
        for (const int address : addresses) {
            data.u16_le(get(static_cast<std::uint16_t>(address)));
        }
    };
    switch (command) {
        case Command::pack_voltage:
            put({36, 37});
            return true;
        case Command::pack_current:
            put({38, 39});
            return true;
        case Command::cell_voltage_max:
            put({41});
            return true;
        case Command::cell_voltage_min:
            put({40});
            return true;
        case Command::status:
            put({50});
            return true;
        case Command::lifetime:
            put({32, 33});
            return true;
        case Command::state_of_charge:
            put({46, 47});
            return true;
        case Command::temperatures:
            put({48, 42, 43});
            return true;
        case Command::version:
        case Command::extended_version:
            put({500});
            data.u8(static_cast<std::uint8_t>(get(501) & 0xFF));
            put({502});
            if (command == Command::extended_version) {
                put({503});
            }
            return true;
        case Command::speed:
            put({54, 55, 100, 101, 34, 35});
            return true;
        default:
            return false;
    }
}

void Tinybms::read_settings(const Message& request, Writer& data) const {
    const auto option = static_cast<tinybms::Settings>(request.option);
    for (std::uint16_t i = 0; i < request.count; ++i) {
        const auto address = static_cast<std::uint16_t>(300 + i);
        const auto place = tinybms::place_of(address);
        std::int32_t word = get(address);
        if (option == tinybms::Settings::least || option == tinybms::Settings::most) {
            word = !place                               ? 0
                   : option == tinybms::Settings::least ? place->what->least
                                                        : place->what->most;
        }
        data.u16_le(static_cast<std::uint16_t>(word));
    }
}

bool Tinybms::write(const Message& request) {
    if (request.command == Command::reset) {
        if (request.option == static_cast<std::uint8_t>(tinybms::Reset::events)) {
            std::fill(words_.begin() + 200, words_.begin() + 298, 0);
        } else if (request.option == static_cast<std::uint8_t>(tinybms::Reset::statistics)) {
            std::fill(words_.begin() + 100, words_.begin() + 116, 0);
        }
        return true;
    }
    const bool list = request.command == Command::write_list;
    const std::size_t step = list ? 2 : 1;
    const auto address_at = [&](std::size_t i) {
        return list ? request.word(i) : static_cast<std::uint16_t>(request.address + i);
    };
    for (std::size_t i = 0; i < request.data.size() / 2; i += step) {
        const auto place = tinybms::place_of(address_at(i));
        if (!place || !place->what->writable) {
            return false;
        }
        const tinybms::Register& what = *place->what;
        const std::uint16_t word = request.word(i + step - 1);
        const std::int32_t number =
            what.type == tinybms::Type::i16 ? static_cast<std::int16_t>(word) : word;
        const bool ranged = what.least < what.most && tinybms::words_of(what.type) == 1;
        if (ranged && (number < what.least || number > what.most)) {
            return false;
        }
    }
    for (std::size_t i = 0; !faults.ignores_writes && i < request.data.size() / 2; i += step) {
        const std::uint16_t address = address_at(i);
        const bool taken_over = tinybms::place_of(address)->what->type == tinybms::Type::set_once;
        set(address, taken_over ? 0xFFFF : request.word(i + step - 1));
    }
    return true;
}

void Tinybms::send(const Message& reply, Instant now) {
    std::array<std::uint8_t, tinybms::frame_size_max> room{};
    Writer out(room);
    if (!tinybms::put(out, reply)) {
        return;
    }
    std::vector<std::uint8_t> frame(out.written().begin(), out.written().end());
    if (scene_ == TinybmsScene::noisy) {
        spoil(frame);
    }
    if (faults.lose_answers > 0) {
        --faults.lose_answers;
        return;
    }
    const Instant free = out_.empty() ? now : later(now, out_.back().due);
    const Instant from = later(free, now + microseconds(first_byte_us) + faults.late);
    const auto size = static_cast<std::int64_t>(frame.size());
    out_.push_back({from + microseconds(byte_us * size), std::move(frame)});
}

void Tinybms::spoil(std::vector<std::uint8_t>& frame) {
    switch (random_.below(4)) {
        case 0:
            frame.resize(frame.size() - 1 - random_.below(3));
            break;
        case 1:
            frame[random_.below(frame.size())] ^= static_cast<std::uint8_t>(1U << random_.below(8));
            break;
        case 2:
            frame.insert(frame.begin(), {0xAA, static_cast<std::uint8_t>(random_.below(256))});
            break;
        default:
            break;
    }
}

}  // namespace jw::sim
