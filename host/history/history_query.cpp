// SPDX-License-Identifier: Apache-2.0
// The history's SQLite file: questions to it.
#include <algorithm>
#include <array>

#include "host/history/history_store.h"
#include "host/history/statement.h"

namespace jw {
namespace {

constexpr std::array<std::int64_t, 9> fine_steps_s{10, 20, 30, 60, 120, 180, 300, 450, 600};
constexpr std::array<std::int64_t, 9> coarse_steps_s{
    900, 1800, 2700, 3600, 7200, 10'800, 21'600, 43'200, 86'400};

std::int64_t at_least(std::int64_t needed_s, std::span<const std::int64_t> steps_s) {
    const auto step = std::ranges::lower_bound(steps_s, needed_s);
    const std::int64_t longest = steps_s.back();
    return step == steps_s.end() ? (needed_s + longest - 1) / longest * longest : *step;
}

constexpr const char* columns = "SELECT start, series, count, sum, least, most, last FROM ";

}  // namespace

/// The narrowest buckets that give no more points than asked for, and that reach back to the
/// beginning of the question.
Result<std::int64_t> HistoryStore::step_of(const HistoryQuery& query) {
    const std::int64_t points = std::clamp<std::int64_t>(query.points, 1, points_max);
    const auto fine = number("SELECT min(start) FROM fine");
    JW_TRY(fine);
    const auto coarse = number("SELECT min(start) FROM coarse");
    JW_TRY(coarse);
    // Where nothing is there is nothing to be narrower for.
    const std::int64_t oldest_s = std::min(fine->value_or(INT64_MAX), coarse->value_or(INT64_MAX));
    const std::int64_t range_s = std::max(
        query.to_s - std::max(query.from_s, std::min(oldest_s, query.to_s)), std::int64_t{1});
    const std::int64_t needed_s = (range_s + points - 1) / points;
    const bool fine_reaches = fine->has_value() && (query.from_s >= **fine || !*coarse ||
                                                    **coarse >= cut(**fine, coarse_s));
    const std::int64_t fine_most_s = query.unmerged ? fine_s : fine_steps_s.back();
    if (fine_reaches && needed_s <= fine_most_s && range_s <= points_max * fine_s) {
        return at_least(needed_s, fine_steps_s);
    }
    return at_least(needed_s, coarse_steps_s);
}

/// Fine buckets up to now are read where quarters of an hour are not rolled up yet.
Status HistoryStore::read(const HistoryQuery& query,
                          std::int64_t series,
                          const std::function<void(const Bucket&)>& take,
                          std::int64_t step_s) {
    const auto rolled = number("SELECT rolled_to FROM progress");
    JW_TRY(rolled);
    const bool is_fine = step_s < coarse_s;
    const std::int64_t width_s = is_fine ? fine_s : coarse_s;
    const auto oldest =
        number(is_fine ? "SELECT min(start) FROM fine" : "SELECT min(start) FROM coarse");
    JW_TRY(oldest);
    const auto newest =
        number(is_fine ? "SELECT max(start) FROM fine" : "SELECT max(start) FROM coarse");
    JW_TRY(newest);
    const std::int64_t from_s = cut(query.from_s, step_s);
    if (*oldest && *newest) {
        // One look-up a bucket: rows of one time lie together, not rows of one series.
        Statement one(database_.get(),
                      std::string(columns) + (is_fine ? "fine" : "coarse") +
                          " WHERE start = ?1 AND series = ?2");
        const std::int64_t end_s = std::min(query.to_s, **newest + 1);
        for (std::int64_t at = cut(std::max(from_s, **oldest), width_s); at < end_s;
             at += width_s) {
            one.bind(1, at);
            one.bind(2, series);
            if (one.step()) {
                take(one.bucket());
            }
            one.again();
        }
        if (!one.ok()) {
            return fail();
        }
    }
    if (is_fine) {
        return done;
    }
    Statement rest(database_.get(),
                   std::string(columns) + "fine WHERE start >= ?1 AND start < ?2 AND series = ?3");
    rest.bind(1, std::max(from_s, rolled->value_or(0)));
    rest.bind(2, query.to_s);
    rest.bind(3, series);
    while (rest.step()) {
        take(rest.bucket());
    }
    return rest.ok() ? Status(done) : fail();
}

Result<HistoryAnswer> HistoryStore::query(const HistoryQuery& query) {
    HistoryAnswer answer;
    answer.asked = query;
    const Status status = guarded([&]() -> Status {
        answer.buckets.clear();
        const auto step_s = step_of(query);
        JW_TRY(step_s);
        answer.step_s = *step_s;
        const auto known =
            ids_.find({std::string(query.series.device.view()), value_of(query.series)});
        if (known == ids_.end()) {
            return done;
        }
        return read(
            query,
            known->second,
            [&](const Bucket& bucket) {
                const std::int64_t start_s = cut(bucket.start_s, answer.step_s);
                if (answer.buckets.empty() || answer.buckets.back().start_s != start_s) {
                    answer.buckets.push_back({start_s});
                }
                merge(answer.buckets.back(), bucket);
            },
            answer.step_s);
    });
    JW_TRY(status);
    return answer;
}

Result<std::vector<HistorySeries>> HistoryStore::series() {
    std::vector<HistorySeries> all;
    const Status status = guarded([&]() -> Status {
        all.clear();
        const auto fine = number("SELECT min(start) FROM fine");
        JW_TRY(fine);
        const auto coarse = number("SELECT min(start) FROM coarse");
        JW_TRY(coarse);
        const std::int64_t oldest_s =
            std::min(fine->value_or(INT64_MAX), coarse->value_or(INT64_MAX));
        Statement rows(database_.get(),
                       "SELECT s.device, s.quantity, s.idx, s.first, "
                       "max(s.last, coalesce(f.last, 0)) FROM series s LEFT JOIN "
                       "(SELECT series, max(start) AS last FROM fine WHERE start >= "
                       "(SELECT rolled_to FROM progress) GROUP BY series) f ON f.series = s.id "
                       "ORDER BY s.device, s.quantity, s.idx");
        while (rows.step()) {
            HistorySeries one;
            one.series.device = rows.text(0);
            one.series.quantity = static_cast<Quantity>(rows.number(1).value_or(0));
            one.series.index = static_cast<std::uint8_t>(rows.number(2).value_or(0));
            one.from_s = std::max(rows.number(3).value_or(0), oldest_s);
            one.to_s = rows.number(4).value_or(0);
            all.push_back(one);
        }
        return rows.ok() ? Status(done) : fail();
    });
    JW_TRY(status);
    return all;
}

}  // namespace jw
