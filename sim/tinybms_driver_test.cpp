// SPDX-License-Identifier: Apache-2.0
// The driver of a TinyBMS against a simulated one: what it reads, and what it does when the BMS
// sleeps, falls silent, answers late or wrongly.
#include <bit>

#include "core/base/test.h"
#include "core/model/battery.h"
#include "sim/tinybms_link.h"

using namespace jw;
using namespace jw::sim;

namespace {

std::int64_t bit(BatteryAlarm alarm) {
    return std::int64_t{1} << static_cast<unsigned>(alarm);
}

bool is_live(const TinybmsAsked& asked) {
    return asked.command == tinybms::Command::read_modbus && asked.address == 0;
}

std::vector<Instant> live_asked(const TinybmsLink& link) {
    std::vector<Instant> at;
    for (const TinybmsAsked& asked : link.asked) {
        if (is_live(asked)) {
            at.push_back(asked.at);
        }
    }
    return at;
}

}  // namespace

TEST(tinybms_nominal_pack_is_read_four_times_a_second) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(10));
    EXPECT(link.told.at.size() == 40 || link.told.at.size() == 41);
    EXPECT(link.told.failures.empty() && link.unreadable == 0);
    const auto& told = link.told;
    EXPECT(told.number(Quantity::current_ma) == -12'400);
    const std::int64_t voltage = told.number(Quantity::voltage_mv).value_or(0);
    EXPECT(voltage > 52'000 && voltage < 53'000);
    EXPECT(told.number(Quantity::power_w) == (voltage * -12'400 - 500'000) / 1'000'000);
    EXPECT(told.number(Quantity::soc_permille) == 750);
    EXPECT(told.number(Quantity::soh_permille) == 970);
    EXPECT(told.number(Quantity::temperature_mc, 1) == 23'500);
    EXPECT(!told.number(Quantity::temperature_mc, 2));
    EXPECT(told.number(Quantity::temperature_mc, 3) == 27'800);
    for (std::uint8_t cell = 1; cell <= 16; ++cell) {
        const std::int64_t mv = told.number(Quantity::cell_voltage_mv, cell).value_or(0);
        EXPECT(mv >= 3270 && mv <= 3290);
    }
    EXPECT(told.number(Quantity::battery_state) ==
           static_cast<std::int64_t>(BatteryActivity::discharging));
    EXPECT(told.number(Quantity::battery_alarm_bits) == 0);
    EXPECT(told.number(Quantity::read_errors) == 0);
    EXPECT(told.number(Quantity::operating_state) == 0x93);
    EXPECT(told.number(Quantity::time_left_s) == 5400);
}

TEST(tinybms_settings_come_with_the_reading_behind_their_own_and_every_minute) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(milliseconds(400));
    EXPECT(link.told.number(Quantity::cell_full_mv) == 3650);
    EXPECT(link.told.number(Quantity::cell_empty_mv) == 2800);
    EXPECT(link.told.number(Quantity::cell_overvoltage_mv) == 3800);
    EXPECT(link.told.number(Quantity::cell_undervoltage_mv) == 2500);
    EXPECT(link.told.number(Quantity::discharge_current_max_ma) == 150'000);
    EXPECT(link.told.number(Quantity::charge_current_max_ma) == 100'000);
    EXPECT(link.told.number(Quantity::temperature_max_mc) == 60'000);
    EXPECT(link.told.number(Quantity::charge_temperature_min_mc) == 1'000);
    EXPECT(link.told.number(Quantity::capacity_mah) == 280'000);
    EXPECT(link.told.number(Quantity::cell_count) == 16);
    EXPECT(link.told.number(Quantity::cycle_count) == 0);
    link.run(milliseconds(250));
    EXPECT(!link.told.number(Quantity::cell_full_mv));
    int settings_read = 0;
    link.run(seconds(180));
    for (const TinybmsAsked& asked : link.asked) {
        settings_read +=
            asked.address == 300 && asked.command == tinybms::Command::read_modbus ? 1 : 0;
    }
    EXPECT(settings_read == 4);
}

TEST(tinybms_says_who_it_is_at_first_contact_and_after_a_silence) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(1));
    EXPECT(link.told.identities == 1);
    EXPECT(link.told.info.maker == "Enepaq" && link.told.info.model == "TinyBMS");
    EXPECT(link.told.info.name == "pack-1" && link.told.info.driver == "tinybms");
    EXPECT(link.told.info.version == "1.242, hardware 2.1");
    link.bms.faults.silent = true;
    link.run(seconds(5));
    link.bms.faults.silent = false;
    link.run(seconds(3));
    EXPECT(link.told.identities == 2);
}

TEST(tinybms_live_polls_stay_on_their_grid_whatever_else_is_read) {
    for (const int poll_ms : {100, 250, 1000}) {
        TinybmsLink link(TinybmsScene::nominal, TinybmsLink::settings_of(milliseconds(poll_ms)));
        const Instant begin = link.now;
        link.run(seconds(130));
        const auto at = live_asked(link);
        EXPECT(at.size() >= static_cast<std::size_t>(130'000 / poll_ms));
        std::int64_t worst_us = 0;
        for (std::size_t i = 0; i < at.size(); ++i) {
            const std::int64_t grid_us = static_cast<std::int64_t>(i) * poll_ms * 1000;
            worst_us = std::max(worst_us, (at[i] - begin).us - grid_us);
        }
        EXPECT(worst_us <= 5000);
        EXPECT(link.asked.size() > at.size() + 125);  // events every second
        // Nothing is asked while an answer is awaited.
        for (std::size_t i = 1; i < link.asked.size(); ++i) {
            const auto& before = link.asked[i - 1];
            EXPECT((link.asked[i].at - before.at).us >= 2000 + 174 * before.count);
        }
    }
}

TEST(tinybms_poll_is_held_between_a_tenth_of_a_second_and_one) {
    TinybmsLink fast(TinybmsScene::nominal, TinybmsLink::settings_of(milliseconds(1)));
    fast.run(seconds(10));
    EXPECT(fast.told.at.size() <= 102);
    TinybmsLink slow(TinybmsScene::nominal, TinybmsLink::settings_of(seconds(60)));
    slow.run(seconds(10));
    EXPECT(slow.told.at.size() >= 10);
}

TEST(tinybms_that_sleeps_is_woken_by_the_same_command_200_ms_later) {
    TinybmsLink link(TinybmsScene::asleep);
    link.run(milliseconds(240));
    EXPECT(link.told.at.size() == 1);
    EXPECT(link.asked.size() >= 2 && (link.asked[1].at - link.asked[0].at).ms() == 200);
    EXPECT(link.asked[0].count == link.asked[1].count);
    EXPECT(link.told.failures.empty());
    EXPECT(link.told.number(Quantity::battery_state) ==
           static_cast<std::int64_t>(BatteryActivity::idle));
    link.run(seconds(60));
    EXPECT(link.told.failures.empty());  // polled, it does not fall asleep again
}

TEST(tinybms_is_silent_only_after_three_pairs_a_second_apart) {
    TinybmsLink link(TinybmsScene::silent);
    link.run(milliseconds(3100));
    EXPECT(link.told.failures.empty());
    link.run(milliseconds(200));
    EXPECT(link.told.failures.size() == 1 && link.told.failures[0].first == Code::timeout);
    EXPECT(live_asked(link).size() == 6 && link.asked.size() == 6);
    const auto at = live_asked(link);
    EXPECT((at[1] - at[0]).ms() == 200 && (at[2] - at[1]).ms() == 1200);
    EXPECT(link.told.at.empty());
}

TEST(tinybms_that_fell_silent_gives_no_value_and_is_back_within_two_seconds) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(5));
    link.bms.faults.silent = true;
    link.run(milliseconds(20));
    const std::size_t before = link.told.at.size();
    link.run(seconds(30));
    EXPECT(link.told.at.size() == before);
    EXPECT(!link.told.failures.empty());
    for (const auto& [code, at] : link.told.failures) {
        EXPECT(code == Code::timeout);
    }
    link.bms.faults.silent = false;
    link.run(seconds(2));
    EXPECT(link.told.at.size() > before);
}

TEST(tinybms_on_a_noisy_line_gives_true_readings_or_none) {
    TinybmsLink link(TinybmsScene::noisy);
    link.piece = 7;
    link.run(seconds(120));
    EXPECT(link.told.at.size() > 100);
    const auto voltage = link.told.seen.at({Quantity::voltage_mv, 0});
    EXPECT(voltage > 52'000 && voltage < 53'000);
    EXPECT(link.told.seen.at({Quantity::soc_permille, 0}) == 750);
    EXPECT(link.told.seen.at({Quantity::cell_full_mv, 0}) == 3650);
    EXPECT(link.told.seen.at({Quantity::read_errors, 0}) > 10);
    for (const auto& [code, at] : link.told.failures) {
        EXPECT(code == Code::bad_checksum);  // it is there: never a timeout
    }
}

TEST(tinybms_answers_are_found_however_the_line_splits_or_merges_them) {
    for (const std::size_t piece : {1U, 3U, 64U, 117U, 1000U}) {
        TinybmsLink link(TinybmsScene::nominal);
        link.piece = piece;
        link.run(seconds(5));
        EXPECT(link.told.at.size() >= 20 && link.told.failures.empty());
        EXPECT(link.told.number(Quantity::read_errors) == 0);
    }
}

TEST(tinybms_that_refuses_is_told_as_wrong_and_not_as_silent) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(2));
    link.bms.faults.refuse = 1000;
    link.run(milliseconds(900));
    EXPECT(link.told.failures.size() == 4 || link.told.failures.size() == 3);
    link.bms.faults.refuse = 0;
    for (const auto& [code, at] : link.told.failures) {
        EXPECT(code == Code::denied);
    }
    const std::size_t before = link.told.at.size();
    link.run(seconds(1));
    EXPECT(link.told.at.size() >= before + 4);
    EXPECT(link.told.number(Quantity::read_errors) >= 3);
}

TEST(tinybms_one_lost_answer_costs_no_failure) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(2));
    for (int i = 0; i < 20; ++i) {
        link.bms.faults.lose_answers = 1;
        link.run(milliseconds(1100));
    }
    EXPECT(link.told.failures.empty());
    EXPECT(link.told.number(Quantity::read_errors) == 0);
}

