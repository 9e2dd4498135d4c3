// SPDX-License-Identifier: Apache-2.0
// Backoff on simulated time, alone and as ten thousand gateways after a broker's restart.
#include "core/task/backoff.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/test.h"

namespace jw {
namespace {

constexpr Instant start{1'000'000};

TEST(waits_grow_to_the_cap_and_never_leave_the_bounds) {
    Backoff backoff({}, 7);
    Duration longest;
    for (int i = 0; i < 200; ++i) {
        const Duration wait = backoff.lost(start);
        EXPECT(wait >= seconds(1) && wait <= seconds(900));
        longest = std::max(longest, wait);
    }
    EXPECT(longest > seconds(600));
    EXPECT(backoff.failures() == 200);
}

TEST(the_first_wait_is_short) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        EXPECT(Backoff({}, seed).lost(start) <= seconds(3));
    }
}

TEST(a_session_that_stood_and_was_of_use_forgives) {
    Backoff backoff({}, 7);
    for (int i = 0; i < 30; ++i) {
        (void)backoff.lost(start);
    }
    backoff.connected(start);
    backoff.proven();
    EXPECT(backoff.lost(start + seconds(60)) <= seconds(3));
    EXPECT(backoff.failures() == 1);
}

TEST(a_session_that_was_kicked_at_once_does_not_forgive) {
    Backoff backoff({}, 7);
    for (int i = 0; i < 30; ++i) {
        backoff.connected(start);
        backoff.proven();
        (void)backoff.lost(start + seconds(59));
    }
    EXPECT(backoff.failures() == 30);
}

TEST(a_long_session_without_one_acknowledgement_does_not_forgive) {
    Backoff backoff({}, 7);
    for (int i = 0; i < 30; ++i) {
        backoff.connected(start);
        (void)backoff.lost(start + seconds(3600));
    }
    EXPECT(backoff.failures() == 30);
}

TEST(a_short_session_of_use_that_we_ended_ourselves_forgives) {
    Backoff backoff({}, 7);
    for (int i = 0; i < 30; ++i) {
        (void)backoff.lost(start);
    }
    backoff.connected(start);
    backoff.left();
    EXPECT(backoff.failures() == 30);
    backoff.connected(start);
    backoff.proven();
    backoff.left();
    EXPECT(backoff.failures() == 0);
    EXPECT(backoff.lost(start) <= seconds(3));
}

TEST(what_the_far_side_asks_for_is_obeyed_and_spread) {
    Backoff a({}, 1);
    Backoff b({}, 2);
    const Duration wait_a = a.lost(start, seconds(300));
    const Duration wait_b = b.lost(start, seconds(300));
    EXPECT(wait_a >= seconds(300) && wait_a <= seconds(450));
    EXPECT(wait_b >= seconds(300) && wait_b <= seconds(450));
    EXPECT(wait_a != wait_b);
}

TEST(equal_seeds_give_equal_waits) {
    Backoff a({}, 42);
    Backoff b({}, 42);
    for (int i = 0; i < 20; ++i) {
        EXPECT(a.lost(start) == b.lost(start));
    }
}

// Ten thousand gateways (a few hundred where the memory is small) lose a broker for `away_s`
// seconds; when it is back it takes a twentieth of them a second. Simulated second by second.
#if defined(__riscv)
constexpr std::uint32_t gateways = 400;
#else
constexpr std::uint32_t gateways = 10'000;
#endif

struct Storm {
    std::uint32_t peak = 0;    // connects in one second once the broker is back
    std::uint32_t back_s = 0;  // when the last one was in, seconds after the broker was back
};

std::array<std::optional<Backoff>, gateways> fleet;
std::array<std::int64_t, gateways> due_us;

Storm storm(std::uint32_t away_s) {
    for (std::uint32_t i = 0; i < gateways; ++i) {
        fleet[i].emplace(BackoffSettings{}, 1000 + i);
        due_us[i] = fleet[i]->lost(Instant{0}).us;
    }
    Storm result;
    std::uint32_t in = 0;
    for (std::uint32_t second = 0; second < away_s + 7200 && in < gateways; ++second) {
        std::uint32_t connects = 0;
        std::uint32_t accepted = 0;
        const std::int64_t end_us = (second + 1) * 1'000'000LL;
        for (std::uint32_t i = 0; i < gateways; ++i) {
            while (due_us[i] >= 0 && due_us[i] < end_us) {
                ++connects;
                if (second >= away_s && accepted < gateways / 20) {
                    ++accepted;
                    due_us[i] = -1;
                } else {
                    due_us[i] += fleet[i]->lost(Instant{due_us[i]}).us;
                }
            }
        }
        in += accepted;
        if (second >= away_s) {
            result.peak = std::max(result.peak, connects);
            result.back_s = second - away_s;
        }
    }
    return result;
}

TEST(ten_thousand_gateways_come_back_without_a_storm_after_a_minute) {
    const Storm seen = storm(60);
    EXPECT(seen.peak <= gateways / 10);
    EXPECT(seen.back_s <= 900);
}

TEST(ten_thousand_gateways_come_back_without_a_storm_after_an_hour) {
    const Storm seen = storm(3600);
    EXPECT(seen.peak <= gateways / 100);
    EXPECT(seen.back_s <= 900);
}

TEST(ten_thousand_gateways_are_all_back_after_a_restart_of_five_seconds) {
    const Storm seen = storm(5);
    EXPECT(seen.peak <= gateways / 3);
    EXPECT(seen.back_s <= 900);
}

}  // namespace
}  // namespace jw
