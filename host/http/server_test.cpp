// SPDX-License-Identifier: Apache-2.0
// The server over real sockets: what clients may do wrong, and what they may not do at all.
#include "host/http/server.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/embedded.h"
#include "host/http/problem.h"
#include "host/http/static_files.h"
#include "host/http/test_client.h"

namespace jw::http {
namespace {

class ServerTest : public testing::Test {
  protected:
    ServerTest() { build({}); }

    /// A server with a few routes; without a password, so that the door is open for reading.
    void build(const ServerLimits& limits) {
        server_.reset();
        router_ = Router();
        router_.add(Verb::get, "/hello", Right::read, [](const Request&, const Reply& reply) {
            reply(json_response(R"({"hello":1})"));
        });
        router_.add(
            Verb::get, "/things/{id}", Right::read, [](const Request& request, const Reply& reply) {
                reply(json_response(request.parameter + " " + request.asked("q").value_or("-")));
            });
        router_.add(
            Verb::post,
            "/echo",
            Right::open,
            [](const Request& request, const Reply& reply) { reply(json_response(request.body)); },
            64 * 1024);
        router_.add(Verb::get, "/later", Right::read, [this](const Request&, const Reply& reply) {
            later_.push_back(reply);
        });
        router_.add(Verb::get, "/evil", Right::read, [](const Request&, const Reply& reply) {
            Response response = json_response("{}");
            response.headers.push_back({"X-Name", "a\r\nSet-Cookie: b=c"});
            reply(response);
        });
        router_.add_websocket("/events", Right::read);
        router_.add(
            Verb::get, "/{page}*", Right::open, [](const Request& request, const Reply& reply) {
                reply(static_file(request));
            });
        server_ = std::make_unique<Server>(
            io_, router_, access_, [] { return Instant{}; }, limits);
        std::string reason;
        ASSERT_TRUE(server_->listen("127.0.0.1", 0, nullptr, reason)) << reason;
    }
    TestClient client() { return {io_, server_->port()}; }

