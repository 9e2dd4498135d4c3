// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bucket: what the history keeps of one value over one span of time.
#include <algorithm>
#include <cstdint>

#include "core/model/quantity.h"
#include "core/model/reading.h"

namespace jw {

struct Bucket {
    std::int64_t start_s = 0;  // Unix seconds, a multiple of its width
    std::int64_t count = 0;    // readings
    std::int64_t sum = 0;      // of these three only gauges have a use
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::int64_t last = 0;
    friend bool operator==(const Bucket&, const Bucket&) = default;
};

/// Takes up what came later. A sum that would leave the type begins anew.
inline void merge(Bucket& into, const Bucket& later) {
    if (into.count == 0) {
        const std::int64_t start_s = into.start_s;
        into = later;
        into.start_s = start_s;
        return;
    }
    if (__builtin_add_overflow(into.sum, later.sum, &into.sum)) {
        into.sum = later.sum;
        into.count = 0;
    }
    into.count += later.count;
    into.least = std::min(into.least, later.least);
    into.most = std::max(into.most, later.most);
    into.last = later.last;
}

inline void merge(Bucket& into, std::int64_t number) {
    merge(into, Bucket{0, 1, number, number, number, number});
}

/// The mean, rounded half away from zero; of a bucket with a count above 0.
inline std::int64_t mean(const Bucket& bucket) {
    const std::int64_t whole = bucket.sum / bucket.count;
    const std::int64_t rest = bucket.sum % bucket.count;
    if (rest >= bucket.count - rest) {
        return whole + 1;
    }
    return -rest >= bucket.count + rest ? whole - 1 : whole;
}

/// What is one series: a value of a device.
struct SeriesKey {
    Name device;
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
};

/// Quantity and index in one number.
inline std::uint32_t value_of(const SeriesKey& key) {
    return static_cast<std::uint32_t>(key.quantity) << 8 | key.index;
}

/// The beginning of the bucket of that width in which a time lies.
inline std::int64_t cut(std::int64_t time_s, std::int64_t width_s) {
    return time_s - time_s % width_s;
}

}  // namespace jw
