// SPDX-License-Identifier: Apache-2.0
#pragma once
// Simulated Modbus TCP devices that cost next to nothing: one event loop, answers copied from
// images that were made before.
#include "bench/joulebench/net.h"

namespace jw::bench {

/// Serves for ever. Every connection has every unit; registers 0 to 255 hold floats that change
/// from answer to answer, all others hold 1.
void serve_devices(const Fd& listener);

}  // namespace jw::bench
