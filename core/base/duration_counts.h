// SPDX-License-Identifier: Apache-2.0
#pragma once
// DurationCounts: how often something took how long, by fixed bounds: a histogram to be exported.
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace jw {

struct DurationCounts {
    static constexpr std::array bounds{milliseconds(1),
                                       microseconds(2500),
                                       milliseconds(5),
                                       milliseconds(10),
                                       milliseconds(25),
                                       milliseconds(50),
                                       milliseconds(100),
                                       milliseconds(250),
                                       milliseconds(500),
                                       seconds(1),
                                       milliseconds(2500),
                                       seconds(5)};
    /// Of durations up to the bound of the same place and above the one before; the last place has
    /// those above all bounds.
    std::array<std::uint32_t, bounds.size() + 1> counts{};
    Duration sum;

    /// A negative duration counts as none.
    void add(Duration taken) {
        std::size_t place = 0;
        while (place < bounds.size() && taken > bounds[place]) {
            ++place;
        }
        ++counts[place];
        sum = sum + (taken.us > 0 ? taken : Duration{});
    }
};

}  // namespace jw
