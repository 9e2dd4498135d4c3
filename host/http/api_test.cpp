// SPDX-License-Identifier: Apache-2.0
// The API over real sockets: every route against its description, the door, commands, events.
#include "host/http/api.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "host/embedded.h"
#include "host/http/fake_battery.h"
#include "host/http/fake_gateway.h"
#include "host/http/problem.h"
#include "host/http/test_client.h"

#ifdef __SANITIZE_ADDRESS__
// From the run-time library; g++ ships it without its header.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace jw::http {
namespace {

using Json = nlohmann::json;

std::string concrete(const std::string& path) {
    const std::size_t brace = path.find('{');
    return brace == std::string::npos
               ? path
               : path.substr(0, brace) + "x" + path.substr(path.find('}') + 1);
}

/// Holds a body against a schema of the description.
testing::AssertionResult fits(const std::string& schema_name, const std::string& body) {
    static const Json description = Json::parse(as_text(embedded_file("openapi.json")->bytes));
    const Json document = Json::parse(body, nullptr, false);
    if (document.is_discarded()) {
        return testing::AssertionFailure() << "not JSON: " << body;
    }
    const Json root = {{"allOf", {{{"$ref", "#/components/schemas/" + schema_name}}}},
                       {"components", description["components"]}};
    valijson::Schema schema;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(root), schema);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) {
        return testing::AssertionSuccess();
    }
    auto failure = testing::AssertionFailure() << body;
    for (const auto& error : results) {
        failure << "\n" << error.description;
        for (const std::string& place : error.context) {
            failure << " " << place;
        }
    }
    return failure;
}

TEST(ApiTest, no_route_answers_without_a_session_but_the_open_ones) {
    // The walk goes over the table of the router, so that a new route is in it by itself.
    Site site(guarded_web());
    std::vector<std::string> open;
    for (const Route& route : site.router.routes()) {
        const std::string line = std::string(enum_name(route.verb)) + " " + concrete(route.path);
        const std::string body = route.body_max > 0 ? "{}" : "";
        const Answer answer = site.client().ask(line, route.websocket ? upgrade_headers : "", body);
        if (answer.status == 401) {
            EXPECT_TRUE(fits("Problem", answer.body));
            EXPECT_NE(answer.header("WWW-Authenticate"), "");
        } else {
            open.push_back(std::string(enum_name(route.verb)) + " " + route.path);
        }
    }
    EXPECT_EQ(open,
              (std::vector<std::string>{"GET /healthz",
                                        "POST /api/v1/session",
                                        "GET /api/v1/session",
                                        "DELETE /api/v1/session",
                                        "GET /{page}*"}));
    EXPECT_TRUE(site.gateway.submitted.empty());
}

TEST(ApiTest, head_and_other_spellings_are_no_way_round_the_door) {
    Site site(guarded_web());
    for (const char* path : {"/api/v1/status", "/metrics", "/api/v1/devices?x=/healthz"}) {
        EXPECT_EQ(site.client().ask(std::string("HEAD ") + path).status, 401) << path;
        EXPECT_EQ(site.client().ask(std::string("GET ") + path).status, 401) << path;
    }
    for (const char* path : {"/api/v1/status/",
                             "/api//v1/status",
                             "/API/v1/status",
                             "/healthz/../api/v1/status",
                             "/api/v1/status%3f",
                             "/api/v1/%73tatus"}) {
        EXPECT_EQ(site.client().ask(std::string("GET ") + path).status, 404) << path;
    }
}

TEST(ApiTest, every_route_is_described_and_every_description_has_its_route) {
    Site site({});
    const Json description = Json::parse(as_text(embedded_file("openapi.json")->bytes));
    std::vector<std::string> routes;
    for (const Route& route : site.router.routes()) {
        if (!route.path.ends_with('*')) {
            routes.push_back(std::string(enum_name(route.verb)) + " " + route.path + " " +
                             enum_name(route.right));
        }
    }
    std::vector<std::string> described;
    for (const auto& [path, operations] : description["paths"].items()) {
        for (const auto& [verb, operation] : operations.items()) {
            std::string upper = verb;
            std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
                return static_cast<char>(c - 'a' + 'A');
            });
            described.push_back(
                fmt::format("{} {} {}", upper, path, operation["x-right"].get<std::string>()));
            EXPECT_TRUE(operation.contains("operationId"));
            EXPECT_TRUE(operation["responses"].contains("default"));
            EXPECT_EQ(operation["security"].empty(), operation["x-right"] == "open");
        }
    }
    std::sort(routes.begin(), routes.end());
    std::sort(described.begin(), described.end());
    EXPECT_EQ(routes, described);
}

