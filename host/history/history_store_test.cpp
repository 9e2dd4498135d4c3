// SPDX-License-Identifier: Apache-2.0
// HistoryStore: buckets are found again, once each, whatever is cut; the oldest make room.
#include "host/history/history_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "host/fakes.h"

namespace jw {
namespace {

constexpr std::int64_t begin_s = 1'790'000'100;  // a multiple of 900
static_assert(begin_s % 900 == 0);

SeriesKey power() {
    return {Name("battery"), Quantity::power_w, 0};
}
SeriesKey counter() {
    return {Name("battery"), Quantity::energy_charge_wh, 0};
}

HistoryRow row(const SeriesKey& series, std::int64_t start_s, std::int64_t number) {
    return {series, {start_s, 1, number, number, number, number}};
}

HistoryRow row(const SeriesKey& series, std::int64_t start_s, std::initializer_list<int> numbers) {
    HistoryRow result{series, {start_s}};
    for (const int number : numbers) {
        merge(result.bucket, number);
    }
    return result;
}

class HistoryStoreTest : public ::testing::Test {
  protected:
    std::string path() { return folder_.path() + "/history.db"; }
    HistoryStoreSettings settings() { return {.path = path()}; }
    static HistoryQuery ask(const SeriesKey& series, std::int64_t from_s, std::int64_t to_s) {
        return {series, from_s, to_s, 1000, false};
    }
    static std::vector<Bucket> found(HistoryStore& store, const HistoryQuery& query) {
        const auto answer = store.query(query);
        EXPECT_TRUE(answer) << store.trouble();
        return answer ? answer->buckets : std::vector<Bucket>{};
    }
    std::int64_t number(const char* sql) {
        sqlite3* database = nullptr;
        sqlite3_stmt* statement = nullptr;
        EXPECT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_prepare_v2(database, sql, -1, &statement, nullptr), SQLITE_OK);
        EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
        const std::int64_t number = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(database);
        return number;
    }
    test::TempFolder folder_;
};

TEST_F(HistoryStoreTest, gives_back_what_it_took_also_after_a_restart) {
    const std::vector<Bucket> expected{{begin_s, 3, 8, -1, 6, 3}, {begin_s + 20, 1, 7, 7, 7, 7}};
    for (const bool again : {false, true}) {
        HistoryStore store(settings());
        if (!again) {
            const std::array rows{row(power(), begin_s, {6, -1, 3}), row(power(), begin_s + 20, 7)};
            ASSERT_TRUE(store.write(rows, begin_s + 30)) << store.trouble();
        }
        EXPECT_EQ(found(store, ask(power(), begin_s, begin_s + 100)), expected);
    }
}

TEST_F(HistoryStoreTest, a_bucket_that_comes_in_two_parts_is_one) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, {5, 5})}, begin_s));
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, {1, 4})}, begin_s));
    const std::vector<Bucket> expected{{begin_s, 4, 15, 1, 5, 4}};
    EXPECT_EQ(found(store, ask(power(), begin_s, begin_s + 10)), expected);
}

TEST_F(HistoryStoreTest, of_a_counter_the_last_value_counts) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(counter(), begin_s, {100, 110})}, begin_s));
    ASSERT_TRUE(store.write(std::array{row(counter(), begin_s + 10, {120, 130})}, begin_s + 1000));
    HistoryQuery query = ask(counter(), begin_s, begin_s + 900);
    query.points = 1;
    const std::vector<Bucket> buckets = found(store, query);
    ASSERT_EQ(buckets.size(), 1U);
    EXPECT_EQ(buckets[0].last, 130);
    EXPECT_EQ(buckets[0].count, 4);
}

TEST_F(HistoryStoreTest, a_quarter_of_an_hour_is_the_sum_of_its_buckets_before_and_after_its_end) {
    HistoryStore store(settings());
    std::vector<HistoryRow> rows;
    for (int i = 0; i < 90; ++i) {
        rows.push_back(row(power(), begin_s + i * 10, {i, -i}));
    }
    HistoryQuery query = ask(power(), begin_s, begin_s + 900);
    query.points = 1;
    const std::vector<Bucket> expected{{begin_s, 180, 0, -89, 89, -89}};
    ASSERT_TRUE(store.write(rows, begin_s + 890));
    EXPECT_EQ(found(store, query), expected);
    EXPECT_EQ(number("SELECT count(*) FROM coarse"), 0);
    ASSERT_TRUE(store.write({}, begin_s + 900));
    EXPECT_EQ(number("SELECT count(*) FROM coarse"), 1);
    EXPECT_EQ(found(store, query), expected);
}

