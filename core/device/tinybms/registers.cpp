// SPDX-License-Identifier: Apache-2.0
// The table of registers, and the only place where their words become numbers.
#include "core/device/tinybms/registers.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/float_bits.h"

namespace jw::tinybms {
namespace {

using T = Type;
constexpr bool rw = true;

constexpr Register table[] = {
    {0, 16, T::u16, "cell_voltage", "mV", 1, 1},  // 0 where no cell is connected
    {32, 1, T::u32, "lifetime", "s"},
    {34, 1, T::u32, "time_left", "s"},
    {36, 1, T::f32, "pack_voltage", "V", 1, 3},
    {38, 1, T::f32, "pack_current", "A", 1, 3},
    {40, 1, T::u16, "cell_voltage_min", "mV"},
    {41, 1, T::u16, "cell_voltage_max", "mV"},
    {42, 2, T::i16, "external_temperature", "degC", 1, 1},
    {44, 1, T::u16, "distance_left", "km"},
    {45, 1, T::u16, "state_of_health", "%", 2, 3},
    {46, 1, T::u32, "state_of_charge", "%", 1, 6},
    {48, 1, T::i16, "internal_temperature", "degC", 1, 1},
    {50, 1, T::status, "status"},
    {51, 1, T::u16, "balancing_wanted"},  // bit 0 is the first cell
    {52, 1, T::u16, "balancing_active"},
    {53, 1, T::u16, "cells_detected"},
    {54, 1, T::f32, "speed", "km/h", 1, 3},

    // Statistics since they were cleared; the currents are no limits.
    {100, 1, T::u32, "distance", "km", 1, 2},
    {102, 1, T::u16, "discharge_current_seen_max", "A", 1, 1},
    {103, 1, T::u16, "charge_current_seen_max", "A", 1, 1},
    {104, 1, T::u16, "cell_difference_seen_max", "mV", 1, 1},
    {105, 1, T::u16, "under_voltage_count"},
    {106, 1, T::u16, "over_voltage_count"},
    {107, 1, T::u16, "discharge_over_current_count"},
    {108, 1, T::u16, "charge_over_current_count"},
    {109, 1, T::u16, "over_heat_count"},
    {111, 1, T::u16, "charging_count"},
    {112, 1, T::u16, "full_charge_count"},
    {113, 1, T::i8_pair, "temperature_seen_min_max", "degC"},
    {114, 1, T::u8_pair, "reset_and_wakeup_cause"},
    {116, 1, T::u32, "statistics_cleared_at", "s"},

    {200, 49, T::event, "event"},

    // Settings. The cut-offs 315 and 316 are those of a cell.
    {300, 1, T::u16, "cell_full_voltage", "mV", 1, 0, rw, 1200, 4500},
    {301, 1, T::u16, "cell_empty_voltage", "mV", 1, 0, rw, 1000, 3500},
    {303, 1, T::u16, "early_balancing_voltage", "mV", 1, 0, rw, 1000, 4500},
    {304, 1, T::u16, "charge_finished_current", "mA", 1, 0, rw, 100, 5000},
    {305, 1, T::u16, "peak_discharge_cutoff", "A", 1, 0, rw},
    {306, 1, T::u16, "capacity", "Ah", 1, 2, rw, 10, 65500},
    {307, 1, T::u16, "series_cells", "", 1, 0, rw, 4, 16},
    {308, 1, T::u16, "cell_difference_allowed", "mV", 1, 0, rw, 15, 100},
    {310, 1, T::u16, "charger_start_delay", "s", 1, 0, rw, 5, 60},
    {311, 1, T::u16, "charger_disable_delay", "s", 1, 0, rw, 0, 60},
    {312, 1, T::u32, "pulses_per_distance", "", 1, 0, rw, 1, 100000},
    {314, 1, T::u16, "distance_unit", "", 1, 0, rw, 1, 5},
    {315, 1, T::u16, "over_voltage_cutoff", "mV", 1, 0, rw, 1200, 4500},
    {316, 1, T::u16, "under_voltage_cutoff", "mV", 1, 0, rw, 800, 3500},
    {317, 1, T::u16, "discharge_current_cutoff", "A", 1, 0, rw, 1, 750},
    {318, 1, T::u16, "charge_current_cutoff", "A", 1, 0, rw, 1, 750},
    {319, 1, T::i16, "over_heat_cutoff", "degC", 1, 0, rw, 20, 90},
    {320, 1, T::i16, "low_temperature_charge_cutoff", "degC", 1, 0, rw, -40, 10},
    {321, 1, T::u16, "charge_restart_level", "%", 1, 0, rw, 60, 95},
    {322, 1, T::u16, "cycles_max", "", 1, 0, rw, 10, 65000},
    {323, 1, T::set_once, "set_state_of_health", "%", 2, 3, rw, 0, 50000},
    {328, 1, T::set_once, "set_state_of_charge", "%", 2, 3, rw, 0, 50000},
    {329, 1, T::u16, "flags", "", 1, 0, rw, 0, 7},
    {330, 1, T::u8_pair, "charger_type_and_over_current_timeout", "", 1, 0, rw},
    {331, 1, T::u8, "load_switch_type", "", 1, 0, rw, 0, 8},
    {332, 1, T::u8, "automatic_recovery", "s", 1, 0, rw, 0, 30},
    {333, 1, T::u8, "charger_switch_type", "", 1, 0, rw, 1, 9},
    {334, 1, T::u8, "ignition_input", "", 1, 0, rw, 0, 6},
    {335, 1, T::u8, "charger_detection", "", 1, 0, rw, 1, 7},
    {336, 1, T::u8, "speed_sensor_input", "", 1, 0, rw, 0, 2},
    {337, 1, T::u8, "precharge_output", "", 1, 0, rw, 0, 16},
    {338, 1, T::u8, "precharge_duration", "", 1, 0, rw, 0, 7},
    {339, 1, T::u8, "temperature_sensor_type", "", 1, 0, rw, 0, 1},
    {340, 1, T::u8, "operation_mode", "", 1, 0, rw, 0, 1},
    {341, 1, T::u8, "single_port_switch_type", "", 1, 0, rw, 0, 8},
    {342, 1, T::u8, "broadcast_period", "", 1, 0, rw, 0, 7},
    {343, 1, T::u8, "broadcast_protocol", "", 1, 0, rw, 0, 2},

    {500, 1, T::u8_pair, "hardware_version_and_changes"},
    {501, 1, T::u8_pair, "firmware_version_and_flags"},
    {502, 1, T::u16, "firmware_build"},
    {503, 1, T::u8_pair, "bootloader_and_map_version"},
    {504, 1, T::serial, "serial"},
};

constexpr bool fits(Type type, std::int32_t number) {
    return type == T::i16   ? number > -32768 && number <= 32767
           : type == T::u32 ? number >= 0
                            : number >= 0 && number <= 65535;
}

/// Rows rise without overlap, ranges fit their type, and only what the document lets write (300 to
/// 399) is writable.
consteval bool table_holds() {
    int free_from = 0;
    for (const Register& row : table) {
        const bool in_range = fits(row.type, row.least) && fits(row.type, row.most);
        const bool settings = row.address >= 300 && row.address <= 399;
        if (row.address < free_from || row.count == 0 || row.multiply == 0 || row.decimals > 6 ||
            row.least > row.most || !in_range || row.writable != settings) {
            return false;
        }
        free_from = row.address + row.count * words_of(row.type);
    }
    return free_from == 510;
}
static_assert(table_holds());

struct Name {
    std::uint8_t number;
    const char* name;
};

constexpr Name statuses[] = {
    {0x91, "charging"},
    {0x92, "fully_charged"},
    {0x93, "discharging"},
    {0x96, "regeneration"},
    {0x97, "idle"},
    {0x9B, "fault"},
};

// Up to 0x0F a fault, from 0x31 a warning, from 0x61 a notice.
constexpr Name events[] = {
    {0x02, "under_voltage"},
    {0x03, "over_voltage"},
    {0x04, "over_temperature"},
    {0x05, "discharge_over_current"},
    {0x06, "charge_over_current"},
    {0x07, "regeneration_over_current"},
    {0x0A, "low_temperature"},
    {0x0B, "charger_switch_error"},
    {0x0C, "load_switch_error"},
    {0x0D, "single_port_switch_error"},
    {0x0E, "current_sensor_lost_restart_needed"},
    {0x0F, "current_sensor_found_restart_needed"},
    {0x31, "fully_discharged"},
    {0x37, "charging_at_low_temperature"},
    {0x38, "charging_done_charger_voltage_high"},
    {0x39, "charging_done_charger_voltage_low"},
    {0x61, "started"},
    {0x62, "charging_started"},
    {0x63, "charging_done"},
    {0x64, "charger_connected"},
    {0x65, "charger_disconnected"},
    {0x66, "dual_port_mode"},
    {0x67, "single_port_mode"},
    {0x73, "recovered_over_temperature"},
    {0x74, "recovered_low_temperature_warning"},
    {0x75, "recovered_low_temperature"},
    {0x76, "recovered_charge_over_current"},
    {0x77, "recovered_discharge_over_current"},
    {0x78, "recovered_regeneration_over_current"},
    {0x79, "recovered_over_voltage"},
    {0x7A, "recovered_fully_discharged"},
    {0x7B, "recovered_under_voltage"},
    {0x7C, "current_sensor_connected"},
    {0x7D, "current_sensor_disconnected"},
};

const char* name_in(std::span<const Name> list, std::int64_t number) {
    const auto found = std::find_if(
        list.begin(), list.end(), [number](const Name& row) { return row.number == number; });
    return found == list.end() ? nullptr : found->name;
}

}  // namespace

std::span<const Register> registers() {
    return table;
}

std::optional<Place> place_of(std::uint16_t address) {
    for (const Register& row : table) {
        const int words = words_of(row.type);
        if (address >= row.address && address < row.address + row.count * words) {
            const int at = address - row.address;
            return Place{
                &row, static_cast<std::uint8_t>(at / words), static_cast<std::uint8_t>(at % words)};
        }
    }
    return std::nullopt;
}

void put_name(const Place& place, Text& out) {
    out.put(place.what->name);
    if (place.what->count > 1) {
        out.put('_').put(place.item + 1);
    }
}

std::optional<Value> value_of(const Register& what, std::span<const std::uint16_t> words) {
    CHECK(words.size() == words_of(what.type));
    const std::uint16_t low = words[0];
    const auto scaled_up = [&what](std::int64_t number) {
        return Value{number * what.multiply, std::nullopt};
    };
    const auto long_word = [&] { return std::uint32_t{words[1]} << 16 | low; };
    switch (what.type) {
        case Type::u16:
        case Type::status:
            return scaled_up(low);
        case Type::i16:
            return low == 0x8000 ? std::nullopt
                                 : std::optional(scaled_up(static_cast<std::int16_t>(low)));
        case Type::set_once:
            return low == 0xFFFF ? std::nullopt : std::optional(scaled_up(low));
        case Type::u32:
            return scaled_up(long_word());
        case Type::f32: {
            const auto number = scaled_f32(long_word(), power_of_ten(what.decimals), 1);
            return number ? std::optional(Value{*number, std::nullopt}) : std::nullopt;
        }
        case Type::u8:
            return scaled_up(low & 0xFF);
        case Type::u8_pair:
            return Value{low & 0xFF, low >> 8};
        case Type::i8_pair:
            return Value{static_cast<std::int8_t>(low & 0xFF), static_cast<std::int8_t>(low >> 8)};
        case Type::event:
        case Type::serial:
            break;
    }
    return std::nullopt;
}

void put_serial(std::span<const std::uint16_t, 6> words, Text& out) {
    for (const std::uint16_t word : words) {
        out.hex(word, 4);
    }
}

const char* status_name(std::int64_t status) {
    return name_in(statuses, status);
}

const char* event_name(std::uint8_t id) {
    return name_in(events, id);
}

}  // namespace jw::tinybms