TEST(ApiTest, every_get_fits_its_description) {
    Site site({});
    site.gateway.reading(site.api, -1520);
    FakeBattery battery;
    battery.read(3300, site.gateway.now);
    site.gateway.batteries.push_back(battery.view());
    site.api.finished({CommandId("c-1"), Name("relay"), ResultCode::device_silent, {}, {}}, false);
    const Json description = Json::parse(as_text(embedded_file("openapi.json")->bytes));
    std::size_t checked = 0;
    TestClient client = site.client();
    for (const auto& [path, operations] : description["paths"].items()) {
        if (!operations.contains("get") || !operations["get"]["responses"].contains("200")) {
            continue;
        }
        const Json& content = operations["get"]["responses"]["200"]["content"];
        const Json schema = content.value("/application~1json/schema"_json_pointer, Json());
        if (!schema.contains("$ref")) {
            continue;
        }
        std::string asked = path == "/api/v1/commands/{id}" ? "/api/v1/commands/c-1" : path;
        asked += path.ends_with("recent") || path.ends_with("history")
                     ? "?device=grid&name=power_l1_w"
                     : "";
        if (const std::size_t name = asked.find("{name}"); name != std::string::npos) {
            asked.replace(name, 6, asked.find("/battery/") != std::string::npos ? "house" : "grid");
        }
        const Answer answer = client.ask("GET " + asked);
        EXPECT_EQ(answer.status, 200) << asked;
        EXPECT_EQ(answer.header("Content-Type"), "application/json");
        const auto reference = schema["$ref"].get<std::string>();
        EXPECT_TRUE(fits(reference.substr(reference.rfind('/') + 1), answer.body)) << asked;
        ++checked;
    }
    EXPECT_EQ(checked, 15U);
}

TEST(ApiTest, the_description_is_the_file_of_the_repository) {
    std::ifstream file(JW_SOURCE "/docs/openapi.json");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    Site site({});
    const Answer answer = site.client().ask("GET /api/openapi.json");
    EXPECT_EQ(answer.body, text);
    EXPECT_EQ(Json::parse(text)["openapi"], "3.1.1");
}

TEST(ApiTest, the_table_of_problems_stands_in_the_documentation) {
    std::ifstream file(JW_SOURCE "/docs/api.md");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    for (const ProblemType& row : problem_types()) {
        const std::string line = "| " + std::string(row.name) + " | " + std::to_string(row.status) +
                                 " | " + std::string(row.title) + " |\n";
        EXPECT_NE(text.find(line), std::string::npos) << line;
    }
}

TEST(ApiTest, what_is_absent_is_null) {
    Site site({});
    site.gateway.unix_ms.reset();
    TestClient client = site.client();
    const Json status = Json::parse(client.ask("GET /api/v1/status").body);
    EXPECT_TRUE(status["time"].is_null());
    EXPECT_EQ(status["devices"]["starting"], 2);
    EXPECT_EQ(status["delivery"]["oldest_age_s"], 90);
    const Json devices = Json::parse(client.ask("GET /api/v1/devices").body);
    EXPECT_TRUE(devices["items"][0]["last_reading_age_ms"].is_null());
    EXPECT_EQ(devices["items"][0]["settable"].size(), 1U);
    const Json outbox = Json::parse(client.ask("GET /api/v1/outbox").body);
    EXPECT_EQ(outbox["epoch"], "0000000000abcdef");
    EXPECT_EQ(outbox["keep_every"], 4);
    EXPECT_EQ(outbox["classes"][3]["thinned"], 21);
    EXPECT_TRUE(outbox["sinks"][0]["durable_to"].is_null());
}

