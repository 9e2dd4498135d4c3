// SPDX-License-Identifier: Apache-2.0
// Backoff: decorrelated jitter from a seed.
#include "core/task/backoff.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw {

Backoff::Backoff(const BackoffSettings& settings, std::uint64_t seed)
    : settings_(settings), state_(seed), wait_(settings.base) {
    CHECK(settings.base.us > 0 && settings.cap >= settings.base);
}

void Backoff::connected(Instant now) {
    connected_ = true;
    proven_ = false;
    since_ = now;
}

void Backoff::proven() {
    proven_ = true;
}

void Backoff::left() {
    if (connected_ && proven_) {
        forgive();
    }
    connected_ = false;
    proven_ = false;
}

void Backoff::forgive() {
    wait_ = settings_.base;
    failures_ = 0;
}

Duration Backoff::lost(Instant now, Duration at_least) {
    judge(now);
    ++failures_;
    const Duration most = std::min(settings_.cap, wait_ * 3);
    wait_ = random_between(settings_.base, std::max(most, settings_.base));
    if (wait_ >= at_least) {
        return wait_;
    }
    return random_between(at_least, at_least + at_least / 2);
}

void Backoff::judge(Instant now) {
    if (connected_ && proven_ && now - since_ >= settings_.stable) {
        forgive();
    }
    connected_ = false;
    proven_ = false;
}

// SplitMix64: a full period, good enough to spread gateways; nothing secret comes from it.
Duration Backoff::random_between(Duration least, Duration most) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
    bits ^= bits >> 31;
    const auto span = static_cast<std::uint64_t>((most - least).us) + 1;
    return least + microseconds(static_cast<std::int64_t>(bits % span));
}

}  // namespace jw
