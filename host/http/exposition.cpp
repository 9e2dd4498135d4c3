// SPDX-License-Identifier: Apache-2.0
// Metrics as the client asks for them: which text format, and whether gzipped.
#include "host/http/exposition.h"

#include <algorithm>
#include <utility>

#include "host/http/gzip.h"

namespace jw::http {
namespace {

constexpr std::string_view total = "_total";

/// The family that a line "# HELP name …" or "# TYPE name …" declares; empty: another line.
std::string_view declared(std::string_view line) {
    constexpr std::size_t name_at = 7;
    if (!line.starts_with("# HELP ") && !line.starts_with("# TYPE ")) {
        return {};
    }
    line.remove_prefix(name_at);
    return line.substr(0, line.find(' '));
}

bool wants_open_metrics(const Request& request) {
    const std::string_view accept = request.header("Accept");
    const auto open_metrics = quality(accept, "application/openmetrics-text");
    const auto plain = quality(accept, "text/plain");
    return open_metrics && *open_metrics > 0 && *open_metrics >= plain.value_or(0);
}

}  // namespace

std::string as_open_metrics(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1);
        const std::string_view line = text.substr(0, end + 1);
        const std::string_view name = declared(line);
        if (name.ends_with(total)) {
            const auto cut = static_cast<std::size_t>(name.data() + name.size() - line.data());
            out.append(line.substr(0, cut - total.size())).append(line.substr(cut));
        } else {
            out.append(line);
        }
        text.remove_prefix(line.size());
    }
    return out.append("# EOF\n");
}

Response expose(const Request& request, std::string text) {
    Response response;
    const bool open_metrics = wants_open_metrics(request);
    response.headers = {
        {"Content-Type",
         open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                      : "text/plain; version=0.0.4; charset=utf-8"},
        {"Vary", "Accept, Accept-Encoding"},
    };
    response.body = open_metrics ? as_open_metrics(text) : std::move(text);
    if (quality(request.header("Accept-Encoding"), "gzip").value_or(0) > 0) {
        if (auto zipped = gzip(response.body)) {
            response.body = std::move(*zipped);
            response.headers.push_back({"Content-Encoding", "gzip"});
        }
    }
    return response;
}

}  // namespace jw::http
