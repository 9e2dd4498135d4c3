// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include "core/base/test.h"

using namespace jw;
using namespace jw::sim;

TEST(three_small_worlds_lose_nothing) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const WorldReport report = run_world({seed, seconds(600)});

        EXPECT(report.broken.empty());
        EXPECT(report.counts.accepted > 0 && report.counts.lost == 0);
    }
}

TEST(the_same_seed_is_the_same_run_and_another_seed_another_one) {
    const WorldReport once = run_world({7, seconds(300)});
    const WorldReport again = run_world({7, seconds(300)});
    const WorldReport other = run_world({8, seconds(300)});
    EXPECT(once.trace == again.trace && to_json(once) == to_json(again));
    EXPECT(once.trace != other.trace);
}
