// SPDX-License-Identifier: Apache-2.0
#pragma once
// CAN frames between battery and inverter as tables: from one table follow encoding, decoding, the
// DBC text and the documentation.
#include <span>

#include "core/base/can.h"
#include "core/base/result.h"
#include "core/sink/can_out/state.h"

namespace jw::can_out {

enum class Kind : std::uint8_t {
    number,  // an integer of 1 to 32 bits
    text,    // eight characters of a text, from part * 8 on
    pairs,   // two bits for each BatteryAlarm in its order: 1 active, 2 not, 0 and 3 not supported
    alarm,   // one bit for one BatteryAlarm: 1 active
    constant,  // always `absent_raw`
};

/// What becomes of a frame whose state lacks the value of a signal.
enum class Absent : std::uint8_t {
    skip,     // the frame is not sent
    raw,      // `absent_raw` stands in the value's place
    shorten,  // the frame ends before the signal
};

enum class Round : std::uint8_t { nearest, down, up };

/// One signal. Physical value = (raw - offset) * divisor in the unit of the field.
struct Signal {
    Kind kind = Kind::number;
    std::uint8_t first_bit = 0;  // of the lowest bit, or of the byte that comes first
    std::uint8_t bits = 16;
    bool is_signed = false;
    bool big_endian = false;  // whole bytes, the upper one first
    bool negated = false;     // the inverter counts the other way round
    Round round = Round::nearest;
    bool wraps = false;         // a counter: it begins again instead of staying at its end
    std::uint16_t divisor = 1;  // 1, 10, 100 or 1000
    std::int16_t offset = 0;
    bool refuse_below = false;  // a value below `least` is an error instead of becoming `least`
    std::int64_t least = INT64_MIN;  // raw; further bounded by the type
    std::int64_t most = INT64_MAX;
    Absent absent = Absent::skip;
    std::uint32_t absent_raw = 0;
    bool zero_is_absent = false;  // when decoding, besides absent_raw
    bool refines = false;         // says the field again, finer; absent it changes nothing
    const NumberField* field = nullptr;
    const TextField* text = nullptr;
    std::uint8_t part = 0;
    char pad = '\0';
    BatteryAlarm alarm = BatteryAlarm::general;
    AlarmLevel level = AlarmLevel::alarm;  // pairs and alarm: from which on it is active
};

enum class From : std::uint8_t { battery, inverter };

struct Frame {
    const char* name;
    std::uint16_t id;
    std::uint8_t size;  // what is sent; shorter ones are understood
    std::uint16_t period_ms;
    bool needed;  // without it the inverter stops
    From from;
    std::span<const Signal> signals;
};

struct Profile {
    const char* name;
    const char* title;
    std::span<const Frame> sent;
    std::span<const Frame> heard;  // of the inverter, and of other batteries in its dialect
};

/// One frame of the state. Errors: not_found: the state has nothing for this frame, which is not
/// sent; out_of_range: a value must not be sent, as a charge voltage of 0.
Result<CanFrame> encode(const Frame& frame, const BatteryState& state);

/// Puts what a frame says into the state. What it does not say is absent then, except that alarms
/// of the other block stay. Errors: malformed (the id is another), not_found (the frame holds no
/// signal whole).
Status decode(const Frame& frame, const CanFrame& can, BatteryState& state);

/// The frame of that id in a profile, or null.
const Frame* find(const Profile& profile, std::uint32_t id);

}  // namespace jw::can_out
