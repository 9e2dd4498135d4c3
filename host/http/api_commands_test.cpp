// SPDX-License-Identifier: Apache-2.0
// Commands through the API over real sockets: keys, and the answer only once the disk has it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/http/fake_gateway.h"
#include "host/http/problem.h"
#include "host/http/test_client.h"

namespace jw::http {
namespace {

using Json = nlohmann::json;

TEST(ApiCommandsTest, the_same_key_with_the_same_body_is_one_command) {
    Site site(guarded_web());
    TestClient client = site.client();
    const std::string headers = std::string(operator_token) + "Idempotency-Key: \"k-1\"\r\n";
    const char* body = R"({"target":"relay","quantity":"relay_closed","value":1})";
    const Answer first = client.ask("POST /api/v1/commands", headers, body);
    const Answer second = client.ask("POST /api/v1/commands", headers, body);
    EXPECT_EQ(first.body, second.body);
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
    const Answer other = client.ask("POST /api/v1/commands",
                                    headers,
                                    R"({"target":"relay","quantity":"relay_closed","value":0})");
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(Json::parse(other.body)["type"], "/problems/key-reused");
    site.gateway.keys.clear();  // its day is over
    const Answer anew = client.ask("POST /api/v1/commands", headers, body);
    ASSERT_EQ(site.gateway.submitted.size(), 2U);
    EXPECT_EQ(anew.status, 202);
    EXPECT_NE(anew.body, first.body);
    EXPECT_EQ(
        client
            .ask("POST /api/v1/commands",
                 std::string(operator_token) + "Idempotency-Key: " + std::string(65, 'k') + "\r\n",
                 body)
            .status,
        400);
}

const char* const close_relay = R"({"target":"relay","quantity":"relay_closed","value":1})";

std::string post_request(const std::string& headers) {
    return "POST /api/v1/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
           "Content-Length: " +
           std::to_string(std::string_view(close_relay).size()) + "\r\n" + headers + "\r\n" +
           close_relay;
}

bool answered(Site& site, TestClient& client) {
    for (int i = 0; i < 50; ++i) {
        site.io.restart();
        site.io.poll();
        (void)client.take();
    }
    return !client.incoming().empty();
}

TEST(ApiCommandsTest, a_command_is_answered_only_once_the_disk_has_it) {
    Site site(guarded_web());
    site.gateway.written.reset();
    const std::string headers = std::string(operator_token) + "Idempotency-Key: k-1\r\n";
    TestClient first = site.client();
    TestClient repeated = site.client();
    first.send(post_request(headers));
    EXPECT_FALSE(answered(site, first));
    repeated.send(post_request(headers));
    EXPECT_FALSE(answered(site, repeated));
    ASSERT_EQ(site.gateway.submitted.size(), 1U);
    site.api.begun(site.gateway.submitted[0].id, done);
    EXPECT_EQ(first.receive().status, 202);
    EXPECT_EQ(repeated.receive().status, 202);
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", headers, close_relay).status, 202);
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
}

TEST(ApiCommandsTest, a_command_that_the_disk_does_not_take_is_refused_and_repeated_so) {
    Site site(guarded_web());
    site.gateway.written = JW_FAIL(internal);
    const std::string headers = std::string(operator_token) + "Idempotency-Key: k-1\r\n";
    for (int i = 0; i < 2; ++i) {
        const Answer answer = site.client().ask("POST /api/v1/commands", headers, close_relay);
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(Json::parse(answer.body)["type"], "/problems/not-written");
    }
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
}

TEST(ApiCommandsTest, a_key_that_only_the_disk_knows_has_its_answer_and_refuses_another_body) {
    Site site(guarded_web());
    TestClient client = site.client();
    const std::string headers = std::string(operator_token) + "Idempotency-Key: k-1\r\n";
    const Answer first = client.ask("POST /api/v1/commands", headers, close_relay);
    for (int i = 0; i < 100; ++i) {  // until this life of the program knows nothing of it
        const CommandId id("c-" + std::to_string(i));
        site.api.finished({id, Name("relay"), ResultCode::executed, {}, {}}, true);
    }
    EXPECT_EQ(client.ask("POST /api/v1/commands", headers, close_relay).body, first.body);
    const char* const open_relay = R"({"target":"relay","quantity":"relay_closed","value":0})";
    EXPECT_EQ(client.ask("POST /api/v1/commands", headers, open_relay).status, 422);
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
    site.gateway.keys.begin()->second.refused = true;
    EXPECT_EQ(client.ask("POST /api/v1/commands", headers, close_relay).status, 503);
    EXPECT_EQ(site.gateway.submitted.size(), 1U);
}

TEST(ApiCommandsTest, a_table_full_of_signed_commands_is_busy_with_the_true_reason) {
    Site site(guarded_web());
    site.gateway.written = JW_FAIL(full);
    const std::string headers = std::string(operator_token) + "Idempotency-Key: k-1\r\n";
    const Answer answer = site.client().ask("POST /api/v1/commands", headers, close_relay);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(Json::parse(answer.body)["type"], "/problems/busy");
    EXPECT_NE(answer.body.find("have not expired"), std::string::npos);
    site.gateway.written = done;  // room again: the same key may be used, nothing was begun
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", headers, close_relay).status, 202);
}

TEST(ApiCommandsTest, a_disk_that_says_nothing_for_eight_seconds_leaves_nobody_waiting) {
    Site site(guarded_web());
    site.gateway.written.reset();
    TestClient client = site.client();
    client.send(post_request(operator_token));
    EXPECT_FALSE(answered(site, client));
    site.gateway.now = site.gateway.now + seconds(7);
    (void)site.api.step(site.server, site.gateway.now);
    EXPECT_FALSE(answered(site, client));
    site.gateway.now = site.gateway.now + seconds(1);
    (void)site.api.step(site.server, site.gateway.now);
    const Answer answer = client.receive();
    EXPECT_EQ(answer.status, 503);
    const CommandId id = site.gateway.submitted.at(0).id;
    EXPECT_NE(answer.body.find("/api/v1/commands/" + std::string(id.view())), std::string::npos);
    site.api.begun(id, done);  // nobody waits any more
    EXPECT_FALSE(answered(site, client));
}

TEST(ApiCommandsTest, clients_that_went_away_and_clients_beyond_the_bound_harm_nobody) {
    Site site(guarded_web());
    site.gateway.written.reset();
    const std::string headers = std::string(operator_token) + "Idempotency-Key: k-1\r\n";
    for (int i = 0; i < 24; ++i) {
        TestClient gone = site.client();
        gone.send(post_request(headers));
        EXPECT_FALSE(answered(site, gone));
    }
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", headers, close_relay).status, 503);
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", operator_token, close_relay).status, 503);
    ASSERT_EQ(site.gateway.submitted.size(), 1U);
    site.api.begun(site.gateway.submitted[0].id, done);
    EXPECT_EQ(site.client().ask("POST /api/v1/commands", headers, close_relay).status, 202);
}

TEST(ApiCommandsTest, a_command_of_an_earlier_life_is_recalled_from_disk) {
    Site site({});
    site.gateway.recalled = CommandView{CommandId("c-1"), Name("relay"), true, false, {}};
    TestClient client = site.client();
    EXPECT_EQ(Json::parse(client.ask("GET /api/v1/commands/c-1").body)["state"], "running");
    site.gateway.recalled->finished = true;
    site.gateway.recalled->result.code = ResultCode::interrupted;
    EXPECT_EQ(Json::parse(client.ask("GET /api/v1/commands/c-1").body)["code"], "interrupted");
    EXPECT_EQ(client.ask("GET /api/v1/commands/c-2").status, 404);
}

}  // namespace
}  // namespace jw::http
