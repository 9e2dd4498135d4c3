// SPDX-License-Identifier: Apache-2.0
// Commands through the API: from JSON to the gateway, and what became of them.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/fields.h"
#include "host/http/api.h"
#include "host/http/api_json.h"
#include "host/http/problem.h"
#include "host/json_message.h"

namespace jw::http {
namespace {

constexpr std::size_t commands_max = 50;
constexpr std::size_t key_size_max = 64;
// Fewer than loopback has connections: others are still served.
constexpr std::size_t waiting_max = 24;
/// Shorter than what a connection or joulectl waits.
constexpr Duration written_within = seconds(8);

/// A random UUID (RFC 9562, version 4).
CommandId random_id() {
    std::array<unsigned char, 16> bytes{};
    const int made = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    CHECK(made == 1);
    bytes[6] = static_cast<unsigned char>(0x40 | (bytes[6] & 0x0F));
    bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3F));
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
        text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    }
    return {text};
}

/// 64 bits of a SHA-256, never 0. Only who may act makes such texts, and only his own could meet.
std::uint64_t digest_of(const std::string& text) {
    std::array<std::uint8_t, 32> digest{};
    const int made =
        EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    CHECK(made == 1);
    return std::max<std::uint64_t>(Reader(digest).u64_le(), 1);
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

Response unwritten(bool table_full) {
    if (table_full) {
        return problem(Problem::busy,
                       "Signed commands that have not expired fill the table of commands, so the "
                       "device was not asked. Send it again once some have expired, and let their "
                       "issuers give shorter expiries.");
    }
    return problem(Problem::not_written,
                   "The disk did not take the command, so the device was not asked. Check the "
                   "disk's space and health, then send it again with a new Idempotency-Key.");
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

CommandView* Api::find_command(std::string_view id) {
    const auto known = std::find_if(commands_.rbegin(),
                                    commands_.rend(),
                                    [&](const CommandView& seen) { return seen.id == id; });
    return known == commands_.rend() ? nullptr : &*known;
}

void Api::post_command(const Request& request, const Reply& reply) {
    const std::string key = plain_key(request.header("Idempotency-Key"));
    if (key.size() > key_size_max) {
        reply(problem(Problem::malformed_request, "Give an Idempotency-Key of at most 64 bytes."));
        return;
    }
    RequestKey asked;
    if (!key.empty()) {
        asked = {digest_of(request.admission.who + "\n" + key), digest_of(request.body)};
        if (const std::optional<KeyView> known = view_.find_key(asked.key)) {
            answer_again(*known, asked.request, reply);
            return;
        }
    }
    const auto document = nlohmann::json::parse(request.body, nullptr, false);
    if (document.is_discarded()) {
        reply(problem(Problem::invalid_message, "The body is not JSON."));
        return;
    }
    Command command;
    if (const auto errors = read_command(document, command); !errors.empty()) {
        reply(problem(Problem::invalid_message, "Mend what is listed under errors.", errors));
        return;
    }
    command.id = random_id();
    if (waiting_.size() >= waiting_max) {
        reply(problem(Problem::busy, "Too many commands wait for the disk; try again."));
        return;
    }
    CommandView seen;
    seen.id = command.id;
    seen.target = command.target;
    // What becomes of it may be told before submit() returns.
    commands_.push_back(seen);
    const ResultCode code = view_.submit(command, asked);
    if (code != ResultCode::executed) {
        std::erase_if(commands_, [&](const CommandView& other) { return other.id == command.id; });
        reply(refused(code, command));
        return;
    }
    answer_when_written(*find_command(command.id.view()), reply);
    if (commands_.size() > commands_max) {
        commands_.pop_front();
    }
}

/// The same key with the same body is the same command, with the same answer.
void Api::answer_again(const KeyView& known, std::uint64_t request, const Reply& reply) {
    if (known.request != request) {
        reply(problem(Problem::key_reused, "Take a new key for a new command."));
        return;
    }
    const CommandView* const seen = find_command(known.id.view());
    if (seen != nullptr && (seen->written || !seen->finished)) {
        answer_when_written(*seen, reply);
    } else if (known.refused) {
        reply(problem(Problem::not_written,
                      "The command under this key was not carried out. Send it again with a new "
                      "Idempotency-Key."));
    } else {
        reply(accepted(known.id));
    }
}

/// A command is promised only where the disk knows it: the power may fail behind the answer.
void Api::answer_when_written(const CommandView& seen, const Reply& reply) {
    if (seen.written) {
        reply(*seen.written ? accepted(seen.id) : unwritten(seen.table_full));
    } else if (waiting_.size() < waiting_max) {
        waiting_.push_back({seen.id, reply, view_.now() + written_within});
    } else {
        reply(problem(Problem::busy, "Too many requests wait for the disk; try again."));
    }
}

void Api::begun(const CommandId& id, Status written) {
    const bool table_full = !written && written.code() == Code::full;
    if (CommandView* const seen = find_command(id.view())) {
        seen->written = written.has_value();
        seen->table_full = table_full;
    }
    for (std::size_t i = waiting_.size(); i > 0; --i) {
        if (waiting_[i - 1].id == id) {
            waiting_[i - 1].reply(written ? accepted(id) : unwritten(table_full));
            waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
    }
}

void Api::give_up_waiting(Instant now) {
    std::erase_if(waiting_, [&](const Waiting& one) {
        if (now < one.until) {
            return false;
        }
        one.reply(problem(Problem::not_written,
                          fmt::format("The disk has not answered for {} s, so it is not known "
                                      "whether the command will be carried out. Ask again with the "
                                      "same Idempotency-Key, or look at /api/v1/commands/{}.",
                                      written_within.us / 1'000'000,
                                      one.id.view())));
        return true;
    });
}

void Api::finished(const CommandResult& result, bool local) {
    ++command_counts_[{local ? "local" : "remote", result.code}];
    CommandView* known = find_command(result.id.view());
    if (known == nullptr) {
        CommandView seen;
        seen.id = result.id;
        commands_.push_back(seen);
        if (commands_.size() > commands_max) {
            commands_.pop_front();
        }
        known = &commands_.back();
    }
    known->target = result.target;
    known->finished = true;
    known->result = result;
    if (results_.size() < commands_max) {
        results_.push_back(api_json::command(*known));
    }
}

Response Api::get_command(const Request& request) {
    if (const CommandView* const seen = find_command(request.parameter)) {
        return json_response(api_json::command(*seen));
    }
    const std::optional<CommandView> recalled = view_.recall(request.parameter);
    return recalled ? json_response(api_json::command(*recalled))
                    : problem(Problem::not_found, "Neither the disk nor the last 50 have this id.");
}

Response Api::list_commands() const {
    std::string items;
    for (auto known = commands_.rbegin(); known != commands_.rend(); ++known) {
        items += (items.empty() ? "" : ",") + api_json::command(*known);
    }
    return json_response(fmt::format("{{\"items\":[{}]}}", items));
}

}  // namespace jw::http