TEST(tinybms_answer_that_comes_late_is_never_taken_for_a_later_poll) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(2));
    // Slower than two tries, so that each answer comes when another poll is under way or none.
    link.bms.faults.late = milliseconds(1450);
    link.run(milliseconds(100));
    std::int64_t wrong = 0;
    std::size_t seen = link.told.at.size();
    for (int i = 0; i < 600; ++i) {
        link.bms.set(34, static_cast<std::uint16_t>(link.now.ms() / 100));
        link.bms.set(35, 0);
        link.run(milliseconds(100));
        if (link.told.at.size() != seen) {
            seen = link.told.at.size();
            const std::int64_t said = link.told.number(Quantity::time_left_s).value_or(0);
            wrong += link.told.at.back().ms() / 100 - said > 5 ? 1 : 0;
        }
    }
    EXPECT(wrong == 0);
    link.bms.faults.late = {};
    link.run(seconds(5));
    seen = link.told.at.size();
    link.run(seconds(1));
    EXPECT(link.told.at.size() == seen + 4);
}

TEST(tinybms_that_answers_in_the_last_moment_is_read_all_the_same) {
    TinybmsLink link(TinybmsScene::nominal);
    link.bms.faults.late = milliseconds(170);
    link.run(seconds(10));
    EXPECT(link.told.at.size() >= 38 && link.told.failures.empty());
    EXPECT(link.told.seen.contains({Quantity::cell_full_mv, 0}) == false ||
           link.told.seen.at({Quantity::cell_full_mv, 0}) == 3650);
}

