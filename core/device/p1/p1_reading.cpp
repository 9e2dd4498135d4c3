// SPDX-License-Identifier: Apache-2.0
// The table of P1 rows: which quantity each is, in which unit it is written.
// DSMR P1 companion standard 5.0.2, 6.12; e-MUCS-P1 1.7 (Belgium); Swedish and Hungarian rows.
#include "core/device/p1/p1_reading.h"

#include <array>

#include "core/base/float_bits.h"
#include "core/codec/p1.h"

namespace jw::p1 {
namespace {

using Q = Quantity;

/// What a row of the table is measured in; each is written with several prefixes.
enum class Unit : std::uint8_t { w, var, wh, varh, v, a, hz, permille, plain };

struct UnitText {
    Unit unit;
    std::string_view text;  // lower case
    std::uint8_t exponent;  // power of ten from the text to the unit of the quantity
};

constexpr UnitText unit_texts[] = {
    {Unit::w, "w", 0},
    {Unit::w, "kw", 3},
    {Unit::var, "var", 0},
    {Unit::var, "kvar", 3},
    {Unit::wh, "wh", 0},
    {Unit::wh, "kwh", 3},
    {Unit::varh, "varh", 0},
    {Unit::varh, "kvarh", 3},
    {Unit::v, "v", 3},
    {Unit::a, "a", 3},
    {Unit::hz, "hz", 3},
    {Unit::permille, "", 3},
    {Unit::plain, "", 0},
};

struct Rule {
    std::uint8_t c = 0;
    std::uint8_t d = 0;
    std::uint8_t e = 0;
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    Unit unit = Unit::plain;
    std::int8_t sign = 1;  // rows of the same quantity and index add up
};

constexpr Rule rules[] = {
    {1, 8, 0, Q::energy_import_wh, 0, Unit::wh},
    {1, 8, 1, Q::energy_import_wh, 1, Unit::wh},
    {1, 8, 2, Q::energy_import_wh, 2, Unit::wh},
    {1, 8, 3, Q::energy_import_wh, 3, Unit::wh},
    {1, 8, 4, Q::energy_import_wh, 4, Unit::wh},
    {2, 8, 0, Q::energy_export_wh, 0, Unit::wh},
    {2, 8, 1, Q::energy_export_wh, 1, Unit::wh},
    {2, 8, 2, Q::energy_export_wh, 2, Unit::wh},
    {2, 8, 3, Q::energy_export_wh, 3, Unit::wh},
    {2, 8, 4, Q::energy_export_wh, 4, Unit::wh},
    {3, 8, 0, Q::reactive_energy_import_varh, 0, Unit::varh},
    {4, 8, 0, Q::reactive_energy_export_varh, 0, Unit::varh},
    {1, 7, 0, Q::power_w, 0, Unit::w},
    {2, 7, 0, Q::power_w, 0, Unit::w, -1},
    {21, 7, 0, Q::power_w, 1, Unit::w},
    {22, 7, 0, Q::power_w, 1, Unit::w, -1},
    {41, 7, 0, Q::power_w, 2, Unit::w},
    {42, 7, 0, Q::power_w, 2, Unit::w, -1},
    {61, 7, 0, Q::power_w, 3, Unit::w},
    {62, 7, 0, Q::power_w, 3, Unit::w, -1},
    {2, 7, 0, Q::export_power_w, 0, Unit::w},
    {3, 7, 0, Q::reactive_power_var, 0, Unit::var},
    {4, 7, 0, Q::reactive_power_var, 0, Unit::var, -1},
    {23, 7, 0, Q::reactive_power_var, 1, Unit::var},
    {24, 7, 0, Q::reactive_power_var, 1, Unit::var, -1},
    {43, 7, 0, Q::reactive_power_var, 2, Unit::var},
    {44, 7, 0, Q::reactive_power_var, 2, Unit::var, -1},
    {63, 7, 0, Q::reactive_power_var, 3, Unit::var},
    {64, 7, 0, Q::reactive_power_var, 3, Unit::var, -1},
    {13, 7, 0, Q::power_factor_permille, 0, Unit::permille},
    {33, 7, 0, Q::power_factor_permille, 1, Unit::permille},
    {53, 7, 0, Q::power_factor_permille, 2, Unit::permille},
    {73, 7, 0, Q::power_factor_permille, 3, Unit::permille},
    {14, 7, 0, Q::frequency_mhz, 0, Unit::hz},
    {32, 7, 0, Q::voltage_mv, 1, Unit::v},
    {52, 7, 0, Q::voltage_mv, 2, Unit::v},
    {72, 7, 0, Q::voltage_mv, 3, Unit::v},
    {31, 7, 0, Q::current_ma, 1, Unit::a},
    {51, 7, 0, Q::current_ma, 2, Unit::a},
    {71, 7, 0, Q::current_ma, 3, Unit::a},
    {31, 4, 0, Q::current_limit_ma, 0, Unit::a},
    {17, 0, 0, Q::current_limit_ma, 0, Unit::a},  // DSMR 3; later versions limit in kW
    {1, 4, 0, Q::demand_average_w, 0, Unit::w},
    {1, 6, 0, Q::demand_peak_w, 0, Unit::w},
    {96, 14, 0, Q::tariff, 0, Unit::plain},
    {96, 7, 21, Q::power_failure_count, 0, Unit::plain},
};
static_assert(std::size(rules) <= 64, "read_values() remembers the rows it has seen in 64 bits");

constexpr std::int64_t no_limit_ma = 999'000;  // how Belgian meters write "not limited"

/// Sub-meters stand on channels 1 to 4 (DSMR 5.0.2, 6.12.4); channel 0 is the meter itself.
using ChannelKinds = std::array<std::uint8_t, 5>;

bool same_unit(std::string_view written, std::string_view lower) {
    if (written.size() != lower.size()) {
        return false;
    }
    for (std::size_t i = 0; i < lower.size(); ++i) {
        const char c = written[i];
        const bool upper = c >= 'A' && c <= 'Z';
        if ((upper ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i]) {
            return false;
        }
    }
    return true;
}

constexpr std::int64_t beyond = INT64_MAX;  // impossible: what does not fit, and sums with it

std::optional<std::int64_t> in_unit(const Decimal& number, Unit unit) {
    for (const UnitText& text : unit_texts) {
        if (text.unit == unit && same_unit(number.unit, text.text)) {
            return number.scaled(text.exponent).value_or(beyond);
        }
    }
    return std::nullopt;
}

/// Of an impossible number the sum is impossible too, and is left out with it.
std::int64_t sum_of(std::int64_t a, std::int64_t b) {
    return possible(a) && possible(b) ? a + b : beyond;
}

/// Appends also what is impossible: as long as rows add up and are counted it has its place.
void append(Values& values, Quantity quantity, std::uint8_t index, std::int64_t number) {
    if (!values.push({quantity, index, number})) {
        values.put(quantity, index, number);  // counts it
    }
}

void leave_out_impossible(Values& values) {
    for (std::size_t i = values.size(); i > 0; --i) {
        if (const Value value = values[i - 1]; !possible(value.number)) {
            values.remove(i - 1);
            values.put(value.quantity, value.index, value.number);  // counts it
        }
    }
}

void add(Values& values, Quantity quantity, std::uint8_t index, std::int64_t number) {
    for (Value& value : values) {
        if (value.quantity == quantity && value.index == index) {
            value.number = sum_of(value.number, number);
            return;
        }
    }
    append(values, quantity, index, number);
}

/// Applies every rule that names the row; the first row of a name counts.
void take_row(const Row& row, std::int8_t sign, std::uint64_t& seen, Values& out) {
    const auto number = parse_decimal(row.last());
    if (!number) {
        return;
    }
    for (std::size_t i = 0; i < std::size(rules); ++i) {
        const Rule& rule = rules[i];
        const std::uint64_t bit = std::uint64_t{1} << i;
        const bool named = row.obis.c == rule.c && row.obis.d == rule.d && row.obis.e == rule.e;
        const auto scaled = named && (seen & bit) == 0 ? in_unit(*number, rule.unit) : std::nullopt;
        if (!scaled || (rule.quantity == Q::current_limit_ma && *scaled == no_limit_ma)) {
            continue;
        }
        seen |= bit;
        const bool turned = rule.quantity == Q::power_w || rule.quantity == Q::reactive_power_var;
        add(out, rule.quantity, rule.index, *scaled * rule.sign * (turned ? sign : 1));
    }
}

std::optional<std::int64_t> heat_wh(const Decimal& number) {
    const bool giga = same_unit(number.unit, "gj");
    if (giga || same_unit(number.unit, "mj")) {
        const auto joules = number.scaled(giga ? 9 : 6);
        return joules ? scaled(*joules, 1, 3600) : beyond;
    }
    if (same_unit(number.unit, "mwh")) {
        return number.scaled(6).value_or(beyond);
    }
    return in_unit(number, Unit::wh);
}

/// M-Bus device types of EN 13757-3: 3 gas; 4, 10 to 13 heat and cold; 6, 7, 21 water.
Quantity sub_meter_quantity(std::uint8_t kind) {
    switch (kind) {
        case 3:
            return Q::gas_volume_l;
        case 4:
        case 10:
        case 11:
        case 12:
        case 13:
            return Q::heat_energy_wh;
        case 6:
        case 7:
        case 21:
            return Q::water_volume_l;
        default:
            return Q::none;
    }
}

/// The reading of a sub-meter. The first of its kind has index 0, the next 2, 3, ….
void take_sub_meter(const Row& row, const ChannelKinds& kinds, Values& out) {
    auto number = parse_decimal(row.last());
    const Quantity quantity = sub_meter_quantity(kinds[row.obis.b]);
    if (!number || quantity == Q::none) {
        return;
    }
    if (number->unit.empty() && row.count() >= 2) {
        number->unit = row.group(row.count() - 2);  // DSMR 2.2 and 3.0 write the unit beside it
    }
    const bool volume = quantity != Q::heat_energy_wh;
    const auto scaled = !volume ? heat_wh(*number)
                        : same_unit(number->unit, "m3")
                            ? std::optional(number->scaled(3).value_or(beyond))
                            : std::nullopt;
    if (!scaled) {
        return;
    }
    std::uint8_t count = 0;
    for (const Value& value : out) {
        count = static_cast<std::uint8_t>(count + (value.quantity == quantity ? 1 : 0));
    }
    append(out, quantity, count == 0 ? 0 : static_cast<std::uint8_t>(count + 1), *scaled);
}

bool is_sub_meter(const Obis& obis) {
    return obis.a == 0 && obis.b >= 1 && obis.b <= 4 && obis.c == 24;
}

/// Index 0 of an energy is the sum of its tariffs, where the meter does not say it itself.
void add_sum(Quantity energy, Values& out) {
    if (out.find(energy) != nullptr) {
        return;
    }
    std::int64_t sum = 0;
    bool any = false;
    for (const Value& value : out) {
        if (value.quantity == energy) {
            sum = sum_of(sum, value.number);
            any = true;
        }
    }
    if (any) {
        out.put(energy, 0, sum);
    }
}

}  // namespace

Status read_values(std::string_view telegram, std::int8_t sign, Values& out) {
    // Once for the format and the kinds of the sub-meters, which may stand behind their values.
    ChannelKinds kinds{};
    Rows first(telegram);
    while (const auto row = first.next()) {
        const auto kind = parse_decimal(row->last());
        if (is_sub_meter(row->obis) && row->obis.d == 1 && kind && kind->digits < 256) {
            kinds[row->obis.b] = static_cast<std::uint8_t>(kind->digits);
        }
    }
    if (first.code() != Code::ok) {
        return JW_FAIL(malformed);
    }
    std::uint64_t seen = 0;
    Rows second(telegram);
    while (const auto row = second.next()) {
        // 24.2.1 as DSMR 4 and later have it, 24.2.3 in Belgium (not corrected for temperature),
        // 24.3.0 in DSMR 2.2 and 3.0.
        const Obis& obis = row->obis;
        if (is_sub_meter(obis)) {
            if ((obis.d == 2 && (obis.e == 1 || obis.e == 3)) || (obis.d == 3 && obis.e == 0)) {
                take_sub_meter(*row, kinds, out);
            }
        } else if (obis.b == 0 && obis.a <= 1) {
            take_row(*row, sign, seen, out);
        }
    }
    add_sum(Q::energy_import_wh, out);
    add_sum(Q::energy_export_wh, out);
    leave_out_impossible(out);
    return done;
}

DeviceInfo describe(std::string_view telegram) {
    DeviceInfo info;
    Rows rows(telegram);
    std::string_view header = rows.identification();
    if (header.size() >= 4) {
        info.maker = std::string_view(header.data(), 3);
        header.remove_prefix(4);  // the maker and the character of the baud rate
        if (header.size() >= 2 && header[0] == '\\') {
            header.remove_prefix(2);  // IEC 62056-21, 6.3.14, item 24: enhanced identification
        }
        info.model = header;
    }
    while (const auto row = rows.next()) {
        const Obis& obis = row->obis;
        if (obis == Obis{1, 3, 0, 2, 8} || obis == Obis{0, 0, 96, 1, 4}) {
            info.version = row->last();
        } else if (obis == Obis{0, 0, 96, 1, 1} || obis == Obis{0, 0, 96, 1, 255}) {
            std::array<char, Label::capacity()> room{};
            info.serial = parse_equipment_id(row->last(), room);
        }
    }
    return info;
}

}  // namespace jw::p1
