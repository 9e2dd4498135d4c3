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

}  // namespace
}  // namespace jw::battery
