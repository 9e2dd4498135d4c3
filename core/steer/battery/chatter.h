// SPDX-License-Identifier: Apache-2.0
#pragma once
// Chatter: counts how often a limit turns, and holds it at the lower value where it turns too often
// (H-18).
#include <array>
#include <cstdint>

#include "core/base/time.h"
#include "core/steer/battery/law_settings.h"

namespace jw::battery {

class Chatter {
  public:
    /// What is left of the target. `maximum` is what a turn is measured against.
    std::int64_t calm(std::int64_t target,
                      std::int64_t maximum,
                      const LawSettings& settings,
                      Instant now);
    [[nodiscard]] bool holds(Instant now) const { return now < held_until_; }

  private:
    void turned(const LawSettings& settings, Instant now);

    std::array<Instant, 6> turns_{};  // the last ones, in a ring
    std::uint8_t next_ = 0;
    std::uint8_t count_ = 0;
    bool rising_ = false;
    bool begun_ = false;
    std::int64_t peak_ = 0;  // the furthest since it last turned
    std::int64_t low_ = 0;   // the lower of the last two ends
    Instant held_until_{-1};
};

}  // namespace jw::battery
