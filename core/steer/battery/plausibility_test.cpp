// SPDX-License-Identifier: Apache-2.0
// Readings that cannot be true count as silence: R5, H-02, H-03, H-52.
#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

/// What the law says of one reading that `spoil` has been at.
template <class Spoil>
Doubt doubt_of(Spoil spoil, const LawSettings& settings = {}) {
    Pack pack = quiet_pack();
    spoil(pack);
    return objection_to(pack, settings).doubt;
}

TEST(a_good_reading_meets_no_objection) {
    EXPECT(doubt_of([](Pack&) {}) == Doubt::none);
}

TEST(a_reading_without_one_of_its_numbers_is_incomplete) {
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = std::nullopt; }) == Doubt::incomplete);
    EXPECT(doubt_of([](Pack& p) { p.current_ma = std::nullopt; }) == Doubt::incomplete);
    EXPECT(doubt_of([](Pack& p) { p.soc_permille = std::nullopt; }) == Doubt::incomplete);
    EXPECT(doubt_of([](Pack& p) { p.activity = std::nullopt; }) == Doubt::incomplete);
    EXPECT(doubt_of([](Pack& p) { p.cells_mv[15] = std::nullopt; }) == Doubt::cell_count);
}

// D12: a charge limit that is missing was once replaced by the peak discharge current.
TEST(a_limit_that_the_bms_never_told_is_no_limit_to_rely_on) {
    EXPECT(doubt_of([](Pack& p) { p.charge_current_max_ma = std::nullopt; }) ==
           Doubt::settings_unknown);
    EXPECT(doubt_of([](Pack& p) { p.discharge_current_max_ma = std::nullopt; }) ==
           Doubt::settings_unknown);
    EXPECT(doubt_of([](Pack& p) { p.charge_temperature_min_mc = std::nullopt; }) ==
           Doubt::settings_unknown);
    EXPECT(doubt_of([](Pack& p) { p.cell_overvoltage_mv = std::nullopt; }) != Doubt::none);
}

TEST(a_cell_at_zero_or_beyond_five_volts_is_refused) {
    for (const std::int64_t mv : {-1, 0, 5001}) {
        EXPECT(doubt_of([mv](Pack& p) { p.cells_mv[2] = mv; }) == Doubt::cell_out_of_range);
    }
}

TEST(cells_that_do_not_add_up_to_the_pack_are_refused_beyond_two_per_cent) {
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = 51'765; }) == Doubt::none);
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = 51'764; }) == Doubt::cell_sum);
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = 53'877; }) == Doubt::none);
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = 53'878; }) == Doubt::cell_sum);
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = 0; }) == Doubt::cell_sum);
    EXPECT(doubt_of([](Pack& p) { p.voltage_mv = INT64_MAX; }) == Doubt::cell_sum);
}

