// SPDX-License-Identifier: Apache-2.0
#pragma once
// Time as the core knows it: a monotonic instant that is handed in, never read and never set.
#include <compare>
#include <cstdint>

namespace jw {

/// A span of time in microseconds; may be negative.
struct Duration {
    std::int64_t us = 0;
    [[nodiscard]] constexpr std::int64_t ms() const { return us / 1000; }
    friend constexpr auto operator<=>(Duration, Duration) = default;
    friend constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
    friend constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
    friend constexpr Duration operator*(Duration a, std::int64_t k) { return {a.us * k}; }
    friend constexpr Duration operator/(Duration a, std::int64_t k) { return {a.us / k}; }
};

constexpr Duration microseconds(std::int64_t n) {
    return {n};
}
constexpr Duration milliseconds(std::int64_t n) {
    return {n * 1000};
}
constexpr Duration seconds(std::int64_t n) {
    return {n * 1'000'000};
}

/// A moment on the monotonic clock of this boot, in microseconds since the boot.
struct Instant {
    std::int64_t us = 0;
    [[nodiscard]] constexpr std::int64_t ms() const { return us / 1000; }
    friend constexpr auto operator<=>(Instant, Instant) = default;
    friend constexpr Instant operator+(Instant a, Duration d) { return {a.us + d.us}; }
    friend constexpr Instant operator-(Instant a, Duration d) { return {a.us - d.us}; }
    friend constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
};

/// Later than any deadline; far enough from the end of the type that sums with it do not overflow.
inline constexpr Instant never{INT64_MAX / 4};

constexpr Instant earlier(Instant a, Instant b) {
    return a < b ? a : b;
}
constexpr Instant later(Instant a, Instant b) {
    return a < b ? b : a;
}

}  // namespace jw
