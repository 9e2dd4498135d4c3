// SPDX-License-Identifier: Apache-2.0
// Turns of a limit, counted over the last minute.
#include "core/steer/battery/chatter.h"

#include <algorithm>

namespace jw::battery {

void Chatter::turned(const LawSettings& settings, Instant now) {
    // More than `chatter_turns` of them in a minute: the one so many turns ago is not a minute old.
    const auto most = static_cast<std::uint8_t>(
        std::min<std::int64_t>(settings.chatter_turns, static_cast<std::int64_t>(turns_.size())));
    const std::size_t then = (next_ + turns_.size() - most) % turns_.size();
    if (count_ >= most && now - turns_[then] < seconds(60)) {
        held_until_ = now + settings.chatter_hold;
    }
    turns_[next_] = now;
    next_ = static_cast<std::uint8_t>((next_ + 1U) % turns_.size());
    count_ = static_cast<std::uint8_t>(std::min<std::size_t>(count_ + 1U, turns_.size()));
}

std::int64_t Chatter::calm(std::int64_t target,
                           std::int64_t maximum,
                           const LawSettings& settings,
                           Instant now) {
    const std::int64_t step = std::max<std::int64_t>(1, maximum * settings.chatter_permille / 1000);
    if (!begun_) {
        begun_ = true;
        peak_ = low_ = target;
    }
    if (rising_ ? target > peak_ : target < peak_) {
        peak_ = target;
    } else if (rising_ ? target <= peak_ - step : target >= peak_ + step) {
        low_ = std::min(peak_, target);
        rising_ = !rising_;
        peak_ = target;
        turned(settings, now);
    }
    if (!holds(now)) {
        return target;
    }
    low_ = std::min(low_, target);
    return low_;
}

}  // namespace jw::battery
