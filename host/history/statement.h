// SPDX-License-Identifier: Apache-2.0
#pragma once
// Statement: one prepared statement of SQLite, and what a row of it has.
#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/history/bucket.h"

namespace jw {

/// The first error stays: ok() tells it after any number of steps.
class Statement {
  public:
    Statement(sqlite3* database, std::string_view sql)
        : result_(sqlite3_prepare_v2(
              database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr)) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() { (void)sqlite3_finalize(statement_); }

    /// Whether there is a row (more).
    bool step() {
        if (!ok()) {
            return false;
        }
        result_ = sqlite3_step(statement_);
        return result_ == SQLITE_ROW;
    }
    /// Makes it ready for the next values and the next step.
    void again() {
        if (ok()) {
            result_ = sqlite3_reset(statement_);
        }
    }
    [[nodiscard]] bool ok() const {
        return result_ == SQLITE_OK || result_ == SQLITE_ROW || result_ == SQLITE_DONE;
    }

    void bind(int place, std::optional<std::int64_t> number) {
        (void)(number ? sqlite3_bind_int64(statement_, place, *number)
                      : sqlite3_bind_null(statement_, place));
    }
    /// The text outlives the step.
    void bind(int place, const std::string& text) {
        (void)sqlite3_bind_text(
            statement_, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    }

    [[nodiscard]] std::optional<std::int64_t> number(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL
                   ? std::nullopt
                   : std::optional<std::int64_t>(sqlite3_column_int64(statement_, column));
    }
    [[nodiscard]] std::string text(int column) const {
        const auto* const text =
            reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        return text == nullptr ? std::string() : std::string(text);
    }
    /// Of a row start, series, count, sum, least, most, last.
    [[nodiscard]] Bucket bucket() const {
        Bucket bucket;
        bucket.start_s = sqlite3_column_int64(statement_, 0);
        bucket.count = sqlite3_column_int64(statement_, 2);
        bucket.last = sqlite3_column_int64(statement_, 6);
        bucket.sum = number(3).value_or(bucket.last * bucket.count);
        bucket.least = number(4).value_or(bucket.last);
        bucket.most = number(5).value_or(bucket.last);
        return bucket;
    }

  private:
    sqlite3_stmt* statement_ = nullptr;
    int result_;
};

}  // namespace jw