TEST(numbers_that_no_battery_has_are_refused) {
    EXPECT(doubt_of([](Pack& p) { p.soc_permille = 1001; }) == Doubt::soc_out_of_range);
    EXPECT(doubt_of([](Pack& p) { p.soc_permille = -1; }) == Doubt::soc_out_of_range);
    EXPECT(doubt_of([](Pack& p) { p.current_ma = INT64_MIN; }) == Doubt::current_out_of_range);
    EXPECT(doubt_of([](Pack& p) { p.temperatures_mc[1] = 120'001; }) ==
           Doubt::temperature_out_of_range);
    EXPECT(doubt_of([](Pack& p) { p.temperatures_mc[0] = -40'001; }) ==
           Doubt::temperature_out_of_range);
    EXPECT(doubt_of([](Pack& p) { p.board_temperature_mc = -327'680; }) ==
           Doubt::temperature_out_of_range);
}

TEST(thresholds_of_the_bms_that_do_not_rise_are_refused) {
    EXPECT(doubt_of([](Pack& p) { p.cell_empty_mv = 3450; }) == Doubt::settings_disorder);
    EXPECT(doubt_of([](Pack& p) { p.cell_undervoltage_mv = 2800; }) == Doubt::settings_disorder);
    EXPECT(doubt_of([](Pack& p) { p.cell_full_mv = 3650; }) == Doubt::settings_disorder);
    EXPECT(doubt_of([](Pack& p) { p.cell_overvoltage_mv = INT64_MAX; }) ==
           Doubt::settings_disorder);
}

TEST(a_wrong_cell_count_of_the_owner_is_refused) {
    LawSettings settings;
    settings.cell_count = 15;
    EXPECT(doubt_of([](Pack&) {}, settings) == Doubt::cell_count);
    settings.cell_count = 16;
    EXPECT(doubt_of([](Pack&) {}, settings) == Doubt::none);
}

TEST(a_wrong_chemistry_of_the_owner_is_refused) {
    const auto nmc_bms = [](Pack& p) {
        p.cell_full_mv = 4200;
        p.cell_overvoltage_mv = 4250;
    };
    EXPECT(doubt_of(nmc_bms) == Doubt::chemistry);
    EXPECT(doubt_of(nmc_bms, settings_for(Chemistry::nmc)) == Doubt::none);
}

TEST(an_implausible_reading_counts_as_silence) {
    LawScene scene;
    scene.read();
    scene.packs[0].cells_mv[5] = 0;
    scene.run(seconds(6));
    EXPECT(scene.charge_ma() == 25'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::implausible);
    EXPECT(scene.row(Rule::implausible).index == 6);
    scene.run(seconds(4));
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
}

TEST(values_that_do_not_change_for_a_minute_under_current_count_as_silence) {
    LawScene scene;
    scene.shimmers = false;
    scene.read();
    scene.run(milliseconds(59'750));
    EXPECT(scene.row(Rule::implausible).rule == Rule::none);
    scene.run(milliseconds(250));
    EXPECT(scene.row(Rule::implausible).doubt == Doubt::frozen);
    EXPECT(scene.charge_ma() == 50'000);
    scene.run(seconds(10));
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 0);
}

TEST(a_pack_voltage_that_is_stuck_is_noticed_once_the_cells_have_moved_two_per_cent) {
    LawScene scene;
    scene.read();
    const std::int64_t stuck = *scene.packs[0].voltage_mv;
    for (std::int64_t mv = 3299; mv >= 3236; --mv) {
        scene.set_cells(mv);
        scene.packs[0].voltage_mv = stuck;
        scene.read();
        EXPECT((scene.row(Rule::implausible).doubt == Doubt::cell_sum) == (mv < 3234));
    }
    scene.set_cells(3233);
    scene.packs[0].voltage_mv = stuck;
    scene.read();
    EXPECT(scene.row(Rule::implausible).doubt == Doubt::cell_sum);
}

TEST(one_number_that_is_stuck_alone_is_no_frozen_reading) {
    for (int stuck = 0; stuck < 4; ++stuck) {
        LawScene scene;
        scene.shimmers = false;
        for (int i = 0; i < 300; ++i) {
            const std::int64_t wave = i % 2;
            if (stuck != 0) {
                scene.packs[0].current_ma = 5000 + wave;
            }
            if (stuck != 1) {
                scene.set_cell(4, 3300 + wave);
            }
            if (stuck != 2) {
                scene.packs[0].temperatures_mc[0] = 20'000 + 100 * wave;
            }
            if (stuck != 3) {
                scene.packs[0].board_temperature_mc = 30'000 + 100 * wave;
            }
            scene.run(milliseconds(250));
        }
        EXPECT(scene.row(Rule::implausible).rule == Rule::none && scene.charge_ma() == 50'000);
    }
}

TEST(values_may_stand_still_while_no_current_flows) {
    LawScene scene;
    scene.shimmers = false;
    scene.packs[0].current_ma = 1000;
    scene.read();
    scene.run(seconds(120));
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(one_number_that_changes_is_enough_to_be_alive) {
    LawScene scene;
    scene.shimmers = false;
    scene.read();
    for (int i = 0; i < 4; ++i) {
        scene.run(seconds(40));
        *scene.packs[0].temperatures_mc[1] += 100;
    }
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(thawed_values_count_again) {
    LawScene scene;
    scene.shimmers = false;
    scene.read();
    scene.run(seconds(75));
    EXPECT(scene.charge_ma() == 0);
    scene.shimmers = true;
    scene.run(seconds(45));
    EXPECT(scene.charge_ma() == 50'000);
}

}  // namespace
}  // namespace jw::battery
