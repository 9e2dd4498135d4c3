// SPDX-License-Identifier: Apache-2.0
#pragma once
// Backoff: how long to wait before trying again, so that neither one gateway nor ten thousand of
// them knock at a door that just fell shut.
#include <cstdint>

#include "core/base/time.h"

namespace jw {

struct BackoffSettings {
    Duration base = seconds(1);     // the shortest wait
    Duration cap = seconds(900);    // the longest one
    Duration stable = seconds(60);  // a session that stood this long, and was of use, forgives
};

/// Decorrelated jitter: each wait is random between the base and three times the wait before. Told
/// what happens to the sessions of one connection; a session that was accepted and ended at once
/// counts as a failure.
class Backoff {
  public:
    /// `seed` must differ between gateways (random bits, or a hash of the name).
    Backoff(const BackoffSettings& settings, std::uint64_t seed);
    /// A session stands.
    void connected(Instant now);
    /// The far side acknowledged something in this session.
    void proven();
    /// The session, or the attempt at one, is over. Returns how long to wait before the next
    /// attempt: at least `at_least` (what the far side asked for; spread by half of it), never
    /// more than the greater of cap and 1.5 × at_least.
    Duration lost(Instant now, Duration at_least = {});
    /// We ended the session ourselves, in order: that is no failure, and if it was of use it
    /// forgives, however short it was.
    void left();
    /// What was refused goes through again: the next wait is a short one.
    void forgive();
    /// Attempts that failed since the last good session.
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

  private:
    void judge(Instant now);
    Duration random_between(Duration least, Duration most);

    BackoffSettings settings_;
    std::uint64_t state_;
    Duration wait_;
    Instant since_;
    std::uint32_t failures_ = 0;
    bool connected_ = false;
    bool proven_ = false;
};

}  // namespace jw
