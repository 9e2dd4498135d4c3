// SPDX-License-Identifier: Apache-2.0
#pragma once
// A classic CAN data frame (ISO 11898-1).
#include <array>
#include <cstdint>

#include "core/base/bytes.h"

namespace jw {

struct CanFrame {
    std::uint32_t id = 0;
    bool extended = false;               // 29-bit id; otherwise 11 bits
    std::uint8_t size = 0;               // 0 to 8
    std::array<std::uint8_t, 8> data{};  // 0 behind `size`

    [[nodiscard]] Bytes bytes() const { return Bytes(data).first(size); }
    bool operator==(const CanFrame&) const = default;
};

/// How a controller stands to its bus (ISO 11898-1, 12.1.4): `passive` after many errors, `off`
/// after more; it takes no part in the bus then until it is restarted.
enum class CanBusState : std::uint8_t { active, passive, off };
constexpr auto enum_names(CanBusState) {
    return std::array{"active", "passive", "off"};
}

inline constexpr std::uint32_t can_id_max = 0x7FF;
inline constexpr std::uint32_t can_extended_id_max = 0x1FFF'FFFF;

}  // namespace jw
