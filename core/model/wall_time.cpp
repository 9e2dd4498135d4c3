// SPDX-License-Identifier: Apache-2.0
#include "core/model/wall_time.h"

namespace jw {
namespace {

constexpr bool near(std::int64_t ms) {
    return ms >= -time_ms_most && ms <= time_ms_most;
}

}  // namespace

bool WallTime::learn(const ClockPair& pair) {
    if (!near(pair.up_ms) || !near(pair.unix_ms)) {
        return false;
    }
    for (const ClockPair& known : pairs_) {
        if (known.boot == pair.boot) {
            return false;
        }
    }
    if (pairs_.full()) {
        pairs_.remove(0);
    }
    return pairs_.push(pair);
}

std::optional<std::int64_t> WallTime::unix_ms(const BootTime& time) const {
    for (const ClockPair& pair : pairs_) {
        if (pair.boot == time.boot && near(time.up_ms)) {
            return pair.unix_ms + (time.up_ms - pair.up_ms);
        }
    }
    return std::nullopt;
}

}  // namespace jw
