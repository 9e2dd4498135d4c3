// SPDX-License-Identifier: Apache-2.0
// Down at once, up slowly (R8).
#include "core/steer/battery/slow_rise.h"

#include <algorithm>

namespace jw::battery {
namespace {

constexpr std::int64_t minute_us = 60'000'000;
// A rise takes less than a day, whatever it is about.
constexpr std::int64_t rise_us_max = 24 * 60 * minute_us;

}  // namespace

std::int64_t SlowRise::follow(std::int64_t target, const Pace& pace, Instant now) {
    if (!begun_ || target <= value_) {
        begun_ = true;
        value_ = target;
        below_ = false;
        return value_;
    }
    if (!below_) {
        below_ = true;
        since_ = risen_to_ = now;
        rest_ = 0;
    }
    const Instant from = later(since_ + pace.hold, risen_to_);
    if (now > from) {
        const std::int64_t rising_us = std::min((now - from).us, rise_us_max);
        const std::int64_t rise = pace.per_minute * rising_us + rest_;
        value_ = std::min(target, value_ + rise / minute_us);
        rest_ = rise % minute_us;
        risen_to_ = now;
    }
    return value_;
}

}  // namespace jw::battery
