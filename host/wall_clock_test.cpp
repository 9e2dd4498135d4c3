// SPDX-License-Identifier: Apache-2.0
// Only a kernel that was asked and is content vouches for the clock.
#include "host/wall_clock.h"

#include <gtest/gtest.h>
#include <sys/timex.h>

namespace jw {
namespace {

TEST(WallClockTest, a_synchronised_clock_is_vouched_for_also_around_a_leap_second) {
    for (const int outcome : {TIME_OK, TIME_INS, TIME_DEL, TIME_OOP, TIME_WAIT}) {
        EXPECT_TRUE(clock_vouched(outcome)) << outcome;
    }
}

TEST(WallClockTest, a_clock_that_nobody_set_is_not_vouched_for) {
    EXPECT_FALSE(clock_vouched(TIME_ERROR));
}

TEST(WallClockTest, a_kernel_that_may_not_be_asked_does_not_vouch) {
    EXPECT_FALSE(clock_vouched(-1));
}

}  // namespace
}  // namespace jw
