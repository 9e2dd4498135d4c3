// SPDX-License-Identifier: Apache-2.0
// Frames at their periods, and limits that fall between them.
#include "core/sink/can_out/talk.h"

#include "core/base/test.h"
#include "core/sink/can_out/profiles.h"

namespace jw::can_out {
namespace {

constexpr Instant start{1'000'000'000};

BatteryState nominal() {
    BatteryState state;
    state.charge_voltage_mv = 55'200;
    state.charge_current_ma = 100'000;
    state.discharge_current_ma = 150'000;
    state.discharge_voltage_mv = 44'800;
    state.charge_allowed = 1;
    state.discharge_allowed = 1;
    state.soc_permyriad = 7500;
    state.voltage_mv = 52'480;
    state.current_ma = -12'400;
    return state;
}

/// How many frames of an id leave now.
std::size_t sent(Talk& talk, const BatteryState& state, Instant now, std::uint32_t id) {
    std::size_t count = 0;
    while (const auto frame = talk.next(state, now)) {
        count += frame->id == id ? 1U : 0U;
    }
    return count;
}

TEST(everything_that_is_known_leaves_at_once_in_the_beginning) {
    Talk talk(*profile_named("victron"));
    const BatteryState state = nominal();
    EXPECT(sent(talk, state, start, 0x351) == 1);
    EXPECT(sent(talk, state, start, 0x351) == 0);
    EXPECT(talk.due() == start + seconds(1));
}

TEST(a_limit_leaves_once_a_second_on_a_fixed_grid_though_turns_are_late) {
    Talk talk(*profile_named("victron"));
    const BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    std::size_t count = 0;
    for (int i = 1; i <= 10; ++i) {
        const Instant late = start + seconds(i) + milliseconds(7 * (i % 3));
        EXPECT(sent(talk, state, late - milliseconds(30), 0x351) == 0);
        count += sent(talk, state, late, 0x351);
        EXPECT(talk.due() == start + seconds(i + 1));
    }
    EXPECT(count == 10);
}

TEST(a_turn_that_is_later_than_a_period_does_not_make_up_for_it) {
    Talk talk(*profile_named("victron"));
    const BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    EXPECT(sent(talk, state, start + seconds(5), 0x351) == 1);
    EXPECT(sent(talk, state, start + seconds(5) + milliseconds(999), 0x351) == 0);
    EXPECT(sent(talk, state, start + seconds(6), 0x351) == 1);
}

TEST(a_clock_that_is_younger_than_a_period_shortens_none) {
    Talk talk(*profile_named("victron"));
    const BatteryState state = nominal();
    const Instant boot{milliseconds(300).us};
    EXPECT(sent(talk, state, boot, 0x351) == 1);
    EXPECT(talk.due() == boot + seconds(1));
    talk.pause();
    EXPECT(sent(talk, state, boot, 0x351) == 1);
    EXPECT(talk.due() == boot + seconds(1));
}

TEST(a_limit_that_falls_leaves_at_once_and_its_period_begins_anew) {
    Talk talk(*profile_named("victron"));
    BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    for (const auto member : {&BatteryState::charge_voltage_mv,
                              &BatteryState::charge_current_ma,
                              &BatteryState::discharge_current_ma}) {
        Talk one = talk;
        BatteryState lower = state;
        *(lower.*member) -= 5'000;
        const Instant at = start + milliseconds(400);
        EXPECT(sent(one, lower, at, 0x351) == 1);
        EXPECT(sent(one, lower, start + seconds(1), 0x351) == 0);
        EXPECT(sent(one, lower, at + seconds(1), 0x351) == 1);
    }
}

TEST(a_limit_that_rises_waits_for_its_period) {
    Talk talk(*profile_named("victron"));
    BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    state.charge_current_ma = 120'000;
    EXPECT(sent(talk, state, start + milliseconds(400), 0x351) == 0);
    EXPECT(sent(talk, state, start + seconds(1), 0x351) == 1);
}

TEST(one_limit_that_falls_takes_the_other_that_rose_along) {
    Talk talk(*profile_named("victron"));
    BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    state.charge_current_ma = 120'000;
    state.discharge_current_ma = 10'000;
    const auto frame = talk.next(state, start + milliseconds(400));
    EXPECT(frame && frame->id == 0x351 && frame->data[2] == 0xB0 && frame->data[3] == 0x04);
}

TEST(a_fall_that_the_frame_cannot_express_is_not_told_twice) {
    Talk talk(*profile_named("victron"));
    BatteryState state = nominal();
    state.charge_current_ma = 100'050;
    (void)sent(talk, state, start, 0x351);
    state.charge_current_ma = 100'010;  // rounded down both are 100.0 A
    EXPECT(sent(talk, state, start + milliseconds(100), 0x351) == 0);
}

TEST(permissions_that_are_withdrawn_leave_at_once_in_their_own_frame) {
    Talk talk(*profile_named("pylontech-old"));
    BatteryState state = nominal();
    (void)sent(talk, state, start, 0x35C);
    state.charge_current_ma = 0;
    state.charge_allowed = 0;
    std::size_t limits = 0;
    std::size_t permissions = 0;
    while (const auto frame = talk.next(state, start + milliseconds(10))) {
        limits += frame->id == 0x351 ? 1U : 0U;
        permissions += frame->id == 0x35C ? 1U : 0U;
    }
    EXPECT(limits == 1);
    EXPECT(permissions == 1);
}

TEST(after_a_pause_everything_leaves_again) {
    Talk talk(*profile_named("victron"));
    const BatteryState state = nominal();
    (void)sent(talk, state, start, 0x351);
    talk.pause();
    EXPECT(sent(talk, state, start + milliseconds(5), 0x351) == 1);
}

TEST(a_charge_voltage_of_0_is_refused_and_counted) {
    Talk talk(*profile_named("victron"));
    BatteryState state = nominal();
    state.charge_voltage_mv = 0;
    EXPECT(sent(talk, state, start, 0x351) == 0);
    EXPECT(talk.refused() == 1);
}

}  // namespace
}  // namespace jw::can_out
