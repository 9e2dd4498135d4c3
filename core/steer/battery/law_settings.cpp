// SPDX-License-Identifier: Apache-2.0
// The numbers of the law by name, their ranges, and what must hold between them.
#include "core/steer/battery/law_settings.h"

namespace jw::battery {
namespace {

using S = LawSettings;
constexpr std::int64_t minute_ms = 60'000;

/// What takes a limit away is bounded both ways: nobody switches it off with a number.
constexpr LawField fields[] = {
    {"charge_current_max_ma", &S::charge_current_max_ma, 0, 1'000'000},
    {"discharge_current_max_ma", &S::discharge_current_max_ma, 0, 1'000'000},
    {"fresh_for_s", &S::fresh_for, 500, 5000},
    {"charge_zero_after_s", &S::charge_zero_after, 1000, 10'000},
    {"discharge_zero_after_s", &S::discharge_zero_after, 1000, 10'000},
    {"discharge_zero_after_off_grid_s", &S::discharge_zero_after_off_grid, 1000, 30 * minute_ms},
    {"silent_after_s", &S::silent_after, 10'000, 10 * minute_ms},
    {"middle_band_low_mv", &S::middle_band_low_mv, 1000, 5000},
    {"middle_band_high_mv", &S::middle_band_high_mv, 1000, 5000},
    {"silent_cell_mv", &S::silent_cell_mv, 1000, 5000},
    {"cell_sum_permille", &S::cell_sum_permille, 1, 50},
    {"frozen_after_s", &S::frozen_after, 10'000, 10 * minute_ms},
    {"frozen_current_ma", &S::frozen_current_ma, 100, 10'000},
    {"cell_margin_mv", &S::cell_margin_mv, 0, 500},
    {"cell_release_mv", &S::cell_release_mv, 5, 500},
    {"cell_critical_mv", &S::cell_critical_mv, 0, 200},
    {"cold_release_mc", &S::cold_release_mc, 500, 20'000},
    {"hot_release_mc", &S::hot_release_mc, 500, 20'000},
    {"fault_release_s", &S::fault_release, 1000, 10 * minute_ms},
    {"reopen_permille", &S::reopen_permille, 0, 200},
    {"rise_hold_s", &S::rise_hold, 1000, 10 * minute_ms},
    {"rise_ma_per_s", &S::rise_ma_per_s, 10, 50'000},
    {"voltage_rise_mv_per_min", &S::voltage_rise_mv_per_min, 10, 2000},
    {"voltage_margin_mv", &S::voltage_margin_mv, 0, 500},
    {"cell_target_mv", &S::cell_target_mv, 0, 5000},
    {"bulk_to_permille", &S::bulk_to_permille, 0, 1000},
    {"transition_to_permille", &S::transition_to_permille, 0, 1000},
    {"float_from_permille", &S::float_from_permille, 0, 1000},
    {"float_exit_permille", &S::float_exit_permille, 0, 1000},
    {"float_approach_drop_mv", &S::float_approach_drop_mv, 0, 5000},
    {"float_drop_mv", &S::float_drop_mv, 0, 5000},
    {"float_current_ma", &S::float_current_ma, 100, 1'000'000},
    {"imbalance_hold_mv", &S::imbalance_hold_mv, 10, 1000},
    {"imbalance_release_mv", &S::imbalance_release_mv, 5, 1000},
    {"imbalance_drop_permille", &S::imbalance_drop_permille, 0, 20'000},
    {"imbalance_drop_max_mv", &S::imbalance_drop_max_mv, 0, 10'000},
    {"protect_from_mv", &S::protect_from_mv, 1000, 5000},
    {"protect_to_mv", &S::protect_to_mv, 1000, 5000},
    {"protect_top_mv", &S::protect_top_mv, 1000, 5000},
    {"protect_floor_mv", &S::protect_floor_mv, 1000, 5000},
    {"protect_gain", &S::protect_gain, 1, 1000},
    {"protect_current_ma", &S::protect_current_ma, 1000, 1'000'000},
    {"sustain_enter_permille", &S::sustain_enter_permille, 0, 500},
    {"sustain_exit_permille", &S::sustain_exit_permille, 0, 500},
    {"sustain_cell_mv", &S::sustain_cell_mv, 1000, 5000},
    {"sustain_current_ma", &S::sustain_current_ma, 0, 1'000'000},
    {"lowering_max_s", &S::lowering_max, 1000, 24 * 60 * minute_ms},
    {"warn_cell_mv", &S::warn_cell_mv, 0, 1000},
    {"warn_temperature_mc", &S::warn_temperature_mc, 0, 30'000},
    {"warn_current_permille", &S::warn_current_permille, 100, 1000},
    {"warn_imbalance_mv", &S::warn_imbalance_mv, 10, 1000},
    {"alarm_imbalance_mv", &S::alarm_imbalance_mv, 10, 1000},
    {"clear_cell_mv", &S::clear_cell_mv, 0, 500},
    {"clear_temperature_mc", &S::clear_temperature_mc, 0, 20'000},
    {"clear_current_permille", &S::clear_current_permille, 0, 500},
    {"clear_imbalance_mv", &S::clear_imbalance_mv, 0, 500},
    {"clear_after_s", &S::clear_after, 0, 10 * minute_ms},
    {"chatter_turns", &S::chatter_turns, 2, 6},
    {"chatter_permille", &S::chatter_permille, 10, 1000},
    {"chatter_hold_s", &S::chatter_hold, 1000, 60 * minute_ms},
};

constexpr LawRamp ramps[] = {
    {"charge_by_cell", &S::charge_by_cell, 500, 5000},
    {"discharge_by_cell", &S::discharge_by_cell, 500, 5000},
    {"charge_by_temperature", &S::charge_by_temperature, -60'000, 150'000},
    {"discharge_by_temperature", &S::discharge_by_temperature, -60'000, 150'000},
    {"by_board_temperature", &S::by_board_temperature, -60'000, 150'000},
    {"charge_by_soc", &S::charge_by_soc, 0, 1000},
    {"discharge_by_soc", &S::discharge_by_soc, 0, 1000},
};

std::int64_t number_of(const LawSettings& settings, const LawField& field) {
    if (const auto* duration = std::get_if<Duration S::*>(&field.member)) {
        return (settings.*(*duration)).ms();
    }
    return settings.*(*std::get_if<std::int64_t S::*>(&field.member));
}

std::optional<Complaint> check_ramp(const LawSettings& settings, const LawRamp& row) {
    const Ramp& ramp = settings.*row.member;
    if (ramp.size > ramp.points.size()) {
        return Complaint{row.name, "has more than ten points"};
    }
    for (std::size_t i = 0; i < ramp.size; ++i) {
        const RampPoint& point = ramp.points[i];
        if (point.at < row.least || point.at > row.most) {
            return Complaint{row.name, "has a point out of its range", row.least, row.most};
        }
        if (point.permille < 0 || point.permille > 1000) {
            return Complaint{row.name, "allows less than nothing or more than all", 0, 1000};
        }
        if (i > 0 && point.at <= ramp.points[i - 1].at) {
            return Complaint{row.name, "must have its points in rising order, none twice"};
        }
    }
    return std::nullopt;
}

struct Order {
    bool good;
    const char* name;
    const char* why;
};

std::optional<Complaint> check_order(const LawSettings& s) {
    const std::int64_t ceiling = cell_ceiling_mv(s.chemistry);
    const Order orders[] = {
        {s.cell_count == 0 || s.cell_count >= 3,
         "cell_count",
         "is the number of cells in series, 3 to 16, or 0: as the BMS says"},
        {s.cell_count <= 16, "cell_count", "is at most 16"},
        {s.fresh_for < s.charge_zero_after,
         "charge_zero_after_s",
         "must be later than fresh_for_s: the current falls from the one to the other"},
        {s.fresh_for < s.discharge_zero_after,
         "discharge_zero_after_s",
         "must be later than fresh_for_s: the current falls from the one to the other"},
        {s.discharge_zero_after <= s.discharge_zero_after_off_grid,
         "discharge_zero_after_off_grid_s",
         "must not be sooner than discharge_zero_after_s"},
        {s.middle_band_low_mv < s.middle_band_high_mv,
         "middle_band_low_mv",
         "must be below middle_band_high_mv"},
        {s.silent_cell_mv <= ceiling,
         "silent_cell_mv",
         "is above what a cell of this chemistry bears"},
        {s.protect_top_mv <= ceiling,
         "protect_top_mv",
         "is above what a cell of this chemistry bears"},
        {s.cell_target_mv <= ceiling,
         "cell_target_mv",
         "is above what a cell of this chemistry bears"},
        {s.protect_to_mv < s.protect_from_mv,
         "protect_to_mv",
         "must be below protect_from_mv, or protection goes to and fro"},
        {s.protect_floor_mv < s.protect_top_mv, "protect_floor_mv", "must be below protect_top_mv"},
        {s.bulk_to_permille <= s.transition_to_permille &&
             s.transition_to_permille <= s.float_from_permille,
         "transition_to_permille",
         "must lie between bulk_to_permille and float_from_permille"},
        {s.float_exit_permille < s.float_from_permille,
         "float_exit_permille",
         "must be below float_from_permille, or floating goes to and fro"},
        {s.imbalance_release_mv < s.imbalance_hold_mv,
         "imbalance_release_mv",
         "must be below imbalance_hold_mv, or the hold goes to and fro"},
        {s.sustain_enter_permille < s.sustain_exit_permille,
         "sustain_exit_permille",
         "must be above sustain_enter_permille, or sustaining goes to and fro"},
        {s.warn_imbalance_mv <= s.alarm_imbalance_mv,
         "warn_imbalance_mv",
         "must not be above alarm_imbalance_mv"},
    };
    for (const Order& order : orders) {
        if (!order.good) {
            return Complaint{order.name, order.why};
        }
    }
    return std::nullopt;
}

}  // namespace

std::int64_t permille_at(const Ramp& ramp, std::int64_t at) {
    if (ramp.size == 0) {
        return 1000;
    }
    const auto& points = ramp.points;
    if (at <= points[0].at) {
        return points[0].permille;
    }
    for (std::size_t i = 1; i < ramp.size; ++i) {
        const RampPoint& low = points[i - 1];
        const RampPoint& high = points[i];
        if (at <= high.at) {
            return low.permille + (at - low.at) * (high.permille - low.permille) /
                                      (static_cast<std::int64_t>(high.at) - low.at);
        }
    }
    return points[ramp.size - 1U].permille;
}

LawSettings settings_for(Chemistry chemistry) {
    LawSettings s;
    s.chemistry = chemistry;
    switch (chemistry) {
        case Chemistry::lfp:
            break;
        case Chemistry::nmc:
            s.middle_band_low_mv = 3550;
            s.middle_band_high_mv = 3950;
            s.silent_cell_mv = 3900;
            s.charge_by_cell = {{4150, 1000}, {4175, 250}, {4200, 50}, {4220, 5}, {4250, 0}};
            s.discharge_by_cell = {{3000, 0}, {3100, 5}, {3200, 50}, {3300, 250}, {3400, 1000}};
            s.protect_from_mv = 4210;
            s.protect_to_mv = 4190;
            s.protect_top_mv = 4200;
            s.protect_floor_mv = 3700;
            s.sustain_cell_mv = 3500;
            break;
        case Chemistry::lto:
            s.middle_band_low_mv = 2150;
            s.middle_band_high_mv = 2450;
            s.silent_cell_mv = 2350;
            s.charge_by_cell = {{2650, 1000}, {2675, 250}, {2700, 50}, {2725, 5}, {2775, 0}};
            s.discharge_by_cell = {{1800, 0}, {1900, 5}, {2000, 50}, {2050, 250}, {2100, 1000}};
            s.protect_from_mv = 2720;
            s.protect_to_mv = 2700;
            s.protect_top_mv = 2750;
            s.protect_floor_mv = 2300;
            s.sustain_cell_mv = 2100;
            break;
    }
    return s;
}

std::span<const LawField> law_fields() {
    return fields;
}

std::span<const LawRamp> law_ramps() {
    return ramps;
}

std::optional<Complaint> check(const LawSettings& settings) {
    for (const LawField& field : fields) {
        const std::int64_t number = number_of(settings, field);
        if (number < field.least || number > field.most) {
            return Complaint{field.name, "is out of its range", field.least, field.most};
        }
    }
    for (const LawRamp& ramp : ramps) {
        if (const auto complaint = check_ramp(settings, ramp)) {
            return complaint;
        }
    }
    return check_order(settings);
}

}  // namespace jw::battery
