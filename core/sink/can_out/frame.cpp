// SPDX-License-Identifier: Apache-2.0
// CAN frames between battery and inverter: from tables to bytes and back. A frame is one 64-bit
// word whose lowest byte is sent first.
#include "core/sink/can_out/frame.h"

#include <algorithm>

namespace jw::can_out {
namespace {

/// Division by what the compiler knows, since by a variable it takes longer than all the rest.
template <class Work>
std::int64_t with_divisor(std::uint16_t divisor, const Work& work) {
    switch (divisor) {
        case 10:
            return work(std::int64_t{10});
        case 100:
            return work(std::int64_t{100});
        case 1000:
            return work(std::int64_t{1000});
        default:
            return work(std::int64_t{1});
    }
}

constexpr std::int64_t floor_quotient(std::int64_t value, std::int64_t divisor) {
    return value / divisor - (value % divisor < 0 ? 1 : 0);
}

std::int64_t scaled_down(std::int64_t value, const Signal& signal) {
    constexpr std::int64_t bound = std::int64_t{1} << 52;  // keeps what follows inside of 64 bits
    value = std::clamp(value, -bound, bound);
    value = signal.negated ? -value : value;
    return with_divisor(signal.divisor, [&](std::int64_t divisor) {
        if (signal.round == Round::down) {
            return floor_quotient(value, divisor);
        }
        if (signal.round == Round::up) {
            return -floor_quotient(-value, divisor);
        }
        const std::int64_t half = divisor / 2;
        return value < 0 ? (value - half) / divisor : (value + half) / divisor;
    });
}

constexpr std::uint64_t mask_of(const Signal& signal) {
    return (std::uint64_t{1} << signal.bits) - 1;
}

constexpr std::uint64_t swapped(std::uint64_t raw, unsigned bits) {
    std::uint64_t result = 0;
    for (unsigned at = 0; at < bits; at += 8) {
        result = (result << 8) | ((raw >> at) & 0xFF);
    }
    return result;
}

std::uint64_t placed(std::uint64_t raw, const Signal& signal) {
    raw &= mask_of(signal);
    return (signal.big_endian ? swapped(raw, signal.bits) : raw) << signal.first_bit;
}

Result<std::uint64_t> raw_number(std::int64_t value, const Signal& signal) {
    std::int64_t raw = scaled_down(value, signal) + signal.offset;
    if (signal.wraps) {
        return static_cast<std::uint64_t>(raw) & mask_of(signal);
    }
    const std::int64_t span = std::int64_t{1} << signal.bits;
    const std::int64_t least = signal.is_signed ? -span / 2 : 0;
    const std::int64_t most = signal.is_signed ? span / 2 - 1 : span - 1;
    if (signal.refuse_below && raw < std::max(least, signal.least)) {
        return JW_FAIL(out_of_range);
    }
    raw = std::clamp(raw, std::max(least, signal.least), std::min(most, signal.most));
    const std::uint64_t bits = static_cast<std::uint64_t>(raw) & mask_of(signal);
    if (signal.absent == Absent::raw && raw != 0 && bits == signal.absent_raw) {
        // At its end: the neighbour is nearer to the truth than "absent".
        return static_cast<std::uint64_t>(raw < 0 ? raw + 1 : raw - 1) & mask_of(signal);
    }
    return bits;
}

/// A level in two bits: unsupported 0, not active 2, active 1.
std::uint64_t pairs_of(const BatteryAlarms& alarms, AlarmLevel active_from) {
    const unsigned by_level = active_from == AlarmLevel::alarm ? 0b01'10'10'00U : 0b01'01'10'00U;
    std::uint64_t pairs = 0;
    for (unsigned i = 0; i < battery_alarms; ++i) {
        const unsigned level = static_cast<unsigned>(alarms[i]) & 3U;
        pairs |= std::uint64_t{(by_level >> (2 * level)) & 3U} << (2 * i);
    }
    return pairs;
}

std::uint64_t word_of(std::string_view text, std::size_t part, char pad) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i) {
        const char c = 8 * part + i < text.size() ? text[8 * part + i] : pad;
        word |= std::uint64_t{static_cast<std::uint8_t>(c)} << (8 * i);
    }
    return word;
}

/// What goes into one frame, signal by signal.
struct Encoding {
    std::uint64_t word = 0;
    bool says_something = false;
    bool missing = false;  // the signal before
};

Status add(const Signal& signal, const BatteryState& state, Encoding& out) {
    out.missing = false;
    switch (signal.kind) {
        case Kind::number: {
            const Number& value = state.*(signal.field->member);
            if (!value) {
                out.missing = true;
                return done;
            }
            const auto raw = raw_number(*value, signal);
            if (!raw) {
                return raw.error();
            }
            out.word |= placed(*raw, signal);
            break;
        }
        case Kind::text: {
            const std::string_view text = (state.*(signal.text->member)).view();
            if (text.size() <= 8U * signal.part) {
                out.missing = true;
                out.says_something |= !text.empty() && signal.absent == Absent::raw;
                return done;
            }
            out.word |= word_of(text, signal.part, signal.pad);
            break;
        }
        case Kind::pairs:
            out.word |= pairs_of(state.alarms, signal.level) << signal.first_bit;
            break;
        case Kind::alarm:
            if (state.alarms[static_cast<std::size_t>(signal.alarm)] >= signal.level) {
                out.word |= std::uint64_t{1} << signal.first_bit;
            }
            break;
        case Kind::constant:
            out.word |= placed(signal.absent_raw, signal);
            return done;
    }
    out.says_something = true;
    return done;
}

