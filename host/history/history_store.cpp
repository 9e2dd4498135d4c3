// SPDX-License-Identifier: Apache-2.0
// The history's SQLite file: opening, taking in, rolling up, making room.
#include "host/history/history_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <unordered_map>
#include <utility>

#include "host/history/statement.h"

namespace jw {
namespace {

constexpr std::int64_t page_size = 4096;
constexpr std::uint64_t log_bytes_max = 2U << 20;
// So long the fine buckets stay whatever the bound asks: what is not rolled up yet is among them.
constexpr std::int64_t fine_least_s = 3600;

// Rows of one time lie together, so that what comes is appended to one or two pages: ordered by
// series each transaction would touch a page of every series. Absent sum, least and most: all
// readings were `last`, or the quantity is no gauge.
constexpr const char* tables = R"(
CREATE TABLE series(id INTEGER PRIMARY KEY, device TEXT NOT NULL, quantity INTEGER NOT NULL,
  idx INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  UNIQUE(device, quantity, idx)) STRICT;
CREATE TABLE fine(start INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
  sum INTEGER, least INTEGER, most INTEGER, last INTEGER NOT NULL,
  PRIMARY KEY(start, series)) STRICT, WITHOUT ROWID;
CREATE TABLE coarse(start INTEGER NOT NULL, series INTEGER NOT NULL, count INTEGER NOT NULL,
  sum INTEGER, least INTEGER, most INTEGER, last INTEGER NOT NULL,
  PRIMARY KEY(start, series)) STRICT, WITHOUT ROWID;
CREATE TABLE progress(rolled_to INTEGER NOT NULL) STRICT;
INSERT INTO progress VALUES(0);
)";
// Step n makes a file of version n out of one of version n - 1.
constexpr std::array upgrades{tables};

constexpr const char* put_sql = R"(VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT(start, series) DO UPDATE SET
  sum = coalesce(sum, last * count) + coalesce(excluded.sum, excluded.last * excluded.count),
  least = min(coalesce(least, last), coalesce(excluded.least, excluded.last)),
  most = max(coalesce(most, last), coalesce(excluded.most, excluded.last)),
  count = count + excluded.count, last = excluded.last)";

}  // namespace

void HistoryStore::Close::operator()(sqlite3* database) const {
    (void)sqlite3_close(database);
}

HistoryStore::~HistoryStore() = default;

Status HistoryStore::fail() {
    const int result = database_ ? sqlite3_extended_errcode(database_.get()) : SQLITE_CANTOPEN;
    trouble_ = database_ ? sqlite3_errmsg(database_.get()) : "unable to open database file";
    switch (result & 0xFF) {
        case SQLITE_FULL:
            return JW_FAIL(full);
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            return JW_FAIL(denied);
        case SQLITE_BUSY:
            return JW_FAIL(busy);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            damaged_ = true;
            return JW_FAIL(bad_checksum);
        default:
            return JW_FAIL(internal);
    }
}

Status HistoryStore::run(const std::string& sql) {
    const int result = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    return result == SQLITE_OK ? Status(done) : fail();
}

Result<std::optional<std::int64_t>> HistoryStore::number(const char* sql) {
    Statement statement(database_.get(), sql);
    const bool found = statement.step();
    if (!statement.ok()) {
        return fail().error();
    }
    return found ? statement.number(0) : std::nullopt;
}

Status HistoryStore::open() {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(settings_.path.c_str(), &database, flags, nullptr);
    database_.reset(database);
    if (result != SQLITE_OK) {
        return fail();
    }
    sqlite3_busy_timeout(database, 2000);
    // A commit is not synced, a checkpoint is (NORMAL): a power cut may cost the last transactions,
    // never the order of the file. Whoever needs the newest half minute has the outbox.
    JW_TRY(
        run(fmt::format("PRAGMA page_size={};PRAGMA auto_vacuum=INCREMENTAL;"
                        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                        "PRAGMA wal_autocheckpoint={};PRAGMA journal_size_limit={};"
                        "PRAGMA cache_size=-1024;PRAGMA temp_store=MEMORY;"
                        "PRAGMA trusted_schema=OFF;PRAGMA cell_size_check=ON",
                        page_size,
                        settings_.checkpoint_pages,
                        log_bytes_max / 2)));
    Statement check(database, "PRAGMA quick_check(1)");
    if (!check.step() || check.text(0) != "ok") {
        trouble_ = check.ok() ? check.text(0) : sqlite3_errmsg(database);
        damaged_ = true;
        return JW_FAIL(bad_checksum);
    }
    JW_TRY(upgrade());
    const std::uint64_t bytes = std::max(settings_.bytes_max, 2 * log_bytes_max) - log_bytes_max;
    pages_max_ = bytes / page_size;
    const auto pages = number("PRAGMA page_count");
    JW_TRY(pages);
    // A bound that was made smaller is kept once the oldest has gone.
    const std::int64_t most =
        std::max<std::int64_t>(pages->value_or(0), static_cast<std::int64_t>(pages_max_));
    return run(fmt::format("PRAGMA max_page_count={}", most));
}

