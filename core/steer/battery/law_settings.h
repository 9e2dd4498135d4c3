// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the owner can change of the battery's law: every rule's numbers, as data.
#include <array>
#include <cstdint>

#include "core/base/time.h"

namespace jw::battery {

struct RampPoint {
    std::int32_t at = 0;        // mV of a cell, m°C or ‰
    std::int32_t permille = 0;  // of the current
};
/// Straight between its points, level beyond them; rising by `at`. Empty: no say.
struct Ramp {
    std::array<RampPoint, 10> points{};
    std::uint8_t size = 0;
};

/// No setting of anybody charges a cell beyond its chemistry's ceiling.
enum class Chemistry : std::uint8_t { lfp, nmc, lto };
constexpr auto enum_names(Chemistry) {
    return std::array{"lfp", "nmc", "lto"};
}

struct LawSettings {
    Chemistry chemistry = Chemistry::lfp;
    /// The inverter supplies a grid of its own: zero discharge is a blackout (reliability.md B.2).
    bool off_grid = false;
    std::uint8_t cell_count = 0;  // as the owner says; 0: as the BMS says
    std::int64_t charge_current_max_ma = 50'000;
    std::int64_t discharge_current_max_ma = 50'000;

    Duration fresh_for = seconds(2);                        // T1
    Duration charge_zero_after = seconds(10);               // T2
    Duration discharge_zero_after = seconds(10);            // T2d on the grid
    Duration discharge_zero_after_off_grid = seconds(300);  // T2d off the grid, in the middle band
    Duration silent_after = seconds(60);                    // T3; the later of this and T2d
};

}  // namespace jw::battery
