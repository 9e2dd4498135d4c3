// SPDX-License-Identifier: Apache-2.0
// Alarms: two readings to set, hysteresis and five seconds to clear (R15, D3).
#include "core/steer/battery/alarms.h"

#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

AlarmLevel level(const LawScene& scene, BatteryAlarm alarm) {
    return scene.law.verdict().alarms[static_cast<std::size_t>(alarm)];
}

struct Case {
    BatteryAlarm alarm;
    void (*spoil)(LawScene&);
    AlarmLevel expected;
};

void read_twice(LawScene& scene) {
    scene.read();
    scene.read();
}

TEST(a_healthy_battery_is_ok_and_says_what_it_cannot_tell) {
    LawScene scene;
    read_twice(scene);
    for (std::size_t i = 0; i < battery_alarms; ++i) {
        const auto alarm = static_cast<BatteryAlarm>(i);
        const bool untold = alarm == BatteryAlarm::general || alarm == BatteryAlarm::contactor ||
                            alarm == BatteryAlarm::short_circuit;
        EXPECT(level(scene, alarm) == (untold ? AlarmLevel::unsupported : AlarmLevel::ok));
    }
}

// D3: cells are compared with the cut-off of a cell, never the pack's voltage.
TEST(each_alarm_has_its_thresholds) {
    using enum BatteryAlarm;
    constexpr AlarmLevel ok = AlarmLevel::ok;
    constexpr AlarmLevel warning = AlarmLevel::warning;
    constexpr AlarmLevel alarm = AlarmLevel::alarm;
    const Case cases[] = {
        {high_voltage, [](LawScene& s) { s.set_cells(3599); }, ok},
        {high_voltage, [](LawScene& s) { s.set_cells(3600); }, warning},
        {high_voltage, [](LawScene& s) { s.set_cells(3650); }, alarm},
        {low_voltage, [](LawScene& s) { s.set_cells(2551); }, ok},
        {low_voltage, [](LawScene& s) { s.set_cells(2550); }, warning},
        {low_voltage, [](LawScene& s) { s.set_cells(2500); }, alarm},
        {high_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[0] = 54'900; }, ok},
        {high_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[0] = 55'000; }, warning},
        {high_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[1] = 60'000; }, alarm},
        {high_charge_temperature,
         [](LawScene& s) { s.packs[0].temperatures_mc[1] = 55'000; },
         alarm},
        {low_charge_temperature,
         [](LawScene& s) { s.packs[0].temperatures_mc[1] = 5000; },
         warning},
        {low_charge_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[1] = 0; }, alarm},
        {low_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[1] = -5000; }, warning},
        {low_temperature, [](LawScene& s) { s.packs[0].temperatures_mc[1] = -10'000; }, alarm},
        {high_charge_current, [](LawScene& s) { s.packs[0].current_ma = 47'000; }, ok},
        {high_charge_current, [](LawScene& s) { s.packs[0].current_ma = 48'010; }, warning},
        {high_charge_current, [](LawScene& s) { s.packs[0].current_ma = 60'010; }, alarm},
        {high_current, [](LawScene& s) { s.packs[0].current_ma = -64'010; }, warning},
        {high_current, [](LawScene& s) { s.packs[0].current_ma = -80'010; }, alarm},
        {cell_imbalance, [](LawScene& s) { s.set_cell(3, 3399); }, ok},
        {cell_imbalance, [](LawScene& s) { s.set_cell(3, 3400); }, warning},
        {cell_imbalance, [](LawScene& s) { s.set_cell(3, 3100); }, alarm},
        {bms_internal,
         [](LawScene& s) {
             s.packs[0].activity = static_cast<std::int64_t>(BatteryActivity::fault);
         },
         alarm},
        {contactor,
         [](LawScene& s) { s.packs[0].alarm_bits = 1 << static_cast<int>(contactor); },
         alarm},
    };
    for (const Case& one : cases) {
        LawScene scene;
        one.spoil(scene);
        read_twice(scene);
        EXPECT(level(scene, one.alarm) == one.expected);
    }
}

TEST(one_reading_sets_no_alarm) {
    LawScene scene;
    scene.read();
    scene.set_cells(3650);
    scene.read();
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::ok);
    scene.set_cells(3300);
    scene.read();
    scene.set_cells(3650);
    scene.read();
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::ok);
    scene.read();
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::alarm);
}

TEST(steps_without_a_reading_set_no_alarm) {
    LawScene scene;
    scene.set_cells(3650);
    scene.read();
    scene.wait(milliseconds(100));
    scene.wait(milliseconds(100));
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::ok);
}

TEST(an_alarm_clears_beyond_its_hysteresis_only) {
    LawScene scene;
    scene.set_cells(3650);
    read_twice(scene);
    scene.set_cells(3630);
    scene.run(seconds(20));
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::alarm);
    scene.set_cells(3629);
    scene.run(seconds(20));
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::warning);
    scene.set_cells(3579);
    scene.run(seconds(20));
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::ok);
}

TEST(an_alarm_clears_after_five_seconds_at_the_soonest) {
    LawScene scene;
    scene.packs[0].temperatures_mc[0] = 60'000;
    read_twice(scene);
    scene.packs[0].temperatures_mc[0] = 20'000;
    scene.read();
    scene.run(milliseconds(4999));
    EXPECT(level(scene, BatteryAlarm::high_temperature) == AlarmLevel::alarm);
    scene.run(milliseconds(1));
    EXPECT(level(scene, BatteryAlarm::high_temperature) == AlarmLevel::ok);
}

TEST(a_relapse_begins_the_five_seconds_anew) {
    LawScene scene;
    scene.packs[0].temperatures_mc[0] = 60'000;
    read_twice(scene);
    scene.packs[0].temperatures_mc[0] = 20'000;
    scene.run(seconds(4));
    scene.packs[0].temperatures_mc[0] = 59'000;  // within the hysteresis
    scene.run(seconds(1));
    scene.packs[0].temperatures_mc[0] = 20'000;
    scene.run(seconds(4));
    EXPECT(level(scene, BatteryAlarm::high_temperature) == AlarmLevel::alarm);
}

TEST(silence_warns_after_two_seconds_and_alarms_after_ten) {
    LawScene scene;
    scene.read();
    scene.wait(milliseconds(2000));
    EXPECT(level(scene, BatteryAlarm::bms_internal) == AlarmLevel::ok);
    scene.wait(milliseconds(1));
    EXPECT(level(scene, BatteryAlarm::bms_internal) == AlarmLevel::warning);
    scene.wait(milliseconds(7999));
    EXPECT(level(scene, BatteryAlarm::bms_internal) == AlarmLevel::alarm);
    scene.read();
    EXPECT(level(scene, BatteryAlarm::bms_internal) == AlarmLevel::ok);
}

TEST(one_pack_is_enough_for_an_alarm) {
    LawScene scene({}, 2);
    scene.set_cells(3650, 1);
    read_twice(scene);
    EXPECT(level(scene, BatteryAlarm::high_voltage) == AlarmLevel::alarm);
}

}  // namespace
}  // namespace jw::battery
