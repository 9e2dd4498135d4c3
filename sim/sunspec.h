// SPDX-License-Identifier: Apache-2.0
#pragma once
// A hybrid inverter that speaks SunSpec: a roof with clouds over it, a battery, a grid. Models 1,
// 103, 120, 121, 123, 124 and 160 at base 40000.
#include <cstdint>

#include "core/base/time.h"
#include "sim/modbus_server.h"

namespace jw::sim {

struct SunSpecSettings {
    std::uint64_t seed = 1;
    std::uint8_t unit = 1;
    std::uint32_t serial = 10001;
    std::uint16_t base = 40000;
    Duration start = seconds(10 * 3600);  // time of day at instant 0
};

/// Deterministic: the same seed, instants and writes give the same registers. It obeys the power
/// limit of model 123 and falls back when its revert time passes without another write. The scale
/// factor of the power changes with the power, as real ones do.
ModbusUnit sunspec_inverter(const SunSpecSettings& settings);

/// What the inverter can give.
inline constexpr std::int64_t sunspec_rated_w = 10'000;

}  // namespace jw::sim