TEST(ApiTest, latest_values_have_name_index_age_and_say_when_they_are_stale) {
    Site site({});
    site.gateway.reading(site.api, -1520);
    site.gateway.now = site.gateway.now + seconds(11);
    const Json latest = Json::parse(site.client().ask("GET /api/v1/readings/latest").body);
    const Json& value = latest["items"][0]["values"][1];
    EXPECT_EQ(value["name"], "power_l1_w");
    EXPECT_EQ(value["quantity"], "power_w");
    EXPECT_EQ(value["index"], 1);
    EXPECT_EQ(value["value"], -1520);
    EXPECT_EQ(value["age_ms"], 11'000);
    EXPECT_EQ(value["stale"], true);
}

TEST(ApiTest, recent_values_are_found_by_device_and_name) {
    Site site({});
    site.gateway.reading(site.api, 100);
    site.gateway.now = site.gateway.now + seconds(12);
    TestClient client = site.client();
    const Json recent =
        Json::parse(client.ask("GET /api/v1/readings/recent?device=grid&name=power_w").body);
    EXPECT_EQ(recent["values"], Json({100}));
    EXPECT_EQ(recent["to"], 1'790'000'000'000 - 2000);
    EXPECT_EQ(client.ask("GET /api/v1/readings/recent?device=grid&name=nonsense").status, 422);
    EXPECT_EQ(client.ask("GET /api/v1/readings/recent?device=x&name=power_w").status, 404);
    EXPECT_EQ(client.ask("GET /api/v1/readings/recent").status, 422);
    EXPECT_EQ(
        Json::parse(
            client.ask("GET /api/v1/readings/recent?device=relay&name=power_w").body)["values"]
            .size(),
        0U);
}

TEST(ApiTest, faults_come_worst_first) {
    Site site({});
    const Json faults = Json::parse(site.client().ask("GET /api/v1/faults").body);
    EXPECT_EQ(faults["items"][0]["severity"], "alarm");
    EXPECT_EQ(faults["items"][1]["since_age_s"], 1000);
}

TEST(ApiTest, a_command_is_taken_and_its_result_found) {
    Site site(guarded_web());
    TestClient client = site.client();
    const Answer taken = client.ask("POST /api/v1/commands",
                                    operator_token,
                                    R"({"target":"relay","quantity":"relay_closed","value":1})");
    ASSERT_EQ(taken.status, 202) << taken.body;
    EXPECT_TRUE(fits("Accepted", taken.body));
    const auto id = Json::parse(taken.body)["id"].get<std::string>();
    EXPECT_EQ(taken.header("Location"), "/api/v1/commands/" + id);
    ASSERT_EQ(site.gateway.submitted.size(), 1U);
    EXPECT_EQ(site.gateway.submitted[0].id, id);
    EXPECT_TRUE(site.gateway.submitted[0].issuer.empty());
    const Answer running = client.ask("GET /api/v1/commands/" + id, operator_token);
    EXPECT_EQ(Json::parse(running.body)["state"], "running");
    site.api.finished({CommandId(id), Name("relay"), ResultCode::executed, {}, 1}, true);
    const Json finished =
        Json::parse(client.ask("GET /api/v1/commands/" + id, operator_token).body);
    EXPECT_EQ(finished["state"], "done");
    EXPECT_EQ(finished["code"], "executed");
    EXPECT_EQ(finished["value"], 1);
}

TEST(ApiTest, a_command_that_cannot_be_is_refused_by_pointer) {
    Site site(guarded_web());
    TestClient client = site.client();
    const auto pointer_of = [&](const char* body) {
        const Answer answer = client.ask("POST /api/v1/commands", operator_token, body);
        EXPECT_EQ(answer.status, 422) << body;
        EXPECT_TRUE(fits("Problem", answer.body));
        const Json problem = Json::parse(answer.body);
        return problem.contains("errors") ? problem["errors"][0]["pointer"].get<std::string>()
                                          : std::string();
    };
    EXPECT_EQ(pointer_of(R"({"quantity":"relay_closed","value":1})"), "#/target");
    EXPECT_EQ(pointer_of(R"({"target":"relay","value":1})"), "#/quantity");
    EXPECT_EQ(pointer_of(R"({"target":"relay","quantity":"relay_closed"})"), "#/quantity");
    EXPECT_EQ(pointer_of(R"({"target":"relay","quantity":"x","value":1.5})"), "#/value");
    EXPECT_EQ(pointer_of(R"({"target":"relay","quantity":"x","value":1,"id":"y"})"), "#/id");
    EXPECT_EQ(pointer_of(R"({"target":"relay","quantity":"x","value":1,"colour":"y"})"),
              "#/colour");
    EXPECT_EQ(pointer_of("[1]"), "#");
    EXPECT_EQ(pointer_of("{"), "");
    EXPECT_TRUE(site.gateway.submitted.empty());
    const char* good = R"({"target":"relay","quantity":"relay_closed","value":1})";
    site.gateway.answer = ResultCode::unknown_target;
    EXPECT_EQ(pointer_of(good), "#/target");
    site.gateway.answer = ResultCode::out_of_range;
    EXPECT_EQ(pointer_of(good), "#/value");
    site.gateway.answer = ResultCode::busy;
    EXPECT_EQ(client.ask("POST /api/v1/commands", operator_token, good).status, 503);
    EXPECT_EQ(client.ask("GET /api/v1/commands", operator_token).body, R"({"items":[]})");
}

TEST(ApiTest, only_the_last_fifty_commands_are_listed) {
    Site site({});
    for (int i = 0; i < 60; ++i) {
        site.api.finished(
            {CommandId("c-" + std::to_string(i)), Name("relay"), ResultCode::executed, {}, {}},
            true);
    }
    const Json list = Json::parse(site.client().ask("GET /api/v1/commands").body);
    EXPECT_EQ(list["items"].size(), 50U);
    EXPECT_EQ(list["items"][0]["id"], "c-59");
    EXPECT_EQ(site.client().ask("GET /api/v1/commands/c-9").status, 404);
}

TEST(ApiTest, signing_in_opens_the_gateway_and_signing_out_closes_it) {
    Site site(guarded_web());
    TestClient client = site.client();
    EXPECT_EQ(client.ask("GET /api/v1/session").body, R"({"role":null,"password_needed":true})");
    EXPECT_EQ(client.ask("POST /api/v1/session", "", R"({"password":"wrong"})").status, 401);
    site.gateway.now = site.gateway.now + seconds(2);
    const Answer session =
        client.ask("POST /api/v1/session", "", R"({"password":"correct horse"})");
    ASSERT_EQ(session.status, 204);
    const std::string set = session.header("Set-Cookie");
    const std::string cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    EXPECT_EQ(client.ask("GET /api/v1/status", cookie).status, 200);
    const std::string own = cookie + "Origin: http://127.0.0.1\r\n";
    const char* body = R"({"target":"relay","quantity":"relay_closed","value":1})";
    // What is refused unread ends its connection: each asks on one of its own.
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", own, body).status, 202);
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", cookie, body).status, 403);
    EXPECT_EQ(site.client()
                  .ask("POST /api/v1/commands", cookie + "Origin: http://evil.example\r\n", body)
                  .status,
              403);
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
    EXPECT_EQ(site.client().ask("DELETE /api/v1/session", own).status, 204);
    EXPECT_EQ(site.client().ask("GET /api/v1/status", cookie).status, 401);
}

TEST(ApiTest, a_websocket_ends_with_its_session) {
    Site site(guarded_web());
    TestClient client = site.client();
    const std::string set =
        client.ask("POST /api/v1/session", "", R"({"password":"correct horse"})")
            .header("Set-Cookie");
    const std::string own =
        "Cookie: " + set.substr(0, set.find(';')) + "\r\nOrigin: http://127.0.0.1\r\n";
    TestClient events = site.client();
    EXPECT_EQ(events.ask("GET /api/v1/events", own + upgrade_headers).status, 101);
    site.server.tell("{}");
    EXPECT_EQ(site.server.listeners(), 1U);
    EXPECT_EQ(client.ask("DELETE /api/v1/session", own).status, 204);
    site.server.tell("{}");
    EXPECT_EQ(site.server.listeners(), 0U);
    EXPECT_TRUE(events.closed());
}

/// Messages of a WebSocket so far, by type.
std::vector<Json> messages(Site& site, TestClient& events) {
    for (int i = 0; i < 50; ++i) {
        site.io.restart();
        site.io.poll();
        (void)events.take();
    }
    std::vector<Json> all;
    std::string& in = events.incoming();
    while (in.size() >= 2) {
        std::size_t head = 2;
        std::size_t size = static_cast<unsigned char>(in[1]);
        if (size == 126) {
            head = 4;
            size = static_cast<std::size_t>(static_cast<unsigned char>(in[2])) << 8 |
                   static_cast<unsigned char>(in[3]);
        }
        if (in.size() < head + size) {
            break;
        }
        all.push_back(Json::parse(in.substr(head, size)));
        in.erase(0, head + size);
    }
    return all;
}

std::vector<std::string> types(const std::vector<Json>& all) {
    std::vector<std::string> names;
    names.reserve(all.size());
    for (const Json& message : all) {
        names.push_back(message["type"].get<std::string>());
    }
    return names;
}

TEST(ApiTest, events_tell_everything_once_and_then_what_changed) {
    Site site({});
    TestClient events = site.client();
    EXPECT_EQ(events.ask("GET /api/v1/events", upgrade_headers).status, 101);
    EXPECT_EQ(
        types(messages(site, events)),
        (std::vector<std::string>{"status", "devices", "readings", "outbox", "faults", "alerts"}));
    Instant next = site.api.step(site.server, site.gateway.now);
    (void)messages(site, events);
    EXPECT_EQ(next, site.gateway.now + seconds(1));
    site.gateway.reading(site.api, 5);
    EXPECT_EQ(site.api.step(site.server, site.gateway.now), next);
    EXPECT_TRUE(messages(site, events).empty());
    site.gateway.now = next;
    site.api.finished({CommandId("c"), Name("relay"), ResultCode::executed, {}, 1}, true);
    (void)site.api.step(site.server, site.gateway.now);
    const std::vector<Json> changed = messages(site, events);
    EXPECT_EQ(types(changed),
              (std::vector<std::string>{"status", "devices", "readings", "faults", "result"}));
    ASSERT_EQ(changed[2]["items"].size(), 1U);
    EXPECT_EQ(changed[2]["items"][0]["device"], "grid");
    EXPECT_EQ(changed[4]["code"], "executed");
}

TEST(ApiTest, health_and_readiness_are_told_apart) {
    Site site({});
    site.gateway.ready = false;
    EXPECT_EQ(site.client().ask("GET /healthz").status, 200);
    EXPECT_EQ(site.client().ask("GET /readyz").status, 503);
    site.gateway.ready = true;
    EXPECT_EQ(site.client().ask("GET /readyz").status, 200);
}

std::size_t allocated() {
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    return ::mallinfo2().uordblks;
#endif
}

void bad_session(Site& site, int kind) {
    TestClient client = site.client();
    switch (kind % 6) {
        case 0:
            client.send("\x16\x03\x01 nonsense\r\n\r\n");
            break;
        case 1:
            client.send("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x'));
            break;
        case 2:
            (void)client.ask("GET /api/v1/status",
                             "Cookie: jouleway=" + std::to_string(kind) + "\r\n");
            return;
        case 3:
            (void)client.ask("GET /api/v1/status",
                             "Authorization: Bearer " + std::to_string(kind) + "\r\n");
            return;
        case 4:
            (void)client.ask("POST /api/v1/session", "", R"({"password":"guess"})");
            return;
        default:
            (void)client.ask("GET /api/v1/events", "Upgrade: websocket\r\n");
            return;
    }
    (void)client.receive();
}

TEST(ApiTest, ten_thousand_bad_sessions_leave_no_memory_behind) {
    Site site(guarded_web());
    const auto settle = [&] {
        TestClient idle = site.client();
        (void)idle.run_until([&] { return site.server.connections() <= 1; });
        (void)idle.ask("GET /healthz", "Connection: close\r\n");
        (void)idle.run_until([&] { return site.server.connections() == 0; });
    };
    for (int i = 0; i < 600; ++i) {
        bad_session(site, i);
    }
    settle();
    const std::size_t before = allocated();
    constexpr int sessions =
#ifdef __SANITIZE_ADDRESS__
        2'000;
#else
        10'000;
#endif
    for (int i = 0; i < sessions; ++i) {
        bad_session(site, i);
    }
    settle();
    const std::size_t after = allocated();
    EXPECT_LE(after, before + before / 100) << before << " -> " << after;
}

}  // namespace
}  // namespace jw::http
