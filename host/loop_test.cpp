// SPDX-License-Identifier: Apache-2.0
// Loop, workers, guard and histogram.
#include "host/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <memory>
#include <semaphore>
#include <thread>

#include "host/workers.h"

namespace jw {
namespace {

TEST(loop, calls_the_step_once_for_many_requests_of_one_turn) {
    Loop loop;
    int steps = 0;
    loop.use_step([&](Instant) {
        ++steps;
        return never;
    });
    boost::asio::post(loop.io(), [&] { loop.ask_step(); });
    boost::asio::post(loop.io(), [&] { loop.ask_step(); });
    bool last = false;
    boost::asio::post(loop.io(), [&] { last = true; });
    EXPECT_TRUE(loop.run_until([&] { return last; }, seconds(5)));
    EXPECT_LE(steps, 2);
    EXPECT_GE(steps, 1);
}

TEST(loop, calls_the_step_again_when_it_wanted_to_be) {
    Loop loop;
    std::vector<Instant> at;
    loop.use_step([&](Instant now) {
        at.push_back(now);
        return now + milliseconds(5);
    });
    EXPECT_TRUE(loop.run_until([&] { return at.size() == 4; }, seconds(10)));
    for (std::size_t i = 1; i < at.size(); ++i) {
        EXPECT_GE(at[i] - at[i - 1], milliseconds(5));
    }
}

TEST(loop, brings_the_wake_up_forward_when_a_step_asks_for_an_earlier_one) {
    Loop loop;
    int steps = 0;
    loop.use_step([&](Instant now) {
        ++steps;
        return steps == 1 ? now + seconds(100) : now + milliseconds(1);
    });
    EXPECT_TRUE(loop.run_until([&] { return steps == 1; }, seconds(5)));
    boost::asio::post(loop.io(), [&] { loop.ask_step(); });
    EXPECT_TRUE(loop.run_until([&] { return steps >= 3; }, seconds(10)));
}

TEST(loop, counts_how_long_a_handler_kept_the_others_waiting_and_not_the_waiting_itself) {
    Loop loop;
    bool over = false;
    const Guard guard;
    loop.after(milliseconds(50), guard, [&] {
        const Instant end = Loop::now() + milliseconds(20);
        while (Loop::now() < end) {
        }
        over = true;
    });
    EXPECT_TRUE(loop.run_until([&] { return over; }, seconds(10)));
    EXPECT_GE(loop.stall().max(), milliseconds(20));
    EXPECT_LT(loop.stall().sum(), Loop::now() - Instant{});
    EXPECT_EQ(loop.stall().count(), 1U);
}

TEST(loop, stops_after_the_turn_that_asked_for_it) {
    Loop loop;
    boost::asio::post(loop.io(), [&] { loop.stop(); });
    loop.run();
    SUCCEED();
}

TEST(guard, keeps_handlers_from_running_when_their_owner_is_gone) {
    int runs = 0;
    auto guard = std::make_unique<Guard>();
    auto first = (*guard)([&] { ++runs; });
    first();
    guard->renew();
    first();
    auto second = (*guard)([&] { ++runs; });
    guard.reset();
    second();
    EXPECT_EQ(runs, 1);
}

TEST(workers, run_jobs_elsewhere_and_report_on_the_loop) {
    Loop loop;
    Workers workers(loop, 2, 4);
    const Guard guard;
    std::thread::id ran;
    std::thread::id reported;
    ASSERT_TRUE(workers.run([&] { ran = std::this_thread::get_id(); },
                            guard,
                            [&] { reported = std::this_thread::get_id(); }));
    EXPECT_TRUE(loop.run_until([&] { return reported != std::thread::id(); }, seconds(10)));
    EXPECT_NE(ran, std::this_thread::get_id());
    EXPECT_EQ(reported, std::this_thread::get_id());
}

TEST(workers, refuse_more_jobs_than_the_bound) {
    Loop loop;
    std::binary_semaphore gate(0);
    std::atomic<bool> runs = false;
    Workers workers(loop, 1, 2);
    const Guard guard;
    ASSERT_TRUE(workers.run(
        [&] {
            runs = true;
            gate.acquire();
        },
        guard,
        [] {}));
    while (!runs) {
        std::this_thread::yield();
    }
    int reports = 0;
    EXPECT_TRUE(workers.run([] {}, guard, [&] { ++reports; }));
    EXPECT_TRUE(workers.run([] {}, guard, [&] { ++reports; }));
    EXPECT_EQ(workers.run([] {}, guard, [&] { ++reports; }).code(), Code::full);
    gate.release();
    EXPECT_TRUE(loop.run_until([&] { return reports == 2; }, seconds(10)));
}

TEST(histogram, gives_percentiles_within_an_eighth_and_the_exact_maximum) {
    DurationHistogram histogram;
    for (int us = 1; us <= 10'000; ++us) {
        histogram.add(microseconds(us));
    }
    EXPECT_EQ(histogram.count(), 10'000U);
    EXPECT_EQ(histogram.max(), microseconds(10'000));
    EXPECT_GE(histogram.percentile(500), microseconds(5'000));
    EXPECT_LE(histogram.percentile(500), microseconds(5'625));
    EXPECT_GE(histogram.percentile(990), microseconds(9'900));
    EXPECT_EQ(histogram.percentile(1000), microseconds(10'000));
}

TEST(histogram, takes_every_duration) {
    DurationHistogram histogram;
    EXPECT_EQ(histogram.percentile(500), Duration{});
    histogram.add(microseconds(-5));
    histogram.add(Duration{});
    histogram.add(seconds(100'000));
    EXPECT_EQ(histogram.count(), 3U);
    EXPECT_EQ(histogram.max(), seconds(100'000));
    EXPECT_EQ(histogram.percentile(500), Duration{});
}

}  // namespace
}  // namespace jw
