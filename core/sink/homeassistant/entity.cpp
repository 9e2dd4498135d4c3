// SPDX-License-Identifier: Apache-2.0
// The table of entities, held against what Home Assistant allows while it is compiled.
#include "core/sink/homeassistant/entity.h"

#include <array>

namespace jw::homeassistant {
namespace {

using Q = Quantity;
using S = StateClass;

constexpr Unit watt{"power", "W", "w", 0, 0, S::gauge};
constexpr Unit var{"reactive_power", "var", "var", 0, 0, S::gauge};
constexpr Unit volt_ampere{"apparent_power", "VA", "va", 0, 0, S::gauge};
constexpr Unit factor{"power_factor", "", "", 3, 2, S::gauge};
constexpr Unit volt{"voltage", "V", "v", 3, 1, S::gauge};
constexpr Unit cell_volt{"voltage", "V", "v", 3, 3, S::gauge};
constexpr Unit ampere{"current", "A", "a", 3, 2, S::gauge};
constexpr Unit hertz{"frequency", "Hz", "hz", 3, 2, S::gauge};
constexpr Unit meter_kwh{"energy", "kWh", "kwh", 3, 1, S::rising};
constexpr Unit stored_kwh{"energy_storage", "kWh", "kwh", 3, 1, S::gauge};
constexpr Unit kvarh{"reactive_energy", "kvarh", "kvarh", 3, 1, S::rising};
constexpr Unit celsius{"temperature", "°C", "c", 3, 1, S::gauge};
constexpr Unit charge{"battery", "%", "percent", 1, 0, S::gauge};
constexpr Unit percent{"", "%", "percent", 1, 0, S::gauge};
constexpr Unit ampere_hour{"", "Ah", "ah", 3, 1, S::gauge};
constexpr Unit gas{"gas", "m³", "m3", 3, 3, S::rising};
constexpr Unit water{"water", "m³", "m3", 3, 3, S::rising};
constexpr Unit duration{"duration", "s", "s", 0, 0, S::gauge};
constexpr Unit up_time{"duration", "s", "s", 0, 0, S::rising};
constexpr Unit count{"", "", "", 0, 0, S::rising};
constexpr Unit number{"", "", "", 0, 0, S::gauge};
constexpr Unit code{"", "", "", 0, 0, S::none};  // a state: no mean makes sense
constexpr Unit word{"enum", "", "", 0, 0, S::none};
constexpr Unit link{"connectivity", "", "", 0, 0, S::none};

constexpr auto first = Shown::first;
constexpr auto diagnostic = Shown::diagnostic;
constexpr auto later = Shown::later;
constexpr auto sensor = Platform::sensor;
constexpr auto binary = Platform::binary_sensor;

// By BatteryActivity.
constexpr std::string_view activities[] = {"idle", "charging", "full", "discharging", "fault"};

constexpr Entity table[] = {
    {Q::none, "", code, later},
    {Q::power_w, "Power", watt},
    {Q::power_min_w, "Lowest power", watt, later},
    {Q::power_max_w, "Highest power", watt, later},
    {Q::reactive_power_var, "Reactive power", var},
    {Q::apparent_power_va, "Apparent power", volt_ampere},
    {Q::power_factor_permille, "Power factor", factor},
    {Q::voltage_mv, "Voltage", volt},
    {Q::line_voltage_mv, "Line voltage", volt},
    {Q::current_ma, "Current", ampere},
    {Q::frequency_mhz, "Frequency", hertz},
    {Q::energy_import_wh, "Energy import", meter_kwh},
    {Q::energy_export_wh, "Energy export", meter_kwh},
    {Q::energy_production_wh, "Energy production", meter_kwh},
    {Q::energy_charge_wh, "Energy charged", meter_kwh},
    {Q::energy_discharge_wh, "Energy discharged", meter_kwh},
    {Q::energy_wh, "Energy", meter_kwh},
    {Q::reactive_energy_import_varh, "Reactive energy import", kvarh},
    {Q::reactive_energy_export_varh, "Reactive energy export", kvarh},
    {Q::dc_power_w, "DC power", watt},
    {Q::dc_voltage_mv, "DC voltage", volt},
    {Q::dc_current_ma, "DC current", ampere},
    {Q::dc_energy_wh, "DC energy", meter_kwh},
    {Q::temperature_mc, "Temperature", celsius},
    {Q::soc_permille, "State of charge", charge},
    {Q::soh_permille, "State of health", percent},
    {Q::cell_voltage_mv, "Cell voltage", cell_volt, later},
    {Q::capacity_wh, "Capacity", stored_kwh},
    {Q::available_energy_wh, "Available energy", stored_kwh},
    {Q::cycle_count, "Charge cycles", count},
    {Q::operating_state, "Operating state", code, diagnostic},
    {Q::event_bits, "Event bits", code, later},
    {Q::relay_closed, "Relay", code, first, binary},
    {Q::gas_volume_l, "Gas", gas},
    {Q::water_volume_l, "Water", water},
    {Q::heat_energy_wh, "Heat", meter_kwh},
    {Q::pulse_count, "Pulses", count},
    {Q::tariff, "Tariff", code},
    {Q::power_failure_count, "Power failures", count, diagnostic},
    {Q::power_limit_permille, "Power limit", percent},
    {Q::power_limit_enabled, "Power limit in force", code, first, binary},
    {Q::rated_power_w, "Rated power", watt, later},
    {Q::rated_apparent_power_va, "Rated apparent power", volt_ampere, later},
    {Q::charge_power_max_w, "Highest charging power", watt, later},
    {Q::discharge_power_max_w, "Highest discharging power", watt, later},
    {Q::charge_limit_permille, "Charging limit", percent},
    {Q::discharge_limit_permille, "Discharging limit", percent},
    {Q::storage_control, "Limits in force", code, diagnostic},
    {Q::demand_average_w, "Mean demand", watt},
    {Q::demand_peak_w, "Peak demand", watt},
    {Q::current_limit_ma, "Current limit", ampere, diagnostic},
    {Q::connected, "Connected to the grid", link, first, binary},
    {Q::export_power_w, "Export power", watt},
    {Q::up_time_s, "Running for", up_time, later},
    {Q::read_errors, "Read errors", count, later},
    {Q::cell_voltage_min_mv, "Lowest cell voltage", cell_volt},
    {Q::cell_voltage_max_mv, "Highest cell voltage", cell_volt},
    {Q::cell_full_mv, "Full cell", cell_volt, later},
    {Q::cell_empty_mv, "Empty cell", cell_volt, later},
    {Q::cell_overvoltage_mv, "Highest allowed cell voltage", cell_volt, later},
    {Q::cell_undervoltage_mv, "Lowest allowed cell voltage", cell_volt, later},
    {Q::charge_current_max_ma, "Highest charging current", ampere, later},
    {Q::discharge_current_max_ma, "Highest discharging current", ampere, later},
    {Q::temperature_max_mc, "Highest allowed temperature", celsius, later},
    {Q::charge_temperature_min_mc, "Lowest temperature for charging", celsius, later},
    {Q::cell_count, "Cells in series", number, later},
    {Q::capacity_mah, "Charge capacity", ampere_hour, diagnostic},
    {Q::balancing_bits, "Balancing bits", code, later},
    {Q::battery_state, "State", word, first, sensor, activities},
    {Q::battery_alarm_bits, "Alarm bits", code, diagnostic},
    {Q::battery_warning_bits, "Warning bits", code, diagnostic},
    {Q::time_left_s, "Time left", duration},
    {Q::charge_voltage_limit_mv, "Charging voltage limit", cell_volt},
    {Q::charge_current_limit_ma, "Charging current limit", ampere},
    {Q::discharge_current_limit_ma, "Discharging current limit", ampere},
    {Q::discharge_voltage_limit_mv, "Discharging voltage limit", cell_volt},
};

constexpr bool one_row_for_each_quantity() {
    for (std::size_t i = 0; i < std::size(table); ++i) {
        if (static_cast<std::size_t>(table[i].quantity) != i) {
            return false;
        }
    }
    return std::size(table) == static_cast<std::size_t>(quantity_last) + 1;
}
static_assert(one_row_for_each_quantity(), "a new quantity needs its row here");

/// What Home Assistant takes of a class; any other pair is refused at discovery.
struct Allowed {
    std::string_view device_class;
    std::string_view unit;
    bool gauge = false;
    bool rising = false;
};
constexpr Allowed allowed[] = {
    {"power", "W", true, false},
    {"reactive_power", "var", true, false},
    {"apparent_power", "VA", true, false},
    {"power_factor", "", true, false},
    {"voltage", "V", true, false},
    {"current", "A", true, false},
    {"frequency", "Hz", true, false},
    {"energy", "kWh", false, true},
    {"energy_storage", "kWh", true, false},
    {"reactive_energy", "kvarh", false, true},
    {"temperature", "°C", true, false},
    {"battery", "%", true, false},
    {"gas", "m³", false, true},
    {"water", "m³", false, true},
    {"duration", "s", true, true},
    {"enum", "", false, false},
    {"", "%", true, false},
    {"", "Ah", true, false},
    {"", "", true, true},
};

constexpr bool is_allowed(const Entity& row) {
    if (row.platform == Platform::binary_sensor) {  // these have no unit, and classes of their own
        const std::string_view own = row.unit.device_class;
        return row.unit.unit.empty() && row.unit.state_class == S::none && row.unit.decimals == 0 &&
               (own.empty() || own == "connectivity" || own == "problem");
    }
    if ((row.unit.device_class == "enum") != !row.options.empty()) {
        return false;
    }
    for (const Allowed& pair : allowed) {
        if (pair.device_class == row.unit.device_class && pair.unit == row.unit.unit) {
            return row.unit.state_class == S::none ||
                   (row.unit.state_class == S::gauge ? pair.gauge : pair.rising);
        }
    }
    return false;
}

constexpr bool all_allowed() {
    for (const Entity& row : table) {
        if (!is_allowed(row)) {
            return false;
        }
    }
    return true;
}
static_assert(all_allowed(), "Home Assistant would refuse a row of this table");

constexpr std::string_view line_pairs[] = {"L1-L2", "L2-L3", "L3-L1"};

}  // namespace

const Entity& entity(Quantity quantity) {
    const auto number = static_cast<std::size_t>(quantity);
    return number < std::size(table) ? table[number] : table[0];
}

void put_member(Quantity quantity, std::uint8_t index, Text& out) {
    std::array<char, 80> buffer{};
    Text name(buffer);
    put_name(quantity, index, name);
    std::string_view text = name.view();
    if (const std::string_view unit = info(quantity).unit; !unit.empty()) {
        text.remove_suffix(unit.size() + 1);
    }
    out.put(text);
    if (const std::string_view suffix = entity(quantity).unit.suffix; !suffix.empty()) {
        out.put('_').put(suffix);
    }
}

void put_label(Quantity quantity, std::uint8_t index, Text& out) {
    out.put(entity(quantity).name);
    if (index == 0) {
        return;
    }
    out.put(' ');
    if (quantity == Quantity::line_voltage_mv && index <= std::size(line_pairs)) {
        out.put(line_pairs[index - 1]);
        return;
    }
    switch (info(quantity).indexed) {
        case Indexed::phase:
            out.put('L');
            break;
        case Indexed::string:
            out.put("string ");
            break;
        case Indexed::tariff:
            out.put("tariff ");
            break;
        case Indexed::none:
        case Indexed::cell:
        case Indexed::sensor:
            break;
    }
    out.put(index);
}

void put_decimal(std::int64_t number, unsigned decimals, Text& out) {
    std::uint64_t divisor = 1;
    for (unsigned i = 0; i < decimals; ++i) {
        divisor *= 10;
    }
    const std::uint64_t size =
        number < 0 ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number);
    if (number < 0) {
        out.put('-');
    }
    out.put(size / divisor);
    std::uint64_t rest = size % divisor;
    if (rest == 0) {
        return;
    }
    out.put('.');
    while (rest != 0) {
        divisor /= 10;
        out.put(static_cast<char>('0' + rest / divisor));
        rest %= divisor;
    }
}

bool parse_decimal(std::string_view text, unsigned decimals, std::int64_t& number) {
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    std::int64_t value = 0;
    unsigned behind = 0;
    bool point = false;
    bool digit = false;
    for (const char c : text) {
        if (c == '.' && !point && digit) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        digit = true;
        if (point && behind == decimals) {
            if (c != '0') {
                return false;
            }
            continue;
        }
        behind += point ? 1 : 0;
        value = value * 10 + (c - '0');
        if (value > number_most) {
            return false;
        }
    }
    for (; behind < decimals; ++behind) {
        value *= 10;
    }
    if (!digit || value > number_most) {
        return false;
    }
    number = negative ? -value : value;
    return true;
}

}  // namespace jw::homeassistant
