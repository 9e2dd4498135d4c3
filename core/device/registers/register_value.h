// SPDX-License-Identifier: Apache-2.0
#pragma once
// One value: from the bytes of its registers to a number of its quantity, and back.
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/device/registers/register_map.h"

namespace jw::registers {

/// The 1 to 8 bytes of a value as one number, highest byte first, whatever their order on the wire.
std::uint64_t raw_value(Bytes bytes, WordOrder order);

/// The number of a row, without its sign; absent where the bits are a sentinel, no number, or too
/// large. `scale` is the power of ten of its scale register.
std::optional<std::int64_t> number_of(const Row& row, std::uint64_t raw, std::int16_t scale);

/// The bits that set a row to `value` (of which the sign is already turned); absent where they do
/// not fit into the format.
std::optional<std::uint64_t> raw_of(const Row& row, std::int64_t value);

/// Writes the bits of a row as its registers stand on the wire.
void put_raw(const Row& row, std::uint64_t raw, Writer& out);

/// Appends bytes of a device as text for people: to the first NUL, without blanks at the end, what
/// is not printable ASCII as '?'.
void put_device_text(Bytes bytes, Text& out);

}  // namespace jw::registers
