// SPDX-License-Identifier: Apache-2.0
#include "core/model/quantity.h"

#include <optional>

namespace jw {
namespace {

using Q = Quantity;
using B = Behaviour;
using I = Indexed;

constexpr QuantityInfo table[] = {
    {Q::none, "none", "", B::state, I::none, ""},
    {Q::power_w, "power", "w", B::gauge, I::phase, "power"},
    {Q::power_min_w, "power_min", "w", B::gauge, I::phase, "power"},
    {Q::power_max_w, "power_max", "w", B::gauge, I::phase, "power"},
    {Q::reactive_power_var, "reactive_power", "var", B::gauge, I::phase, "reactive_power"},
    {Q::apparent_power_va, "apparent_power", "va", B::gauge, I::phase, "apparent_power"},
    {Q::power_factor_permille, "power_factor", "permille", B::gauge, I::phase, "power_factor"},
    {Q::voltage_mv, "voltage", "mv", B::gauge, I::phase, "voltage"},
    {Q::line_voltage_mv, "line_voltage", "mv", B::gauge, I::phase, "voltage"},
    {Q::current_ma, "current", "ma", B::gauge, I::phase, "current"},
    {Q::frequency_mhz, "frequency", "mhz", B::gauge, I::none, "frequency"},
    {Q::energy_import_wh, "energy_import", "wh", B::counter, I::tariff, "energy"},
    {Q::energy_export_wh, "energy_export", "wh", B::counter, I::tariff, "energy"},
    {Q::energy_production_wh, "energy_production", "wh", B::counter, I::none, "energy"},
    {Q::energy_charge_wh, "energy_charge", "wh", B::counter, I::none, "energy"},
    {Q::energy_discharge_wh, "energy_discharge", "wh", B::counter, I::none, "energy"},
    {Q::energy_wh, "energy", "wh", B::counter, I::phase, "energy"},
    {Q::reactive_energy_import_varh, "reactive_energy_import", "varh", B::counter, I::tariff, ""},
    {Q::reactive_energy_export_varh, "reactive_energy_export", "varh", B::counter, I::tariff, ""},
    {Q::dc_power_w, "dc_power", "w", B::gauge, I::string, "power"},
    {Q::dc_voltage_mv, "dc_voltage", "mv", B::gauge, I::string, "voltage"},
    {Q::dc_current_ma, "dc_current", "ma", B::gauge, I::string, "current"},
    {Q::dc_energy_wh, "dc_energy", "wh", B::counter, I::string, "energy"},
    {Q::temperature_mc, "temperature", "mc", B::gauge, I::sensor, "temperature"},
    {Q::soc_permille, "soc", "permille", B::gauge, I::none, "battery"},
    {Q::soh_permille, "soh", "permille", B::gauge, I::none, ""},
    {Q::cell_voltage_mv, "cell_voltage", "mv", B::gauge, I::cell, "voltage"},
    {Q::capacity_wh, "capacity", "wh", B::gauge, I::none, "energy_storage"},
    {Q::available_energy_wh, "available_energy", "wh", B::gauge, I::none, "energy_storage"},
    {Q::cycle_count, "cycle_count", "", B::counter, I::none, ""},
    {Q::operating_state, "operating_state", "", B::state, I::none, ""},
    {Q::event_bits, "event_bits", "", B::state, I::none, ""},
    {Q::relay_closed, "relay_closed", "", B::state, I::none, ""},
    {Q::gas_volume_l, "gas_volume", "l", B::counter, I::none, "gas"},
    {Q::water_volume_l, "water_volume", "l", B::counter, I::none, "water"},
    {Q::heat_energy_wh, "heat_energy", "wh", B::counter, I::none, "energy"},
    {Q::pulse_count, "pulse_count", "", B::counter, I::none, ""},
    {Q::tariff, "tariff", "", B::state, I::none, ""},
    {Q::power_failure_count, "power_failure_count", "", B::counter, I::none, ""},
    {Q::power_limit_permille, "power_limit", "permille", B::state, I::none, ""},
    {Q::power_limit_enabled, "power_limit_enabled", "", B::state, I::none, ""},
    {Q::rated_power_w, "rated_power", "w", B::state, I::none, "power"},
    {Q::rated_apparent_power_va, "rated_apparent_power", "va", B::state, I::none, "apparent_power"},
    {Q::charge_power_max_w, "charge_power_max", "w", B::state, I::none, "power"},
    {Q::discharge_power_max_w, "discharge_power_max", "w", B::state, I::none, "power"},
    {Q::charge_limit_permille, "charge_limit", "permille", B::state, I::none, ""},
    {Q::discharge_limit_permille, "discharge_limit", "permille", B::state, I::none, ""},
    {Q::storage_control, "storage_control", "", B::state, I::none, ""},
    {Q::demand_average_w, "demand_average", "w", B::gauge, I::none, "power"},
    {Q::demand_peak_w, "demand_peak", "w", B::gauge, I::none, "power"},
    {Q::current_limit_ma, "current_limit", "ma", B::state, I::none, "current"},
    {Q::connected, "connected", "", B::state, I::none, ""},
    {Q::export_power_w, "export_power", "w", B::gauge, I::phase, "power"},
    {Q::up_time_s, "up_time", "s", B::counter, I::none, "duration"},
    {Q::read_errors, "read_errors", "", B::counter, I::none, ""},
    {Q::cell_voltage_min_mv, "cell_voltage_min", "mv", B::gauge, I::none, "voltage"},
    {Q::cell_voltage_max_mv, "cell_voltage_max", "mv", B::gauge, I::none, "voltage"},
    {Q::cell_full_mv, "cell_full", "mv", B::state, I::none, "voltage"},
    {Q::cell_empty_mv, "cell_empty", "mv", B::state, I::none, "voltage"},
    {Q::cell_overvoltage_mv, "cell_overvoltage", "mv", B::state, I::none, "voltage"},
    {Q::cell_undervoltage_mv, "cell_undervoltage", "mv", B::state, I::none, "voltage"},
    {Q::charge_current_max_ma, "charge_current_max", "ma", B::state, I::none, "current"},
    {Q::discharge_current_max_ma, "discharge_current_max", "ma", B::state, I::none, "current"},
    {Q::temperature_max_mc, "temperature_max", "mc", B::state, I::none, "temperature"},
    {Q::charge_temperature_min_mc,
     "charge_temperature_min",
     "mc",
     B::state,
     I::none,
     "temperature"},
    {Q::cell_count, "cell_count", "", B::state, I::none, ""},
    {Q::capacity_mah, "capacity", "mah", B::state, I::none, ""},
    {Q::balancing_bits, "balancing_bits", "", B::state, I::none, ""},
    {Q::battery_state, "battery_state", "", B::state, I::none, ""},
    {Q::battery_alarm_bits, "battery_alarm_bits", "", B::state, I::none, ""},
    {Q::battery_warning_bits, "battery_warning_bits", "", B::state, I::none, ""},
    {Q::time_left_s, "time_left", "s", B::gauge, I::none, "duration"},
    {Q::charge_voltage_limit_mv, "charge_voltage_limit", "mv", B::gauge, I::none, "voltage"},
    {Q::charge_current_limit_ma, "charge_current_limit", "ma", B::gauge, I::none, "current"},
    {Q::discharge_current_limit_ma, "discharge_current_limit", "ma", B::gauge, I::none, "current"},
    {Q::discharge_voltage_limit_mv, "discharge_voltage_limit", "mv", B::gauge, I::none, "voltage"},
};

constexpr bool numbered_without_gaps() {
    for (std::size_t i = 0; i < std::size(table); ++i) {
        if (static_cast<std::size_t>(table[i].quantity) != i) {
            return false;
        }
    }
    return true;
}
static_assert(numbered_without_gaps(), "the table is found by number");
static_assert(static_cast<std::size_t>(quantity_last) + 1 == std::size(table));

constexpr char index_letter(Indexed indexed) {
    switch (indexed) {
        case Indexed::phase:
            return 'l';
        case Indexed::string:
            return 's';
        case Indexed::tariff:
            return 't';
        case Indexed::cell:
            return 'c';
        case Indexed::none:
        case Indexed::sensor:
            break;
    }
    return 0;
}

}  // namespace

std::span<const QuantityInfo> quantities() {
    return table;
}

const QuantityInfo& info(Quantity quantity) {
    const auto number = static_cast<std::size_t>(quantity);
    return number < std::size(table) ? table[number] : table[0];
}

Quantity quantity_named(std::string_view name) {
    std::uint8_t index = 0;
    Quantity quantity = Quantity::none;
    return parse_name(name, quantity, index) && index == 0 ? quantity : Quantity::none;
}

void put_name(Quantity quantity, std::uint8_t index, Text& out) {
    const QuantityInfo& row = info(quantity);
    out.put(row.stem);
    if (index != 0) {
        out.put('_');
        if (const char letter = index_letter(row.indexed); letter != 0) {
            out.put(letter);
        }
        out.put(index);
    }
    if (!row.unit.empty()) {
        out.put('_').put(row.unit);
    }
}

namespace {

/// What stands between stem and unit, nothing where the name is not of this row.
std::optional<std::string_view> middle_of(std::string_view name, const QuantityInfo& row) {
    if (row.quantity == Quantity::none || !name.starts_with(row.stem)) {
        return std::nullopt;
    }
    name.remove_prefix(row.stem.size());
    if (row.unit.empty()) {
        return name;
    }
    if (!name.ends_with(row.unit)) {
        return std::nullopt;
    }
    name.remove_suffix(row.unit.size());
    if (!name.ends_with('_')) {
        return std::nullopt;
    }
    name.remove_suffix(1);
    return name;
}

/// "_l1", "_c0" or "_2", as the row counts.
bool parse_index(std::string_view text, Indexed indexed, std::uint8_t& index) {
    if (indexed == Indexed::none || !text.starts_with('_')) {
        return false;
    }
    text.remove_prefix(1);
    if (const char letter = index_letter(indexed); letter != 0) {
        if (!text.starts_with(letter)) {
            return false;
        }
        text.remove_prefix(1);
    }
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
    return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() &&
           (index != 0 || indexed == Indexed::cell);
}

}  // namespace

bool parse_name(std::string_view name, Quantity& quantity, std::uint8_t& index) {
    for (const QuantityInfo& row : table) {
        const auto middle = middle_of(name, row);
        if (!middle) {
            continue;
        }
        std::uint8_t parsed = 0;
        if (middle->empty() || parse_index(*middle, row.indexed, parsed)) {
            quantity = row.quantity;
            index = parsed;
            return true;
        }
    }
    return false;
}

}  // namespace jw
