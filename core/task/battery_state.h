// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an inverter is told of a battery: measured values of its packs and the law's verdict.
#include <cstdint>
#include <span>

#include "core/sink/can_out/state.h"
#include "core/steer/battery/law.h"

namespace jw::battery {

/// What the owner calls it. An empty text is not sent.
struct Identity {
    can_out::Words manufacturer;
    can_out::Words name;
    can_out::Words serial;
    can_out::Words family;
};

/// Energy through the battery's terminals since it is counted.
struct Energy {
    std::int64_t charge_wh = 0;
    std::int64_t discharge_wh = 0;
};

/// Packs in parallel as one battery: currents and capacities add, of everything else the worst or
/// the mean. What no pack gave within `fresh_for` is absent; the limits stand at any time.
can_out::BatteryState state_of(std::span<const Pack> packs,
                               const Verdict& verdict,
                               const Identity& identity,
                               const Energy& energy,
                               Duration fresh_for,
                               Instant now);

}  // namespace jw::battery
