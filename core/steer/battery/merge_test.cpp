// SPDX-License-Identifier: Apache-2.0
// Several packs as one battery: H-50.
#include "core/steer/battery/merge.h"

#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

LawSettings large() {
    LawSettings settings;
    settings.charge_current_max_ma = 200'000;
    settings.discharge_current_max_ma = 200'000;
    return settings;
}

TEST(limits_of_packs_add) {
    LawScene scene(large(), 2);
    scene.read();
    EXPECT(scene.charge_ma() == 120'000 && scene.discharge_ma() == 160'000);
    EXPECT(scene.law.verdict().packs == 2 && scene.law.verdict().packs_online == 2);
}

TEST(the_owners_limit_is_that_of_the_whole) {
    LawScene scene({}, 2);
    scene.read();
    EXPECT(scene.charge_ma() == 50'000 && scene.discharge_ma() == 50'000);
}

TEST(the_weakest_cell_decides_for_all) {
    LawScene scene(large(), 2);
    scene.set_cell(5, 3400, 1);
    scene.read();
    EXPECT(scene.charge_ma() == 30'000);
    EXPECT(scene.row(Rule::cell_high).pack == 2 && scene.row(Rule::cell_high).index == 5);
}

TEST(the_share_of_a_silent_pack_is_zero) {
    LawScene scene(large(), 2);
    scene.read();
    scene.silent[1] = true;
    scene.run(seconds(6));
    EXPECT(scene.charge_ma() == 90'000);
    scene.run(seconds(4));
    EXPECT(scene.charge_ma() == 60'000 && scene.discharge_ma() == 80'000);
    EXPECT(scene.law.verdict().packs_online == 1);
    EXPECT(scene.law.verdict().charge_rule == Rule::stale && scene.row(Rule::stale).pack == 2);
}

TEST(the_owners_limit_is_shared_out_too) {
    LawScene scene({}, 2);
    scene.read();
    scene.silent[0] = true;
    scene.run(seconds(10));
    EXPECT(scene.charge_ma() == 25'000 && scene.discharge_ma() == 25'000);
}

TEST(a_pack_that_never_spoke_has_no_share) {
    LawScene scene(large(), 2);
    scene.silent[1] = true;
    scene.packs[1].at = Instant{-1};
    scene.read();
    EXPECT(scene.law.verdict().may_send);
    EXPECT(scene.charge_ma() == 60'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::bms_rating);
    EXPECT(scene.row(Rule::not_ready).pack == 2);
}

TEST(what_a_pack_said_last_of_charging_holds_while_it_is_silent) {
    LawScene scene(large(), 2);
    scene.set_cell(5, 3500, 1);
    scene.read();
    scene.silent[1] = true;
    scene.run(seconds(120));
    EXPECT(scene.charge_ma() == 0);
}

TEST(an_empty_pack_that_fell_silent_is_no_blackout) {
    LawScene scene(large(), 2);
    scene.set_cells(2800, 1);
    scene.read();
    EXPECT(scene.discharge_ma() == 0);
    scene.silent[1] = true;
    scene.run(seconds(120));
    EXPECT(scene.discharge_ma() == 80'000);
}

TEST(the_lowest_voltage_counts_and_the_highest_end_of_discharge) {
    LawScene scene(large(), 2);
    scene.packs[1].cell_full_mv = 3400;
    scene.packs[0].cell_empty_mv = 2900;
    scene.read();
    EXPECT(scene.voltage_mv() == 16 * 3400);
    EXPECT(scene.limits().discharge_voltage_mv == 16 * 2900);
}

TEST(sending_goes_on_while_one_pack_speaks) {
    LawScene scene(large(), 2);
    scene.read();
    scene.silent[0] = true;
    scene.run(seconds(400));
    EXPECT(scene.law.verdict().may_send && scene.charge_ma() == 60'000);
    EXPECT(scene.law.verdict().age >= seconds(400));
}

TEST(packs_whose_voltages_exclude_each_other_get_no_current) {
    LawScene scene(large(), 2);
    Pack& small = scene.packs[1];
    small.cell_count = 8;
    for (std::size_t i = 8; i < cells_max; ++i) {
        small.cells_mv[i] = std::nullopt;
    }
    small.voltage_mv = 8 * 3300;
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
    EXPECT(scene.row(Rule::implausible).doubt == Doubt::unlike);
    EXPECT(scene.voltage_mv() == 8 * 3450 || scene.voltage_mv() == 8 * 3600);
    EXPECT(scene.law.verdict().hull_clamps == 0);
}

TEST(the_lower_bound_of_two_stages_counts) {
    LawSettings settings = large();
    settings.float_current_ma = 3000;
    LawScene scene(settings, 2);
    scene.packs[0].soc_permille = 20;   // sustained with 5 A
    scene.packs[1].soc_permille = 990;  // floating with 3 A
    scene.read();
    EXPECT(scene.charge_ma() == 3000 && scene.discharge_ma() == 5000);
}

TEST(the_protection_of_a_cell_shrinks_the_current_of_all) {
    LawSettings settings = large();
    settings.charge_by_cell = {};
    LawScene scene(settings, 2);
    scene.set_cells(3480, 1);
    scene.set_cell(1, 3530, 1);
    scene.packs[1].current_ma = 0;
    scene.read();
    EXPECT(scene.voltage_mv() == 54'800);  // of 55.2 V
    EXPECT(scene.charge_ma() == 119'040);  // of 120 A
    EXPECT(scene.law.verdict().charge_rule == Rule::charge_voltage);
}

TEST(no_packs_allow_nothing) {
    LawScene scene({}, 0);
    scene.step();
    EXPECT(!scene.law.verdict().may_send && scene.limits() == BatteryLimits{});
    EXPECT(scene.law.verdict().charge_rule == Rule::not_ready);
}

}  // namespace
}  // namespace jw::battery
