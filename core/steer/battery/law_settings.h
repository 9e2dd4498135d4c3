// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the owner can change of the battery's law: every rule's numbers, as data.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <variant>

#include "core/base/time.h"

namespace jw::battery {

struct RampPoint {
    std::int32_t at = 0;        // mV of a cell, m°C or ‰
    std::int32_t permille = 0;  // of the current
};
/// Straight between its points, level beyond them; rising by `at`. Empty: no say.
struct Ramp {
    std::array<RampPoint, 10> points{};
    std::uint8_t size = 0;

    constexpr Ramp() = default;
    constexpr Ramp(std::initializer_list<RampPoint> list) {
        for (const RampPoint& point : list) {
            points[size++] = point;
        }
    }
};

/// What the ramp allows at `at`, in ‰. 1000 where the ramp is empty.
std::int64_t permille_at(const Ramp& ramp, std::int64_t at);

/// No setting of anybody charges a cell beyond its chemistry's ceiling.
enum class Chemistry : std::uint8_t { lfp, nmc, lto };
constexpr auto enum_names(Chemistry) {
    return std::array{"lfp", "nmc", "lto"};
}
constexpr std::int64_t cell_ceiling_mv(Chemistry chemistry) {
    constexpr std::array<std::int64_t, 3> ceilings{3650, 4200, 2800};
    return ceilings[static_cast<std::size_t>(chemistry)];
}

/// The defaults are those of lfp; settings_for() has the others. Voltages are a cell's where the
/// comment does not say otherwise. Rules R1 to R16 stand in docs/safety.md.
struct LawSettings {
    Chemistry chemistry = Chemistry::lfp;
    /// The inverter supplies a grid of its own: zero discharge is a blackout (reliability.md B.2).
    bool off_grid = false;
    /// Without a sensor at the cells the one on the BMS's board stands for them.
    bool board_for_cells = true;
    std::uint8_t cell_count = 0;  // as the owner says; 0: as the BMS says
    std::int64_t charge_current_max_ma = 50'000;
    std::int64_t discharge_current_max_ma = 50'000;

    // R1 to R4: age.
    Duration fresh_for = seconds(2);                        // T1
    Duration charge_zero_after = seconds(10);               // T2
    Duration discharge_zero_after = seconds(10);            // T2d on the grid
    Duration discharge_zero_after_off_grid = seconds(300);  // T2d off the grid, in the middle band
    Duration silent_after = seconds(60);                    // T3; the later of this and T2d
    std::int64_t middle_band_low_mv = 3225;
    std::int64_t middle_band_high_mv = 3375;
    std::int64_t silent_cell_mv = 3350;  // the charge voltage is at most this after T2

    // R5: plausibility.
    std::int64_t cell_sum_permille = 20;
    Duration frozen_after = seconds(60);
    std::int64_t frozen_current_ma = 1000;

    // R6: cells against the cut-offs of the BMS.
    std::int64_t cell_margin_mv = 20;
    std::int64_t cell_release_mv = 20;
    std::int64_t cell_critical_mv = 50;

    // R7: temperatures and faults of the BMS.
    std::int64_t cold_release_mc = 2000;
    std::int64_t hot_release_mc = 5000;
    Duration fault_release = seconds(10);

    // R8: ramps, and how to come back.
    Ramp charge_by_cell{{3375, 1000}, {3400, 250}, {3425, 50}, {3450, 5}, {3500, 0}};
    Ramp discharge_by_cell{{2800, 0}, {2900, 5}, {3000, 50}, {3100, 250}, {3190, 1000}};
    Ramp charge_by_temperature{{0, 0},
                               {2000, 250},
                               {5000, 500},
                               {10000, 1000},
                               {40000, 1000},
                               {45000, 500},
                               {50000, 250},
                               {55000, 0}};
    Ramp discharge_by_temperature{{-10000, 0},
                                  {0, 250},
                                  {5000, 500},
                                  {10000, 1000},
                                  {40000, 1000},
                                  {45000, 500},
                                  {50000, 250},
                                  {55000, 0}};
    Ramp by_board_temperature{{70000, 1000}, {80000, 250}, {90000, 0}};
    Ramp charge_by_soc;     // off
    Ramp discharge_by_soc;  // off
    std::int64_t reopen_permille = 15;
    Duration rise_hold = seconds(30);
    std::int64_t rise_ma_per_s = 5000;
    std::int64_t voltage_rise_mv_per_min = 400;  // of the pack

