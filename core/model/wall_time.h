// SPDX-License-Identifier: Apache-2.0
#pragma once
// From time since a boot to wall time: computed when a batch is built, so that readings taken
// before the clock was set get their right time afterwards.
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/model/record.h"

namespace jw {

/// The first trustworthy pair of a boot: at `up_ms` after it, the wall clock said `unix_ms`.
struct ClockPair {
    std::uint32_t boot = 0;
    std::int64_t up_ms = 0;
    std::int64_t unix_ms = 0;
};

/// Times of a damaged store or a foreign message may be anything. What is farther away than this is
/// no time; of what is nearer, sums and differences fit into 64 bits.
inline constexpr std::int64_t time_ms_most = INT64_MAX / 8;

/// The pairs of the latest boots; the oldest makes room. Memory belongs to the caller.
class WallTime {
  public:
    explicit WallTime(std::span<ClockPair> storage) : pairs_(storage) {}

    /// Keeps the first pair of a boot; a later one of the same boot, or one that is no time,
    /// changes nothing, and says so.
    bool learn(const ClockPair& pair);
    /// Unix milliseconds, or nothing where that boot never learned the time or it is none.
    [[nodiscard]] std::optional<std::int64_t> unix_ms(const BootTime& time) const;
    [[nodiscard]] std::span<const ClockPair> pairs() const { return pairs_.items(); }

  private:
    List<ClockPair> pairs_;
};

}  // namespace jw