Status HistoryStore::upgrade() {
    const auto found = number("PRAGMA user_version");
    JW_TRY(found);
    const auto version = static_cast<std::size_t>(found->value_or(0));
    if (version > upgrades.size()) {
        trouble_ = "it is of a newer program";
        return JW_FAIL(unsupported);
    }
    for (std::size_t i = version; i < upgrades.size(); ++i) {
        JW_TRY(run(
            fmt::format("BEGIN IMMEDIATE;{};PRAGMA user_version={};COMMIT", upgrades[i], i + 1)));
    }
    return done;
}

Status HistoryStore::load_series() {
    ids_.clear();
    gauges_.clear();
    Statement all(database_.get(), "SELECT id, device, quantity, idx FROM series");
    while (all.step()) {
        SeriesKey key;
        const std::string device = all.text(1);
        key.device = device;
        key.quantity = static_cast<Quantity>(all.number(2).value_or(0));
        key.index = static_cast<std::uint8_t>(all.number(3).value_or(0));
        const std::int64_t id = all.number(0).value_or(0);
        ids_[{device, value_of(key)}] = id;
        gauges_[id] = info(key.quantity).behaviour == Behaviour::gauge;
    }
    series_known_ = all.ok();
    return all.ok() ? Status(done) : fail();
}

Status HistoryStore::guarded(const std::function<Status()>& work) {
    Status status = done;
    for (int attempt = 0; attempt < 2; ++attempt) {
        damaged_ = false;
        status = database_ ? Status(done) : open();
        if (status && !series_known_) {
            status = load_series();
        }
        if (status) {
            status = work();
        }
        if (status) {
            trouble_.clear();
            return status;
        }
        if (!damaged_) {
            break;
        }
        set_aside();
    }
    if (status.code() != Code::full && status.code() != Code::busy) {
        // A disk that comes back writable, or under its name again, must be opened anew.
        database_.reset();
    }
    series_known_ = false;
    return status;
}

void HistoryStore::set_aside() {
    database_.reset();
    series_known_ = false;
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::rename(
            settings_.path + suffix, settings_.path + ".damaged" + suffix, ignored);
    }
    notice_ = "The history was damaged: it lies aside as history.db.damaged, a new one is begun.";
}

Status HistoryStore::write(std::span<const HistoryRow> rows, std::int64_t now_s) {
    return guarded([&]() -> Status {
        JW_TRY(run("BEGIN IMMEDIATE"));
        Status status = take_in(rows, now_s);
        if (status) {
            status = run("COMMIT");
        }
        if (!status) {
            (void)sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
            return status;
        }
        // What was taken in stands, whether there is room for more or not.
        if (const Status made = make_room(); !made && damaged_) {
            damaged_ = false;  // told by the next write
        }
        return done;
    });
}

Status HistoryStore::take_in(std::span<const HistoryRow> rows, std::int64_t now_s) {
    const auto rolled_to = number("SELECT rolled_to FROM progress");
    JW_TRY(rolled_to);
    Statement fine(database_.get(), std::string("INSERT INTO fine ") + put_sql);
    Statement coarse(database_.get(), std::string("INSERT INTO coarse ") + put_sql);
    for (const HistoryRow& row : rows) {
        std::int64_t id = 0;
        JW_TRY(find_series(row, id));
        JW_TRY(put(fine, id, row.bucket));
        if (row.bucket.start_s < rolled_to->value_or(0)) {
            // Its quarter of an hour has been rolled up already.
            Bucket late = row.bucket;
            late.start_s = cut(late.start_s, coarse_s);
            JW_TRY(put(coarse, id, late));
        }
    }
    const std::int64_t quarter = cut(now_s, coarse_s);
    if (quarter > rolled_to->value_or(0)) {
        JW_TRY(roll_up(rolled_to->value_or(0), quarter));
    }
    if (quarter != forgot_at_s_) {
        JW_TRY(forget(now_s));
        forgot_at_s_ = quarter;
    }
    return done;
}

Status HistoryStore::find_series(const HistoryRow& row, std::int64_t& id) {
    const auto key = std::make_pair(std::string(row.series.device.view()), value_of(row.series));
    const auto known = ids_.find(key);
    if (known != ids_.end()) {
        id = known->second;
        return done;
    }
    Statement add(database_.get(),
                  "INSERT INTO series(device, quantity, idx, first, last) "
                  "VALUES(?1, ?2, ?3, ?4, ?4)");
    add.bind(1, key.first);
    add.bind(2, static_cast<std::int64_t>(row.series.quantity));
    add.bind(3, row.series.index);
    add.bind(4, row.bucket.start_s);
    (void)add.step();
    if (!add.ok()) {
        return fail();
    }
    id = sqlite3_last_insert_rowid(database_.get());
    ids_[key] = id;
    gauges_[id] = info(row.series.quantity).behaviour == Behaviour::gauge;
    return done;
}

