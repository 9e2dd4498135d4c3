// SPDX-License-Identifier: Apache-2.0
// Headers and query parameters.
#include "host/http/message.h"

#include <algorithm>
#include <charconv>

namespace jw::http {
namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

std::optional<std::string> unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        unsigned byte = 0;
        if (text.size() - i < 3) {
            return std::nullopt;
        }
        const char* digits = text.data() + i + 1;
        const auto parsed = std::from_chars(digits, digits + 2, byte, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != digits + 2) {
            return std::nullopt;
        }
        plain += static_cast<char>(byte);
        i += 2;
    }
    return plain;
}

/// Cuts off what stands before the next `separator`, without the spaces around it.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (part.starts_with(' ') || part.starts_with('\t')) {
        part.remove_prefix(1);
    }
    while (part.ends_with(' ') || part.ends_with('\t')) {
        part.remove_suffix(1);
    }
    return part;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const Header& header : headers) {
        if (same_name(header.name, name)) {
            return header.value;
        }
    }
    return {};
}

std::optional<std::string> Request::asked(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        const std::size_t split = std::min(pair.find('='), pair.size());
        if (pair.substr(0, split) == name) {
            return unescape(pair.substr(std::min(split + 1, pair.size())));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
}

std::optional<double> quality(std::string_view header, std::string_view what) {
    std::optional<double> best;
    while (!header.empty()) {
        std::string_view choice = cut(header, ',');
        if (!same_name(cut(choice, ';'), what)) {
            continue;
        }
        double liked = 1;
        while (!choice.empty()) {
            const std::string_view parameter = cut(choice, ';');
            if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
                liked = 0;  // unless there is a number
                std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), liked);
            }
        }
        best = std::max(best.value_or(0), liked);
    }
    return best;
}

Response json_response(std::string body, unsigned status) {
    Response response;
    response.status = status;
    response.headers.push_back({"Content-Type", "application/json"});
    response.body = std::move(body);
    return response;
}

}  // namespace jw::http