TEST(tinybms_over_voltage_is_an_alarm_from_its_event_to_its_recovery_and_told_once) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(3));
    EXPECT(link.told.events.empty());  // what the log had before is no news
    link.bms.add_event(0x03);
    link.bms.set(50, 0x9B);
    link.run(seconds(3));
    EXPECT(link.told.number(Quantity::battery_alarm_bits) ==
           (bit(BatteryAlarm::high_voltage) | bit(BatteryAlarm::bms_internal)));
    EXPECT(link.told.number(Quantity::battery_state) ==
           static_cast<std::int64_t>(BatteryActivity::fault));
    link.bms.add_event(0x79);
    link.bms.set(50, 0x97);
    link.run(seconds(3));
    EXPECT(link.told.number(Quantity::battery_alarm_bits) == 0);
    EXPECT(link.told.events.size() == 2);
    EXPECT(link.told.events[0] == "It reports over voltage (event 0x03).");
    EXPECT(link.told.events[1] == "It reports recovered over voltage (event 0x79).");
}

TEST(tinybms_switch_error_stays_until_the_status_is_sound_for_ten_seconds) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(3));
    link.bms.add_event(0x0C);
    link.bms.set(50, 0x9B);
    link.run(seconds(3));
    link.bms.set(50, 0x97);
    link.run(seconds(9));
    EXPECT(link.told.number(Quantity::battery_alarm_bits) == bit(BatteryAlarm::contactor));
    link.run(seconds(2));
    EXPECT(link.told.number(Quantity::battery_alarm_bits) == 0);
}

TEST(tinybms_line_that_is_disconnected_is_told_and_polled_again_when_it_is_back) {
    TinybmsLink link(TinybmsScene::nominal);
    link.run(seconds(2));
    link.device.disconnected(link.now);
    EXPECT(link.told.failures.back().first == Code::not_found);
    EXPECT(link.device.step(link.now) == never);
    link.asked.clear();
    link.now = link.now + seconds(20);
    link.device.connected(link.now);
    const std::size_t before = link.told.at.size();
    link.run(seconds(1));
    EXPECT(link.told.at.size() >= before + 4);
    EXPECT(link.told.identities == 2);
}

TEST(tinybms_float_that_is_no_number_is_absent_and_counted) {
    TinybmsLink link(TinybmsScene::nominal);
    link.bms.set(36, 0);
    link.bms.set(37, 0x7FC0);  // NaN
    link.run(milliseconds(100));
    EXPECT(!link.told.number(Quantity::voltage_mv) && !link.told.number(Quantity::power_w));
    EXPECT(link.told.number(Quantity::current_ma) == -12'400);
    EXPECT(link.told.number(Quantity::read_errors) == 1);
}
