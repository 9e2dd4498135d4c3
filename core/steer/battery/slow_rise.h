// SPDX-License-Identifier: Apache-2.0
#pragma once
// SlowRise: a number that falls at once, and rises only after it could have risen for a while, at a
// given pace.
#include <cstdint>
#include <optional>

#include "core/base/time.h"

namespace jw::battery {

struct Pace {
    Duration hold;                // the target must be above for so long first
    std::int64_t per_minute = 0;  // then it rises by this
};

class SlowRise {
  public:
    /// The first target is taken as it is.
    std::int64_t follow(std::int64_t target, const Pace& pace, Instant now);
    /// What it gave last; absent before the first.
    [[nodiscard]] std::optional<std::int64_t> value() const {
        return begun_ ? std::optional(value_) : std::nullopt;
    }

  private:
    std::int64_t value_ = 0;
    std::int64_t rest_ = 0;  // of the rise, less than one
    Instant since_;          // when the target was first seen above
    Instant risen_to_;       // the time before it has been used
    bool begun_ = false;
    bool below_ = false;  // the target is above it
};

}  // namespace jw::battery
