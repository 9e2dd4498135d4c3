// SPDX-License-Identifier: Apache-2.0
// History on a loop: gathering, writing, answering, energy, a disk that fails for a while.
#include "host/history/local_history.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "host/fakes.h"

namespace jw {
namespace {

constexpr std::int64_t begin_ms = 1'790'000'100'000;

class HistoryTest : public ::testing::Test {
  protected:
    HistoryTest() { open(); }
    void open(std::uint32_t size_mb = 64) {
        history_.reset();
        HistorySettings settings;
        settings.folder = folder_.path() + "/store";
        settings.size_mb = size_mb;
        settings.series_max = 3;
        settings.rows_max = 6;
        std::filesystem::create_directory(settings.folder);
        history_ = std::make_unique<History>(
            workers_,
            settings,
            HistoryHooks{.failed = [this](const std::string&) { ++failed_; },
                         .recovered = [this] { ++recovered_; },
                         .noticed = [](const std::string&) {}});
        EXPECT_TRUE(history_->open());
    }
    void add(std::int64_t at_ms, std::initializer_list<Value> values) {
        Reading reading;
        reading.device = "battery";
        for (const Value& value : values) {
            reading.values.put(value.quantity, value.index, value.number);
        }
        history_->add(reading, begin_ms + at_ms);
    }
    void flush() {
        bool done = false;
        history_->flush([&done] { done = true; });
        EXPECT_TRUE(loop_.run_until([&] { return done; }, seconds(30)));
    }
    /// "start:mean/least/most/last*count …", starts relative to the beginning.
    std::string ask(Quantity quantity, std::uint8_t index = 0) {
        std::optional<Result<std::string>> answer;
        history_->query(
            {{Name("battery"), quantity, index}, begin_ms / 1000, begin_ms / 1000 + 1000, 300},
            [](const HistoryAnswer& found) {
                std::string text;
                for (const Bucket& bucket : found.buckets) {
                    text += std::to_string(bucket.start_s - begin_ms / 1000) + ":" +
                            std::to_string(mean(bucket)) + "/" + std::to_string(bucket.least) +
                            "/" + std::to_string(bucket.most) + "/" + std::to_string(bucket.last) +
                            "*" + std::to_string(bucket.count) + " ";
                }
                return text;
            },
            [&](Result<std::string> text) { answer = std::move(text); });
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, seconds(30)));
        if (!answer) {
            return "no answer";
        }
        return *answer ? **answer : code_name(answer->code());
    }
    std::string folder() { return folder_.path() + "/store"; }

