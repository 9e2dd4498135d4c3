// SPDX-License-Identifier: Apache-2.0
// The stages of charging and the voltage of each: battery-can.md 1.6, D2, 5.2, R8, R9.
#include "core/steer/battery/charge_voltage.h"

#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

constexpr ChargeInputs middle{16, 3450, 2800, 3650, 3310, 3300, 5000, 600};

ChargeVoltage at_soc(ChargeStages& stages, std::int64_t soc) {
    ChargeInputs inputs = middle;
    inputs.soc_permille = soc;
    return stages.step(inputs, {});
}

TEST(the_voltage_is_cells_times_what_the_bms_calls_full) {
    ChargeStages stages;
    const ChargeVoltage found = stages.step(middle, {});
    EXPECT(found.voltage_mv == 55'200);  // D2: not the cut-off of one cell
    EXPECT(found.rule == Rule::bms_rating && stages.stage() == ChargeStage::bulk);
}

TEST(the_voltage_stays_50_mv_a_cell_below_the_cut_off) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_full_mv = 3640;
    EXPECT(stages.step(inputs, {}).voltage_mv == 16 * 3600);
}

TEST(the_owner_may_only_lower_the_target) {
    ChargeStages stages;
    LawSettings settings;
    settings.cell_target_mv = 3400;
    EXPECT(stages.step(middle, settings).voltage_mv == 16 * 3400);
    settings.cell_target_mv = 3600;
    EXPECT(stages.step(middle, settings).voltage_mv == 16 * 3450);
}

TEST(the_stages_follow_the_charge) {
    ChargeStages stages;
    EXPECT(at_soc(stages, 899).voltage_mv == 55'200 && stages.stage() == ChargeStage::bulk);
    EXPECT(at_soc(stages, 900).voltage_mv == 55'200 && stages.stage() == ChargeStage::transition);
    EXPECT(at_soc(stages, 949).voltage_mv == 55'200);
    EXPECT(at_soc(stages, 950).voltage_mv == 55'150);
    EXPECT(stages.stage() == ChargeStage::float_approach);
    EXPECT(at_soc(stages, 980).voltage_mv == 55'100 && stages.stage() == ChargeStage::floating);
}

TEST(a_full_battery_gets_a_lower_voltage_and_not_zero_current) {
    ChargeStages stages;
    EXPECT(at_soc(stages, 1000).charge_current_ma == 5000);
    LawScene scene;
    scene.packs[0].soc_permille = 1000;
    scene.read();
    EXPECT(scene.charge_ma() == 5000 && scene.voltage_mv() == 55'100);
    EXPECT(scene.law.verdict().charge_rule == Rule::charge_voltage);
}

TEST(floating_ends_below_its_own_threshold) {
    ChargeStages stages;
    at_soc(stages, 980);
    at_soc(stages, 950);
    EXPECT(stages.stage() == ChargeStage::floating);
    at_soc(stages, 949);
    EXPECT(stages.stage() == ChargeStage::transition);
}

TEST(cells_that_differ_hold_the_voltage_down_until_they_are_close_again) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3400;
    inputs.cell_min_mv = 3300;
    stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::bulk);
    inputs.cell_min_mv = 3200;
    ChargeVoltage found = stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::imbalance_hold);
    EXPECT(found.voltage_mv == 55'200 - 50 && found.rule == Rule::cell_difference);
    inputs.cell_min_mv = 3349;
    stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::imbalance_hold);
    inputs.cell_min_mv = 3350;
    stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::bulk);
}

TEST(the_drop_for_cells_that_differ_is_bounded) {
    ChargeStages stages;
    LawSettings settings;
    settings.imbalance_drop_permille = 20'000;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3450;
    inputs.cell_min_mv = 3000;
    EXPECT(stages.step(inputs, settings).voltage_mv == 55'200 - 2000);
}

TEST(an_empty_battery_is_sustained_until_eight_per_cent) {
    ChargeStages stages;
    const ChargeVoltage found = at_soc(stages, 50);
    EXPECT(stages.stage() == ChargeStage::sustain && found.voltage_mv == 16 * 3125);
    EXPECT(found.charge_current_ma == 5000 && found.discharge_current_ma == 5000);
    at_soc(stages, 79);
    EXPECT(stages.stage() == ChargeStage::sustain);
    at_soc(stages, 80);
    EXPECT(stages.stage() == ChargeStage::bulk);
}

TEST(sustaining_goes_before_cells_that_differ_and_these_before_floating) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3450;
    inputs.cell_min_mv = 3300;
    inputs.soc_permille = 1000;
    stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::imbalance_hold);
    inputs.soc_permille = 50;
    stages.step(inputs, {});
    EXPECT(stages.stage() == ChargeStage::sustain);
}

TEST(a_cell_that_is_too_high_pulls_the_voltage_down_and_more_so_under_current) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3530;
    inputs.cell_min_mv = 3450;
    inputs.current_ma = 0;
    EXPECT(stages.step(inputs, {}).voltage_mv == 58'400 - 120 * 30);
    inputs.current_ma = 157'000;
    const ChargeVoltage found = stages.step(inputs, {});
    EXPECT(found.voltage_mv == 58'400 - 2 * 120 * 30 && found.rule == Rule::cell_high);
    EXPECT(found.scale_permille == 51'200 * 1000 / 55'200);
}

TEST(protection_never_goes_below_its_floor) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3700;
    inputs.cell_min_mv = 3650;
    EXPECT(stages.step(inputs, {}).voltage_mv == 16 * 3200);
}

TEST(protection_ends_30_mv_further_down) {
    ChargeStages stages;
    ChargeInputs inputs = middle;
    inputs.cell_max_mv = 3500;
    inputs.cell_min_mv = 3450;
    stages.step(inputs, {});
    EXPECT(stages.protects());
    inputs.cell_max_mv = 3471;
    stages.step(inputs, {});
    EXPECT(stages.protects());
    inputs.cell_max_mv = 3470;
    stages.step(inputs, {});
    EXPECT(!stages.protects());
}

TEST(the_measured_voltage_of_the_pack_moves_nothing) {
    for (const std::int64_t mv : {3000, 3100, 3200, 3300, 3400, 3449}) {
        LawScene scene;
        scene.set_cells(mv);
        scene.read();
        EXPECT(scene.voltage_mv() == 55'200);
    }
}

TEST(the_voltage_rises_by_at_most_0_4_v_a_minute) {
    LawScene scene;
    scene.packs[0].soc_permille = 50;
    scene.read();
    EXPECT(scene.voltage_mv() == 50'000);
    scene.packs[0].soc_permille = 600;
    scene.run(seconds(60));
    EXPECT(scene.voltage_mv() > 50'390 && scene.voltage_mv() <= 50'400);
    EXPECT(scene.law.verdict().voltage_rule == Rule::recovering);
    scene.run(seconds(721));
    EXPECT(scene.voltage_mv() == 55'200);
}

TEST(the_voltage_falls_at_once) {
    LawScene scene;
    scene.read();
    scene.packs[0].soc_permille = 50;
    scene.run(milliseconds(250));
    EXPECT(scene.voltage_mv() == 50'000);
}

}  // namespace
}  // namespace jw::battery
