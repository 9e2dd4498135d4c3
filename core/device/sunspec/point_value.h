// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a point of a SunSpec model says: from registers to an exact decimal, and to a quantity.
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/device/sunspec/models.h"

namespace jw::sunspec {

/// Registers of one model, from one question.
struct Window {
    Bytes bytes;
    std::uint16_t first = 0;  // offset of the first of them in the model

    /// The bytes at an offset of the model; empty where the window does not hold all of them.
    [[nodiscard]] Bytes at(std::uint32_t offset, std::uint32_t registers) const;
};

struct PointValue {
    enum class Kind : std::uint8_t { absent, number, float32, text };
    Kind kind = Kind::absent;
    std::int8_t exponent = 0;      // number: value = number × 10^exponent
    std::int64_t number = 0;       // number
    std::uint32_t float_bits = 0;  // float32
    Bytes text{};                  // text: without what follows its end
};

/// The value of a point that begins at `offset` (of the model; for a point of a module its own
/// offset and the module's). Absent: not implemented, beyond the model's length, or its scale
/// factor makes no sense. A scale factor that is not implemented counts as 0.
PointValue value_of(const Point& point,
                    std::uint32_t offset,
                    const Window& values,
                    const Window& scales);

/// The value in the unit of the point's quantity, rounded once; absent as the point is.
std::optional<std::int64_t> quantity_of(const Point& point, const PointValue& value);

/// Appends number × 10^exponent as a plain decimal: 5002 and -2 give 50.02.
void put_decimal(std::int64_t number, int exponent, Text& out);

}  // namespace jw::sunspec
