// SPDX-License-Identifier: Apache-2.0
// The last gate: written apart from the rules, so that one mistake does not open both.
#include "core/steer/battery/hull.h"

#include <algorithm>

#include "core/steer/battery/staleness.h"

namespace jw::battery {
namespace {

static_assert(cell_ceiling_mv(Chemistry::lfp) <= 3650 && cell_ceiling_mv(Chemistry::nmc) <= 4200 &&
              cell_ceiling_mv(Chemistry::lto) <= 2800);

bool clamp_number(std::int64_t& number, std::int64_t least, std::int64_t most) {
    const std::int64_t clamped = std::min(std::max(number, least), most);
    const bool had_to = clamped != number;
    number = clamped;
    return had_to;
}

}  // namespace

HullBounds hull_of(std::span<const PackLaw> packs, const LawSettings& settings, Instant now) {
    HullBounds bounds;
    bool first = true;
    for (const PackLaw& pack : packs) {
        if (!pack.known()) {
            continue;
        }
        const PackRatings& ratings = pack.ratings();
        const std::int64_t max_mv =
            std::min(ratings.voltage_max_mv, ratings.cells * cell_ceiling_mv(settings.chemistry));
        bounds.voltage_max_mv = first ? max_mv : std::min(bounds.voltage_max_mv, max_mv);
        bounds.voltage_min_mv = std::max(bounds.voltage_min_mv, ratings.voltage_min_mv);
        first = false;
        const Duration age = now - pack.good_at();
        if (age < settings.charge_zero_after) {
            bounds.charge_current_max_ma += ratings.charge_current_ma;
        }
        if (age < discharge_zero_after(settings, pack.middle())) {
            bounds.discharge_current_max_ma += ratings.discharge_current_ma;
        }
    }
    bounds.charge_current_max_ma =
        std::min(bounds.charge_current_max_ma, settings.charge_current_max_ma);
    bounds.discharge_current_max_ma =
        std::min(bounds.discharge_current_max_ma, settings.discharge_current_max_ma);
    return bounds;
}

bool clamp(BatteryLimits& limits, const HullBounds& bounds) {
    const bool contradictory = bounds.voltage_min_mv > bounds.voltage_max_mv;
    bool had_to = clamp_number(limits.charge_voltage_mv,
                               contradictory ? bounds.voltage_max_mv : bounds.voltage_min_mv,
                               bounds.voltage_max_mv);
    had_to |=
        clamp_number(limits.charge_current_ma, 0, contradictory ? 0 : bounds.charge_current_max_ma);
    had_to |= clamp_number(
        limits.discharge_current_ma, 0, contradictory ? 0 : bounds.discharge_current_max_ma);
    return had_to;
}

}  // namespace jw::battery
