// SPDX-License-Identifier: Apache-2.0
// Latches of cells, temperatures and faults: R6, R7, H-48, H-49.
#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

/// No ramps: what is seen are the latches.
LawSettings bare() {
    LawSettings settings;
    settings.charge_by_cell = {};
    settings.discharge_by_cell = {};
    settings.charge_by_temperature = {};
    settings.discharge_by_temperature = {};
    return settings;
}

/// Readings long enough that whatever may rise has risen.
void settle(LawScene& scene) {
    scene.run(seconds(45));
}

TEST(charging_ends_20_mv_before_the_over_voltage_cut_off) {
    LawScene scene(bare());
    scene.set_cell(3, 3629);
    scene.read();
    EXPECT(scene.charge_ma() > 0);
    scene.set_cell(3, 3630);
    scene.read();
    EXPECT(scene.charge_ma() == 0);
    EXPECT(scene.law.verdict().charge_rule == Rule::cell_high);
    EXPECT(scene.discharge_ma() == 50'000);
}

TEST(charging_comes_back_20_mv_further_down) {
    LawScene scene(bare());
    scene.set_cell(3, 3630);
    scene.read();
    scene.set_cell(3, 3611);
    settle(scene);
    EXPECT(scene.charge_ma() == 0);
    scene.set_cell(3, 3610);
    settle(scene);
    EXPECT(scene.charge_ma() > 0);
}

TEST(a_cell_far_beyond_the_cut_off_ends_charging_until_the_owner_releases_it) {
    LawScene scene(bare());
    scene.packs[0].cell_overvoltage_mv = 3500;
    scene.set_cell(3, 3550);
    scene.read();
    scene.set_cell(3, 3300);
    settle(scene);
    EXPECT(scene.charge_ma() == 0);
    EXPECT(scene.row(Rule::cell_high).latched);
    EXPECT(scene.discharge_ma() == 50'000);
    scene.law.release();
    settle(scene);
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(one_millivolt_less_is_not_far_beyond) {
    LawScene scene(bare());
    scene.packs[0].cell_overvoltage_mv = 3500;
    scene.set_cell(3, 3549);
    scene.read();
    scene.set_cell(3, 3300);
    settle(scene);
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(no_release_while_the_cell_still_is_far_beyond) {
    LawScene scene(bare());
    scene.packs[0].cell_overvoltage_mv = 3500;
    scene.set_cell(3, 3550);
    scene.read();
    scene.law.release();
    scene.set_cell(3, 3300);
    settle(scene);
    EXPECT(scene.charge_ma() == 0);
}

TEST(discharging_ends_20_mv_before_the_under_voltage_cut_off) {
    LawScene scene(bare());
    scene.packs[0].cell_undervoltage_mv = 2700;
    scene.set_cell(9, 2721);
    scene.read();
    EXPECT(scene.discharge_ma() > 0);
    scene.set_cell(9, 2720);
    scene.read();
    EXPECT(scene.discharge_ma() == 0 && scene.charge_ma() == 50'000);
}

TEST(discharging_comes_back_20_mv_further_up) {
    LawScene scene(bare());
    scene.packs[0].cell_undervoltage_mv = 2700;
    scene.set_cell(9, 2720);
    scene.read();
    scene.set_cell(9, 2739);
    settle(scene);
    EXPECT(scene.discharge_ma() == 0);
    scene.set_cell(9, 2740);
    settle(scene);
    EXPECT(scene.discharge_ma() > 0);
}

TEST(cold_ends_charging_and_two_degrees_more_bring_it_back) {
    LawScene scene(bare());
    scene.packs[0].temperatures_mc[1] = 100;
    scene.read();
    EXPECT(scene.charge_ma() == 50'000);
    scene.packs[0].temperatures_mc[1] = 0;
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 50'000);
    scene.packs[0].temperatures_mc[1] = 1900;
    settle(scene);
    EXPECT(scene.charge_ma() == 0);
    scene.packs[0].temperatures_mc[1] = 2000;
    settle(scene);
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(heat_ends_both_and_five_degrees_less_bring_them_back) {
    LawScene scene(bare());
    scene.packs[0].temperatures_mc[0] = 59'900;
    scene.read();
    EXPECT(scene.charge_ma() == 50'000);
    scene.packs[0].temperatures_mc[0] = 60'000;
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
    EXPECT(scene.law.verdict().discharge_rule == Rule::temperature);
    scene.packs[0].temperatures_mc[0] = 55'100;
    settle(scene);
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
    scene.packs[0].temperatures_mc[0] = 55'000;
    settle(scene);
    EXPECT(scene.charge_ma() == 50'000 && scene.discharge_ma() == 50'000);
}

TEST(no_temperature_at_all_means_no_charging) {
    LawScene scene;
    scene.packs[0].temperatures_mc = {};
    scene.packs[0].board_temperature_mc = std::nullopt;
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 50'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::temperature);
}

// D5: a temperature of now, of the cells first, else of the board.
TEST(the_board_stands_for_cells_without_a_sensor) {
    LawScene scene;
    scene.packs[0].temperatures_mc = {};
    scene.packs[0].board_temperature_mc = 5000;
    scene.read();
    EXPECT(scene.charge_ma() == 25'000);
    EXPECT(scene.row(Rule::temperature).index == 3);
}

TEST(the_board_does_not_stand_for_cells_where_the_owner_says_so) {
    LawSettings settings;
    settings.board_for_cells = false;
    LawScene scene(settings);
    scene.packs[0].temperatures_mc = {};
    scene.read();
    EXPECT(scene.charge_ma() == 0);
}

TEST(a_sensor_that_falls_silent_ends_charging) {
    LawScene scene;
    scene.read();
    scene.packs[0].temperatures_mc[1] = std::nullopt;
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 50'000);
    EXPECT(scene.row(Rule::temperature).index == 2);
}

TEST(one_sensor_is_enough_where_there_was_never_a_second) {
    LawScene scene;
    scene.packs[0].temperatures_mc[1] = std::nullopt;
    scene.read();
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_fault_of_the_bms_ends_both_until_ten_seconds_after_it) {
    LawScene scene;
    scene.packs[0].activity = static_cast<std::int64_t>(BatteryActivity::fault);
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
    EXPECT(scene.law.verdict().charge_rule == Rule::bms_fault);
    scene.packs[0].activity = static_cast<std::int64_t>(BatteryActivity::idle);
    scene.run(milliseconds(9750));
    EXPECT(scene.row(Rule::bms_fault).rule == Rule::bms_fault);
    scene.run(milliseconds(250));
    EXPECT(scene.row(Rule::bms_fault).rule == Rule::none);
    settle(scene);
    EXPECT(scene.charge_ma() == 50'000 && scene.discharge_ma() == 50'000);
}

TEST(what_the_bms_is_alarmed_about_ends_the_direction_that_it_is_about) {
    LawScene high;
    high.packs[0].alarm_bits = 1 << static_cast<int>(BatteryAlarm::high_voltage);
    high.read();
    EXPECT(high.charge_ma() == 0 && high.discharge_ma() == 50'000);
    LawScene low;
    low.packs[0].alarm_bits = 1 << static_cast<int>(BatteryAlarm::low_voltage);
    low.read();
    EXPECT(low.charge_ma() == 50'000 && low.discharge_ma() == 0);
    LawScene contactor;
    contactor.packs[0].alarm_bits = 1 << static_cast<int>(BatteryAlarm::contactor);
    contactor.read();
    EXPECT(contactor.charge_ma() == 0 && contactor.discharge_ma() == 0);
}

}  // namespace
}  // namespace jw::battery
