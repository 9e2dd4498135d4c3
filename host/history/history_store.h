// SPDX-License-Identifier: Apache-2.0
#pragma once
// HistoryStore: buckets of 10 s and of 15 min in one SQLite file (docs/formats/history.md).
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "host/history/bucket.h"

struct sqlite3;

namespace jw {

class Statement;

struct HistoryStoreSettings {
    std::string path;
    std::uint64_t bytes_max = 64ULL << 20;  // of file and write-ahead log together
    std::int64_t days = 30;
    int checkpoint_pages = 256;  // so many pages may lie in the log before they go to the file
};

struct HistoryRow {
    SeriesKey series;
    Bucket bucket;  // of 10 s
};

struct HistoryQuery {
    SeriesKey series;
    std::int64_t from_s = 0;  // Unix seconds
    std::int64_t to_s = 0;    // up to, and without
    std::int64_t points = 300;
    /// Only 10 s or multiples of 15 min: for a table of what is there.
    bool unmerged = false;
};

struct HistoryAnswer {
    HistoryQuery asked;
    std::int64_t step_s = 0;
    std::vector<Bucket> buckets;  // rising; where nothing came there is none
};

struct HistorySeries {
    SeriesKey series;
    std::int64_t from_s = 0;
    std::int64_t to_s = 0;  // start of its last bucket
};

/// Everything may wait for the disk. Threads one after the other.
class HistoryStore {
  public:
    static constexpr std::int64_t fine_s = 10;
    static constexpr std::int64_t coarse_s = 900;
    static constexpr std::int64_t points_max = 20'000;

    explicit HistoryStore(HistoryStoreSettings settings) : settings_(std::move(settings)) {}
    HistoryStore(const HistoryStore&) = delete;
    HistoryStore& operator=(const HistoryStore&) = delete;
    ~HistoryStore();

    /// Takes buckets in, all or none, in one transaction; a bucket that is there already is merged
    /// with. What is too old, or too much for the bound, goes. `now_s` is the wall time of the
    /// newest. Errors: full, denied (read-only, or of a newer program), internal; trouble() says it
    /// in words. A damaged file is set aside and a new one begun.
    Status write(std::span<const HistoryRow> rows, std::int64_t now_s);
    /// Errors: as write().
    Result<HistoryAnswer> query(const HistoryQuery& query);
    Result<std::vector<HistorySeries>> series();

    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// What happened that people should know, once; empty: nothing.
    std::string take_notice() { return std::exchange(notice_, {}); }
    /// Bytes in use, as of the last write.
    [[nodiscard]] std::uint64_t bytes_used() const { return bytes_used_; }

  private:
    struct Close {
        void operator()(sqlite3* database) const;
    };

    Status open();
    Status upgrade();
    Status load_series();
    Status take_in(std::span<const HistoryRow> rows, std::int64_t now_s);
    Status find_series(const HistoryRow& row, std::int64_t& id);
    Status put(Statement& into, std::int64_t series, const Bucket& bucket);
    Status roll_up(std::int64_t from_s, std::int64_t to_s);
    Status forget(std::int64_t now_s);
    Status forget_series();
    Status make_room();
    Status drop_oldest();
    Result<std::int64_t> step_of(const HistoryQuery& query);
    Status read(const HistoryQuery& query,
                std::int64_t series,
                const std::function<void(const Bucket&)>& take,
                std::int64_t step_s);
    /// The first number that `sql` gives, if any.
    Result<std::optional<std::int64_t>> number(const char* sql);
    Status run(const std::string& sql);
    /// What SQLite said last.
    Status fail();
    /// Runs `work` on the open file; one that proves damaged is set aside, and the work done anew.
    Status guarded(const std::function<Status()>& work);
    void set_aside();

    HistoryStoreSettings settings_;
    std::unique_ptr<sqlite3, Close> database_;
    bool series_known_ = false;
    std::map<std::pair<std::string, std::uint32_t>, std::int64_t> ids_;  // by device and value_of()
    std::unordered_map<std::int64_t, bool> gauges_;                      // by id
    std::uint64_t pages_max_ = 0;
    std::uint64_t bytes_used_ = 0;
    std::int64_t forgot_at_s_ = 0;
    bool damaged_ = false;
    std::string trouble_;
    std::string notice_;
};

}  // namespace jw
