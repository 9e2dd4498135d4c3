// SPDX-License-Identifier: Apache-2.0
#include "core/base/duration_counts.h"

namespace jw {
namespace {

constexpr std::array<Duration, DurationCounts::bounds_count> all_bounds{milliseconds(1),
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

}  // namespace

std::span<const Duration, DurationCounts::bounds_count> DurationCounts::bounds() {
    return all_bounds;
}

void DurationCounts::add(Duration taken) {
    std::size_t place = 0;
    while (place < all_bounds.size() && taken > all_bounds[place]) {
        ++place;
    }
    ++counts[place];
    sum = sum + (taken.us > 0 ? taken : Duration{});
}

}  // namespace jw
