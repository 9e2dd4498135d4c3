// SPDX-License-Identifier: Apache-2.0
#pragma once
// What each file of devices/ brings to be tested with: registers, and what they must be read as.
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/device/device.h"
#include "core/device/registers/register_map.h"
#include "core/model/reading.h"

namespace jw::registers {

/// Registers of a device, or bits (0, 1).
struct Image {
    Table table = Table::holding;
    std::uint16_t start = 0;
    std::span<const std::uint16_t> values;
};

struct SelfTest {
    const Driver& driver;
    const RegisterMap& map;
    std::span<const Image> images;
    std::span<const Value> expected;           // all values of the reading, none besides
    std::array<std::string_view, 4> identity;  // maker, model, version, serial
};

std::span<const SelfTest> self_tests();

}  // namespace jw::registers