TEST_F(HistoryStoreTest, what_comes_late_is_in_both_widths_once) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 10)}, begin_s + 900));
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s + 50, 30)}, begin_s + 1800));
    HistoryQuery query = ask(power(), begin_s, begin_s + 900);
    const std::vector<Bucket> fine{{begin_s, 1, 10, 10, 10, 10}, {begin_s + 50, 1, 30, 30, 30, 30}};
    EXPECT_EQ(found(store, query), fine);
    query.points = 1;
    const std::vector<Bucket> coarse{{begin_s, 2, 40, 10, 30, 30}};
    EXPECT_EQ(found(store, query), coarse);
}

TEST_F(HistoryStoreTest, gives_no_more_points_than_asked_for) {
    HistoryStore store(settings());
    std::vector<HistoryRow> rows;
    for (int i = 0; i < 3 * 8640; ++i) {
        rows.push_back(row(power(), begin_s + i * 10, i));
    }
    const std::int64_t end_s = begin_s + 3 * 86'400;
    ASSERT_TRUE(store.write(rows, end_s));
    for (const std::int64_t points : {1, 7, 60, 300, 1000, 20'000}) {
        for (const std::int64_t range_s : {600, 7200, 86'400, 3 * 86'400}) {
            HistoryQuery query = ask(power(), end_s - range_s, end_s);
            query.points = points;
            const auto answer = store.query(query);
            ASSERT_TRUE(answer);
            // The first one may reach over the beginning.
            EXPECT_LE(answer->buckets.size(), static_cast<std::size_t>(points + 1));
            std::int64_t count = 0;
            for (const Bucket& bucket : answer->buckets) {
                EXPECT_EQ(bucket.start_s % answer->step_s, 0);
                count += bucket.count;
            }
            EXPECT_GE(count, range_s / 10) << points << " points of " << range_s;
        }
    }
}

TEST_F(HistoryStoreTest, a_table_has_the_widths_that_are_kept) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s));
    HistoryQuery query = ask(power(), begin_s, begin_s + 86'400);
    query.unmerged = true;
    query.points = HistoryStore::points_max;
    EXPECT_EQ(store.query(query)->step_s, 10);
    query.points = 1000;
    EXPECT_EQ(store.query(query)->step_s, 900);
}

TEST_F(HistoryStoreTest, lists_its_series_with_their_span) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 1), row(counter(), begin_s + 20, 1)},
                            begin_s + 20));
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s + 1000, 1)}, begin_s + 1000));
    const auto all = store.series();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].series, power());
    EXPECT_EQ((*all)[0].from_s, begin_s);
    EXPECT_EQ((*all)[0].to_s, begin_s + 1000);
    EXPECT_EQ((*all)[1].series, counter());
    EXPECT_EQ((*all)[1].from_s, begin_s + 20);
}

