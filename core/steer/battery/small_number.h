// SPDX-License-Identifier: Apache-2.0
#pragma once
// SmallNumber: a Number in four bytes, for tables that a microcontroller keeps in memory.
#include <algorithm>
#include <cstdint>

#include "core/steer/battery/pack.h"

namespace jw::battery {

/// Behaves as a Number does. What does not fit stands at its end of the range.
class SmallNumber {
  public:
    constexpr SmallNumber() = default;
    // NOLINTBEGIN(google-explicit-constructor): it stands wherever a Number does.
    constexpr SmallNumber(const Number& number) : number_(number ? narrow(*number) : absent) {}
    constexpr SmallNumber(std::int64_t number) : number_(narrow(number)) {}
    constexpr operator Number() const { return has_value() ? Number(number_) : Number(); }
    // NOLINTEND(google-explicit-constructor)
    [[nodiscard]] constexpr bool has_value() const { return number_ != absent; }
    constexpr explicit operator bool() const { return has_value(); }
    constexpr std::int64_t operator*() const { return number_; }
    [[nodiscard]] constexpr std::int64_t value_or(std::int64_t other) const {
        return has_value() ? number_ : other;
    }
    /// An absent one equals no number.
    friend constexpr bool operator==(SmallNumber a, std::int64_t b) {
        return a.has_value() && a.number_ == b;
    }

  private:
    static constexpr std::int32_t absent = INT32_MIN;
    static constexpr std::int32_t narrow(std::int64_t number) {
        return static_cast<std::int32_t>(std::clamp<std::int64_t>(number, -INT32_MAX, INT32_MAX));
    }
    std::int32_t number_ = absent;
};

}  // namespace jw::battery
