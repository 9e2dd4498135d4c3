// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a battery allows and what troubles it, in the words that inverters understand.
#include <array>
#include <cstdint>

namespace jw {

/// What a battery allows its inverter just now. Positive numbers both ways.
struct BatteryLimits {
    std::int64_t charge_voltage_mv = 0;  // of the pack; 0 stands for "none yet" and is never sent
    std::int64_t charge_current_ma = 0;
    std::int64_t discharge_current_ma = 0;
    std::int64_t discharge_voltage_mv = 0;  // of the pack; below it discharging ends
    bool operator==(const BatteryLimits&) const = default;
};

/// What an inverter can be told to be alarmed about.
enum class BatteryAlarm : std::uint8_t {
    general,
    high_voltage,
    low_voltage,
    high_temperature,
    low_temperature,
    high_charge_temperature,
    low_charge_temperature,
    high_current,
    high_charge_current,
    contactor,
    short_circuit,
    bms_internal,
    cell_imbalance,
};
inline constexpr std::size_t battery_alarms = 13;

enum class AlarmLevel : std::uint8_t { unsupported, ok, warning, alarm };

/// What a battery is doing, as Quantity::battery_state has it.
enum class BatteryActivity : std::uint8_t { idle, charging, full, discharging, fault };
constexpr auto enum_names(BatteryActivity) {
    return std::array{"idle", "charging", "full", "discharging", "fault"};
}

/// By BatteryAlarm.
using BatteryAlarms = std::array<AlarmLevel, battery_alarms>;

}  // namespace jw
