// SPDX-License-Identifier: Apache-2.0
// How limits come back, what commands from afar can do, and what a page is told: R8, R10, H-18 to
// H-20.
#include "core/steer/battery/law.h"

#include <type_traits>

#include "core/base/test.h"
#include "core/steer/battery/law_scene.h"

namespace jw::battery {
namespace {

// A ceiling cannot be set, copied over or raised: there is nothing but at_most().
static_assert(!std::is_copy_assignable_v<Ceiling> && !std::is_copy_constructible_v<Ceiling>);
static_assert(!std::is_assignable_v<Ceiling&, std::int64_t>);
// A lowering has no voltage.
static_assert(sizeof(Lowering) == 2 * sizeof(Number) + sizeof(Instant));

TEST(a_limit_that_fell_stays_down_for_thirty_seconds) {
    LawScene scene;
    scene.read();
    scene.set_cell(1, 3400);
    scene.read();
    EXPECT(scene.charge_ma() == 12'500);
    scene.set_cell(1, 3300);
    scene.read();
    scene.run(milliseconds(29'999));
    EXPECT(scene.charge_ma() == 12'500);
    EXPECT(scene.law.verdict().charge_rule == Rule::recovering);
}

TEST(then_it_rises_by_five_amperes_a_second) {
    LawScene scene;
    scene.set_cell(1, 3400);
    scene.read();
    scene.set_cell(1, 3300);
    scene.read();
    scene.run(seconds(31));
    EXPECT(scene.charge_ma() == 17'500);
    scene.run(seconds(1));
    EXPECT(scene.charge_ma() == 22'500);
    scene.run(seconds(6));
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_fall_in_between_begins_the_wait_anew) {
    LawScene scene;
    scene.set_cell(1, 3400);
    scene.read();
    scene.set_cell(1, 3300);
    scene.run(seconds(20));
    scene.set_cell(1, 3401);
    scene.run(milliseconds(250));
    scene.set_cell(1, 3300);
    scene.run(seconds(29));
    EXPECT(scene.charge_ma() == 12'100);
}

TEST(a_limit_at_zero_opens_only_above_one_and_a_half_per_cent) {
    LawScene scene;
    scene.set_cell(1, 3500);
    scene.read();
    EXPECT(scene.charge_ma() == 0);
    scene.set_cell(1, 3445);  // 14 permille
    scene.run(seconds(60));
    EXPECT(scene.charge_ma() == 0);
    EXPECT(scene.law.verdict().charge_rule == Rule::cell_high);
    scene.set_cell(1, 3444);  // 16 permille
    scene.run(seconds(60));
    EXPECT(scene.charge_ma() == 800);
}

TEST(the_first_limits_after_the_start_need_no_recovery) {
    LawScene scene;
    scene.read();
    EXPECT(scene.charge_ma() == 50'000 && scene.discharge_ma() == 50'000);
}

TEST(a_command_lowers_at_once_and_expires) {
    LawScene scene;
    scene.read();
    scene.law.lower({.charge_current_ma = 10'000, .until = scene.now + seconds(60)}, scene.now);
    scene.run(seconds(1));
    EXPECT(scene.charge_ma() == 10'000 && scene.discharge_ma() == 50'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::remote);
    scene.run(milliseconds(58'999));
    EXPECT(scene.charge_ma() == 10'000);
    scene.run(seconds(40));
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_command_never_raises) {
    LawScene scene;
    scene.set_cell(1, 3400);
    scene.law.lower({.charge_current_ma = INT64_MAX,
                     .discharge_current_ma = INT64_MAX,
                     .until = scene.now + seconds(60)},
                    scene.now);
    scene.read();  // the first one: nothing has to recover
    EXPECT(scene.charge_ma() == 12'500 && scene.discharge_ma() == 50'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::cell_high);
}

TEST(a_negative_command_is_zero) {
    LawScene scene;
    scene.law.lower({.charge_current_ma = -5000, .until = scene.now + seconds(60)}, scene.now);
    scene.read();
    EXPECT(scene.charge_ma() == 0 && scene.discharge_ma() == 50'000);
}

TEST(a_command_without_one_direction_leaves_what_an_earlier_one_said) {
    LawScene scene;
    scene.law.lower({.charge_current_ma = 10'000, .until = scene.now + seconds(60)}, scene.now);
    scene.law.lower({.discharge_current_ma = 20'000, .until = scene.now + seconds(60)}, scene.now);
    scene.read();
    EXPECT(scene.charge_ma() == 10'000 && scene.discharge_ma() == 20'000);
}

TEST(a_command_holds_for_a_day_at_most) {
    LawScene scene;
    scene.law.lower({.charge_current_ma = 10'000, .until = never}, scene.now);
    scene.read();
    EXPECT(scene.charge_ma() == 10'000);
    scene.now = scene.now + seconds(24 * 3600);
    scene.run(seconds(45));
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_command_that_is_over_before_it_came_does_nothing) {
    LawScene scene;
    scene.law.lower({.charge_current_ma = 0, .until = scene.now}, scene.now);
    scene.read();
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_command_over_a_wrap_of_32_bit_milliseconds_expires_in_time) {
    LawScene scene;
    scene.now = Instant{((std::int64_t{1} << 32) - 30'000) * 1000};
    scene.read();
    scene.law.lower({.charge_current_ma = 0, .until = scene.now + seconds(60)}, scene.now);
    scene.run(seconds(59));
    EXPECT(scene.charge_ma() == 0);
    scene.run(seconds(45));
    EXPECT(scene.charge_ma() == 50'000);
}

TEST(a_limit_that_goes_to_and_fro_is_held_at_the_lower_value_for_a_minute) {
    LawSettings settings;
    settings.rise_hold = seconds(1);
    settings.rise_ma_per_s = 50'000;
    LawScene scene(settings);
    scene.read();
    for (int i = 0; i < 4; ++i) {  // eight turns in 32 s
        scene.set_cell(1, 3500);
        scene.run(seconds(4));
        scene.set_cell(1, 3300);
        scene.run(seconds(4));
    }
    EXPECT(scene.law.verdict().charge_rule == Rule::chatter && scene.charge_ma() == 0);
    EXPECT(scene.discharge_ma() == 50'000);
    scene.run(seconds(55));
    EXPECT(scene.charge_ma() == 0);
    scene.run(seconds(5));
    EXPECT(scene.charge_ma() > 0);
}

TEST(six_turns_in_a_minute_are_no_chatter) {
    LawSettings settings;
    settings.rise_hold = seconds(1);
    settings.rise_ma_per_s = 50'000;
    LawScene scene(settings);
    scene.read();
    for (int i = 0; i < 3; ++i) {
        scene.set_cell(1, 3500);
        scene.run(seconds(4));
        scene.set_cell(1, 3300);
        scene.run(seconds(4));
    }
    EXPECT(scene.law.verdict().charge_rule != Rule::chatter && scene.charge_ma() == 50'000);
}

TEST(noise_at_a_threshold_moves_the_limit_at_most_twice_a_minute) {
    LawScene scene;
    scene.read();
    std::int64_t before = scene.charge_ma();
    int turns = 0;
    bool fell = false;
    std::uint32_t noise = 1;
    for (int i = 0; i < 4 * 60 * 10; ++i) {
        noise = noise * 1'664'525U + 1'013'904'223U;
        scene.set_cell(1, 3490 + noise % 21);
        scene.run(milliseconds(250));
        const std::int64_t now = scene.charge_ma();
        turns += (now < before && !fell) || (now > before && fell) ? 1 : 0;
        fell = now == before ? fell : now < before;
        before = now;
    }
    EXPECT(turns <= 20);
}

TEST(every_rule_is_listed_the_lowest_charge_current_first) {
    LawScene scene;
    scene.set_cell(11, 3393);
    scene.packs[0].temperatures_mc[0] = 7500;
    scene.read();
    const Verdict& verdict = scene.law.verdict();
    EXPECT(verdict.by_rule[0].rule == Rule::cell_high);
    EXPECT(verdict.by_rule[0].input == 3393 && verdict.by_rule[0].threshold == 3375);
    EXPECT(verdict.by_rule[1].rule == Rule::temperature);
    for (std::size_t i = 1; i < verdict.rule_count; ++i) {
        EXPECT(verdict.by_rule[i - 1].charge_current_ma.value_or(INT64_MAX) <=
               verdict.by_rule[i].charge_current_ma.value_or(INT64_MAX));
    }
    EXPECT(scene.row(Rule::owner).charge_current_ma == 50'000);
    EXPECT(scene.row(Rule::bms_rating).discharge_current_ma == 80'000);
}

// D4: the limits are those that the BMS is set to, not the largest currents that it ever saw.
TEST(a_rating_below_the_owners_setting_counts) {
    LawScene scene;
    scene.packs[0].charge_current_max_ma = 20'000;
    scene.read();
    EXPECT(scene.charge_ma() == 20'000 && scene.discharge_ma() == 50'000);
    EXPECT(scene.law.verdict().charge_rule == Rule::bms_rating);
}

}  // namespace
}  // namespace jw::battery
