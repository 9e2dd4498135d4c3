// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a number means. A quantity fixes unit and scale once and for all: values are 64-bit integers
// in the unit that ends the name. Numbers of quantities travel in CBOR and are never reused.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/text.h"

namespace jw {

enum class Quantity : std::uint16_t {
    none = 0,
    power_w = 1,  // + import, production, charging (DESIGN 3)
    power_min_w = 2,
    power_max_w = 3,
    reactive_power_var = 4,
    apparent_power_va = 5,
    power_factor_permille = 6,
    voltage_mv = 7,
    line_voltage_mv = 8,  // index 1: L1-L2, 2: L2-L3, 3: L3-L1
    current_ma = 9,
    frequency_mhz = 10,  // thousandths of a hertz
    energy_import_wh = 11,
    energy_export_wh = 12,
    energy_production_wh = 13,
    energy_charge_wh = 14,
    energy_discharge_wh = 15,
    energy_wh = 16,  // of a meter that does not tell the directions apart
    reactive_energy_import_varh = 17,
    reactive_energy_export_varh = 18,
    dc_power_w = 19,
    dc_voltage_mv = 20,
    dc_current_ma = 21,
    dc_energy_wh = 22,
    temperature_mc = 23,  // thousandths of a degree Celsius
    soc_permille = 24,
    soh_permille = 25,
    cell_voltage_mv = 26,
    capacity_wh = 27,
    available_energy_wh = 28,
    cycle_count = 29,
    operating_state = 30,  // the device's own code
    event_bits = 31,
    relay_closed = 32,  // 0 open, 1 closed
    gas_volume_l = 33,
    water_volume_l = 34,
    heat_energy_wh = 35,
    pulse_count = 36,
    tariff = 37,
    power_failure_count = 38,
    power_limit_permille = 39,
    power_limit_enabled = 40,
    rated_power_w = 41,
    rated_apparent_power_va = 42,
    charge_power_max_w = 43,
    discharge_power_max_w = 44,
    charge_limit_permille = 45,
    discharge_limit_permille = 46,
    storage_control = 47,  // SunSpec 124 StorCtl_Mod: bit 0 charge, bit 1 discharge limited
    demand_average_w = 48,
    demand_peak_w = 49,
    current_limit_ma = 50,
    connected = 51,
    export_power_w = 52,  // P1 tells the two directions apart; power_w is their difference
    up_time_s = 53,
    read_errors = 54,
    cell_voltage_min_mv = 55,  // the lowest of the cells
    cell_voltage_max_mv = 56,
    cell_full_mv = 57,  // what the BMS is set to: a cell is fully charged here
    cell_empty_mv = 58,
    cell_overvoltage_mv = 59,  // it opens its switch here
    cell_undervoltage_mv = 60,
    charge_current_max_ma = 61,  // it opens its switch above
    discharge_current_max_ma = 62,
    temperature_max_mc = 63,
    charge_temperature_min_mc = 64,
    cell_count = 65,  // in series
    capacity_mah = 66,
    balancing_bits = 67,      // bit 0: the first cell
    battery_state = 68,       // a BatteryActivity
    battery_alarm_bits = 69,  // bit n: BatteryAlarm n
    battery_warning_bits = 70,
    time_left_s = 71,
    charge_voltage_limit_mv = 72,  // what an inverter is told
    charge_current_limit_ma = 73,
    discharge_current_limit_ma = 74,
    discharge_voltage_limit_mv = 75,
};

/// The highest number in use; the table holds it to that.
inline constexpr Quantity quantity_last = Quantity::discharge_voltage_limit_mv;

enum class Behaviour : std::uint8_t {
    gauge,    // a mean describes an interval
    counter,  // rises; the last value describes an interval
    state,    // a code or a switch; each change is kept
};

/// What the index counts. 0 is always the whole.
enum class Indexed : std::uint8_t { none, phase, cell, string, tariff, sensor };

struct QuantityInfo {
    Quantity quantity = Quantity::none;
    std::string_view stem;  // name without unit: "energy_import"
    std::string_view unit;  // last part of the name: "wh"; empty for plain numbers
    Behaviour behaviour = Behaviour::gauge;
    Indexed indexed = Indexed::none;
    std::string_view homeassistant_class;  // ecosystem of that name; empty: none fits
};

/// All quantities, rising by number.
std::span<const QuantityInfo> quantities();

/// The row of one quantity; an unknown number gives the row of Quantity::none.
const QuantityInfo& info(Quantity quantity);

/// The quantity of that name without index ("power_w"), or none.
Quantity quantity_named(std::string_view name);

/// Appends the name that JSON, CSV and pages use: power_w, power_l1_w, energy_import_t2_wh,
/// dc_power_s1_w, temperature_2_mc. Cells have no such name: they travel as an array.
void put_name(Quantity quantity, std::uint8_t index, Text& out);

/// Reads such a name back. False when it is none.
bool parse_name(std::string_view name, Quantity& quantity, std::uint8_t& index);

}  // namespace jw