TEST_F(HistoryStoreTest, what_is_older_than_its_days_goes) {
    HistoryStoreSettings two_days = settings();
    two_days.days = 2;
    HistoryStore store(two_days);
    ASSERT_TRUE(store.write(std::array{row(counter(), begin_s, 1)}, begin_s));
    for (int day = 0; day < 4; ++day) {
        const std::int64_t at_s = begin_s + day * 86'400;
        ASSERT_TRUE(store.write(std::array{row(power(), at_s, day)}, at_s));
    }
    const std::vector<Bucket> left = found(store, ask(power(), 0, begin_s + 4 * 86'400));
    ASSERT_EQ(left.size(), 3U);
    EXPECT_EQ(left[0].last, 1);
    const auto series = store.series();
    ASSERT_TRUE(series);
    EXPECT_EQ(series->size(), 1U);  // of the counter nothing is left
    EXPECT_EQ((*series)[0].from_s, begin_s + 86'400);
}

TEST_F(HistoryStoreTest, keeps_its_bound_and_the_quarters_of_an_hour_longer) {
    HistoryStoreSettings small = settings();
    small.bytes_max = 4 << 20;
    HistoryStore store(small);
    std::mt19937 random(1);
    std::vector<HistoryRow> rows;
    std::int64_t at_s = begin_s;
    const auto size = [&] {
        return std::filesystem::file_size(path()) + std::filesystem::file_size(path() + "-wal");
    };
    std::uintmax_t most = 0;
    for (int batch = 0; batch < 400; ++batch) {
        rows.clear();
        for (int i = 0; i < 30; ++i, at_s += 10) {
            for (std::uint8_t index = 0; index < 20; ++index) {
                const int number = static_cast<int>(random() % 100'000);
                rows.push_back(row({Name("battery"), Quantity::cell_voltage_mv, index},
                                   at_s,
                                   {number, number + 5}));
            }
        }
        ASSERT_TRUE(store.write(rows, at_s)) << store.trouble();
        most = std::max(most, size());
    }
    EXPECT_LE(most, small.bytes_max);
    EXPECT_GT(number("SELECT min(start) FROM fine"), begin_s);
    EXPECT_EQ(number("SELECT min(start) FROM coarse"), begin_s);
    EXPECT_EQ(number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
              1);
}

TEST_F(HistoryStoreTest, a_smaller_bound_makes_the_file_smaller) {
    std::vector<HistoryRow> rows;
    for (int i = 0; i < 200'000; ++i) {
        rows.push_back(row(power(), begin_s + i * 10, {i, 2 * i}));
    }
    HistoryStoreSettings wanted = settings();
    {
        HistoryStore store(wanted);
        ASSERT_TRUE(store.write(rows, begin_s + 2'000'000));
    }
    const auto before = std::filesystem::file_size(path());
    wanted.bytes_max = 4 << 20;
    HistoryStore store(wanted);
    ASSERT_TRUE(store.write({}, begin_s + 2'000'000));
    ASSERT_TRUE(store.write({}, begin_s + 2'000'010));
    EXPECT_LE(store.bytes_used(), 2U << 20);
    EXPECT_GT(before, 4U << 20);
}

TEST_F(HistoryStoreTest, a_damaged_file_is_set_aside_and_told_once) {
    {
        std::ofstream file(path());
        file << std::string(8192, 'x');
    }
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s)) << store.trouble();
    EXPECT_NE(store.take_notice().find("damaged"), std::string::npos);
    EXPECT_EQ(store.take_notice(), "");
    EXPECT_TRUE(std::filesystem::exists(path() + ".damaged"));
    EXPECT_EQ(found(store, ask(power(), begin_s, begin_s + 10)).size(), 1U);
}

TEST_F(HistoryStoreTest, pages_that_rot_are_noticed_at_the_next_start) {
    {
        HistoryStore store(settings());
        std::vector<HistoryRow> rows;
        for (int i = 0; i < 2000; ++i) {
            rows.push_back(row(power(), begin_s + i * 10, {i, 2 * i}));
        }
        ASSERT_TRUE(store.write(rows, begin_s + 20'000));
    }
    {
        std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(5 * 4096);
        file << std::string(3 * 4096, '\x55');
    }
    HistoryStore store(settings());
    EXPECT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s)) << store.trouble();
    EXPECT_NE(store.take_notice(), "");
}

TEST_F(HistoryStoreTest, a_file_of_a_newer_program_is_left_alone) {
    {
        HistoryStore store(settings());
        ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s));
    }
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
    sqlite3_exec(database, "PRAGMA user_version=99", nullptr, nullptr, nullptr);
    sqlite3_close(database);
    HistoryStore store(settings());
    EXPECT_EQ(store.write(std::array{row(power(), begin_s, 1)}, begin_s).code(), Code::unsupported);
    EXPECT_NE(store.trouble(), "");
    EXPECT_EQ(number("SELECT count(*) FROM fine"), 1);
}

TEST_F(HistoryStoreTest, a_disk_that_takes_nothing_loses_nothing_that_it_took_and_goes_on_later) {
    HistoryStore store(settings());
    ASSERT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s));
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto ignored = signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    std::vector<HistoryRow> rows;
    for (std::uint8_t i = 0; i < 200; ++i) {
        rows.push_back(row({Name("new"), Quantity::cell_voltage_mv, i}, begin_s + 10, 7));
    }
    const Status refused = store.write(rows, begin_s + 10);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, ignored);
    EXPECT_FALSE(refused);
    EXPECT_NE(store.trouble(), "");
    ASSERT_TRUE(store.write(rows, begin_s + 20)) << store.trouble();
    EXPECT_EQ(number("SELECT count(*) FROM fine"), 201);
    EXPECT_EQ(number("SELECT sum(count) FROM fine"), 201);
}

TEST_F(HistoryStoreTest, a_folder_that_is_not_there_yet_is_no_end) {
    HistoryStoreSettings later = settings();
    later.path = folder_.path() + "/later/history.db";
    HistoryStore store(later);
    EXPECT_EQ(store.write({}, begin_s).code(), Code::denied);
    std::filesystem::create_directory(folder_.path() + "/later");
    EXPECT_TRUE(store.write(std::array{row(power(), begin_s, 1)}, begin_s)) << store.trouble();
}

