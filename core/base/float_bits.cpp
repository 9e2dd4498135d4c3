// SPDX-License-Identifier: Apache-2.0
// Numbers as devices send them, to 64-bit integers.
#include "core/base/float_bits.h"

#include <bit>

namespace jw {
namespace {

constexpr std::uint64_t top_bit = std::uint64_t{1} << 63;

struct Wide {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
};

Wide multiplied(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a_low = a & 0xFFFF'FFFFU;
    const std::uint64_t a_high = a >> 32;
    const std::uint64_t b_low = b & 0xFFFF'FFFFU;
    const std::uint64_t b_high = b >> 32;
    const std::uint64_t low = a_low * b_low;
    const std::uint64_t middle = a_high * b_low + (low >> 32);
    const std::uint64_t other = a_low * b_high + (middle & 0xFFFF'FFFFU);
    return {a_high * b_high + (middle >> 32) + (other >> 32), (other << 32) | (low & 0xFFFF'FFFFU)};
}

unsigned width(Wide w) {
    return static_cast<unsigned>(w.high != 0 ? 64 + std::bit_width(w.high) : std::bit_width(w.low));
}

Wide shifted_left(Wide w, unsigned count) {
    if (count == 0) {
        return w;
    }
    if (count >= 64) {
        return {w.low << (count - 64), 0};
    }
    return {(w.high << count) | (w.low >> (64 - count)), w.low << count};
}

/// Leaves the quotient in `w` and returns the remainder.
std::uint64_t divided(Wide& w, std::uint64_t by) {
    if (w.high == 0) {  // nearly every value of a device
        const std::uint64_t rest = w.low % by;
        w.low /= by;
        return rest;
    }
    std::uint64_t rest = 0;
    Wide quotient;
    for (int bit = 127; bit >= 0; --bit) {
        const std::uint64_t next = bit >= 64 ? (w.high >> (bit - 64)) & 1 : (w.low >> bit) & 1;
        const bool carry = (rest & top_bit) != 0;
        rest = (rest << 1) | next;
        quotient = shifted_left(quotient, 1);
        if (carry || rest >= by) {
            rest -= by;  // with a carry the true value is 2^64 more, and so it comes out right
            quotient.low |= 1;
        }
    }
    w = quotient;
    return rest;
}

/// Divides by 2^count; true where the part cut off is a half or more.
bool shifted_right(Wide& w, unsigned count) {
    if (count > 128) {
        w = {};
        return false;
    }
    bool half = false;
    for (unsigned i = 0; i < count;) {
        // All but the last bit may go at once; the last one decides.
        const unsigned step = count - i > 1 ? (count - i - 1 < 63 ? count - i - 1 : 63) : 1;
        half = (w.low >> (step - 1)) & 1;
        w.low = (w.low >> step) | (w.high << (64 - step));
        w.high >>= step;
        i += step;
    }
    return half;
}

}  // namespace

std::optional<std::int64_t> scaled(std::uint64_t magnitude,
                                   int exponent,
                                   bool negative,
                                   std::uint64_t multiply,
                                   std::uint64_t divide) {
    if (magnitude == 0) {
        return 0;
    }
    Wide w = multiplied(magnitude, multiply);
    bool up = false;
    if (exponent >= 0) {
        // Beyond 127 bits the quotient is beyond 63, whatever the divisor.
        if (exponent > 127 || width(w) + static_cast<unsigned>(exponent) > 127) {
            return std::nullopt;
        }
        w = shifted_left(w, static_cast<unsigned>(exponent));
        const std::uint64_t rest = divided(w, divide);
        up = rest >= divide - rest;
    } else {
        // What the division leaves is below one, so it cannot turn a part below a half into one.
        (void)divided(w, divide);
        up = shifted_right(w, static_cast<unsigned>(-exponent));
    }
    if (w.high != 0 || w.low > top_bit - 1) {
        return std::nullopt;
    }
    w.low += up ? 1 : 0;
    if (w.low > top_bit - 1) {
        return std::nullopt;
    }
    const auto result = static_cast<std::int64_t>(w.low);
    return negative ? -result : result;
}

std::optional<std::int64_t> scaled(std::int64_t value,
                                   std::uint64_t multiply,
                                   std::uint64_t divide) {
    const bool negative = value < 0;
    const auto bits = static_cast<std::uint64_t>(value);
    return scaled(negative ? ~bits + 1 : bits, 0, negative, multiply, divide);
}

std::optional<std::int64_t> scaled_f32(std::uint32_t bits,
                                       std::uint64_t multiply,
                                       std::uint64_t divide) {
    if (!finite_f32(bits)) {
        return std::nullopt;
    }
    const int exponent = static_cast<int>((bits >> 23) & 0xFF);
    const std::uint64_t fraction = bits & 0x7F'FFFFU;
    const std::uint64_t magnitude = exponent == 0 ? fraction : fraction | 0x80'0000U;
    return scaled(magnitude, (exponent == 0 ? 1 : exponent) - 150, bits >> 31, multiply, divide);
}

std::optional<std::int64_t> scaled_f64(std::uint64_t bits,
                                       std::uint64_t multiply,
                                       std::uint64_t divide) {
    if (!finite_f64(bits)) {
        return std::nullopt;
    }
    const int exponent = static_cast<int>((bits >> 52) & 0x7FF);
    const std::uint64_t fraction = bits & 0xF'FFFF'FFFF'FFFFU;
    const std::uint64_t magnitude = exponent == 0 ? fraction : fraction | 0x10'0000'0000'0000U;
    return scaled(magnitude, (exponent == 0 ? 1 : exponent) - 1075, bits >> 63, multiply, divide);
}

}  // namespace jw
