// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plausibility: whether a reading of a BMS can be true (R5). What cannot be counts as silence.
#include <cstdint>

#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/rule.h"

namespace jw::battery {

/// Why a reading does not count, with what was found and what it was compared with.
struct Objection {
    Doubt doubt = Doubt::none;
    std::int64_t input = 0;
    std::int64_t threshold = 0;
    std::uint8_t index = 0;  // of the cell or sensor, from 1
};

/// Looks at one reading by itself. After Doubt::none: every number that the law takes is there and
/// in its range, so that its sums do not overflow.
Objection objection_to(const Pack& pack, const LawSettings& settings);

/// Notices values that do not change although a current flows (H-02).
class Freeze {
  public:
    /// Once per reading, complete ones only.
    bool frozen(const Pack& pack, const LawSettings& settings);

  private:
    std::uint64_t print_ = 0;
    Instant since_{-1};
};

}  // namespace jw::battery