/// Batch i: one reading of value i in the bucket of its second, one bucket for ten batches.
std::array<HistoryRow, 2> batch(int i) {
    const std::int64_t at_s = begin_s + cut(i, 10);
    return {row(power(), at_s, i), row(counter(), at_s, i)};
}

/// Whatever was cut: the first n batches are there, each once, for some n.
int whole_batches(HistoryStore& store, std::int64_t width_points) {
    int count = -1;
    for (const SeriesKey& series : {power(), counter()}) {
        HistoryQuery query{series, begin_s, begin_s + 100'000, width_points, false};
        const auto answer = store.query(query);
        EXPECT_TRUE(answer) << store.trouble();
        std::int64_t sum = 0;
        std::int64_t readings = 0;
        std::int64_t last = -1;
        for (const Bucket& bucket : answer->buckets) {
            EXPECT_GT(bucket.start_s, last) << "a bucket is twice";
            last = bucket.start_s;
            sum += bucket.sum;
            readings += bucket.count;
        }
        if (series == power()) {
            EXPECT_EQ(sum, readings * (readings - 1) / 2) << "a batch is twice, or one is missing";
            count = static_cast<int>(readings);
        } else {
            EXPECT_EQ(readings, count) << "half of a batch";
        }
    }
    return count;
}

TEST_F(HistoryStoreTest, a_power_cut_at_any_byte_of_the_log_leaves_whole_batches_once_each) {
    HistoryStoreSettings wanted = settings();
    wanted.checkpoint_pages = 100'000;  // else the log begins anew, and not every cut can happen
    constexpr int batches = 2000;
    test::TempFolder copies;
    HistoryStore store(wanted);
    for (int i = 0; i < batches; ++i) {
        ASSERT_TRUE(store.write(batch(i), begin_s + i));
    }
    const auto log_size = std::filesystem::file_size(path() + "-wal");
    std::mt19937 random(7);
    int least = batches;
    int most = 0;
    for (int trial = 0; trial < 60; ++trial) {
        const std::string copy = copies.path() + "/history.db";
        for (const char* suffix : {"", "-wal", "-shm", ".damaged"}) {
            std::filesystem::remove(copy + suffix);
        }
        std::filesystem::copy_file(path(), copy);
        std::filesystem::copy_file(path() + "-wal", copy + "-wal");
        std::filesystem::resize_file(copy + "-wal", random() % (log_size + 1));
        HistoryStoreSettings of_copy = wanted;
        of_copy.path = copy;
        HistoryStore cut_off(of_copy);
        const int fine = whole_batches(cut_off, 10'000);
        const int coarse = whole_batches(cut_off, 100);
        EXPECT_EQ(fine, coarse);
        EXPECT_EQ(cut_off.take_notice(), "");
        least = std::min(least, fine);
        most = std::max(most, fine);
        // Life goes on where it was cut.
        for (int i = fine; i < fine + 20; ++i) {
            ASSERT_TRUE(cut_off.write(batch(i), begin_s + i));
        }
        EXPECT_EQ(whole_batches(cut_off, 100), fine + 20);
    }
    EXPECT_LT(least, batches / 4);
    EXPECT_GT(most, batches * 3 / 4);
}

TEST_F(HistoryStoreTest, a_writer_that_is_killed_at_any_moment_leaves_whole_batches_once_each) {
    std::mt19937 random(3);
    int from = 0;
    for (int trial = 0; trial < 10; ++trial) {
        std::array<int, 2> told{};
        ASSERT_EQ(pipe(told.data()), 0);
        const pid_t child = fork();
        if (child == 0) {
            HistoryStoreSettings wanted = settings();
            wanted.checkpoint_pages = 8;
            HistoryStore store(wanted);
            for (int i = from;; ++i) {
                if (!store.write(batch(i), begin_s + i) ||
                    ::write(told[1], &i, sizeof i) != sizeof i) {
                    _exit(1);
                }
            }
        }
        close(told[1]);
        int told_last = from - 1;
        const int wanted = from + 1 + static_cast<int>(random() % 120);
        while (told_last < wanted && read(told[0], &told_last, sizeof told_last) > 0) {
        }
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        while (read(told[0], &told_last, sizeof told_last) > 0) {
        }
        close(told[0]);
        HistoryStore store(settings());
        const int kept = whole_batches(store, 10'000);
        EXPECT_GE(kept, told_last + 1);
        EXPECT_LE(kept, told_last + 2);
        EXPECT_EQ(whole_batches(store, 100), kept);
        EXPECT_EQ(store.take_notice(), "");
        from = kept;
    }
    EXPECT_GT(from, 100);
}

}  // namespace
}  // namespace jw