    // R9: the charge voltage stays this far below the cut-off.
    std::int64_t voltage_margin_mv = 50;

    // Stages of charging (battery-can.md 1.6).
    std::int64_t cell_target_mv = 0;  // 0: what the BMS calls full
    std::int64_t bulk_to_permille = 900;
    std::int64_t transition_to_permille = 950;
    std::int64_t float_from_permille = 980;
    std::int64_t float_exit_permille = 950;
    std::int64_t float_approach_drop_mv = 50;  // of the pack
    std::int64_t float_drop_mv = 100;          // of the pack
    std::int64_t float_current_ma = 5000;
    std::int64_t imbalance_hold_mv = 100;
    std::int64_t imbalance_release_mv = 50;
    std::int64_t imbalance_drop_permille = 500;  // of what is beyond the hold, of the pack
    std::int64_t imbalance_drop_max_mv = 2000;   // of the pack
    std::int64_t protect_from_mv = 3500;         // the fullest cell
    std::int64_t protect_to_mv = 3470;           // it ends
    std::int64_t protect_top_mv = 3650;          // the voltage falls from here
    std::int64_t protect_floor_mv = 3200;        // to here
    std::int64_t protect_gain = 120;             // mV of the pack for each mV of the cell
    std::int64_t protect_current_ma = 157'000;   // that much current doubles the gain
    std::int64_t sustain_enter_permille = 50;
    std::int64_t sustain_exit_permille = 80;
    std::int64_t sustain_cell_mv = 3125;
    std::int64_t sustain_current_ma = 5000;

    // R10: commands from afar.
    Duration lowering_max = seconds(24 * 3600);

    // R15: alarms.
    std::int64_t warn_cell_mv = 50;  // before the cut-off
    std::int64_t warn_temperature_mc = 5000;
    std::int64_t warn_current_permille = 800;
    std::int64_t warn_imbalance_mv = 100;
    std::int64_t alarm_imbalance_mv = 200;
    std::int64_t clear_cell_mv = 20;
    std::int64_t clear_temperature_mc = 2000;
    std::int64_t clear_current_permille = 50;
    std::int64_t clear_imbalance_mv = 20;
    Duration clear_after = seconds(5);

    // Going to and fro (H-18).
    std::int64_t chatter_turns = 6;       // in a minute
    std::int64_t chatter_permille = 500;  // of the maximum: what counts as a turn
    Duration chatter_hold = seconds(60);
};

/// The defaults of a chemistry.
LawSettings settings_for(Chemistry chemistry);

/// One number of the settings: its name in the settings file, and what it may be. Durations are in
/// ms here; their names end in _s, since the settings file counts in seconds.
struct LawField {
    const char* name;
    std::variant<std::int64_t LawSettings::*, Duration LawSettings::*> member;
    std::int64_t least;
    std::int64_t most;
};
std::span<const LawField> law_fields();

struct LawRamp {
    const char* name;
    Ramp LawSettings::*member;
    std::int32_t least;  // of `at`
    std::int32_t most;
};
std::span<const LawRamp> law_ramps();

/// What is wrong with settings: which, why, and what would be right.
struct Complaint {
    const char* name;
    const char* why;
    std::int64_t least = 0;  // of the range, where that is what is wrong
    std::int64_t most = 0;
};
/// The first thing that is wrong with them; nothing where they are good.
std::optional<Complaint> check(const LawSettings& settings);

}  // namespace jw::battery
