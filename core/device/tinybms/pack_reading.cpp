// SPDX-License-Identifier: Apache-2.0
// Two tables of which register is which quantity; cells, states and identity have their own rules.
#include "core/device/tinybms/pack_reading.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/device/tinybms/registers.h"
#include "core/model/battery.h"

namespace jw::tinybms {
namespace {

using Q = Quantity;
using Words = std::span<const std::uint16_t>;

/// A register whose number becomes value × multiply / divide.
struct Row {
    std::uint16_t address;
    Quantity quantity;
    std::uint8_t index = 0;
    std::int32_t multiply = 1;
    std::int32_t divide = 1;
};

constexpr Row live[] = {
    {32, Q::up_time_s},
    {34, Q::time_left_s},
    {40, Q::cell_voltage_min_mv},
    {41, Q::cell_voltage_max_mv},
    {42, Q::temperature_mc, 1, 100},
    {43, Q::temperature_mc, 2, 100},
    {46, Q::soc_permille, 0, 1, 100'000},
    {48, Q::temperature_mc, 3, 100},
    {50, Q::operating_state},
};

constexpr Row settings[] = {
    {300, Q::cell_full_mv},
    {301, Q::cell_empty_mv},
    {306, Q::capacity_mah, 0, 10},
    {307, Q::cell_count},
    {315, Q::cell_overvoltage_mv},
    {316, Q::cell_undervoltage_mv},
    {317, Q::discharge_current_max_ma, 0, 1000},
    {318, Q::charge_current_max_ma, 0, 1000},
    {319, Q::temperature_max_mc, 0, 1000},
    {320, Q::charge_temperature_min_mc, 0, 1000},
};

constexpr std::uint16_t cell_registers = 16;
constexpr std::uint16_t soh_most = 50'000;
// Sixteen cells give 72 V and the largest sensor 750 A: a float far beyond is no measurement.
constexpr std::int64_t voltage_most_mv = 1'000'000;
constexpr std::int64_t current_most_ma = 10'000'000;

constexpr std::int64_t rounded(std::int64_t number, std::int64_t divide) {
    return (number + (number < 0 ? -divide : divide) / 2) / divide;
}

std::optional<Value> value_at(Words words, std::uint16_t first, std::uint16_t address) {
    const auto place = place_of(address);
    CHECK(place);
    return value_of(*place->what, words.subspan(address - first, words_of(place->what->type)));
}

void put_row(const Row& row, std::int64_t number, Values& out) {
    out.put(row.quantity, row.index, rounded(number * row.multiply, row.divide));
}

std::optional<BatteryActivity> activity_of(std::uint16_t status) {
    switch (status) {
        case 0x91:
        case 0x96:  // regeneration: the load gives, so the pack takes
            return BatteryActivity::charging;
        case 0x92:
            return BatteryActivity::full;
        case 0x93:
            return BatteryActivity::discharging;
        case 0x97:
            return BatteryActivity::idle;
        case status_fault:
            return BatteryActivity::fault;
        default:
            return std::nullopt;
    }
}

struct Window {
    std::uint16_t from = 0;
    std::uint16_t count = 0;
};

bool all_zero(Words words) {
    return std::all_of(words.begin(), words.end(), [](std::uint16_t word) { return word == 0; });
}

/// The registers that cells are wired to.
Window window_of(Words cells, std::uint16_t detected, CellOrder& order) {
    std::uint16_t count = order.series;
    if (count == 0 || count > cell_registers) {
        count = detected;
    }
    if (count == 0 || count >= cell_registers) {
        return {0, cell_registers};
    }
    const auto unused = static_cast<std::uint16_t>(cell_registers - count);
    const bool first_fits = all_zero(cells.subspan(count));
    const bool last_fits = all_zero(cells.first(unused));
    if (first_fits != last_fits) {
        order.in_last = last_fits;
    } else if (!first_fits) {
        return {0, cell_registers};  // more cells than are set: all are shown
    }
    return order.in_last ? Window{unused, count} : Window{0, count};
}

void put_cells(Words words, CellOrder& order, Values& out) {
    const Words cells = words.first(cell_registers);
    const Window window = window_of(cells, words[53], order);
    const bool known = window.count < cell_registers || words[53] == cell_registers ||
                       order.series == cell_registers;
    std::uint16_t number = 0;
    for (std::uint16_t i = 0; i < window.count; ++i) {
        const int at = order.reversed ? window.count - 1 - i : i;
        const std::uint16_t word = cells[static_cast<std::size_t>(window.from + at)];
        if (word == 0 && !known) {
            continue;
        }
        out.put(Q::cell_voltage_mv, static_cast<std::uint8_t>(++number), rounded(word, 10));
    }
    // Bit 0 is the first cell, whatever register it has.
    std::uint16_t bits = words[52];
    if (order.reversed) {
        std::uint16_t turned = 0;
        for (std::uint16_t i = 0; i < window.count; ++i) {
            turned |= static_cast<std::uint16_t>(((bits >> i) & 1U) << (window.count - 1 - i));
        }
        bits = turned;
    }
    out.put(Q::balancing_bits, 0, bits);
}

/// Voltage, current, and the power that is their product.
unsigned put_floats(Words words, Values& out) {
    unsigned impossible = 0;
    const auto float_at = [&](std::uint16_t address, std::int64_t most) {
        auto value = value_at(words, 0, address);
        if (!value || value->number > most || value->number < -most) {
            ++impossible;
            value.reset();
        }
        return value;
    };
    const auto voltage = float_at(36, voltage_most_mv);
    const auto current = float_at(38, current_most_ma);
    if (voltage) {
        out.put(Q::voltage_mv, 0, voltage->number);
    }
    if (current) {
        out.put(Q::current_ma, 0, current->number);
    }
    if (voltage && current) {
        out.put(Q::power_w, 0, rounded(voltage->number * current->number, 1'000'000));
    }
    return impossible;
}

}  // namespace

unsigned put_live(std::span<const std::uint16_t> words, CellOrder& order, Values& out) {
    CHECK(words.size() >= live_words);
    unsigned impossible = put_floats(words, out);
    for (const Row& row : live) {
        if (const auto value = value_at(words, 0, row.address)) {
            put_row(row, value->number, out);
        }
    }
    // Firmware without a state of health leaves 0 there.
    if (words[45] > soh_most) {
        ++impossible;
    } else if (words[45] != 0) {
        out.put(Q::soh_permille, 0, rounded(words[45], 50));
    }
    if (const auto activity = activity_of(words[50])) {
        out.put(Q::battery_state, 0, static_cast<std::int64_t>(*activity));
    } else {
        ++impossible;
    }
    put_cells(words, order, out);
    return impossible;
}

unsigned put_settings(std::span<const std::uint16_t, setting_words> words, Values& out) {
    unsigned impossible = 0;
    for (const Row& row : settings) {
        const Register& what = *place_of(row.address)->what;
        const auto value = value_at(words, first_setting, row.address);
        if (value && value->number >= what.least && value->number <= what.most) {
            put_row(row, value->number, out);
        } else {
            ++impossible;
        }
    }
    return impossible;
}

void put_statistics(std::span<const std::uint16_t, statistic_words> words, Values& out) {
    out.put(Q::cycle_count, 0, words[112 - first_statistic]);
}

void describe(std::span<const std::uint16_t, version_words> words, DeviceInfo& out) {
    out.maker = std::string_view("Enepaq");
    out.model = std::string_view("TinyBMS");
    std::array<char, 32> buffer{};
    Text text(buffer);
    text.put(words[1] & 0xFF).put('.').put(words[2]);
    text.put(", hardware ").put(words[0] & 0xFF).put('.').put(words[0] >> 8);
    out.version = text.view();
    text.clear();
    const auto serial = words.subspan<4, 6>();
    if (!all_zero(serial)) {
        put_serial(serial, text);
    }
    out.serial = text.view();
}

}  // namespace jw::tinybms
