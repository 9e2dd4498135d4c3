// SPDX-License-Identifier: Apache-2.0
// TcpBus: resolve, connect to one address after the other, hand the socket to the stream.
#include "host/tcp_bus.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <functional>
#include <utility>

namespace jw {
namespace asio = boost::asio;

namespace {

void set_option(int fd, int level, int name, int value) {
    // Where the kernel does not know an option the connection works without it.
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

TcpBus::TcpBus(Loop& loop, TcpBusSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      backoff_(
          settings_.backoff,
          std::hash<std::string>{}(settings_.name) ^ static_cast<std::uint64_t>(Loop::now().us)),
      resolver_(loop.io()),
      socket_(loop.io()),
      stream_(loop) {}

void TcpBus::start(Line& line) {
    line_ = &line;
    attempt();
}

void TcpBus::attempt() {
    attempt_.renew();
    boost::system::error_code error;
    socket_.close(error);
    resolver_.cancel();
    addresses_.clear();
    address_ = 0;
    const auto address = asio::ip::make_address(settings_.host, error);
    if (!error) {
        addresses_.emplace_back(address, settings_.port);
        connect_next();
        return;
    }
    loop_.after(settings_.resolve_timeout, attempt_, [this] {
        resolver_.cancel();
        retry(
            fmt::format("{}:{} (bus {}): nobody knew the name in time: check the name server, or "
                        "give the address in numbers",
                        settings_.host,
                        settings_.port,
                        settings_.name));
    });
    resolver_.async_resolve(
        settings_.host,
        std::to_string(settings_.port),
        attempt_([this](const boost::system::error_code& failed, const auto& found) {
            if (failed) {
                retry(words(failed));
                return;
            }
            for (const auto& entry : found) {
                addresses_.push_back(entry.endpoint());
            }
            connect_next();
        }));
}

void TcpBus::connect_next() {
    attempt_.renew();
    boost::system::error_code ignored;
    socket_.close(ignored);
    loop_.after(settings_.connect_timeout, attempt_, [this] {
        boost::system::error_code unused;
        socket_.close(unused);
        if (++address_ < addresses_.size()) {
            connect_next();
        } else {
            retry(words(asio::error::timed_out));
        }
    });
    socket_.async_connect(addresses_[address_],
                          attempt_([this](const boost::system::error_code& error) {
                              if (!error) {
                                  stand();
                              } else if (++address_ < addresses_.size()) {
                                  connect_next();
                              } else {
                                  retry(words(error));
                              }
                          }));
}

void TcpBus::stand() {
    attempt_.renew();
    const int fd = socket_.native_handle();
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 20'000);
    boost::system::error_code error;
    const int owned = socket_.release(error);
    if (error) {
        retry(words(error));
        return;
    }
    backoff_.connected(Loop::now());
    bytes_in_before_ = state_.bytes_in;
    stream_.open(owned, *line_, state_, [this](int reason) {
        retry(reason == 0 ? fmt::format("{}:{} (bus {}) closed the connection: it may allow only "
                                        "one client at a time",
                                        settings_.host,
                                        settings_.port,
                                        settings_.name)
                          : words({reason, boost::system::system_category()}));
    });
}

void TcpBus::retry(std::string trouble) {
    state_.trouble = std::move(trouble);
    if (state_.bytes_in > bytes_in_before_) {
        backoff_.proven();
        bytes_in_before_ = state_.bytes_in;
    }
    attempt_.renew();
    loop_.after(backoff_.lost(Loop::now()), attempt_, [this] { attempt(); });
}

std::string TcpBus::words(const boost::system::error_code& error) const {
    const char* advice = "";
    if (error == asio::error::connection_refused) {
        advice = ": is the device on, the port right, and the protocol enabled there?";
    } else if (error == asio::error::timed_out || error == asio::error::host_unreachable ||
               error == asio::error::network_unreachable) {
        advice = ": check the address, the cable or Wi-Fi, and that the device has power";
    } else if (error.category() == asio::error::get_netdb_category() ||
               error.category() == asio::error::get_addrinfo_category()) {
        advice = ": check the host name, or give the address in numbers";
    }
    return fmt::format("{}:{} (bus {}): {}{}",
                       settings_.host,
                       settings_.port,
                       settings_.name,
                       error.message(),
                       advice);
}

}  // namespace jw
