// SPDX-License-Identifier: Apache-2.0
#pragma once
// How Home Assistant shows each quantity: class, unit, how many digits, and what is shown at first.
// The pairs of class, unit and state class that it takes stand in `homeassistant/components/sensor/
// const.py` of its core; a row that breaks them does not compile.
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/text.h"
#include "core/model/reading.h"

namespace jw::homeassistant {

/// Its measurement and total_increasing; `total` is for what may fall.
enum class StateClass : std::uint8_t { none, gauge, rising };

/// What a number is there: its class and unit, and how it is written.
struct Unit {
    std::string_view device_class;  // empty: none fits
    std::string_view unit;          // empty: a plain number
    std::string_view suffix;        // of the member's name in the state message: "kwh"
    std::uint8_t decimals = 0;      // published is number / 10^decimals, exactly
    std::uint8_t precision = 0;     // digits behind the point that are shown
    StateClass state_class = StateClass::none;
};

enum class Shown : std::uint8_t {
    first,       // with the device
    diagnostic,  // below it, under "Diagnostic"
    later,       // the same, and only once somebody enables it
};

enum class Platform : std::uint8_t { sensor, binary_sensor };

struct Entity {
    Quantity quantity = Quantity::none;
    std::string_view name;  // for people; without the device's
    Unit unit;
    Shown shown = Shown::first;
    Platform platform = Platform::sensor;
    std::span<const std::string_view> options = {};  // the words of a state, by its number
};

/// The row of a quantity; an unknown number gives the row of Quantity::none.
const Entity& entity(Quantity quantity);

/// Appends the name of a value in the state message: power_l1_w, energy_import_kwh.
void put_member(Quantity quantity, std::uint8_t index, Text& out);

/// Appends the name for people: "Power L1", "Cell voltage 7".
void put_label(Quantity quantity, std::uint8_t index, Text& out);

/// Appends number / 10^decimals without trailing zeros: -1520 with 3 is -1.52.
void put_decimal(std::int64_t number, unsigned decimals, Text& out);

/// Reads such a number back, exactly. False where it is none, or has more digits than count.
bool parse_decimal(std::string_view text, unsigned decimals, std::int64_t& number);

}  // namespace jw::homeassistant
