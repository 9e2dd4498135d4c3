// SPDX-License-Identifier: Apache-2.0
// Commands through the API: from JSON to the gateway, and what became of them.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/fields.h"
#include "host/http/api.h"
#include "host/http/api_json.h"
#include "host/http/problem.h"
#include "host/json_message.h"

namespace jw::http {
namespace {

constexpr std::size_t commands_max = 50;
constexpr std::size_t keys_max = 64;
constexpr std::size_t key_size_max = 64;
constexpr Duration key_age_max = seconds(24 * 60 * 60);

/// 128 bits in the form of a UUID (RFC 9562, version 8: of our own making).
CommandId id_of(std::array<unsigned char, 32> bytes) {
    bytes[6] = static_cast<unsigned char>(0x80 | (bytes[6] & 0x0F));
    bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3F));
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
        text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    }
    return {text};
}

CommandId random_id() {
    std::array<unsigned char, 32> bytes{};
    const int made = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    CHECK(made == 1);
    return id_of(bytes);
}

/// The same key of the same person gives the same id, so that the gateway's own table of executed
/// ids holds a repeated request off even after a restart.
CommandId id_of_key(const std::string& key) {
    std::array<unsigned char, 32> digest{};
    const int made =
        EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    CHECK(made == 1);
    return id_of(digest);
}

/// A structured-field string ("…") or a bare one.
std::string plain_key(std::string_view header) {
    if (header.size() >= 2 && header.front() == '"' && header.back() == '"') {
        header = header.substr(1, header.size() - 2);
    }
    return std::string(header);
}

Response accepted(const CommandId& id) {
    Response response = json_response(fmt::format("{{\"id\":\"{}\"}}", id.view()), 202);
    response.headers.push_back({"Location", fmt::format("/api/v1/commands/{}", id.view())});
    return response;
}

Response refused(ResultCode code, const Command& command) {
    switch (code) {
        case ResultCode::busy:
            return problem(Problem::busy, "Another command is under way; try again.");
        case ResultCode::unknown_target:
            return problem(Problem::invalid_message,
                           "There is no such device.",
                           {{"/target", fmt::format("{} is unknown", command.target.view())}});
        case ResultCode::unsupported:
            return problem(
                Problem::invalid_message,
                "The device has nothing of this name to set.",
                {{"/quantity", fmt::format("{} cannot be set", command.quantity.view())}});
        case ResultCode::out_of_range:
            return problem(Problem::invalid_message,
                           "The device does not take this value.",
                           {{"/value", fmt::format("{} is out of range", command.value)}});
        default:
            return problem(Problem::invalid_message,
                           fmt::format("The command was refused: {}.", enum_name(code)));
    }
}

/// What a person may say of a command; id, issuer and counter belong to the gateway.
std::vector<ProblemDetail> read_command(const nlohmann::json& document, Command& command) {
    std::vector<ProblemDetail> errors;
    for (MessageError& error : from_json(document, command)) {
        errors.push_back({std::move(error.pointer), std::move(error.reason)});
    }
    for (const char* name : {"id", "issuer", "counter", "not_before", "expiry"}) {
        if (document.is_object() && document.contains(name)) {
            errors.push_back({std::string("/") + name, "the gateway sets this itself"});
        }
    }
    if (errors.empty() && command.target.empty()) {
        errors.push_back({"/target", "name the device"});
    }
    if (errors.empty() && command.action == Action::set &&
        (command.quantity.empty() || !document.contains("value"))) {
        errors.push_back({"/quantity", "say what to set, and to which value"});
    }
    return errors;
}

}  // namespace

std::optional<Response> Api::answer_known_key(const std::string& key,
                                              const Request& request) const {
    for (const KnownKey& known : keys_) {
        if (known.key != key || view_.now() - known.at > key_age_max) {
            continue;
        }
        return known.body == request.body
                   ? accepted(known.id)
                   : problem(Problem::key_reused, "Take a new key for a new command.");
    }
    return std::nullopt;
}

Response Api::post_command(const Request& request) {
    const std::string key = plain_key(request.header("Idempotency-Key"));
    if (key.size() > key_size_max) {
        return problem(Problem::malformed_request, "Give an Idempotency-Key of at most 64 bytes.");
    }
    const std::string owned_key = request.admission.who + "\n" + key;
    if (!key.empty()) {
        if (std::optional<Response> known = answer_known_key(owned_key, request)) {
            return *known;
        }
    }
    const auto document = nlohmann::json::parse(request.body, nullptr, false);
    if (document.is_discarded()) {
        return problem(Problem::invalid_message, "The body is not JSON.");
    }
    Command command;
    if (const auto errors = read_command(document, command); !errors.empty()) {
        return problem(Problem::invalid_message, "Mend what is listed under errors.", errors);
    }
    command.id = key.empty() ? random_id() : id_of_key(owned_key);
    CommandView seen;
    seen.id = command.id;
    seen.target = command.target;
    // The result may be told before submit() returns.
    commands_.push_back(seen);
    const ResultCode code = view_.submit(command);
    if (code != ResultCode::executed && code != ResultCode::repeated) {
        std::erase_if(commands_, [&](const CommandView& known) { return known.id == command.id; });
        return refused(code, command);
    }
    if (commands_.size() > commands_max) {
        commands_.pop_front();
    }
    if (!key.empty()) {
        keys_.push_back({owned_key, request.body, command.id, view_.now()});
        if (keys_.size() > keys_max) {
            keys_.pop_front();
        }
    }
    return accepted(command.id);
}

void Api::finished(const CommandResult& result, bool local) {
    ++command_counts_[{local ? "local" : "remote", result.code}];
    auto known = std::find_if(commands_.rbegin(), commands_.rend(), [&](const CommandView& seen) {
        return seen.id == result.id;
    });
    if (known == commands_.rend()) {
        CommandView seen;
        seen.id = result.id;
        commands_.push_back(seen);
        if (commands_.size() > commands_max) {
            commands_.pop_front();
        }
        known = commands_.rbegin();
    }
    known->target = result.target;
    known->finished = true;
    known->result = result;
    if (results_.size() < commands_max) {
        results_.push_back(api_json::command(*known));
    }
}

Response Api::get_command(const Request& request) const {
    const auto known =
        std::find_if(commands_.rbegin(), commands_.rend(), [&](const CommandView& seen) {
            return seen.id == request.parameter;
        });
    return known == commands_.rend()
               ? problem(Problem::not_found, "No command of the last 50 has this id.")
               : json_response(api_json::command(*known));
}

Response Api::list_commands() const {
    std::string items;
    for (auto known = commands_.rbegin(); known != commands_.rend(); ++known) {
        items += (items.empty() ? "" : ",") + api_json::command(*known);
    }
    return json_response(fmt::format("{{\"items\":[{}]}}", items));
}

}  // namespace jw::http
