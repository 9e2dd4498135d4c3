// SPDX-License-Identifier: Apache-2.0
// The rings of means: what a chart gets.
#include "host/http/recent.h"

#include <gtest/gtest.h>

namespace jw::http {
namespace {

using Values = std::vector<std::optional<std::int64_t>>;

Reading power(std::int64_t watts) {
    Reading reading;
    reading.values.put(Quantity::power_w, 0, watts);
    return reading;
}

Instant at_s(std::int64_t s) {
    return Instant{} + seconds(s);
}

Values values(const Recent& recent, std::int64_t now_s, Quantity quantity = Quantity::power_w) {
    const auto means = recent.find(0, quantity, 0, at_s(now_s));
    return means ? means->values : Values{};
}

TEST(RecentTest, a_gauge_gives_means_of_ten_seconds_rounded_half_away_from_zero) {
    Recent recent(4);
    recent.add(0, power(-1), at_s(100));
    recent.add(0, power(-2), at_s(109));
    recent.add(0, power(10), at_s(110));
    recent.add(0, power(11), at_s(119));
    EXPECT_EQ(values(recent, 120), (Values{-2, 11}));
    EXPECT_EQ(recent.find(0, Quantity::power_w, 0, at_s(125))->to, at_s(120));
}

TEST(RecentTest, the_running_step_is_not_shown) {
    Recent recent(4);
    recent.add(0, power(5), at_s(100));
    EXPECT_EQ(values(recent, 109), Values{});
    EXPECT_EQ(values(recent, 110), Values{5});
}

TEST(RecentTest, steps_without_a_reading_are_absent_never_repeated) {
    Recent recent(4);
    recent.add(0, power(5), at_s(100));
    EXPECT_EQ(values(recent, 130), (Values{5, std::nullopt, std::nullopt}));
    recent.add(0, power(7), at_s(131));
    EXPECT_EQ(values(recent, 140), (Values{5, std::nullopt, std::nullopt, 7}));
}

TEST(RecentTest, a_counter_gives_its_last_value) {
    Recent recent(4);
    Reading reading;
    reading.values.put(Quantity::energy_import_wh, 0, 100);
    recent.add(0, reading, at_s(0));
    reading.values[0].number = 200;
    recent.add(0, reading, at_s(5));
    EXPECT_EQ(values(recent, 10, Quantity::energy_import_wh), Values{200});
}

TEST(RecentTest, an_hour_is_kept_and_no_more) {
    Recent recent(4);
    for (std::int64_t step = 0; step < 400; ++step) {
        recent.add(0, power(step), at_s(step * 10));
    }
    const Values kept = values(recent, 4000);
    ASSERT_EQ(kept.size(), Recent::steps);
    EXPECT_EQ(kept.front(), 40);
    EXPECT_EQ(kept.back(), 399);
}

TEST(RecentTest, after_a_long_silence_everything_old_is_absent) {
    Recent recent(4);
    recent.add(0, power(1), at_s(0));
    recent.add(0, power(2), at_s(100'000));
    const Values kept = values(recent, 100'010);
    ASSERT_EQ(kept.size(), Recent::steps);
    EXPECT_EQ(kept.back(), 2);
    for (std::size_t i = 0; i + 1 < kept.size(); ++i) {
        EXPECT_EQ(kept[i], std::nullopt) << i;
    }
    const Values later = values(recent, 200'000);
    EXPECT_EQ(std::count(later.begin(), later.end(), std::nullopt),
              static_cast<std::ptrdiff_t>(later.size()));
}

TEST(RecentTest, values_beyond_the_bound_are_left_out_and_counted) {
    Recent recent(1);
    recent.add(0, power(1), at_s(0));
    recent.add(1, power(1), at_s(0));
    EXPECT_EQ(recent.left_out(), 1U);
    EXPECT_FALSE(recent.find(1, Quantity::power_w, 0, at_s(10)).has_value());
}

TEST(RecentTest, means_of_the_largest_numbers_are_right) {
    Recent recent(1);
    recent.add(0, power(number_most), at_s(0));
    recent.add(0, power(0), at_s(1));
    recent.add(0, power(-number_most), at_s(10));
    recent.add(0, power(-number_most), at_s(11));
    EXPECT_EQ(values(recent, 20), (Values{number_most / 2, -number_most}));
}

}  // namespace
}  // namespace jw::http
