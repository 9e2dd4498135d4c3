// SPDX-License-Identifier: Apache-2.0
#pragma once
// Errors of the API: application/problem+json (RFC 9457) of a fixed table of types.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/message.h"

namespace jw::http {

enum class Problem : std::uint8_t {
    malformed_request,
    not_signed_in,
    wrong_password,
    not_allowed,
    password_not_set,
    foreign_origin,
    not_found,
    method_not_allowed,
    timeout,
    key_reused,
    too_large,
    content_type,
    unknown_host,
    invalid_message,
    upgrade_required,
    too_many_guesses,
    header_too_large,
    internal,
    busy,
    not_written,
};

struct ProblemType {
    Problem problem;
    unsigned status;
    std::string_view name;   // the last part of its type: /problems/<name>
    std::string_view title;  // the same for every occurrence
};

/// All types; docs/api.md has the same table.
std::span<const ProblemType> problem_types();

/// One thing that is wrong with a body: where (a JSON pointer as URI fragment) and why.
struct ProblemDetail {
    std::string pointer;
    std::string detail;
};

/// The response of that type; `detail` is for people and says what to do.
Response problem(Problem type,
                 std::string_view detail,
                 const std::vector<ProblemDetail>& errors = {});

}  // namespace jw::http