CanFrame can_frame(const Frame& frame, std::uint64_t word, unsigned size) {
    CanFrame can{frame.id, false, static_cast<std::uint8_t>(size), {}};
    for (unsigned i = 0; i < 8; ++i) {
        can.data[i] = i < size ? static_cast<std::uint8_t>(word >> (8 * i)) : std::uint8_t{0};
    }
    return can;
}

std::uint64_t word_of(const CanFrame& can) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i) {
        word |= std::uint64_t{can.data[i]} << (8 * i);
    }
    return word;
}

Number number_of(std::uint64_t bits, const Signal& signal) {
    const bool absent =
        (signal.absent == Absent::raw && signal.bits > 1 && bits == signal.absent_raw) ||
        (signal.zero_is_absent && bits == 0);
    if (absent) {
        return {};
    }
    auto raw = static_cast<std::int64_t>(bits);
    if (signal.is_signed && (bits >> (signal.bits - 1)) != 0) {
        raw -= std::int64_t{1} << signal.bits;
    }
    const std::int64_t value = (raw - signal.offset) * signal.divisor;
    return signal.negated ? -value : value;
}

void take_level(AlarmLevel& level, AlarmLevel block, unsigned pair) {
    const bool known = pair == 1 || pair == 2;
    if (block == AlarmLevel::alarm) {
        level = !known ? AlarmLevel::unsupported : pair == 1 ? AlarmLevel::alarm : AlarmLevel::ok;
    } else if (known && level != AlarmLevel::alarm) {
        level = pair == 1 ? AlarmLevel::warning : AlarmLevel::ok;
    }
}

/// The characters of one part; what fills it up is no text.
void take_text(std::uint64_t word, const Signal& signal, Words& text) {
    std::array<char, Words::capacity()> all;
    all.fill(' ');  // a part that ended with spaces had lost them
    std::copy(text.view().begin(), text.view().end(), all.begin());
    for (unsigned i = 0; i < 8; ++i) {
        all[(8U * signal.part + i) % all.size()] = static_cast<char>((word >> (8 * i)) & 0xFF);
    }
    std::size_t size = std::max<std::size_t>(text.size(), 8U * signal.part + 8U);
    size = std::min(size, all.size());
    while (size > 0 && (all[size - 1] == '\0' || all[size - 1] == ' ')) {
        --size;
    }
    text = std::string_view(all.data(), size);
}

void take(std::uint64_t word, const Signal& signal, BatteryState& state) {
    switch (signal.kind) {
        case Kind::number: {
            std::uint64_t bits = (word >> signal.first_bit) & mask_of(signal);
            bits = signal.big_endian ? swapped(bits, signal.bits) : bits;
            const Number number = number_of(bits, signal);
            if (number || !signal.refines) {
                state.*(signal.field->member) = number;
            }
            break;
        }
        case Kind::text:
            take_text(word, signal, state.*(signal.text->member));
            break;
        case Kind::pairs:
            for (unsigned i = 0; i < battery_alarms; ++i) {
                const auto pair = static_cast<unsigned>(word >> (signal.first_bit + 2 * i)) & 3U;
                take_level(state.alarms[i], signal.level, pair);
            }
            break;
        case Kind::alarm: {
            const bool active = ((word >> signal.first_bit) & 1U) != 0;
            take_level(
                state.alarms[static_cast<std::size_t>(signal.alarm)], signal.level, active ? 1 : 2);
            break;
        }
        case Kind::constant:
            break;
    }
}

}  // namespace

Result<CanFrame> encode(const Frame& frame, const BatteryState& state) {
    Encoding out;
    unsigned size = frame.size;
    for (const Signal& signal : frame.signals) {
        JW_TRY(add(signal, state, out));
        if (!out.missing) {
            continue;
        }
        if (signal.absent == Absent::skip) {
            return JW_FAIL(not_found);
        }
        if (signal.absent == Absent::shorten) {
            size = signal.first_bit / 8U;
            break;
        }
        if (signal.kind == Kind::number) {
            out.word |= placed(signal.absent_raw, signal);
        }
    }
    if (!out.says_something) {
        return JW_FAIL(not_found);
    }
    return can_frame(frame, out.word, size);
}

Status decode(const Frame& frame, const CanFrame& can, BatteryState& state) {
    if (can.extended || can.id != frame.id) {
        return JW_FAIL(malformed);
    }
    const std::uint64_t word = word_of(can);
    const unsigned bits = 8U * std::min<unsigned>(can.size, 8);
    bool any = frame.signals.empty();
    for (const Signal& signal : frame.signals) {
        if (signal.first_bit + signal.bits <= bits) {
            take(word, signal, state);
            any = true;
        } else if (signal.kind == Kind::number && !signal.refines) {
            (state.*(signal.field->member)).reset();
        }
    }
    if (!any) {
        return JW_FAIL(not_found);
    }
    return done;
}

const Frame* find(const Profile& profile, std::uint32_t id) {
    for (const std::span<const Frame> frames : {profile.sent, profile.heard}) {
        for (const Frame& frame : frames) {
            if (frame.id == id) {
                return &frame;
            }
        }
    }
    return nullptr;
}

}  // namespace jw::can_out
