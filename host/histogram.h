// SPDX-License-Identifier: Apache-2.0
#pragma once
// DurationHistogram: how long something took, over the life of the process, within 12.5 %.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/base/duration_counts.h"
#include "core/base/time.h"

namespace jw {

/// Eight buckets an octave from 1 µs to 35 minutes; longer ones count as that.
class DurationHistogram {
  public:
    void add(Duration taken) {
        const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(taken.us, 0));
        ++buckets_[bucket(std::min(us, us_max))];
        ++count_;
        sum_us_ += us;
        max_ = std::max(max_, taken);
        exported_.add(taken);
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] Duration sum() const { return {static_cast<std::int64_t>(sum_us_)}; }
    [[nodiscard]] Duration max() const { return max_; }
    /// The same by the bounds of the metrics.
    [[nodiscard]] const DurationCounts& exported() const { return exported_; }
    /// The least duration that `permille` of all did not exceed, rounded up to a bucket's end;
    /// 0 where there is none. 500 is the median, 990 the p99.
    [[nodiscard]] Duration percentile(std::uint32_t permille) const {
        const std::uint64_t wanted = (count_ * permille + 999) / 1000;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (seen >= wanted && seen > 0) {
                return std::min(max_, microseconds(static_cast<std::int64_t>(end_us(i))));
            }
        }
        return {};
    }

  private:
    static constexpr std::uint64_t us_max = (1ULL << 31) - 1;
    // Values below 8 have a bucket each; above, the top bit chooses the octave, the next three the
    // bucket in it.
    static constexpr std::size_t bucket(std::uint64_t us) {
        if (us < 8) {
            return static_cast<std::size_t>(us);
        }
        const auto octave = static_cast<unsigned>(std::bit_width(us)) - 4;
        return octave * 8 + static_cast<std::size_t>(us >> octave);
    }
    static constexpr std::uint64_t end_us(std::size_t index) {
        if (index < 16) {
            return index;
        }
        const std::size_t octave = index / 8 - 1;
        return ((index % 8 + 8 + 1) << octave) - 1;
    }

    std::array<std::uint32_t, 30 * 8> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t sum_us_ = 0;
    Duration max_;
    DurationCounts exported_;
};

}  // namespace jw
