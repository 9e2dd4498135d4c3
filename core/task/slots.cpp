// SPDX-License-Identifier: Apache-2.0
// Slots: the arithmetic of shared connections.
#include "core/task/slots.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/crc.h"

namespace jw {

Slots::Slots(std::string_view gateway, const SlotSettings& settings) : settings_(settings) {
    CHECK(settings.every.ms() > 0 && settings.length.ms() > 0);
    count_ = static_cast<std::uint32_t>(
        std::max<std::int64_t>(settings.every.us / settings.length.us, 1));
    index_ = crc32c(as_bytes(gateway)) % count_;
}

SlotAnswer Slots::step(Instant now, std::int64_t clock_ms, const SlotState& state) {
    if (state.urgent) {
        drained_since_ = Instant{-1};
        return {true, now + seconds(1)};
    }
    const std::int64_t clock = std::max<std::int64_t>(clock_ms, 0);
    const std::int64_t period = clock / settings_.every.ms();
    const std::int64_t at_ms = clock % settings_.every.ms();
    const std::int64_t opens_ms = index_ * settings_.length.ms();
    const std::int64_t closes_ms = std::min(opens_ms + settings_.length.ms(), settings_.every.ms());
    const bool done = period == done_period_;
    if (done || at_ms < opens_ms || at_ms >= closes_ms) {
        drained_since_ = Instant{-1};
        const bool this_period = !done && at_ms < opens_ms;
        const std::int64_t wait_ms = opens_ms - at_ms + (this_period ? 0 : settings_.every.ms());
        return {false, now + milliseconds(wait_ms)};
    }
    const Instant closes = now + milliseconds(closes_ms - at_ms);
    if (!state.connected || !state.drained) {
        drained_since_ = Instant{-1};
        return {true, closes};
    }
    if (drained_since_.us < 0) {
        drained_since_ = now;
    }
    if (now - drained_since_ < settings_.linger) {
        return {true, earlier(closes, drained_since_ + settings_.linger)};
    }
    done_period_ = period;
    drained_since_ = Instant{-1};
    return {false, now + milliseconds(opens_ms - at_ms + settings_.every.ms())};
}

}  // namespace jw
