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
        value_ = from_ = target;
        since_ = now;
        return value_;
    }
    const std::int64_t rising_us = (now - since_ - pace.hold).us;
    if (rising_us > 0) {
        const std::int64_t rise = pace.per_minute * std::min(rising_us, rise_us_max) / minute_us;
        value_ = std::max(value_, std::min(target, from_ + rise));
    }
    return value_;
}

}  // namespace jw::battery
