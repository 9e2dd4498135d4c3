// SPDX-License-Identifier: Apache-2.0
// Slots on simulated time.
#include "core/task/slots.h"

#include <algorithm>
#include <array>

#include "core/base/test.h"
#include "core/base/text.h"

namespace jw {
namespace {

constexpr SlotSettings shared{.every = seconds(500), .length = seconds(2), .linger = seconds(1)};

// The second of the period at which the slot of `slots` opens.
std::int64_t opening_s(const Slots& slots) {
    return std::int64_t{slots.index()} * 2;
}

TEST(a_period_of_500_s_in_slots_of_2_s_has_250_of_them) {
    EXPECT(Slots("gw-1", shared).count() == 250);
}

TEST(names_spread_evenly_over_the_slots) {
    // 25 000 gateways stand for 2.5 million: 100 a slot stand for 10 000 connections.
    std::array<std::uint32_t, 250> gateways{};
    for (std::uint32_t i = 0; i < 25'000; ++i) {
        std::array<char, 32> buffer{};
        Text name(buffer);
        name.put("gw-").put(i);
        ++gateways[Slots(name.view(), shared).index()];
    }
    EXPECT(*std::max_element(gateways.begin(), gateways.end()) <= 150);
    EXPECT(*std::min_element(gateways.begin(), gateways.end()) >= 50);
}

TEST(the_sink_is_connected_in_its_slot_and_at_no_other_time) {
    Slots slots("gw-1", shared);
    for (std::int64_t second = 0; second < 1500; ++second) {
        const Instant now{second * 1'000'000};
        const SlotAnswer answer = slots.step(now, second * 1000, {});
        const std::int64_t in_period = second % 500;
        const bool in_slot = in_period >= opening_s(slots) && in_period < opening_s(slots) + 2;
        EXPECT(answer.connect == in_slot);
        EXPECT(answer.ask_again > now);
    }
}

TEST(whoever_asks_when_told_to_meets_every_slot_with_two_questions) {
    Slots slots("gw-1", shared);
    std::int64_t questions = 0;
    std::int64_t sessions = 0;
    Instant now;
    while (now < Instant{0} + seconds(86'400)) {
        const SlotAnswer answer = slots.step(now, now.ms(), {});
        sessions += answer.connect ? 1 : 0;
        ++questions;
        now = answer.ask_again;
    }
    EXPECT(sessions == 173 || sessions == 172);
    EXPECT(questions <= 2 * sessions + 2);
}

TEST(a_drained_session_lingers_for_commands_and_ends_before_its_slot) {
    Slots slots("gw-1", shared);
    const std::int64_t opens_ms = opening_s(slots) * 1000;
    const Instant opens{opens_ms * 1000};
    const SlotState drained{.connected = true, .drained = true};
    EXPECT(slots.step(opens, opens_ms, {}).connect);
    EXPECT(slots.step(opens + milliseconds(100), opens_ms + 100, drained).connect);
    EXPECT(slots.step(opens + milliseconds(1000), opens_ms + 1000, drained).connect);
    const SlotAnswer over = slots.step(opens + milliseconds(1100), opens_ms + 1100, drained);
    EXPECT(!over.connect);
    EXPECT(over.ask_again == opens + seconds(500));
    // Not again in the same slot, although something waits by now.
    EXPECT(!slots.step(opens + milliseconds(1200), opens_ms + 1200, {}).connect);
    EXPECT(slots.step(opens + seconds(500), opens_ms + 500'000, {}).connect);
}

TEST(a_session_that_is_not_drained_ends_with_its_slot) {
    Slots slots("gw-1", shared);
    const std::int64_t opens_ms = opening_s(slots) * 1000;
    const Instant opens{opens_ms * 1000};
    const SlotState busy{.connected = true, .drained = false};
    EXPECT(slots.step(opens + milliseconds(1999), opens_ms + 1999, busy).connect);
    EXPECT(!slots.step(opens + milliseconds(2000), opens_ms + 2000, busy).connect);
}

TEST(an_alarm_does_not_wait_for_the_slot) {
    Slots slots("gw-1", shared);
    const std::int64_t away_ms = (opening_s(slots) + 100) % 500 * 1000;
    const Instant away{away_ms * 1000};
    EXPECT(!slots.step(away, away_ms, {}).connect);
    EXPECT(slots.step(away, away_ms, {.urgent = true}).connect);
    EXPECT(!slots.step(away + seconds(1), away_ms + 1000, {.connected = true}).connect);
}

TEST(a_slot_as_long_as_its_period_is_always_open) {
    Slots slots("gw-1", {.every = seconds(60), .length = seconds(60)});
    for (std::int64_t second = 0; second < 120; ++second) {
        EXPECT(slots.step(Instant{second * 1'000'000}, second * 1000, {}).connect);
    }
}

}  // namespace
}  // namespace jw
