// SPDX-License-Identifier: Apache-2.0
// `joulectl command`: has a gateway carry a command out, waits for the result and prints it.
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "apps/joulectl/http_client.h"
#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

std::string token_of(const CommandOptions& options) {
    std::string token = options.token;
    if (!options.token_file.empty()) {
        token = read_all(options.token_file);
        while (token.ends_with('\n') || token.ends_with('\r')) {
            token.pop_back();
        }
    }
    const char* from_environment = std::getenv("JOULECTL_TOKEN");
    return token.empty() && from_environment != nullptr ? from_environment : token;
}

/// A random id of one request, so that asking again after a lost answer does not act twice.
std::string new_id() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 4; ++i) {
        std::array<char, 9> part{};
        std::snprintf(part.data(), part.size(), "%08x", static_cast<unsigned>(random()));
        id += part.data();
    }
    return id;
}

/// What the gateway said instead of doing it: the text of an RFC 9457 problem, if it is one.
[[noreturn]] void refuse(const HttpAnswer& answer) {
    const Json problem = Json::parse(answer.body, nullptr, false);
    std::string text = "the gateway answered with HTTP status " + std::to_string(answer.status);
    if (problem.is_object()) {
        for (const char* member : {"title", "detail"}) {
            if (problem.contains(member) && problem[member].is_string()) {
                text += ": " + problem[member].get<std::string>();
            }
        }
    }
    if (answer.status == 401 || answer.status == 403) {
        text += "; give a token that may act: --token-file, or JOULECTL_TOKEN";
    }
    throw Failure("command: " + text);
}

Json json_of(const HttpAnswer& answer, const char* member) {
    Json body = Json::parse(answer.body, nullptr, false);
    if (!body.is_object() || !body.contains(member) || !body[member].is_string()) {
        throw Failure("command: the gateway's answer has no `" + std::string(member) +
                      "`; is this the address of a gateway?");
    }
    return body;
}

void wait(std::chrono::milliseconds time) {
    boost::asio::io_context io;
    boost::asio::steady_timer timer(io, time);
    timer.wait();
}

/// The result, once there is one.
Json result_of(const HttpAccess& access, const std::string& id, std::uint32_t timeout_s) {
    const auto deadline = Clock::now() + std::chrono::seconds(timeout_s);
    const bool terminal = isatty(STDERR_FILENO) != 0;
    for (int turn = 0; Clock::now() < deadline; ++turn) {
        const HttpAnswer answer = ask_gateway(access, "GET", "/api/v1/commands/" + id, {}, "");
        if (answer.status != 200) {
            refuse(answer);
        }
        Json result = json_of(answer, "state");
        if (result["state"] == "done") {
            if (terminal && turn > 0) {
                std::fprintf(stderr, "\n");
            }
            return result;
        }
        if (terminal) {
            std::fprintf(stderr, "\rcommand %s is under way%.*s", id.c_str(), turn % 4, "...");
        }
        wait(std::chrono::milliseconds(turn < 10 ? 100 : 500));
    }
    throw Failure("command: " + id + " was taken, but has no result after " +
                  std::to_string(timeout_s) +
                  " s; it may still be carried out. Look with: joulectl command --id " + id);
}

}  // namespace

int command(const CommandOptions& options) {
    HttpAccess access;
    access.gateway = parse_url(options.url);
    access.token = token_of(options);
    access.ca_file = options.ca_file;
    std::string id = options.id;
    if (id.empty()) {
        if (options.target.empty() || (!options.read && options.quantity.empty())) {
            throw UsageError("command: give TARGET QUANTITY VALUE, or TARGET --read, or --id ID");
        }
        Json body{{"target", options.target}, {"action", options.read ? "read" : "set"}};
        if (!options.read) {
            body["quantity"] = options.quantity;
            body["value"] = options.value;
        }
        const HttpAnswer answer = ask_gateway(
            access, "POST", "/api/v1/commands", {"Idempotency-Key: " + new_id()}, body.dump());
        if (answer.status != 202 && answer.status != 200) {
            refuse(answer);
        }
        id = json_of(answer, "id")["id"].get<std::string>();
    }
    const Json result = result_of(access, id, options.timeout_s);
    std::printf("%s\n", result.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    return result.value("code", "") == "executed" ? 0 : 1;
}

}  // namespace joulectl
