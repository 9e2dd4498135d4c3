// SPDX-License-Identifier: Apache-2.0
// The history as JSON and as CSV.
#include "host/http/history_body.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <iterator>

#include "core/base/text.h"

namespace jw::http {
namespace {

std::string name_of(const SeriesKey& series) {
    std::array<char, 64> buffer{};
    Text text(buffer);
    put_name(series.quantity, series.index, text);
    return std::string(text.view());
}

/// What stands for the bucket: of a counter or a state its last value.
std::int64_t value_of(const Bucket& bucket, const QuantityInfo& about) {
    return about.behaviour == Behaviour::gauge ? mean(bucket) : bucket.last;
}

}  // namespace

std::string history_json(const HistoryAnswer& answer) {
    const QuantityInfo& about = info(answer.asked.series.quantity);
    std::string body =
        fmt::format(R"({{"device":"{}","name":"{}","unit":"{}","step_s":{},"points":[)",
                    answer.asked.series.device.view(),
                    name_of(answer.asked.series),
                    about.unit,
                    answer.step_s);
    const char* separator = "";
    for (const Bucket& bucket : answer.buckets) {
        fmt::format_to(std::back_inserter(body),
                       "{}[{},{},{},{}]",
                       separator,
                       bucket.start_s * 1000,
                       value_of(bucket, about),
                       bucket.least,
                       bucket.most);
        separator = ",";
    }
    return body + "]}";
}

std::string history_csv(const HistoryAnswer& answer) {
    const QuantityInfo& about = info(answer.asked.series.quantity);
    const std::string name = name_of(answer.asked.series);
    std::string body = fmt::format("time,unix_ms,{0},{0}_min,{0}_max,{0}_last,readings\r\n", name);
    for (const Bucket& bucket : answer.buckets) {
        fmt::format_to(std::back_inserter(body),
                       "{:%Y-%m-%dT%H:%M:%SZ},{},{},{},{},{},{}\r\n",
                       fmt::gmtime(static_cast<std::time_t>(bucket.start_s)),
                       bucket.start_s * 1000,
                       value_of(bucket, about),
                       bucket.least,
                       bucket.most,
                       bucket.last,
                       bucket.count);
    }
    return body;
}

std::string history_series_json(const std::vector<HistorySeries>& series) {
    std::string body = R"({"items":[)";
    const char* separator = "";
    for (const HistorySeries& one : series) {
        fmt::format_to(std::back_inserter(body),
                       R"({}{{"device":"{}","name":"{}","from":{},"to":{}}})",
                       separator,
                       one.series.device.view(),
                       name_of(one.series),
                       one.from_s * 1000,
                       one.to_s * 1000);
        separator = ",";
    }
    return body + "]}";
}

}  // namespace jw::http
