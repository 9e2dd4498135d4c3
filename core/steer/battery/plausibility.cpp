// SPDX-License-Identifier: Apache-2.0
// Rule R5 and hazards H-02, H-03, H-52.
#include "core/steer/battery/plausibility.h"

namespace jw::battery {
namespace {

constexpr std::int64_t cell_mv_max = 5000;
constexpr std::int64_t cell_setting_mv_least = 500;
constexpr std::int64_t current_ma_max = 2'000'000;
constexpr std::int64_t soc_permille_max = 1000;
constexpr std::int64_t temperature_mc_least = -40'000;
constexpr std::int64_t temperature_mc_most = 120'000;

bool within(const Number& number, std::int64_t least, std::int64_t most) {
    return number && *number >= least && *number <= most;
}

/// Whether what the BMS is set to is known and can be true.
Objection objection_to_settings(const Pack& pack, const LawSettings& settings) {
    if (pack.settings_at.us < 0 || !within(pack.cell_count, 1, cells_max) ||
        !within(pack.charge_current_max_ma, 0, current_ma_max) ||
        !within(pack.discharge_current_max_ma, 0, current_ma_max) ||
        !within(pack.temperature_max_mc, temperature_mc_least, temperature_mc_most) ||
        !within(pack.charge_temperature_min_mc, temperature_mc_least, temperature_mc_most)) {
        return {Doubt::settings_unknown};
    }
    if (!within(pack.cell_undervoltage_mv, cell_setting_mv_least, cell_mv_max) ||
        !within(pack.cell_overvoltage_mv, cell_setting_mv_least, cell_mv_max) ||
        !pack.cell_empty_mv || !pack.cell_full_mv ||
        *pack.cell_undervoltage_mv >= *pack.cell_empty_mv ||
        *pack.cell_empty_mv >= *pack.cell_full_mv ||
        *pack.cell_full_mv >= *pack.cell_overvoltage_mv ||
        *pack.cell_empty_mv > *pack.cell_overvoltage_mv - settings.voltage_margin_mv) {
        return {Doubt::settings_disorder};
    }
    if (const std::int64_t ceiling = cell_ceiling_mv(settings.chemistry);
        *pack.cell_full_mv > ceiling) {
        return {Doubt::chemistry, *pack.cell_full_mv, ceiling};
    }
    if (settings.cell_count != 0 && *pack.cell_count != settings.cell_count) {
        return {Doubt::cell_count, *pack.cell_count, settings.cell_count};
    }
    return {};
}

Objection objection_to_cells(const Pack& pack, const LawSettings& settings) {
    std::int64_t sum_mv = 0;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < cells_max; ++i) {
        const Number& cell = pack.cells_mv[i];
        if (!cell) {
            continue;
        }
        if (*cell <= 0 || *cell > cell_mv_max) {
            return {Doubt::cell_out_of_range, *cell, cell_mv_max, static_cast<std::uint8_t>(i + 1)};
        }
        sum_mv += *cell;
        ++count;
    }
    if (count != *pack.cell_count) {
        return {Doubt::cell_count, count, *pack.cell_count};
    }
    const std::int64_t voltage_mv = *pack.voltage_mv;
    if (voltage_mv <= 0 || voltage_mv > cell_mv_max * static_cast<std::int64_t>(cells_max)) {
        return {Doubt::cell_sum, sum_mv, voltage_mv};
    }
    const std::int64_t apart_mv = sum_mv > voltage_mv ? sum_mv - voltage_mv : voltage_mv - sum_mv;
    if (apart_mv * 1000 > voltage_mv * settings.cell_sum_permille) {
        return {Doubt::cell_sum, sum_mv, voltage_mv};
    }
    return {};
}

Objection objection_to_temperatures(const Pack& pack) {
    const std::array<Number, 3> all{
        pack.temperatures_mc[0], pack.temperatures_mc[1], pack.board_temperature_mc};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i] && !within(all[i], temperature_mc_least, temperature_mc_most)) {
            const bool cold = *all[i] < temperature_mc_least;
            return {Doubt::temperature_out_of_range,
                    *all[i],
                    cold ? temperature_mc_least : temperature_mc_most,
                    static_cast<std::uint8_t>(i + 1)};
        }
    }
    return {};
}

}  // namespace

Objection objection_to(const Pack& pack, const LawSettings& settings) {
    if (!pack.voltage_mv || !pack.current_ma || !pack.soc_permille || !pack.activity) {
        return {Doubt::incomplete};
    }
    if (const Objection found = objection_to_settings(pack, settings); found.doubt != Doubt::none) {
        return found;
    }
    if (const Objection found = objection_to_cells(pack, settings); found.doubt != Doubt::none) {
        return found;
    }
    if (!within(pack.current_ma, -current_ma_max, current_ma_max)) {
        return {Doubt::current_out_of_range, *pack.current_ma, current_ma_max};
    }
    if (!within(pack.soc_permille, 0, soc_permille_max)) {
        return {Doubt::soc_out_of_range, *pack.soc_permille, soc_permille_max};
    }
    return objection_to_temperatures(pack);
}

bool Freeze::frozen(const Pack& pack, const LawSettings& settings) {
    std::uint64_t print = 14695981039346656037U;  // FNV-1a, a number at a time
    const auto mix = [&print](const Number& number) {
        print = (print ^ static_cast<std::uint64_t>(number.value_or(INT64_MIN))) * 1099511628211U;
        print ^= print >> 29;
    };
    mix(pack.voltage_mv);
    mix(pack.current_ma);
    for (const Number& cell : pack.cells_mv) {
        mix(cell);
    }
    for (const Number& temperature : pack.temperatures_mc) {
        mix(temperature);
    }
    mix(pack.board_temperature_mc);
    const std::int64_t current = *pack.current_ma;
    const bool flows =
        current > settings.frozen_current_ma || current < -settings.frozen_current_ma;
    if (since_.us < 0 || print != print_ || !flows) {
        print_ = print;
        since_ = pack.at;
        return false;
    }
    return pack.at - since_ >= settings.frozen_after;
}

}  // namespace jw::battery
