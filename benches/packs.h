// SPDX-License-Identifier: Apache-2.0
#pragma once
// Readings of a battery for the micro benches: many different ones, near thresholds and far away.
#include <vector>

#include "core/steer/battery/pack.h"

namespace jw::bench {

std::vector<battery::Pack> battery_packs();

}  // namespace jw::bench
