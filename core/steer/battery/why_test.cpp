// SPDX-License-Identifier: Apache-2.0
// What people are told about a limit.
#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

bool says(const RuleLimit& limit, std::string_view expected) {
    std::array<char, 300> buffer{};
    Text out(buffer);
    put_why(limit, out);
    if (out.view() != expected) {
        std::printf("%.*s\n", static_cast<int>(out.size()), buffer.data());
    }
    return out.ok() && out.view() == expected;
}

TEST(a_high_cell_is_named_with_its_voltage_and_its_threshold) {
    LawScene scene;
    scene.set_cell(11, 3393);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_high),
                "Cell 11 is at 3.393 V. From 3.375 V on, charging slows."));
    scene.set_cell(11, 3500);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_high),
                "Cell 11 is at 3.500 V. From 3.500 V on, charging stops."));
}

TEST(a_latch_says_what_it_waits_for) {
    LawSettings settings;
    settings.charge_by_cell = {};
    LawScene scene(settings);
    scene.set_cell(2, 3630);
    scene.read();
    scene.set_cell(2, 3615);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_high),
                "Cell 2 is at 3.615 V. It was at 3.630 V or above; once it is well below, the "
                "limit goes."));
}

TEST(a_cold_sensor_is_named) {
    LawScene scene;
    scene.packs[0].temperatures_mc[1] = 5000;
    scene.read();
    EXPECT(says(scene.row(Rule::temperature),
                "Sensor 2 is at 5.0 °C. Below 10.0 °C, charging and discharging slow down."));
}

TEST(missing_temperatures_are_told) {
    LawScene scene;
    scene.packs[0].temperatures_mc = {};
    scene.packs[0].board_temperature_mc = std::nullopt;
    scene.read();
    EXPECT(says(scene.row(Rule::temperature),
                "No temperature of the cells is known; it may freeze there. No charging."));
}

TEST(silence_and_doubts_are_told) {
    LawScene scene;
    scene.read();
    scene.wait(milliseconds(6500));
    EXPECT(says(scene.row(Rule::stale),
                "The BMS has been silent for 6.5 s; the current falls. Check its cable and "
                "power."));
    scene.packs[0].cells_mv[6] = 0;
    scene.read();
    EXPECT(says(scene.row(Rule::implausible),
                "The reading does not count. Cell 7 is read as 0.000 V; that cannot be. Check its "
                "sense wire."));
}

TEST(the_pack_is_named_where_there_are_several) {
    LawScene scene({}, 2);
    scene.set_cell(3, 3180, 1);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_low),
                "Pack 2: Cell 3 is at 3.180 V. Below 3.190 V, discharging slows."));
}

TEST(commands_and_stages_are_told) {
    LawScene scene;
    scene.law.lower({.charge_current_ma = 7500, .until = scene.now + seconds(30)}, scene.now);
    scene.packs[0].soc_permille = 990;
    scene.read();
    EXPECT(says(scene.row(Rule::remote),
                "A command allows for another 29.9 s at most 7.5 A of charging."));
    EXPECT(says(scene.row(Rule::charge_voltage), "The battery is full: 55.100 V, at most 5.0 A."));
}

TEST(every_rule_and_every_doubt_has_words) {
    for (std::size_t i = 1; i < rules; ++i) {
        RuleLimit limit;
        limit.rule = static_cast<Rule>(i);
        std::array<char, 300> buffer{};
        Text out(buffer);
        put_why(limit, out);
        EXPECT(out.ok() && out.size() > 10 && out.view().back() == '.');
        EXPECT(!rule_name(limit.rule).empty());
    }
    for (auto doubt = std::size_t{0}; doubt <= static_cast<std::size_t>(Doubt::unlike); ++doubt) {
        RuleLimit limit;
        limit.rule = Rule::implausible;
        limit.doubt = static_cast<Doubt>(doubt);
        std::array<char, 300> buffer{};
        Text out(buffer);
        put_why(limit, out);
        EXPECT(out.ok() && out.view().back() == '.');
    }
}

