// SPDX-License-Identifier: Apache-2.0
// TcpBus against servers on loopback.
#include "host/tcp_bus.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "host/fakes.h"

namespace jw {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr BackoffSettings fast{
    .base = milliseconds(2), .cap = milliseconds(10), .stable = milliseconds(1)};

class TcpBusTest : public ::testing::Test {
  protected:
    void listen(std::uint16_t port = 0) {
        acceptor_ = std::make_unique<tcp::acceptor>(
            loop_.io(), tcp::endpoint(asio::ip::address_v4::loopback(), port));
        port_ = acceptor_->local_endpoint().port();
        acceptor_->async_accept([this](const auto& error, tcp::socket socket) {
            if (!error) {
                peer_ = std::make_unique<tcp::socket>(std::move(socket));
            }
        });
    }
    TcpBusSettings settings() {
        return {.name = "lan", .host = "127.0.0.1", .port = port_, .backoff = fast};
    }
    bool until(const std::function<bool()>& done) { return loop_.run_until(done, seconds(20)); }

    Loop loop_;
    std::unique_ptr<tcp::acceptor> acceptor_;
    std::unique_ptr<tcp::socket> peer_;
    std::uint16_t port_ = 0;
    test::FakeLine line_;
};

TEST_F(TcpBusTest, carries_bytes_both_ways_and_asks_for_a_step) {
    listen();
    int steps = 0;
    loop_.use_step([&](Instant) {
        ++steps;
        return never;
    });
    TcpBus bus(loop_, settings());
    bus.start(line_);
    ASSERT_TRUE(until([&] { return line_.up && peer_; }));
    steps = 0;
    ASSERT_TRUE(bus.send(as_bytes("ask")));
    std::string got(3, ' ');
    asio::async_read(*peer_, asio::buffer(got), [&](const auto&, std::size_t) {
        asio::write(*peer_, asio::buffer("tell", 4));
    });
    ASSERT_TRUE(until([&] { return line_.text == "tell"; }));
    EXPECT_EQ(got, "ask");
    EXPECT_GE(steps, 1);
    EXPECT_EQ(bus.state().bytes_in, 4U);
    EXPECT_EQ(bus.state().bytes_out, 3U);
    EXPECT_TRUE(bus.state().connected);
    EXPECT_EQ(bus.state().trouble, "");
}

TEST_F(TcpBusTest, says_in_words_who_refuses_and_connects_when_he_is_back) {
    listen();
    acceptor_.reset();
    TcpBus bus(loop_, settings());
    bus.start(line_);
    ASSERT_TRUE(until([&] { return !bus.state().trouble.empty(); }));
    EXPECT_NE(bus.state().trouble.find("127.0.0.1:" + std::to_string(port_)), std::string::npos);
    EXPECT_NE(bus.state().trouble.find("lan"), std::string::npos);
    EXPECT_EQ(bus.send(as_bytes("x")).code(), Code::not_found);
    listen(port_);
    ASSERT_TRUE(until([&] { return line_.up; }));
    EXPECT_EQ(bus.state().trouble, "");
}

TEST_F(TcpBusTest, tells_the_line_when_the_peer_closes_and_connects_again) {
    listen();
    TcpBus bus(loop_, settings());
    bus.start(line_);
    ASSERT_TRUE(until([&] { return line_.up && peer_; }));
    peer_.reset();
    ASSERT_TRUE(until([&] { return line_.disconnects == 1; }));
    EXPECT_FALSE(line_.up);
    ASSERT_TRUE(until([&] { return line_.connects == 2; }));
}

TEST_F(TcpBusTest, resolves_names_and_tries_every_address) {
    listen();
    TcpBusSettings by_name = settings();
    by_name.host = "localhost";  // ::1 comes first where there is IPv6, and nobody listens there
    TcpBus bus(loop_, by_name);
    bus.start(line_);
    ASSERT_TRUE(until([&] { return line_.up; }));
}

TEST_F(TcpBusTest, says_in_words_that_a_name_is_not_known) {
    TcpBusSettings unknown = settings();
    unknown.host = "meter.invalid";
    TcpBus bus(loop_, unknown);
    bus.start(line_);
    ASSERT_TRUE(until([&] { return !bus.state().trouble.empty(); }));
    EXPECT_NE(bus.state().trouble.find("meter.invalid"), std::string::npos);
    EXPECT_NE(bus.state().trouble.find("check the host name"), std::string::npos);
}

TEST_F(TcpBusTest, gives_up_on_a_name_that_is_not_looked_up_in_time_and_tries_again) {
    listen();
    TcpBusSettings by_name = settings();
    by_name.host = "localhost";
    by_name.resolve_timeout = Duration{};
    TcpBus bus(loop_, by_name);
    bus.start(line_);
    EXPECT_TRUE(until([&] { return bus.state().trouble.find("in time") != std::string::npos; }));
}

TEST_F(TcpBusTest, takes_all_bytes_or_none_while_the_peer_does_not_read) {
    listen();
    TcpBus bus(loop_, settings());
    bus.start(line_);
    ASSERT_TRUE(until([&] { return line_.up && peer_; }));
    const std::string much(1U << 20, 'x');
    std::size_t taken = 0;
    Code last = Code::ok;
    for (int i = 0; i < 64 && last == Code::ok; ++i) {
        last = bus.send(as_bytes(much)).code();
        taken += last == Code::ok ? much.size() : 0;
    }
    EXPECT_EQ(last, Code::busy);
    std::string got(taken, ' ');
    bool all = false;
    asio::async_read(
        *peer_, asio::buffer(got), [&](const auto& error, std::size_t) { all = !error; });
    EXPECT_TRUE(until([&] { return all; }));
    EXPECT_TRUE(bus.send(as_bytes("x")));
}

TEST_F(TcpBusTest, may_go_away_at_any_moment) {
    listen();
    auto bus = std::make_unique<TcpBus>(loop_, settings());
    bus->start(line_);
    bus.reset();
    TcpBusSettings by_name = settings();
    by_name.host = "localhost";
    bus = std::make_unique<TcpBus>(loop_, by_name);
    bus->start(line_);
    bus.reset();
    bus = std::make_unique<TcpBus>(loop_, settings());
    bus->start(line_);
    ASSERT_TRUE(until([&] { return line_.up; }));
    bus.reset();
    bool over = false;
    const Guard guard;
    loop_.after(milliseconds(5), guard, [&] { over = true; });
    EXPECT_TRUE(until([&] { return over; }));
    EXPECT_EQ(line_.connects, 1);
}

}  // namespace
}  // namespace jw
