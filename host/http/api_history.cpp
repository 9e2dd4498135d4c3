// SPDX-License-Identifier: Apache-2.0
// Routes of the history: what a question may be, and what its answer is.
#include <fmt/format.h>

#include <charconv>

#include "host/http/api.h"
#include "host/http/history_body.h"
#include "host/http/problem.h"

namespace jw::http {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t points_of_chart = 300;
constexpr std::int64_t points_of_chart_max = 2000;
// The year 9999: what is behind is a slip, and no sum with it leaves the type.
constexpr std::int64_t unix_s_max = 253'402'300'799;

/// A whole number of a query, or what it is where the query does not have it; nothing where it is
/// no number, or out of its range.
std::optional<std::int64_t> asked_number(const Request& request,
                                         const char* name,
                                         std::int64_t otherwise,
                                         std::int64_t most) {
    const std::optional<std::string> text = request.asked(name);
    if (!text) {
        return otherwise;
    }
    std::int64_t number = 0;
    const char* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data(), end, number);
    const bool is_number = parsed.ec == std::errc{} && parsed.ptr == end && !text->empty();
    return is_number && number >= 0 && number <= most ? std::optional(number) : std::nullopt;
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= limits::name_size_max &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
               std::string_view::npos;
}

std::optional<HistoryQuery> read_query(const Request& request, std::int64_t now_s, bool csv) {
    HistoryQuery query;
    const std::optional<std::string> device = request.asked("device");
    const std::optional<std::string> name = request.asked("name");
    if (!device || !is_name(*device) || !name ||
        !parse_name(*name, query.series.quantity, query.series.index)) {
        return std::nullopt;
    }
    query.series.device = *device;
    const auto to_ms = asked_number(request, "to", (now_s + 1) * 1000, unix_s_max * 1000);
    if (!to_ms) {
        return std::nullopt;
    }
    query.to_s = (*to_ms + 999) / 1000;
    const auto from_ms = asked_number(
        request, "from", std::max<std::int64_t>(query.to_s - day_s, 0) * 1000, unix_s_max * 1000);
    const auto points = asked_number(request,
                                     "points",
                                     csv ? HistoryStore::points_max : points_of_chart,
                                     csv ? HistoryStore::points_max : points_of_chart_max);
    if (!from_ms || !points || *points == 0 || *from_ms >= *to_ms) {
        return std::nullopt;
    }
    query.from_s = *from_ms / 1000;
    query.points = *points;
    query.unmerged = csv;
    return query;
}

Response unanswered(Code code) {
    switch (code) {
        case Code::unsupported:
            return problem(Problem::not_found,
                           "There is no history: it is switched off (history.size_mb is 0), or its "
                           "file is of a newer program.");
        case Code::busy:
            return problem(Problem::busy, "Others ask, too; try again.");
        default:
            return problem(Problem::busy, "The disk does not give the history; see the faults.");
    }
}

void answer_with(const Reply& reply, const Result<std::string>& text) {
    reply(text ? json_response(*text) : unanswered(text.code()));
}

}  // namespace

void Api::add_history_routes(Router& router) {
    router.add(Verb::get,
               "/api/v1/history",
               Right::read,
               [this](const Request& request, const Reply& reply) { get_history(request, reply); });
    router.add(Verb::get,
               "/api/v1/history/series",
               Right::read,
               [this](const Request& /*request*/, const Reply& reply) {
                   view_.history_series(
                       &history_series_json,
                       [reply](const Result<std::string>& text) { answer_with(reply, text); });
               });
}

void Api::get_history(const Request& request, const Reply& reply) const {
    const std::string format = request.asked("format").value_or("json");
    const bool csv = format == "csv";
    const std::int64_t now_s = view_.unix_ms().value_or(0) / 1000;
    const std::optional<HistoryQuery> query = read_query(request, now_s, csv);
    if (!query || (!csv && format != "json")) {
        reply(problem(
            Problem::invalid_message,
            fmt::format("Ask with device=NAME&name=power_w, and from, to (Unix milliseconds, from "
                        "before to), points (1 to {}) and format (json or csv) as needed.",
                        csv ? HistoryStore::points_max : points_of_chart_max)));
        return;
    }
    view_.history(
        *query,
        csv ? &history_csv : &history_json,
        [reply,
         csv,
         file = fmt::format("{}-{}.csv", query->series.device.view(), *request.asked("name"))](
            const Result<std::string>& text) {
            if (!text || !csv) {
                answer_with(reply, text);
                return;
            }
            Response response;
            response.headers = {
                {"Content-Type", "text/csv; charset=utf-8; header=present"},
                {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file)}};
            response.body = *text;
            reply(std::move(response));
        });
}

}  // namespace jw::http
