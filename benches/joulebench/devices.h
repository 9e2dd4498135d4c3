// SPDX-License-Identifier: Apache-2.0
#pragma once
// Simulated Modbus TCP devices that cost next to nothing: one event loop, answers copied from
// images that were made before.
#include "benches/joulebench/net.h"

namespace jw::bench {

/// Serves for ever. Every connection has every unit; registers 0 to 255 hold floats, those of a
/// SunSpec inverter begin at 40000, all others hold 1. The values change from answer to answer.
void serve_devices(const Fd& listener);

}  // namespace jw::bench
