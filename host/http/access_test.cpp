// SPDX-License-Identifier: Apache-2.0
// The door, without a socket: who is let through, and how guessing is slowed down.
#include "host/http/access.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <nlohmann/json.hpp>

#include "host/http/problem.h"

namespace jw::http {
namespace {

std::string digest_of(std::string_view text) {
    std::string digest(32, '\0');
    EVP_Digest(text.data(),
               text.size(),
               reinterpret_cast<unsigned char*>(digest.data()),
               nullptr,
               EVP_sha256(),
               nullptr);
    return digest;
}

/// Hashing takes half a second where the tests run instrumented: once for all of them.
const std::string& scrypt_of_horse() {
    static const std::string text = scrypt_text("correct horse", "0123456789abcdef");
    return text;
}

GatewaySettings::Web with_password() {
    GatewaySettings::Web settings;
    settings.password_scrypt = Secret(scrypt_of_horse());
    return settings;
}

GatewaySettings::Web with_tokens() {
    GatewaySettings::Web settings = with_password();
    settings.tokens = {{Name("grafana"), Role::viewer, digest_of("viewer-token")},
                       {Name("plant"), Role::operator_, digest_of("operator-token")},
                       {Name("fitter"), Role::installer, digest_of("installer-token")}};
    return settings;
}

bool run_here(const std::function<void()>& job, const std::function<void()>& finish) {
    job();
    finish();
    return true;
}

Request request(Verb verb, std::vector<Header> headers = {}) {
    Request made;
    made.verb = verb;
    made.path = "/";
    made.peer = "192.0.2.1";
    made.headers = std::move(headers);
    made.headers.push_back({"Host", "127.0.0.1:8080"});
    return made;
}

Route route(Verb verb, Right right) {
    Route made;
    made.verb = verb;
    made.right = right;
    return made;
}

unsigned status(Access& access, Request made, Right right, Instant now = {}) {
    const auto refused = access.refuse(made, route(made.verb, right), now);
    return refused ? refused->status : 200;
}

struct SignIn {
    unsigned status = 0;
    std::string cookie;  // "name=value"
    std::string all;     // the header
};

SignIn sign_in(Access& access,
               const std::string& password,
               Instant now = {},
               const std::string& peer = "192.0.2.1",
               bool encrypted = false) {
    Request made = request(Verb::post);
    made.peer = peer;
    made.encrypted = encrypted;
    made.body = nlohmann::json{{"password", password}}.dump();
    SignIn result;
    access.sign_in(
        made,
        [&](const Response& response) {
            result.status = response.status;
            for (const Header& header : response.headers) {
                if (header.name == "Set-Cookie") {
                    result.all = header.value;
                    result.cookie = header.value.substr(0, header.value.find(';'));
                }
            }
        },
        run_here,
        now);
    return result;
}

TEST(AccessTest, without_a_password_reading_is_open_and_acting_is_refused) {
    Access access(GatewaySettings::Web{}, {});
    EXPECT_EQ(status(access, request(Verb::get), Right::read), 200U);
    Request act = request(Verb::post);
    const auto refused = access.refuse(act, route(Verb::post, Right::act), {});
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, 403U);
    EXPECT_NE(refused->body.find("web.password_scrypt"), std::string::npos);
    EXPECT_EQ(sign_in(access, "").status, 403U);
}

TEST(AccessTest, with_a_password_only_open_routes_answer_without_a_session) {
    Access access(with_password(), {});
    EXPECT_EQ(status(access, request(Verb::get), Right::open), 200U);
    EXPECT_EQ(status(access, request(Verb::get), Right::read), 401U);
    EXPECT_EQ(status(access, request(Verb::post), Right::act), 401U);
    EXPECT_EQ(status(access, request(Verb::post), Right::admin), 401U);
}

TEST(AccessTest, a_session_opens_everything_to_the_owner) {
    Access access(with_password(), {});
    const SignIn session = sign_in(access, "correct horse");
    ASSERT_EQ(session.status, 204U);
    const Header cookie{"Cookie", "other=1; " + session.cookie};
    const Header origin{"Origin", "http://127.0.0.1:8080"};
    EXPECT_EQ(status(access, request(Verb::get, {cookie}), Right::read), 200U);
    EXPECT_EQ(status(access, request(Verb::post, {cookie, origin}), Right::admin), 200U);
}

TEST(AccessTest, the_cookie_is_out_of_reach_of_scripts_and_of_other_sites) {
    Access access(with_password(), {});
    const SignIn plain = sign_in(access, "correct horse");
    EXPECT_NE(plain.all.find("; HttpOnly; SameSite=Strict"), std::string::npos);
    EXPECT_EQ(plain.all.find("Secure"), std::string::npos);
    const SignIn tls = sign_in(access, "correct horse", {}, "192.0.2.1", true);
    EXPECT_EQ(tls.all.find("__Host-jouleway="), 0U);
    EXPECT_NE(tls.all.find("; Path=/; HttpOnly; SameSite=Strict; Secure"), std::string::npos);
}

TEST(AccessTest, each_sign_in_gets_a_new_id) {
    Access access(with_password(), {});
    EXPECT_NE(sign_in(access, "correct horse").cookie, sign_in(access, "correct horse").cookie);
}

TEST(AccessTest, a_session_ends_by_idleness_age_and_sign_out) {
    Access access(with_password(), {});
    const Header cookie{"Cookie", sign_in(access, "correct horse").cookie};
    const auto get = [&](std::int64_t at_s) {
        return status(access, request(Verb::get, {cookie}), Right::read, Instant{} + seconds(at_s));
    };
    EXPECT_EQ(get(1800), 200U);
    EXPECT_EQ(get(1800 + 1801), 401U);
    const Header again{"Cookie", sign_in(access, "correct horse").cookie};
    for (std::int64_t at_s = 0; at_s <= 43'200; at_s += 1500) {
        EXPECT_EQ(
            status(access, request(Verb::get, {again}), Right::read, Instant{} + seconds(at_s)),
            200U);
    }
    EXPECT_EQ(status(access, request(Verb::get, {again}), Right::read, Instant{} + seconds(43'201)),
              401U);
    Request made = request(Verb::remove, {{"Cookie", sign_in(access, "correct horse").cookie}});
    ASSERT_FALSE(access.refuse(made, route(Verb::remove, Right::open), {}).has_value());
    ASSERT_TRUE(made.admission.role.has_value());
    EXPECT_EQ(access.sign_out(made).status, 204U);
    EXPECT_EQ(status(access, request(Verb::get, {made.headers[0]}), Right::read), 401U);
    EXPECT_FALSE(access.still_admitted(made.admission, {}));
}

TEST(AccessTest, sessions_are_bounded_and_the_least_used_makes_room) {
    Sessions sessions;
    std::array<SessionKey, 33> keys;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Instant at = Instant{} + seconds(static_cast<std::int64_t>(i));
        keys[i] = digest_of(sessions.open(Role::owner, at));
    }
    EXPECT_FALSE(sessions.use(keys[0], Instant{} + seconds(40)).has_value());
    EXPECT_TRUE(sessions.use(keys[1], Instant{} + seconds(40)).has_value());
    EXPECT_TRUE(sessions.use(keys[32], Instant{} + seconds(40)).has_value());
}

TEST(AccessTest, no_prefix_of_a_token_or_session_is_taken) {
    Access access(with_tokens(), {});
    const std::string token = "viewer-token";
    Instant now;
    for (std::size_t size = 0; size < token.size(); ++size) {
        now = now + seconds(3600);
        const Header header{"Authorization", "Bearer " + token.substr(0, size)};
        EXPECT_EQ(status(access, request(Verb::get, {header}), Right::read, now), 401U) << size;
    }
    const std::string cookie = sign_in(access, "correct horse", now).cookie;
    for (std::size_t size = 0; size < cookie.size(); ++size) {
        const Header header{"Cookie", cookie.substr(0, size)};
        EXPECT_EQ(status(access, request(Verb::get, {header}), Right::read, now), 401U) << size;
    }
    EXPECT_EQ(status(access, request(Verb::get, {{"Cookie", cookie}}), Right::read, now), 200U);
}

TEST(AccessTest, other_schemes_than_bearer_are_refused) {
    for (const char* value : {"Basic dmlld2VyLXRva2Vu", "viewer-token", "Bearer", "bearer  "}) {
        Access access(with_tokens(), {});
        EXPECT_EQ(status(access, request(Verb::get, {{"Authorization", value}}), Right::read), 401U)
            << value;
    }
}

TEST(AccessTest, a_role_has_its_rights_and_no_more) {
    Access access(with_tokens(), {});
    const auto with = [&](const char* token, Right right) {
        return status(access,
                      request(Verb::post, {{"Authorization", std::string("Bearer ") + token}}),
                      right);
    };
    EXPECT_EQ(with("viewer-token", Right::read), 200U);
    EXPECT_EQ(with("viewer-token", Right::act), 403U);
    EXPECT_EQ(with("operator-token", Right::act), 200U);
    EXPECT_EQ(with("operator-token", Right::admin), 403U);
    EXPECT_EQ(with("installer-token", Right::admin), 200U);
}

TEST(AccessTest, a_foreign_origin_changes_nothing) {
    Access access(with_password(), {});
    const Header cookie{"Cookie", sign_in(access, "correct horse").cookie};
    for (const char* origin : {"http://evil.example",
                               "null",
                               "http://127.0.0.1:8081",
                               "http://127.0.0.1:8080.evil.example",
                               "127.0.0.1:8080"}) {
        EXPECT_EQ(status(access, request(Verb::post, {cookie, {"Origin", origin}}), Right::act),
                  403U)
            << origin;
    }
    EXPECT_EQ(status(access, request(Verb::post, {cookie}), Right::act), 403U);
    Request upgrade = request(Verb::get, {cookie, {"Origin", "http://evil.example"}});
    upgrade.upgrade = true;
    EXPECT_EQ(status(access, upgrade, Right::read), 403U);
    EXPECT_EQ(status(access, request(Verb::post, {{"Sec-Fetch-Site", "cross-site"}}), Right::open),
              403U);
}

TEST(AccessTest, only_own_names_and_addresses_are_hosts) {
    GatewaySettings::Web settings;
    settings.hosts = {"Energy.example"};
    Access access(settings, {"gw-1", "gw-1.local"});
    const auto asked_as = [&](const char* host) {
        Request made = request(Verb::get);
        made.headers = {{"Host", host}};
        return status(access, made, Right::read);
    };
    for (const char* host : {"127.0.0.1",
                             "[::1]:8080",
                             "localhost:1",
                             "GW-1",
                             "gw-1.local:8080",
                             "energy.example",
                             "192.0.2.7"}) {
        EXPECT_EQ(asked_as(host), 200U) << host;
    }
    for (const char* host : {"",
                             "evil.example",
                             "gw-1.evil.example",
                             "127.0.0.1.evil.example",
                             "[::1",
                             "localhost.evil.example:80",
                             "localhost."}) {
        EXPECT_EQ(asked_as(host), 421U) << host;
    }
}

TEST(AccessTest, wrong_passwords_cost_a_wait_that_doubles) {
    Access access(with_password(), {});
    EXPECT_EQ(sign_in(access, "wrong").status, 401U);
    EXPECT_EQ(sign_in(access, "correct horse").status, 429U);
    const Instant later = Instant{} + seconds(1);
    EXPECT_EQ(sign_in(access, "wrong", later).status, 401U);
    EXPECT_EQ(sign_in(access, "correct horse", later + milliseconds(1999)).status, 429U);
    EXPECT_EQ(sign_in(access, "correct horse", later, "192.0.2.2").status, 204U);
    EXPECT_EQ(sign_in(access, "correct horse", later + seconds(2)).status, 204U);
    EXPECT_EQ(sign_in(access, "wrong", later + seconds(2)).status, 401U);
}

TEST(AccessTest, no_source_gets_more_than_sixty_guesses_a_day) {
    GuessLimit limit;
    int tried = 0;
    int refused = 0;
    for (std::int64_t at_s = 0; at_s < 86'400; at_s += 8) {
        const Instant now = Instant{} + seconds(at_s);
        if (limit.wait("192.0.2.1", now) == Duration{}) {
            ++tried;
            limit.wrong("192.0.2.1", now);
        } else {
            ++refused;
        }
    }
    EXPECT_LE(tried, 60);
    EXPECT_GT(tried, 40);
    EXPECT_GE(tried + refused, 10'000);
}

TEST(AccessTest, one_network_of_ipv6_is_one_source) {
    GuessLimit limit;
    limit.wrong("2001:db8:0:1::1", {});
    EXPECT_GT(limit.wait("2001:db8:0:1:ffff::2", {}), Duration{});
    EXPECT_EQ(limit.wait("2001:db8:0:2::1", {}), Duration{});
}

TEST(AccessTest, a_body_that_is_no_password_is_refused_without_a_guess) {
    Access access(with_password(), {});
    for (const char* body : {"", "[]", "{}", R"({"password":7})", R"({"password":"a","x":1})"}) {
        Request made = request(Verb::post);
        made.body = body;
        unsigned answered = 0;
        access.sign_in(
            made, [&](const Response& response) { answered = response.status; }, run_here, {});
        EXPECT_EQ(answered, 422U) << body;
    }
    EXPECT_EQ(sign_in(access, "correct horse").status, 204U);
}

TEST(AccessTest, one_password_is_verified_at_a_time) {
    Access access(with_password(), {});
    std::function<void()> waiting;
    Request made = request(Verb::post);
    made.body = R"({"password":"wrong"})";
    unsigned first = 0;
    access.sign_in(
        made,
        [&](const Response& response) { first = response.status; },
        [&](const std::function<void()>& job, const std::function<void()>& finish) {
            waiting = [job, finish] {
                job();
                finish();
            };
            return true;
        },
        {});
    EXPECT_EQ(sign_in(access, "correct horse", {}, "192.0.2.9").status, 503U);
    waiting();
    EXPECT_EQ(first, 401U);
    EXPECT_EQ(sign_in(access, "correct horse", {}, "192.0.2.9").status, 204U);
}

TEST(AccessTest, the_session_tells_role_and_whether_a_password_is_needed) {
    Access open(GatewaySettings::Web{}, {});
    EXPECT_EQ(open.session(request(Verb::get)).body, R"({"role":null,"password_needed":false})");
    Access access(with_password(), {});
    Request made = request(Verb::get, {{"Cookie", sign_in(access, "correct horse").cookie}});
    ASSERT_FALSE(access.refuse(made, route(Verb::get, Right::open), {}).has_value());
    EXPECT_EQ(access.session(made).body, R"({"role":"owner","password_needed":true})");
}

TEST(ProblemTest, the_table_is_found_by_number_and_has_the_right_form) {
    std::size_t index = 0;
    for (const ProblemType& row : problem_types()) {
        EXPECT_EQ(static_cast<std::size_t>(row.problem), index++);
        const Response response = problem(row.problem, "detail \xFF", {{"/a", "b"}});
        const auto body = nlohmann::json::parse(response.body);
        EXPECT_EQ(body["type"], "/problems/" + std::string(row.name));
        EXPECT_EQ(body["status"], row.status);
        EXPECT_EQ(body["errors"][0]["pointer"], "#/a");
        EXPECT_EQ(response.headers.at(0).value, "application/problem+json");
    }
}

}  // namespace
}  // namespace jw::http
