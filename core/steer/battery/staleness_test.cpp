// SPDX-License-Identifier: Apache-2.0
// Silence of a BMS, to the millisecond: R1 to R4, D6, H-01, H-53.
#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

LawSettings off_grid() {
    LawSettings settings;
    settings.off_grid = true;
    return settings;
}

TEST(nothing_is_sent_before_the_first_complete_reading) {
    LawScene scene;
    scene.packs[0].at = Instant{-1};
    scene.step();
    EXPECT(!scene.law.verdict().may_send && scene.limits() == BatteryLimits{});
    scene.packs[0].cell_count = std::nullopt;  // the settings of the BMS are missing
    scene.packs[0].settings_at = Instant{-1};
    scene.read();
    EXPECT(!scene.law.verdict().may_send);
    EXPECT(scene.row(Rule::not_ready).doubt == Doubt::settings_unknown);
}

TEST(the_first_complete_reading_is_enough) {
    LawScene scene;
    scene.read();
    EXPECT(scene.law.verdict().may_send);
    EXPECT(scene.charge_ma() == 50'000 && scene.discharge_ma() == 50'000);
    EXPECT(scene.voltage_mv() == 16 * 3450);
    EXPECT(scene.limits().discharge_voltage_mv == 16 * 2800);
}

TEST(zero_limits_are_sent_too_once_the_readings_are_complete) {
    LawScene scene;
    scene.set_cells(3510);
    scene.packs[0].temperatures_mc = {-20'000, -20'000};
    scene.read();
    EXPECT(scene.law.verdict().may_send);
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
    EXPECT(scene.voltage_mv() > 0);
}

// D6: the last frame was once repeated for ever.
TEST(charging_falls_from_two_to_ten_seconds_of_silence) {
    LawScene scene;
    scene.read();
    scene.wait(milliseconds(2000));
    EXPECT(scene.charge_ma() == 50'000);
    scene.wait(milliseconds(1));
    EXPECT(scene.charge_ma() < 50'000);
    scene.wait(milliseconds(3999));
    EXPECT(scene.charge_ma() == 25'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::stale);
    scene.wait(milliseconds(3990));
    EXPECT(scene.charge_ma() == 50);
    scene.wait(milliseconds(10));
    EXPECT(scene.charge_ma() == 0);
}

TEST(discharging_ends_after_ten_seconds_on_the_grid) {
    LawScene scene;
    scene.read();
    scene.wait(milliseconds(9000));
    EXPECT(scene.discharge_ma() == 6250);
    scene.wait(milliseconds(1000));
    EXPECT(scene.discharge_ma() == 0);
}

TEST(off_the_grid_discharging_falls_for_five_minutes) {
    LawScene scene(off_grid());
    scene.read();
    scene.wait(seconds(10));
    EXPECT(scene.charge_ma() == 0);
    EXPECT(scene.discharge_ma() == 48'650);  // 290 of 298 s, in whole permille
    scene.wait(seconds(141));
    EXPECT(scene.discharge_ma() == 25'000);
    scene.wait(milliseconds(148'000));
    EXPECT(scene.discharge_ma() > 0);
    scene.wait(milliseconds(1000));
    EXPECT(scene.discharge_ma() == 0);
}

TEST(off_the_grid_it_ends_after_ten_seconds_if_a_cell_lay_outside_the_middle_band) {
    for (const std::int64_t mv : {3224, 3376}) {
        LawScene scene(off_grid());
        scene.set_cell(7, mv);
        scene.read();
        scene.wait(seconds(10));
        EXPECT(scene.discharge_ma() == 0);
    }
    for (const std::int64_t mv : {3225, 3375}) {
        LawScene scene(off_grid());
        scene.set_cell(7, mv);
        scene.read();
        scene.wait(seconds(10));
        EXPECT(scene.discharge_ma() > 0);
    }
}

TEST(the_voltage_is_frozen_first_and_at_most_the_silent_one_later) {
    LawScene scene;
    scene.read();
    scene.packs[0].cell_full_mv = 3500;  // no reading brings it
    scene.wait(milliseconds(9999));
    EXPECT(scene.voltage_mv() == 16 * 3450);
    scene.wait(milliseconds(1));
    EXPECT(scene.voltage_mv() == 16 * 3350);
    EXPECT(scene.law.verdict().voltage_rule == Rule::stale);
}

TEST(sending_ends_after_a_minute_on_the_grid_and_after_five_off_it) {
    LawScene on;
    on.read();
    on.wait(milliseconds(59'999));
    EXPECT(on.law.verdict().may_send && on.charge_ma() == 0 && on.voltage_mv() > 0);
    on.wait(milliseconds(1));
    EXPECT(!on.law.verdict().may_send && on.limits() == BatteryLimits{});
    LawScene off(off_grid());
    off.read();
    off.wait(milliseconds(299'999));
    EXPECT(off.law.verdict().may_send);
    off.wait(milliseconds(1));
    EXPECT(!off.law.verdict().may_send);
}

TEST(a_law_that_is_not_asked_any_more_stands_for_nothing_after_two_seconds) {
    LawScene scene;
    scene.read();
    const Verdict& verdict = scene.law.verdict();
    EXPECT(verdict.limits(scene.now + seconds(2)).charge_current_ma == 50'000);
    const BatteryLimits late = verdict.limits(scene.now + seconds(2) + microseconds(1));
    EXPECT(late.charge_current_ma == 0 && late.discharge_current_ma == 0);
    EXPECT(late.charge_voltage_mv == 16 * 3450);
}

TEST(a_verdict_ends_with_the_reading_that_it_stands_on) {
    LawScene scene;
    scene.read();
    scene.wait(milliseconds(9500));
    EXPECT(scene.charge_ma() > 0);
    const BatteryLimits later = scene.law.verdict().limits(scene.now + milliseconds(500));
    EXPECT(later.charge_current_ma == 0 && later.discharge_current_ma == 0);
}

TEST(a_wrap_of_32_bit_milliseconds_changes_nothing) {
    LawScene scene;
    scene.now = Instant{((std::int64_t{1} << 32) - 1000) * 1000};
    scene.read();
    scene.run(seconds(3));
    EXPECT(scene.now.ms() > (std::int64_t{1} << 32));
    EXPECT(scene.charge_ma() == 50'000);
    scene.wait(seconds(10));
    EXPECT(scene.charge_ma() == 0);
}

TEST(a_reading_from_the_future_does_not_keep_the_limits_alive) {
    LawScene scene;
    scene.read();
    scene.packs[0].at = scene.now + seconds(1000);
    scene.wait(seconds(10));
    EXPECT(scene.charge_ma() == 0);
    EXPECT(scene.row(Rule::implausible).doubt == Doubt::from_the_future);
}

}  // namespace
}  // namespace jw::battery
