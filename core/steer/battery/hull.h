// SPDX-License-Identifier: Apache-2.0
#pragma once
// Hull: the last gate before the frames (R9, H-17). It takes its bounds from the BMS's own numbers,
// the owner's settings and a ceiling of the compiler's, and asks nobody else.
#include <cstdint>
#include <span>

#include "core/model/battery.h"
#include "core/steer/battery/pack_law.h"

namespace jw::battery {

struct HullBounds {
    std::int64_t voltage_min_mv = 0;
    std::int64_t voltage_max_mv = 0;
    std::int64_t charge_current_max_ma = 0;
    std::int64_t discharge_current_max_ma = 0;
};

/// Of packs with a plausible reading. A pack that is too old adds no current, and still bounds the
/// voltage.
HullBounds hull_of(std::span<const PackLaw> packs, const LawSettings& settings, Instant now);

/// Clamps; true where it had to. Where the bounds contradict each other no current is left.
bool clamp(BatteryLimits& limits, const HullBounds& bounds);

}  // namespace jw::battery
