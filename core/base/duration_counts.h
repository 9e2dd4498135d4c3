// SPDX-License-Identifier: Apache-2.0
#pragma once
// DurationCounts: how often something took how long, by fixed bounds: a histogram to be exported.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/time.h"

namespace jw {

struct DurationCounts {
    static constexpr std::size_t bounds_count = 12;
    /// Rising, 1 ms to 5 s. (Not a member, which a node would have in its RAM.)
    static std::span<const Duration, bounds_count> bounds();

    /// Of durations up to the bound of the same place and above the one before; the last place has
    /// those above all bounds.
    std::array<std::uint32_t, bounds_count + 1> counts{};
    Duration sum;

    /// A negative duration counts as none.
    void add(Duration taken);
};

}  // namespace jw
