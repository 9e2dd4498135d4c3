// SPDX-License-Identifier: Apache-2.0
#pragma once
// Server: HTTP/1.1 and WebSockets on one socket, behind the one door. Everything that a client can
// do has a bound and a deadline.
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "host/http/access.h"
#include "host/http/byte_stream.h"
#include "host/http/router.h"
#include "host/http/websocket.h"

namespace jw::http {

struct ServerLimits {
    std::size_t header_size_max = 8192;
    std::size_t connections_max = 64;
    std::size_t per_address_max = 8;
    /// For loopback, where all programs of the machine and a proxy share one address.
    std::size_t loopback_max = 32;
    Duration deadline = seconds(10);  // of a handshake, a whole request, an answer, a response
    Duration idle = seconds(15);      // between two requests
};

struct ServerCounters {
    std::uint64_t connections = 0;
    std::uint64_t connections_refused = 0;  // beyond a limit
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;    // by the door
    std::uint64_t malformed = 0;  // not HTTP, too large, too slow
};

class Connection;

/// Router, access and io_context outlive the server. Loop thread only.
class Server {
  public:
    using Clock = std::function<Instant()>;

    Server(boost::asio::io_context& io,
           const Router& router,
           Access& access,
           Clock now,
           const ServerLimits& limits = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Listens. `tls` is null for plain HTTP. Errors: denied (an address that others reach, and no
    /// password), busy (the address is taken), not_found (the address is not ours); `reason` then
    /// says what the system says.
    Status listen(const std::string& address,
                  std::uint16_t port,
                  std::unique_ptr<TlsServer> tls,
                  std::string& reason);
    [[nodiscard]] std::uint16_t port() const;

    /// What a new WebSocket is told first.
    void greet_with(std::function<std::vector<std::string>()> greeting) {
        greeting_ = std::move(greeting);
    }
    /// Sends a message to every WebSocket whose session still lives.
    void tell(std::string_view text);
    [[nodiscard]] std::size_t listeners() const { return channels_.size(); }
    [[nodiscard]] std::size_t connections() const { return connections_.size() + channels_.size(); }
    [[nodiscard]] const ServerCounters& counters() const { return counters_; }

  private:
    friend class Connection;

    struct Channel {
        std::string peer;
        Admission admission;
        std::shared_ptr<WebSocket> socket;
    };
    using ChannelPlace = std::list<Channel>::iterator;

    void accept_next();
    void admit(boost::asio::ip::tcp::socket socket);
    [[nodiscard]] bool has_room(const std::string& peer);
    void closed(const Connection* connection);
    void open_channel(std::unique_ptr<ByteStream> stream,
                      const Request& request,
                      std::string early);

    boost::asio::io_context& io_;
    const Router& router_;
    Access& access_;
    Clock now_;
    ServerLimits limits_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer retry_;
    std::unique_ptr<TlsServer> tls_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::list<Channel> channels_;
    std::function<std::vector<std::string>()> greeting_;
    ServerCounters counters_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace jw::http
