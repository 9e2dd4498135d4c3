// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rule: what can hold a current or the voltage down, and what one of them says just now.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/text.h"
#include "core/steer/battery/small_number.h"

namespace jw::battery {

/// What can hold a current or the voltage down. Each has a sentence in docs/safety.md.
enum class Rule : std::uint8_t {
    none,
    owner,        // the owner's setting
    bms_rating,   // what the BMS is set to
    remote,       // a command, for as long as it holds
    not_ready,    // no complete reading yet
    stale,        // the values are old
    implausible,  // the values contradict each other, or do not change
    cell_high,    // the fullest cell
    cell_low,     // the emptiest cell
    temperature,  // of the cells
    board_temperature,
    soc,
    bms_fault,       // the BMS has opened a switch, or says fault
    charge_voltage,  // the stage of charging: full, balancing, empty
    cell_difference,
    chatter,     // it went to and fro; held at the lower value
    recovering,  // rising slowly
    hull,        // the last gate
};
inline constexpr std::size_t rules = 18;
constexpr auto enum_names(Rule) {
    return std::array{"none",
                      "owner",
                      "bms_rating",
                      "remote",
                      "not_ready",
                      "stale",
                      "implausible",
                      "cell_high",
                      "cell_low",
                      "temperature",
                      "board_temperature",
                      "soc",
                      "bms_fault",
                      "charge_voltage",
                      "cell_difference",
                      "chatter",
                      "recovering",
                      "hull"};
}

/// Why a reading does not count.
enum class Doubt : std::uint8_t {
    none,
    silent,             // there is no newer one
    incomplete,         // voltage, current, charge, state or a cell is missing
    settings_unknown,   // the BMS has not told what it is set to
    settings_disorder,  // empty, full and the cut-offs do not rise in that order
    cell_count,         // not as many cells as the BMS, or the owner, says
    chemistry,          // the BMS charges beyond what the owner's chemistry bears
    cell_out_of_range,
    cell_sum,  // of the cells, beside the voltage of the pack
    current_out_of_range,
    soc_out_of_range,
    temperature_out_of_range,
    from_the_future,
    frozen,  // nothing changed for long, although a current flows
    unlike,  // the packs do not fit each other
};

/// What one rule allows just now.
struct RuleLimit {
    Rule rule = Rule::none;
    SmallNumber charge_current_ma = {};  // absent: it says nothing about that direction
    SmallNumber discharge_current_ma = {};
    SmallNumber charge_voltage_mv = {};
    SmallNumber input = {};      // what it looked at: mV of the cell, m°C, ‰, ms of age
    SmallNumber threshold = {};  // what it compared that with
    std::uint8_t index = 0;      // of the cell or sensor, from 1; 0: the whole
    std::uint8_t pack = 0;       // from 1; 0: the only one, or all
    Doubt doubt = Doubt::none;
    bool latched = false;  // the owner has to release it
    bool below = false;    // it acts below the threshold, not above
};

/// The name that API and pages use: "cell_high".
std::string_view rule_name(Rule rule);
/// Appends one or two sentences for people: "Cell 11 is at 3.393 V. From 3.375 V on, charging
/// slows."
void put_why(const RuleLimit& limit, Text& out);

}  // namespace jw::battery