    test::TempFolder folder_;
    Loop loop_;
    Workers workers_{loop_, 2, 8};
    int failed_ = 0;
    int recovered_ = 0;
    std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, readings_become_buckets_of_ten_seconds) {
    add(0, {{Quantity::power_w, 0, 10}, {Quantity::soc_permille, 0, 500}});
    add(4000, {{Quantity::power_w, 0, 20}, {Quantity::soc_permille, 0, 501}});
    add(9999, {{Quantity::power_w, 0, -3}});
    add(10'000, {{Quantity::power_w, 0, 7}});
    flush();
    EXPECT_EQ(ask(Quantity::power_w), "0:9/-3/20/-3*3 10:7/7/7/7*1 ");
    EXPECT_EQ(ask(Quantity::soc_permille), "0:501/500/501/501*2 ");
    EXPECT_EQ(ask(Quantity::voltage_mv), "");
}

TEST_F(HistoryTest, a_history_of_nothing_answers_with_nothing) {
    flush();
    EXPECT_EQ(ask(Quantity::power_w), "");
}

TEST_F(HistoryTest, a_mean_is_rounded_half_away_from_zero) {
    add(0, {{Quantity::power_w, 0, -1}});
    add(1, {{Quantity::power_w, 0, -2}});
    flush();
    EXPECT_EQ(ask(Quantity::power_w), "0:-2/-2/-1/-2*2 ");
}

TEST_F(HistoryTest, a_bucket_that_a_restart_cuts_is_one_afterwards) {
    add(0, {{Quantity::power_w, 0, 10}});
    flush();
    open();
    add(5000, {{Quantity::power_w, 0, 30}});
    flush();
    EXPECT_EQ(ask(Quantity::power_w), "0:20/10/30/30*2 ");
}

TEST_F(HistoryTest, is_written_by_itself_once_a_bucket_is_over) {
    const Instant now = Instant{} + seconds(100);
    add(0, {{Quantity::power_w, 0, 10}});
    history_->step(begin_ms + 9000, now);
    history_->step(begin_ms + 10'000, now + seconds(1));
    EXPECT_TRUE(loop_.run_until([&] { return recovered_ == 1; }, seconds(30)));
    EXPECT_EQ(ask(Quantity::power_w), "0:10/10/10/10*1 ");
}

TEST_F(HistoryTest, a_disk_that_is_away_costs_the_oldest_only_and_is_told) {
    std::filesystem::remove_all(folder());
    Instant now = Instant{} + seconds(100);
    for (int i = 0; i < 8; ++i) {
        add(i * 10'000, {{Quantity::power_w, 0, i}});
    }
    for (int i = 0; i < 3; ++i) {
        const int before = failed_;
        history_->step(begin_ms + 80'000, now);
        EXPECT_TRUE(loop_.run_until([&] { return failed_ > before; }, seconds(30)));
        history_->step(begin_ms + 80'000, now + seconds(1));  // it is not asked again at once
        now = now + seconds(10);
    }
    EXPECT_EQ(failed_, 3);
    EXPECT_EQ(recovered_, 0);
    std::filesystem::create_directory(folder());
    flush();
    EXPECT_EQ(recovered_, 1);
    EXPECT_EQ(history_->lost(), 2U);
    EXPECT_EQ(ask(Quantity::power_w),
              "20:2/2/2/2*1 30:3/3/3/3*1 40:4/4/4/4*1 50:5/5/5/5*1 60:6/6/6/6*1 70:7/7/7/7*1 ");
}

TEST_F(HistoryTest, has_a_bound_of_series) {
    add(0,
        {{Quantity::cell_voltage_mv, 1, 1},
         {Quantity::cell_voltage_mv, 2, 2},
         {Quantity::cell_voltage_mv, 3, 3},
         {Quantity::cell_voltage_mv, 4, 4}});
    flush();
    EXPECT_EQ(ask(Quantity::cell_voltage_mv, 3), "0:3/3/3/3*1 ");
    EXPECT_EQ(ask(Quantity::cell_voltage_mv, 4), "");
    EXPECT_EQ(history_->lost(), 1U);
}

TEST_F(HistoryTest, only_so_many_may_ask_at_once) {
    int busy = 0;
    int answered = 0;
    for (std::size_t i = 0; i < 2 * History::questions_max; ++i) {
        history_->series([](const auto&) { return std::string(); },
                         [&](const Result<std::string>& text) { text ? ++answered : ++busy; });
    }
    EXPECT_GE(busy, static_cast<int>(History::questions_max) - 1);
    EXPECT_TRUE(loop_.run_until([&] { return busy + answered == 2 * History::questions_max; },
                                seconds(30)));
}

TEST_F(HistoryTest, switched_off_it_keeps_the_energies_alone) {
    open(0);
    add(0, {{Quantity::power_w, 0, 10}});
    history_->put_energy({Name("battery"), 30, 20});
    flush();
    EXPECT_EQ(ask(Quantity::power_w), "unsupported");
    EXPECT_FALSE(std::filesystem::exists(folder() + "/history.db"));
    open(0);
    EXPECT_EQ(history_->energy("battery").charge_wh, 30);
}

TEST_F(HistoryTest, energy_is_written_once_a_minute_where_it_is_worth_it) {
    Instant now = Instant{} + seconds(100);
    const auto stored = [&] {
        const auto all = EnergyFile(folder() + "/energy.store").read();
        return all && !all->empty() ? (*all)[0].charge_wh : 0;
    };
    history_->put_energy({Name("battery"), 9, 0});
    history_->step(std::nullopt, now);
    EXPECT_EQ(stored(), 0);
    history_->put_energy({Name("battery"), 9, 1});
    history_->step(std::nullopt, now);
    EXPECT_TRUE(loop_.run_until([&] { return recovered_ == 1; }, seconds(30)));
    EXPECT_EQ(stored(), 9);
    history_->put_energy({Name("battery"), 500, 1});
    history_->step(std::nullopt, now + seconds(59));
    EXPECT_EQ(stored(), 9);
    history_->step(std::nullopt, now + seconds(60));
    EXPECT_TRUE(loop_.run_until([&] { return recovered_ == 2; }, seconds(30)));
    EXPECT_EQ(stored(), 500);
}

TEST_F(HistoryTest, a_stop_loses_no_energy_and_an_unknown_battery_has_none) {
    history_->put_energy({Name("battery"), 3, 4});
    flush();
    open();
    EXPECT_EQ(history_->energy("battery"), (BatteryEnergy{Name("battery"), 3, 4}));
    EXPECT_EQ(history_->energy("other"), (BatteryEnergy{Name("other"), 0, 0}));
}

}  // namespace
}  // namespace jw
