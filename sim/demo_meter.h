// SPDX-License-Identifier: Apache-2.0
#pragma once
// The demo meter: a three-phase meter with a relay behind which a workshop works. Its registers
// are those of devices/demo_meter.json.
#include <cstdint>

#include "sim/modbus_server.h"

namespace jw::sim {

struct DemoMeterSettings {
    std::uint64_t seed = 1;
    std::uint8_t unit = 1;
    std::uint32_t serial = 123456;
};

/// Deterministic: the same seed, instants and writes give the same registers. Nothing is used while
/// the relay is open.
ModbusUnit demo_meter(const DemoMeterSettings& settings);

}  // namespace jw::sim
