// SPDX-License-Identifier: Apache-2.0
// The last gate, given limits that no rule would give: R9, H-17, I-12, I-13.
#include "core/steer/battery/hull.h"

#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

constexpr Instant start{5'000'000};

PackLaw pack_at(const Pack& pack, const LawSettings& settings) {
    PackLaw law;
    Pack read = pack;
    read.at = start;
    law.read(read, settings, start);
    return law;
}

/// What is left of limits that some mistake made.
BatteryLimits after(BatteryLimits limits,
                    const Pack& pack = quiet_pack(),
                    const LawSettings& settings = {},
                    Duration age = {}) {
    const std::array<PackLaw, 1> packs{pack_at(pack, settings)};
    clamp(limits, hull_of(packs, settings, start + age));
    return limits;
}

TEST(limits_within_pass_untouched) {
    const BatteryLimits limits{55'200, 50'000, 50'000, 44'800};
    EXPECT(after(limits) == limits);
    BatteryLimits kept = limits;
    EXPECT(!clamp(kept, {44'800, 57'600, 50'000, 50'000}));
}

TEST(no_voltage_leaves_above_the_cut_off_less_its_margin) {
    EXPECT(after({100'000, 0, 0, 0}).charge_voltage_mv == 16 * 3600);
    EXPECT(after({INT64_MAX, 0, 0, 0}).charge_voltage_mv == 16 * 3600);
}

TEST(no_voltage_leaves_above_the_ceiling_of_the_chemistry) {
    Pack pack = quiet_pack();
    pack.cell_overvoltage_mv = 4500;
    EXPECT(after({100'000, 0, 0, 0}, pack).charge_voltage_mv == 16 * 3650);
}

TEST(no_voltage_leaves_below_that_of_an_empty_pack) {
    EXPECT(after({0, 0, 0, 0}).charge_voltage_mv == 16 * 2800);
    EXPECT(after({-1, 0, 0, 0}).charge_voltage_mv == 16 * 2800);
}

TEST(no_current_leaves_above_the_owners_limit_or_the_rating) {
    EXPECT(after({55'200, 60'000, 60'000, 0}).charge_current_ma == 50'000);
    Pack pack = quiet_pack();
    pack.charge_current_max_ma = 20'000;
    pack.discharge_current_max_ma = 30'000;
    const BatteryLimits found = after({55'200, INT64_MAX, INT64_MAX, 0}, pack);
    EXPECT(found.charge_current_ma == 20'000 && found.discharge_current_ma == 30'000);
}

TEST(no_current_leaves_below_zero) {
    const BatteryLimits found = after({55'200, -1, INT64_MIN, 0});
    EXPECT(found.charge_current_ma == 0 && found.discharge_current_ma == 0);
}

TEST(no_current_leaves_on_readings_that_are_too_old) {
    const BatteryLimits asked{55'200, 50'000, 50'000, 0};
    EXPECT(after(asked, quiet_pack(), {}, milliseconds(9999)).charge_current_ma == 50'000);
    const BatteryLimits late = after(asked, quiet_pack(), {}, seconds(10));
    EXPECT(late.charge_current_ma == 0 && late.discharge_current_ma == 0);
    LawSettings off_grid;
    off_grid.off_grid = true;
    const BatteryLimits island = after(asked, quiet_pack(), off_grid, seconds(10));
    EXPECT(island.charge_current_ma == 0 && island.discharge_current_ma == 50'000);
    EXPECT(after(asked, quiet_pack(), off_grid, seconds(300)).discharge_current_ma == 0);
}

TEST(bounds_that_contradict_each_other_leave_no_current) {
    BatteryLimits limits{55'200, 50'000, 50'000, 0};
    EXPECT(clamp(limits, {60'000, 50'000, 50'000, 50'000}));
    EXPECT(limits.charge_current_ma == 0 && limits.discharge_current_ma == 0);
    EXPECT(limits.charge_voltage_mv == 50'000);
}

TEST(the_rules_leave_the_gate_nothing_to_do) {
    LawScene scene;
    scene.run(seconds(30));
    scene.set_cells(3640);
    scene.run(seconds(30));
    scene.set_cells(2600);
    scene.run(seconds(30));
    scene.wait(seconds(30));
    EXPECT(scene.law.verdict().hull_clamps == 0);
}

}  // namespace
}  // namespace jw::battery
