// SPDX-License-Identifier: Apache-2.0
// Rules R1 to R4.
#include "core/steer/battery/staleness.h"

#include <algorithm>

namespace jw::battery {

Duration discharge_zero_after(const LawSettings& settings, bool middle) {
    return settings.off_grid && middle ? settings.discharge_zero_after_off_grid
                                       : settings.discharge_zero_after;
}

Duration silent_after(const LawSettings& settings) {
    return std::max(
        settings.silent_after,
        settings.off_grid ? settings.discharge_zero_after_off_grid : settings.discharge_zero_after);
}

std::int64_t fresh_permille(Duration age, Duration fresh_for, Duration zero_after) {
    if (age >= zero_after) {
        return 0;
    }
    if (age <= fresh_for) {
        return 1000;
    }
    return 1000 * (zero_after - age).us / (zero_after - fresh_for).us;
}

}  // namespace jw::battery
