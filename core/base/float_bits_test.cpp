// SPDX-License-Identifier: Apache-2.0
// Rounding, limits and absence of scaled numbers.
#include "core/base/float_bits.h"

#include "core/base/test.h"

using namespace jw;

TEST(floats_become_integers_rounded_half_away_from_zero) {
    EXPECT(scaled_f32(0x3F000000, 1, 1) == 1);   // 0.5
    EXPECT(scaled_f32(0xBF000000, 1, 1) == -1);  // -0.5
    EXPECT(scaled_f32(0x3EFFFFFF, 1, 1) == 0);   // just below 0.5
    EXPECT(scaled_f32(0x40200000, 1, 1) == 3);   // 2.5, where half to even would give 2
    EXPECT(scaled_f32(0xC0200000, 1, 1) == -3);
    EXPECT(scaled_f32(0x4366199A, 1000, 1) == 230100);  // 230.1 V
    EXPECT(scaled_f32(0xC4BB9000, 1, 1) == -1501);      // -1500.5 W
    EXPECT(scaled_f32(0x4247EB85, 1000, 1) == 49980);   // 49.98 Hz
    EXPECT(scaled_f32(0x40400000, 1, 2) == 2);          // 3 / 2
    EXPECT(scaled_f64(0x4009'21FB'5444'2D18, 1'000'000'000, 1) == 3'141'592'654);
}

TEST(a_divisor_and_a_binary_fraction_together_round_once) {
    // 0.75 × 2 / 3 is exactly a half.
    EXPECT(scaled_f32(0x3F400000, 2, 3) == 1);
    // The largest float below 0.75 stays below a half.
    EXPECT(scaled_f32(0x3F3FFFFF, 2, 3) == 0);
}

TEST(zero_and_the_smallest_floats_are_zero) {
    EXPECT(scaled_f32(0x00000000, 1000, 1) == 0);
    EXPECT(scaled_f32(0x80000000, 1000, 1) == 0);
    EXPECT(scaled_f32(0x00000001, 1'000'000'000, 1) == 0);
    EXPECT(scaled_f64(0x0000'0000'0000'0001, 1'000'000'000, 1) == 0);
}

TEST(nan_infinity_and_what_does_not_fit_are_absent) {
    EXPECT(!scaled_f32(0x7FC00000, 1, 1));
    EXPECT(!scaled_f32(0xFF800001, 1, 1));
    EXPECT(!scaled_f32(0x7F800000, 1, 1));
    EXPECT(!scaled_f32(0xFF7FFFFF, 1, 1));  // -3.4e38
    EXPECT(!scaled_f64(0x7FF8'0000'0000'0000, 1, 1));
    EXPECT(!scaled_f64(0x7FEF'FFFF'FFFF'FFFF, 1, 1));
    EXPECT(!scaled_f32(0x5F000000, 1, 1));                          // 2^63
    EXPECT(scaled_f32(0x5EFFFFFF, 1, 1) == 0x7FFF'FF80'0000'0000);  // the largest below it
    EXPECT(!scaled_f32(0x5EFFFFFF, 2, 1));
    EXPECT(scaled_f32(0x5F000000, 1, 2) == 0x4000'0000'0000'0000);  // fits once divided
}

TEST(integers_scale_exactly_up_to_128_bits_between) {
    EXPECT(scaled(-2345, 100, 1) == -234500);
    EXPECT(scaled(INT64_MAX, 1'000'000, 1'000'000) == INT64_MAX);
    EXPECT(scaled(INT64_MAX, 10, 1) == std::nullopt);
    EXPECT(scaled(INT64_MIN, 1, 2) == INT64_MIN / 2);
    EXPECT(scaled(15, 1, 10) == 2);
    EXPECT(scaled(-15, 1, 10) == -2);
    EXPECT(scaled(14, 1, 10) == 1);
    EXPECT(scaled(123'456'789'012'345'678, 10'000'000'000, 10'000'000'000) ==
           123'456'789'012'345'678);
    EXPECT(scaled(INT64_MAX, UINT64_MAX, UINT64_MAX) == INT64_MAX);
    EXPECT(scaled(1, 1, UINT64_MAX) == 0);
}

TEST(shifts_of_every_size_and_quotients_above_64_bits_are_right) {
    EXPECT(scaled(1, 62, false, 1, 1) == INT64_C(1) << 62);
    EXPECT(scaled(1, 126, false, 1, UINT64_C(1) << 63) == std::nullopt);
    EXPECT(scaled(1, 64, false, 1, UINT64_C(1) << 63) == 2);
    EXPECT(scaled(1, 128, false, 1, 1) == std::nullopt);
    EXPECT(scaled(UINT64_MAX, -64, false, UINT64_MAX, 4) == INT64_C(1) << 62);
    EXPECT(scaled(UINT64_MAX, -128, true, UINT64_MAX, 1) == -1);
    EXPECT(scaled(UINT64_MAX, -129, true, UINT64_MAX, 1) == 0);
    EXPECT(scaled(INT64_MAX, 1, false, 1, 2) == INT64_MAX);
    // Rounding up would go beyond.
    EXPECT(scaled(UINT64_MAX, 0, false, 1, 2) == std::nullopt);
}

TEST(powers_of_ten_are_exact) {
    EXPECT(power_of_ten(0) == 1);
    EXPECT(power_of_ten(10) == 10'000'000'000);
}
