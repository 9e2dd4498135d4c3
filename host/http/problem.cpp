// SPDX-License-Identifier: Apache-2.0
// The table of problem types and their JSON.
#include "host/http/problem.h"

#include <nlohmann/json.hpp>

namespace jw::http {
namespace {

using P = Problem;

constexpr ProblemType table[] = {
    {P::malformed_request, 400, "malformed-request", "The request cannot be read"},
    {P::not_signed_in, 401, "not-signed-in", "Sign in first"},
    {P::wrong_password, 401, "wrong-password", "The password is wrong"},
    {P::not_allowed, 403, "not-allowed", "Your role may not do this"},
    {P::password_not_set, 403, "password-not-set", "Acting needs a password to be set"},
    {P::foreign_origin, 403, "foreign-origin", "Another site asked for this"},
    {P::not_found, 404, "not-found", "There is nothing here"},
    {P::method_not_allowed, 405, "method-not-allowed", "This cannot be done here"},
    {P::timeout, 408, "timeout", "The request took too long"},
    {P::key_reused, 422, "key-reused", "The idempotency key belongs to another request"},
    {P::too_large, 413, "too-large", "The body is too large"},
    {P::content_type, 415, "content-type", "The body must be JSON"},
    {P::unknown_host, 421, "unknown-host", "This gateway has another name"},
    {P::invalid_message, 422, "invalid-message", "The message is not valid"},
    {P::upgrade_required, 426, "upgrade-required", "This is a WebSocket"},
    {P::too_many_guesses, 429, "too-many-guesses", "Too many wrong guesses"},
    {P::header_too_large, 431, "header-too-large", "The header is too large"},
    {P::internal, 500, "internal", "The gateway made a mistake"},
    {P::busy, 503, "busy", "The gateway has no room for this now"},
    {P::not_written, 503, "not-written", "The command is not on disk"},
};

}  // namespace

std::span<const ProblemType> problem_types() {
    return table;
}

Response problem(Problem type, std::string_view detail, const std::vector<ProblemDetail>& errors) {
    const ProblemType& row = table[static_cast<std::size_t>(type)];
    nlohmann::ordered_json body = {{"type", "/problems/" + std::string(row.name)},
                                   {"title", row.title},
                                   {"status", row.status},
                                   {"detail", detail}};
    for (const ProblemDetail& error : errors) {
        body["errors"].push_back({{"pointer", "#" + error.pointer}, {"detail", error.detail}});
    }
    Response response;
    response.status = row.status;
    response.headers.push_back({"Content-Type", "application/problem+json"});
    response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return response;
}

}  // namespace jw::http
