// SPDX-License-Identifier: Apache-2.0
#pragma once
// Staleness: what old values still allow. Judged per direction: charging a battery whose state is
// unknown is the hazard, not discharging it is a blackout where there is no grid.
#include <cstdint>

#include "core/steer/battery/law_settings.h"

namespace jw::battery {

/// T2d of a pack whose cells did, or did not, all lie in the middle band when it was last read.
Duration discharge_zero_after(const LawSettings& settings, bool middle);
/// T3.
Duration silent_after(const LawSettings& settings);
/// 1000 up to fresh_for, 0 from `zero_after` on, straight between.
std::int64_t fresh_permille(Duration age, Duration fresh_for, Duration zero_after);

}  // namespace jw::battery