TEST(each_stage_of_charging_is_told) {
    LawScene scene;
    scene.packs[0].soc_permille = 960;
    scene.read();
    EXPECT(says(scene.row(Rule::charge_voltage), "The battery is nearly full: 55.150 V."));
    scene.packs[0].soc_permille = 30;
    scene.read();
    EXPECT(says(scene.row(Rule::charge_voltage),
                "The battery is empty and is kept from harm: 50.000 V, at most 5.0 A."));
    scene.packs[0].soc_permille = 600;
    scene.set_cell(3, 3420);
    scene.read();
    EXPECT(says(scene.row(Rule::charge_voltage),
                "The cells differ much; the higher ones wait for the lower ones: 55.190 V."));
    LawScene bulk;
    bulk.read();
    EXPECT(says(bulk.row(Rule::charge_voltage), "Charging goes on: 55.200 V."));
}

TEST(heat_frost_and_lost_sensors_are_told) {
    LawScene scene;
    scene.packs[0].temperatures_mc[0] = -10'500;
    scene.read();
    EXPECT(says(scene.row(Rule::temperature),
                "Sensor 1 is at -10.5 °C. Below 0.0 °C, charging and discharging stop."));
    scene.packs[0].temperatures_mc[0] = std::nullopt;
    scene.read();
    EXPECT(says(scene.row(Rule::temperature),
                "Sensor 1 gives nothing any more; it may freeze there. No charging until it is "
                "back."));
    LawScene hot;
    hot.packs[0].board_temperature_mc = 75'000;
    hot.read();
    EXPECT(says(hot.row(Rule::board_temperature),
                "Sensor 3 is at 75.0 °C. From 70.0 °C on, charging and discharging slow down."));
}

TEST(an_empty_battery_and_a_full_one_are_told_apart) {
    LawSettings settings;
    settings.charge_by_soc = {{850, 1000}, {900, 500}};
    settings.discharge_by_soc = {{50, 100}, {200, 1000}};
    LawScene scene(settings);
    scene.packs[0].soc_permille = 155;
    scene.read();
    EXPECT(says(scene.row(Rule::soc), "The charge is at 15.5 %. Below 20.0 %, discharging slows."));
    scene.packs[0].soc_permille = 870;
    scene.read();
    EXPECT(says(scene.row(Rule::soc), "The charge is at 87.0 %. From 85.0 % on, charging slows."));
}

TEST(a_low_cell_that_recovers_a_latched_one_and_a_fault_are_told) {
    LawSettings settings;
    settings.discharge_by_cell = {};
    settings.charge_by_cell = {};
    LawScene scene(settings);
    scene.packs[0].cell_undervoltage_mv = 2700;
    scene.set_cell(5, 2720);
    scene.read();
    scene.set_cell(5, 2730);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_low),
                "Cell 5 is at 2.730 V. It was at 2.720 V or below; once it is well above, the "
                "limit goes."));
    scene.set_cell(5, 3700);
    scene.packs[0].activity = static_cast<std::int64_t>(BatteryActivity::fault);
    scene.read();
    EXPECT(says(scene.row(Rule::cell_high),
                "A cell went far beyond its cut-off. Cell 5 is at 3.700 V. Charging stays off "
                "until the owner has looked and releases it."));
    EXPECT(says(scene.row(Rule::bms_fault),
                "The BMS reports a fault: charging and discharging stop."));
}

TEST(a_wrong_chemistry_is_told_with_both_voltages) {
    LawScene scene;
    scene.packs[0].cell_full_mv = 4200;
    scene.packs[0].cell_overvoltage_mv = 4250;
    scene.read();
    EXPECT(says(scene.row(Rule::not_ready),
                "No complete reading yet. The BMS calls a cell full at 4.200 V; this chemistry "
                "bears 3.650 V. Correct the chemistry here or the register in the BMS."));
}

}  // namespace
}  // namespace jw::battery
