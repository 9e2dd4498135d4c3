// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as devices send them (IEEE 754 bits, scaled integers) to 64-bit integers, without a
// floating-point type: the one place where a rounding happens.
#include <cstdint>
#include <optional>

namespace jw {

/// magnitude × 2^exponent × multiply / divide with its sign, rounded half away from zero; absent
/// where it does not fit into 64 bits. `divide` is not 0.
std::optional<std::int64_t> scaled(std::uint64_t magnitude,
                                   int exponent,
                                   bool negative,
                                   std::uint64_t multiply,
                                   std::uint64_t divide);

/// The same for an integer.
std::optional<std::int64_t> scaled(std::int64_t value,
                                   std::uint64_t multiply,
                                   std::uint64_t divide);

/// The same for the bits of a float (binary32, binary64); NaN and infinity are absent.
std::optional<std::int64_t> scaled_f32(std::uint32_t bits,
                                       std::uint64_t multiply,
                                       std::uint64_t divide);
std::optional<std::int64_t> scaled_f64(std::uint64_t bits,
                                       std::uint64_t multiply,
                                       std::uint64_t divide);

/// Whether the bits are a number: neither NaN nor infinity.
constexpr bool finite_f32(std::uint32_t bits) {
    return (bits & 0x7F80'0000U) != 0x7F80'0000U;
}
constexpr bool finite_f64(std::uint64_t bits) {
    return (bits & 0x7FF0'0000'0000'0000U) != 0x7FF0'0000'0000'0000U;
}

/// 10^power for 0…19.
constexpr std::uint64_t power_of_ten(unsigned power) {
    std::uint64_t result = 1;
    for (unsigned i = 0; i < power && i < 19; ++i) {
        result *= 10;
    }
    return result;
}

}  // namespace jw
