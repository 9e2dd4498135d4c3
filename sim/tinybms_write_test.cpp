// SPDX-License-Identifier: Apache-2.0
// Writing the settings of a simulated TinyBMS: guarded, read back, and told as it ended.
#include "core/base/test.h"
#include "sim/tinybms_link.h"

using namespace jw;
using namespace jw::sim;

namespace {

struct Idle : TinybmsLink {
    explicit Idle(TinybmsScene scene = TinybmsScene::nominal) : TinybmsLink(scene) {
        bms.set(38, 0);  // no current
        bms.set(39, 0);
        run(seconds(2));
    }
    Code write(std::string_view name, std::int64_t value) {
        return device.write_parameter(name, value, now).code();
    }
    [[nodiscard]] bool asked_to_write() const {
        for (const TinybmsAsked& row : asked) {
            if (row.command == tinybms::Command::write_modbus ||
                row.command == tinybms::Command::reset) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace

TEST(tinybms_parameters_are_its_settings_with_range_unit_and_value) {
    Idle link;
    EXPECT(link.device.parameter_count() == 38);
    const auto parameter = link.parameter("over_voltage_cutoff");
    EXPECT(parameter && parameter->writable && parameter->value == 3800);
    EXPECT(parameter->least == 1200 && parameter->most == 4500);
    EXPECT(std::string_view(parameter->unit) == "mV" && parameter->decimals == 0);
    EXPECT(link.parameter("capacity")->value == 28'000 &&
           link.parameter("capacity")->decimals == 2);
    EXPECT(!link.parameter("peak_discharge_cutoff"));  // its range is not documented
    EXPECT(!link.parameter("pack_voltage"));
    EXPECT(link.parameter("restart")->least == 1 && !link.parameter("restart")->value);
}

TEST(tinybms_setting_is_written_read_back_and_shown) {
    Idle link;
    EXPECT(link.write("over_voltage_cutoff", 3750) == Code::ok);
    EXPECT(link.write("capacity", 3000) == Code::busy);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.told.value == 3750);
    EXPECT(link.bms.get(315) == 3750);
    EXPECT(link.parameter("over_voltage_cutoff")->value == 3750);
    link.run(milliseconds(600));
    EXPECT(link.told.seen.at({Quantity::cell_overvoltage_mv, 0}) == 3750);
}

TEST(tinybms_negative_wide_and_scaled_settings_are_written_as_they_stand_in_registers) {
    Idle link;
    EXPECT(link.write("low_temperature_charge_cutoff", -10) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.told.value == -10);
    EXPECT(link.bms.get(320) == 0xFFF6);
    EXPECT(link.write("pulses_per_distance", 70'000) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed);
    EXPECT(link.bms.get(312) == 4464 && link.bms.get(313) == 1);
    EXPECT(link.write("set_state_of_charge", 50'001) == Code::out_of_range);  // steps of 0.002 %
    EXPECT(link.write("set_state_of_charge", 50'000) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.bms.get(328) == 0xFFFF);
}

TEST(tinybms_writes_out_of_range_or_of_unknown_names_are_not_sent) {
    Idle link;
    EXPECT(link.write("over_voltage_cutoff", 4501) == Code::out_of_range);
    EXPECT(link.write("low_temperature_charge_cutoff", -41) == Code::out_of_range);
    EXPECT(link.write("restart", 0) == Code::out_of_range);
    EXPECT(link.write("cell_voltage", 3000) == Code::not_found);
    EXPECT(link.write("", 1) == Code::not_found);
    link.run(seconds(2));
    EXPECT(!link.asked_to_write() && link.told.acts == 0);
}

TEST(tinybms_cut_offs_must_stay_below_empty_and_above_full) {
    Idle link;  // 2500 < 2800 < 3650 < 3800
    EXPECT(link.write("over_voltage_cutoff", 3650) == Code::denied);
    EXPECT(link.write("under_voltage_cutoff", 2800) == Code::denied);
    EXPECT(link.write("cell_full_voltage", 3800) == Code::denied);
    EXPECT(link.write("cell_empty_voltage", 2500) == Code::denied);
    EXPECT(!link.asked_to_write());
    EXPECT(link.write("over_voltage_cutoff", 3651) == Code::ok);
    link.run_until_acted();
    // What was just written counts at once.
    EXPECT(link.write("cell_full_voltage", 3651) == Code::denied);
}

TEST(tinybms_switches_are_not_moved_while_current_flows_or_is_unknown) {
    TinybmsLink link(TinybmsScene::nominal);  // -12.4 A
    link.run(seconds(2));
    const auto write = [&link](std::string_view name, std::int64_t value) {
        return link.device.write_parameter(name, value, link.now).code();
    };
    EXPECT(write("load_switch_type", 1) == Code::denied);
    EXPECT(write("restart", 1) == Code::denied);
    EXPECT(write("flags", 2) == Code::denied);
    EXPECT(write("over_heat_cutoff", 55) == Code::ok);
    link.run_until_acted();
    link.bms.set(38, 0);
    link.bms.set(39, 0);
    link.run(seconds(1));
    EXPECT(write("load_switch_type", 1) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.bms.get(331) == 1);
    link.bms.faults.silent = true;
    link.run(seconds(3));
    EXPECT(write("load_switch_type", 2) == Code::denied);
}

TEST(tinybms_that_says_no_to_a_write_refused_it) {
    Idle link;
    link.run(milliseconds(100));
    EXPECT(link.write("over_heat_cutoff", 55) == Code::ok);
    link.bms.faults.refuse = 1;
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::device_refused && !link.told.value);
    EXPECT(link.bms.get(319) == 60);
}

TEST(tinybms_that_says_yes_and_does_nothing_is_found_out) {
    Idle link;
    link.bms.faults.ignores_writes = true;
    EXPECT(link.write("over_heat_cutoff", 55) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::not_confirmed && link.told.value == 60);
}

TEST(tinybms_write_whose_answer_is_lost_is_read_back_instead_of_sent_again) {
    Idle link;
    link.asked.clear();
    EXPECT(link.write("over_heat_cutoff", 55) == Code::ok);
    link.bms.faults.lose_answers = 1;
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.told.value == 55);
    int writes = 0;
    for (const TinybmsAsked& asked : link.asked) {
        writes += asked.command == tinybms::Command::write_modbus ? 1 : 0;
    }
    EXPECT(writes == 1);
}

TEST(tinybms_that_falls_silent_before_a_write_ends_it_as_silent) {
    Idle link;
    link.bms.faults.silent = true;
    EXPECT(link.write("over_heat_cutoff", 55) == Code::ok);
    link.run(seconds(9));
    EXPECT(link.told.acts == 0);
    link.run(seconds(2));
    EXPECT(link.told.acts == 1 && link.told.code == ResultCode::device_silent);
    link.bms.faults.silent = false;
    link.run(seconds(5));
    EXPECT(link.bms.get(319) == 60 && link.told.acts == 1);  // it is not made up for
}

TEST(tinybms_line_that_is_cut_ends_a_write_as_silent) {
    Idle link;
    EXPECT(link.write("over_heat_cutoff", 55) == Code::ok);
    link.device.disconnected(link.now);
    EXPECT(link.told.acts == 1 && link.told.code == ResultCode::device_silent);
}

TEST(tinybms_restarts_and_clears_its_events_and_statistics) {
    Idle link;
    link.bms.set(105, 3);
    EXPECT(link.write("clear_statistics", 1) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.bms.get(105) == 0);
    EXPECT(link.write("clear_events", 1) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed && link.bms.get(201) == 0);
    EXPECT(link.write("restart", 1) == Code::ok);
    link.run_until_acted();
    EXPECT(link.told.code == ResultCode::executed);
    link.run(seconds(5));
    EXPECT(link.told.events.size() == 1 &&
           link.told.events[0] == "It reports started (event 0x61).");
    EXPECT(link.told.identities == 2);
}

TEST(tinybms_write_does_not_move_the_live_polls) {
    Idle link;
    link.asked.clear();
    for (int i = 0; i < 40; ++i) {
        (void)link.write("over_heat_cutoff", 50 + i % 5);
        link.run(milliseconds(170));
    }
    EXPECT(link.told.acts >= 20);
    Instant before{-1};
    for (const TinybmsAsked& asked : link.asked) {
        if (asked.command == tinybms::Command::read_modbus && asked.address == 0) {
            EXPECT(before.us < 0 || (asked.at - before).us == 250'000);
            before = asked.at;
        }
    }
}