    boost::asio::io_context io_;
    Router router_;
    Access access_{GatewaySettings::Web{}, {}};
    std::unique_ptr<Server> server_;
    std::vector<Reply> later_;
};

TEST_F(ServerTest, a_connection_answers_request_after_request) {
    TestClient one = client();
    for (int i = 0; i < 3; ++i) {
        const Answer answer = one.ask("GET /hello");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, R"({"hello":1})");
        EXPECT_EQ(answer.header("Connection"), "keep-alive");
    }
    EXPECT_EQ(server_->counters().connections, 1U);
    EXPECT_EQ(server_->counters().requests, 3U);
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_order) {
    TestClient one = client();
    one.send(
        "GET /things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /things/2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(one.receive().body, "1 -");
    EXPECT_EQ(one.receive().body, "2 -");
}

TEST_F(ServerTest, a_request_may_come_byte_by_byte) {
    TestClient one = client();
    for (const char c :
         std::string("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                     "Content-Type: application/json\r\n\r\n{}")) {
        one.send(std::string_view(&c, 1));
        io_.poll();
    }
    EXPECT_EQ(one.receive().body, "{}");
}

TEST_F(ServerTest, a_chunked_body_is_put_together) {
    TestClient one = client();
    one.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n");
    EXPECT_EQ(one.receive().body, "[1,2]");
}

TEST_F(ServerTest, head_has_the_header_of_get_and_no_body) {
    TestClient one = client();
    const Answer answer = one.ask("HEAD /hello");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Length"), "11");
    EXPECT_EQ(one.ask("GET /hello").body, R"({"hello":1})");
}

TEST_F(ServerTest, other_verbs_are_told_what_is_allowed) {
    TestClient one = client();
    const Answer refused = one.ask("PUT /hello");
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header("Allow"), "GET, HEAD");
    EXPECT_EQ(one.ask("OPTIONS /hello").status, 204);
}

TEST_F(ServerTest, parameters_of_path_and_query_arrive) {
    TestClient one = client();
    EXPECT_EQ(one.ask("GET /things/abc?x=1&q=a%20b+c").body, "abc a b c");
    EXPECT_EQ(one.ask("GET /things/abc?q=%zz").body, "abc -");
}

TEST_F(ServerTest, every_response_carries_the_security_headers) {
    TestClient one = client();
    for (const char* line : {"GET /hello", "GET /", "GET /nothing", "PUT /hello"}) {
        const Answer answer = one.ask(line);
        EXPECT_NE(answer.header("Content-Security-Policy").find("default-src 'none'"),
                  std::string::npos);
        EXPECT_EQ(answer.header("Content-Security-Policy").find("unsafe"), std::string::npos);
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(answer.header("X-Frame-Options"), "DENY");
    }
}

TEST_F(ServerTest, a_header_cannot_be_split) {
    EXPECT_EQ(client().ask("GET /evil").header("Set-Cookie"), "");
}

TEST_F(ServerTest, malformed_requests_get_a_problem_and_lose_the_connection) {
    for (const char* bytes :
         {"\x16\x03\x01\x02 hello\r\n\r\n",
          "GET\r\n\r\n",
          "GET /hello HTTP/9.9\r\nHost: localhost\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost : localhost\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
          "GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: "
          "2\r\n\r\n",
          "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\nZZ\r\n"}) {
        TestClient one = client();
        one.send(bytes);
        const Answer answer = one.receive();
        EXPECT_EQ(answer.status, 400) << bytes;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
        EXPECT_EQ(nlohmann::json::parse(answer.body)["type"], "/problems/malformed-request");
        EXPECT_TRUE(one.closed());
    }
}

TEST_F(ServerTest, headers_that_decide_are_there_once) {
    for (const char* headers : {"Host: localhost\r\nHost: evil.example\r\n",
                                "",
                                "Host: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n",
                                "Host: localhost\r\nOrigin: a\r\nOrigin: b\r\n"}) {
        TestClient one = client();
        one.send(std::string("GET /hello HTTP/1.1\r\n") + headers + "\r\n");
        EXPECT_EQ(one.receive().status, 400) << headers;
    }
}

TEST_F(ServerTest, another_host_is_refused) {
    TestClient one = client();
    one.send("GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(one.receive().status, 421);
}

TEST_F(ServerTest, a_header_beyond_eight_kibibytes_is_refused) {
    TestClient one = client();
    one.send("GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x'));
    EXPECT_EQ(one.receive().status, 431);
    EXPECT_TRUE(one.closed());
    EXPECT_EQ(client().ask("GET /hello", "X: " + std::string(7000, 'x') + "\r\n").status, 200);
}

TEST_F(ServerTest, a_body_beyond_its_route_is_refused_before_it_is_read) {
    TestClient one = client();
    one.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 100000\r\n\r\n");
    EXPECT_EQ(one.receive().status, 413);
    TestClient two = client();
    two.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
    EXPECT_EQ(two.receive().status, 413);
    TestClient three = client();
    three.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n");
    EXPECT_EQ(three.receive().status, 413);
    EXPECT_EQ(client().ask("GET /hello", "Content-Length: 5\r\n").status, 413);
}

TEST_F(ServerTest, a_chunk_whose_head_does_not_end_is_refused) {
    TestClient one = client();
    one.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2;" +
        std::string(20'000, 'x'));
    EXPECT_EQ(one.receive().status, 400);
    EXPECT_TRUE(one.closed());
}

TEST_F(ServerTest, a_body_is_json) {
    TestClient one = client();
    one.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        "Content-Length: 2\r\n\r\n{}");
    EXPECT_EQ(one.receive().status, 415);
}

TEST_F(ServerTest, a_slow_request_is_cut_off_as_a_whole) {
    ServerLimits limits;
    limits.deadline = milliseconds(200);
    build(limits);
    TestClient one = client();
    one.send("GET /hello HTTP/1.1\r\n");
    // Each byte comes in time; all of them together do not.
    int sent = 0;
    ASSERT_TRUE(one.run_until([&] {
        one.send("X");
        ++sent;
        return one.take() || !one.incoming().empty();
    }));
    EXPECT_GT(sent, 5);
    EXPECT_EQ(one.receive().status, 408);
    EXPECT_TRUE(one.closed());
}

TEST_F(ServerTest, a_client_that_says_nothing_is_cut_off) {
    ServerLimits limits;
    limits.deadline = milliseconds(50);
    limits.idle = milliseconds(50);
    build(limits);
    TestClient silent = client();
    EXPECT_TRUE(silent.closed());
    TestClient one = client();
    EXPECT_EQ(one.ask("GET /hello").status, 200);
    EXPECT_TRUE(one.closed());
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerTest, an_answer_that_never_comes_ends_the_connection) {
    ServerLimits limits;
    limits.deadline = milliseconds(50);
    build(limits);
    TestClient one = client();
    one.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(one.receive().status, 408);
    EXPECT_TRUE(one.closed());
    ASSERT_EQ(later_.size(), 1U);
    later_[0](json_response("{}"));  // too late: nobody is there any more
}

TEST_F(ServerTest, a_late_answer_finds_its_request) {
    TestClient one = client();
    one.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(one.run_until([&] { return !later_.empty(); }));
    later_[0](json_response(R"("late")"));
    later_[0](json_response(R"("twice")"));
    EXPECT_EQ(one.receive().body, R"("late")");
    EXPECT_EQ(one.ask("GET /hello").status, 200);
    later_[0](json_response(R"("much too late")"));
    EXPECT_EQ(one.ask("GET /hello").body, R"({"hello":1})");
}

TEST_F(ServerTest, a_reply_after_the_server_is_gone_does_nothing) {
    TestClient one = client();
    one.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(one.run_until([&] { return !later_.empty(); }));
    server_.reset();
    later_[0](json_response("{}"));
    EXPECT_TRUE(one.closed());
}

TEST_F(ServerTest, connections_of_one_address_and_of_all_are_bounded) {
    ServerLimits limits;
    limits.loopback_max = 8;
    build(limits);
    std::vector<TestClient> busy;
    for (int i = 0; i < 8; ++i) {
        busy.push_back(client());
        busy.back().send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    ASSERT_TRUE(busy[0].run_until([&] { return later_.size() == 8; }));
    TestClient ninth = client();
    EXPECT_TRUE(ninth.closed());
    EXPECT_EQ(server_->counters().connections_refused, 1U);
    later_[0](json_response("{}"));
    EXPECT_EQ(busy[0].receive().status, 200);
    // The first one is idle now and makes room.
    EXPECT_EQ(client().ask("GET /hello").status, 200);
    EXPECT_TRUE(busy[0].closed());
    EXPECT_EQ(server_->connections(), 8U);
}

TEST_F(ServerTest, a_reader_that_does_not_read_is_cut_off) {
    ServerLimits limits;
    limits.deadline = milliseconds(100);
    build(limits);
    TestClient one = client();
    one.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(one.run_until([&] { return !later_.empty(); }));
    later_[0](json_response(std::string(64 << 20, 'x')));
    EXPECT_TRUE(one.run_until([&] { return server_->connections() == 0; }));
}

TEST_F(ServerTest, paths_lead_nowhere_else) {
    for (const char* path : {"/../etc/passwd",
                             "/..%2fetc/passwd",
                             "/%2e%2e/etc/passwd",
                             "/assets/../../secret",
                             "/./hello",
                             "//hello",
                             "/hello%00",
                             "/hello/",
                             "/HELLO",
                             "/web/index.html",
                             "/settings.schema.json",
                             "/..\\..\\windows",
                             "/.git/config",
                             "/things/a/b",
                             "/things/",
                             "http://127.0.0.1/hello"}) {
        EXPECT_EQ(client().ask(std::string("GET ") + path).status, 404) << path;
    }
}

TEST_F(ServerTest, the_page_comes_gzipped_with_a_tag_and_only_once) {
    TestClient one = client();
    const Answer page = one.ask("GET /", "Accept-Encoding: gzip\r\n");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.header("Cache-Control"), "no-cache");
    const std::string tag = page.header("ETag");
    EXPECT_GT(tag.size(), 64U);
    const Answer again =
        one.ask("GET /", "Accept-Encoding: gzip\r\nIf-None-Match: " + tag + "\r\n");
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(one.ask("GET /").body.substr(0, 9), "<!doctype");
}

TEST_F(ServerTest, every_page_file_unzips_to_something) {
    TestClient one = client();
    std::size_t pages = 0;
    for (const EmbeddedFile& file : embedded_files()) {
        if (!file.name.starts_with("web/")) {
            continue;
        }
        const std::string path(file.name.substr(3));
        const Answer answer = one.ask("GET " + path);
        EXPECT_EQ(answer.status, 200) << path;
        EXPECT_GT(answer.body.size(), 0U) << path;
        const bool immutable = answer.header("Cache-Control").ends_with("immutable");
        EXPECT_EQ(immutable, path.starts_with("/assets/")) << path;
        ++pages;
    }
    // Built without the pages there is the one that says so.
    EXPECT_TRUE(pages > 0 || one.ask("GET /").body.find("without its pages") != std::string::npos);
}

constexpr const char* upgrade_headers =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n";

/// The text of the first frame that came, and takes it away; server frames are not masked.
std::string next_frame(TestClient& one) {
    std::string text;
    one.run_until([&] {
        const bool ended = one.take();
        const std::string& in = one.incoming();
        if (in.size() < 2) {
            return ended;
        }
        std::size_t head = 2;
        std::size_t size = static_cast<unsigned char>(in[1]);
        if (size == 126 && in.size() >= 4) {
            head = 4;
            size = static_cast<std::size_t>(static_cast<unsigned char>(in[2])) << 8 |
                   static_cast<unsigned char>(in[3]);
        }
        if (in.size() < head + size) {
            return ended;
        }
        text = in.substr(head, size);
        one.incoming().erase(0, head + size);
        return true;
    });
    return text;
}

TEST_F(ServerTest, a_websocket_is_greeted_and_told) {
    server_->greet_with([] { return std::vector<std::string>{"one", "two"}; });
    TestClient one = client();
    EXPECT_EQ(one.ask("GET /events", upgrade_headers).status, 101);
    EXPECT_EQ(next_frame(one), "one");
    EXPECT_EQ(next_frame(one), "two");
    server_->tell("three");
    server_->tell(std::string(1000, 'x'));
    EXPECT_EQ(next_frame(one), "three");
    EXPECT_EQ(next_frame(one), std::string(1000, 'x'));
    EXPECT_EQ(server_->listeners(), 1U);
}

TEST_F(ServerTest, a_websocket_that_leaves_is_forgotten) {
    TestClient stays = client();
    {
        TestClient one = client();
        EXPECT_EQ(one.ask("GET /events", upgrade_headers).status, 101);
        ASSERT_TRUE(one.run_until([&] { return server_->listeners() == 1; }));
    }
    EXPECT_TRUE(stays.run_until([&] { return server_->listeners() == 0; }));
}

TEST_F(ServerTest, a_websocket_that_does_not_read_is_cut_off) {
    TestClient one = client();
    EXPECT_EQ(one.ask("GET /events", upgrade_headers).status, 101);
    const std::string text(100'000, 'x');
    int told = 0;
    while (server_->listeners() > 0 && told < 1000) {
        server_->tell(text);
        io_.poll();
        ++told;
    }
    EXPECT_EQ(server_->listeners(), 0U);
    EXPECT_GT(told, 5);
}

TEST_F(ServerTest, a_websocket_frame_too_long_or_unmasked_ends_it) {
    for (const std::string& frame :
         {std::string("\x81\xFE\xFF\xFFmask", 8), std::string("\x81\x05hello")}) {
        TestClient one = client();
        EXPECT_EQ(one.ask("GET /events", upgrade_headers).status, 101);
        one.send(frame);
        EXPECT_TRUE(one.closed());
    }
    EXPECT_EQ(server_->listeners(), 0U);
}

TEST_F(ServerTest, a_websocket_from_a_foreign_page_is_refused) {
    EXPECT_EQ(
        client()
            .ask("GET /events", std::string(upgrade_headers) + "Origin: http://evil.example\r\n")
            .status,
        403);
    EXPECT_EQ(client()
                  .ask("GET /events", std::string(upgrade_headers) + "Origin: http://127.0.0.1\r\n")
                  .status,
              101);
}

TEST_F(ServerTest, a_plain_request_for_a_websocket_is_told_to_upgrade) {
    EXPECT_EQ(client().ask("GET /events").status, 426);
}

TEST_F(ServerTest, an_upgrade_without_a_key_is_refused) {
    TestClient one = client();
    const Answer answer = one.ask("GET /events", "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    EXPECT_NE(answer.status, 101);
    EXPECT_TRUE(one.closed());
}

TEST_F(ServerTest, an_address_for_others_is_not_bound_without_a_password) {
    Server other(io_, router_, access_, [] { return Instant{}; });
    std::string reason;
    EXPECT_EQ(other.listen("0.0.0.0", 0, nullptr, reason).code(), Code::denied);
    EXPECT_EQ(other.listen("127.0.0.1", server_->port(), nullptr, reason).code(), Code::busy);
    EXPECT_EQ(other.listen("192.0.2.1", 0, nullptr, reason).code(), Code::denied);
}

TEST_F(ServerTest, the_table_of_routes_shows_each_right) {
    EXPECT_NE(router_.table().find("read   GET    /events (WebSocket)"), std::string::npos);
    EXPECT_NE(router_.table().find("open   POST   /echo"), std::string::npos);
}

}  // namespace
}  // namespace jw::http
