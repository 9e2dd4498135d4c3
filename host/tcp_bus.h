// SPDX-License-Identifier: Apache-2.0
#pragma once
// TcpBus: the port Bus over a TCP connection that is made again whenever it is lost.
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ports.h"
#include "core/bus/line.h"
#include "core/task/backoff.h"
#include "host/guard.h"
#include "host/loop.h"
#include "host/stream.h"

namespace jw {

struct TcpBusSettings {
    std::string name;  // of the bus, for messages
    std::string host;
    std::uint16_t port = 0;
    Duration resolve_timeout = seconds(15);  // for the addresses of the host's name
    Duration connect_timeout = seconds(5);   // for each address
    BackoffSettings backoff{.base = milliseconds(500), .cap = seconds(10), .stable = seconds(10)};
};

/// Never blocks the loop: names are looked up on the resolver's thread. Unacknowledged bytes end
/// the connection after 20 s, a peer that is gone without a word shows after 60 s (keepalive).
class TcpBus final : public Bus {
  public:
    TcpBus(Loop& loop, TcpBusSettings settings);
    TcpBus(const TcpBus&) = delete;
    TcpBus& operator=(const TcpBus&) = delete;

    /// Connects, and keeps doing so. The line must outlive this bus.
    void start(Line& line);
    Status send(Bytes bytes) override { return stream_.send(bytes); }
    [[nodiscard]] const BusState& state() const { return state_; }

  private:
    using Tcp = boost::asio::ip::tcp;
    void attempt();
    void connect_next();
    void stand();
    void retry(std::string trouble);
    [[nodiscard]] std::string words(const boost::system::error_code& error) const;

    Loop& loop_;
    TcpBusSettings settings_;
    Line* line_ = nullptr;
    Backoff backoff_;
    Tcp::resolver resolver_;
    Tcp::socket socket_;
    std::vector<Tcp::endpoint> addresses_;
    std::size_t address_ = 0;
    std::uint64_t bytes_in_before_ = 0;
    BusState state_;
    Stream stream_;
    Guard attempt_;  // of the attempt under way: its deadline and its handlers
};

}  // namespace jw