Status HistoryStore::put(Statement& into, std::int64_t series, const Bucket& bucket) {
    into.bind(1, bucket.start_s);
    into.bind(2, series);
    into.bind(3, bucket.count);
    const bool varies = gauges_[series] && bucket.least != bucket.most;
    into.bind(4, varies ? std::optional(bucket.sum) : std::nullopt);
    into.bind(5, varies ? std::optional(bucket.least) : std::nullopt);
    into.bind(6, varies ? std::optional(bucket.most) : std::nullopt);
    into.bind(7, bucket.last);
    (void)into.step();
    into.again();
    return into.ok() ? Status(done) : fail();
}

/// Quarters of an hour are a sum of what is in the file: a power cut leaves both or neither.
Status HistoryStore::roll_up(std::int64_t from_s, std::int64_t to_s) {
    Statement coarse(database_.get(), std::string("INSERT INTO coarse ") + put_sql);
    Statement last(database_.get(), "UPDATE series SET last = max(last, ?2) WHERE id = ?1");
    std::unordered_map<std::int64_t, Bucket> gathered;
    const auto end_quarter = [&]() -> Status {
        for (const auto& [series, bucket] : gathered) {
            JW_TRY(put(coarse, series, bucket));
            last.bind(1, series);
            last.bind(2, bucket.start_s);
            (void)last.step();
            last.again();
        }
        gathered.clear();
        return last.ok() ? Status(done) : fail();
    };
    Statement rows(database_.get(),
                   "SELECT start, series, count, sum, least, most, last FROM fine "
                   "WHERE start >= ?1 AND start < ?2 ORDER BY start");
    rows.bind(1, from_s);
    rows.bind(2, to_s);
    std::int64_t quarter = 0;
    while (rows.step()) {
        const Bucket bucket = rows.bucket();
        if (cut(bucket.start_s, coarse_s) != quarter) {
            JW_TRY(end_quarter());
            quarter = cut(bucket.start_s, coarse_s);
        }
        Bucket& into = gathered[rows.number(1).value_or(0)];
        into.start_s = quarter;
        merge(into, bucket);
    }
    if (!rows.ok()) {
        return fail();
    }
    JW_TRY(end_quarter());
    return run(fmt::format("UPDATE progress SET rolled_to = {}", to_s));
}

Status HistoryStore::forget(std::int64_t now_s) {
    const std::int64_t oldest_s = cut(now_s - settings_.days * 86'400, coarse_s);
    JW_TRY(run(fmt::format(
        "DELETE FROM fine WHERE start < {0};DELETE FROM coarse WHERE start < {0}", oldest_s)));
    return forget_series();
}

/// Series of which nothing is left.
Status HistoryStore::forget_series() {
    JW_TRY(
        run("DELETE FROM series WHERE last < (SELECT min(start) FROM coarse) AND "
            "last < (SELECT min(start) FROM fine)"));
    return sqlite3_changes(database_.get()) > 0 ? load_series() : Status(done);
}

/// Where the bound is near, the oldest fine buckets go first, then the oldest coarse ones.
Status HistoryStore::make_room() {
    constexpr int rounds_max = 32;
    const std::uint64_t high = pages_max_ - pages_max_ / 16;
    const std::uint64_t low = pages_max_ - pages_max_ / 8;
    for (int round = 0; round < rounds_max; ++round) {
        const auto pages = number("PRAGMA page_count");
        JW_TRY(pages);
        const auto unused = number("PRAGMA freelist_count");
        JW_TRY(unused);
        const auto used = static_cast<std::uint64_t>(pages->value_or(0) - unused->value_or(0));
        bytes_used_ = used * page_size;
        if (used <= (round == 0 ? high : low)) {
            const bool too_long = static_cast<std::uint64_t>(pages->value_or(0)) > pages_max_;
            return too_long ? run("PRAGMA incremental_vacuum") : Status(done);
        }
        JW_TRY(drop_oldest());
    }
    return forget_series();
}

Status HistoryStore::drop_oldest() {
    const auto rolled_to = number("SELECT rolled_to FROM progress");
    JW_TRY(rolled_to);
    const auto fine = number("SELECT min(start) FROM fine");
    JW_TRY(fine);
    const auto coarse = number("SELECT min(start) FROM coarse");
    JW_TRY(coarse);
    const std::int64_t fine_end = rolled_to->value_or(0) - fine_least_s;
    if (*fine && **fine < fine_end) {
        const std::int64_t some = std::max(coarse_s, (fine_end - **fine) / 16);
        return run(fmt::format("DELETE FROM fine WHERE start < {}",
                               std::min(fine_end, cut(**fine, coarse_s) + some)));
    }
    if (*coarse) {
        const std::int64_t some = std::max(coarse_s, (rolled_to->value_or(0) - **coarse) / 16);
        return run(fmt::format("DELETE FROM coarse WHERE start < {}", **coarse + some));
    }
    return done;
}

}  // namespace jw
