// SPDX-License-Identifier: Apache-2.0
#pragma once
// A request and its response as the routes see them: no socket, no parser.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "host/settings.h"

namespace jw::http {

enum class Verb : std::uint8_t { get, head, post, put, patch, remove, options, other };
constexpr auto enum_names(Verb) {
    return std::array{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"};
}

struct Header {
    std::string name;
    std::string value;
};

/// Digest of a session's id: what a session is found by.
using SessionKey = std::string;

/// Who is behind a request that the door let through.
struct Admission {
    std::optional<Role> role;  // absent on an open route without a session
    SessionKey session;        // empty: a token, or nobody
    std::string who;           // "session", "token grafana", "local"
};

struct Request {
    Verb verb = Verb::other;
    std::string path;   // begins with '/', nothing in it is escaped
    std::string query;  // as sent, without '?'
    std::vector<Header> headers;
    std::string body;
    std::string peer;        // IP address
    bool encrypted = false;  // came over TLS
    bool upgrade = false;    // asks for a WebSocket
    std::string parameter;   // what stood for {…} in the route's path
    Admission admission;

    /// The value of a header, or empty; names are compared without regard to case.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// A parameter of the query, unescaped; nothing where it is missing or badly escaped.
    [[nodiscard]] std::optional<std::string> asked(std::string_view name) const;
    [[nodiscard]] bool changes_state() const {
        return verb != Verb::get && verb != Verb::head && verb != Verb::options;
    }
};

struct Response {
    unsigned status = 200;
    std::vector<Header> headers;
    std::string body;
    Bytes fixed;  // instead of `body`: bytes that are part of the program
};

/// Takes the response; may be called later, but on the loop, and once.
using Reply = std::function<void(Response)>;

/// How much a header as Accept or Accept-Encoding likes `what`, 0 to 1: its own q, by default 1.
/// Nothing where it is not named itself; wildcards and other parameters do not count.
std::optional<double> quality(std::string_view header, std::string_view what);

Response json_response(std::string body, unsigned status = 200);

}  // namespace jw::http
