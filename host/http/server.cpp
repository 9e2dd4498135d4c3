// SPDX-License-Identifier: Apache-2.0
// The server: accepting, bounds, and the WebSockets that are told of changes.
#include "host/http/server.h"

#include <algorithm>
#include <utility>

#include "host/http/connection.h"

namespace jw::http {
namespace asio = boost::asio;
using asio::ip::tcp;

Server::Server(asio::io_context& io,
               const Router& router,
               Access& access,
               Clock now,
               const ServerLimits& limits)
    : io_(io),
      router_(router),
      access_(access),
      now_(std::move(now)),
      limits_(limits),
      acceptor_(io),
      retry_(io) {}

Server::~Server() {
    for (const auto& connection : std::exchange(connections_, {})) {
        connection->close();
    }
    for (const Channel& channel : channels_) {
        channel.socket->close();
    }
}

Status Server::listen(const std::string& address,
                      std::uint16_t port,
                      std::unique_ptr<TlsServer> tls,
                      std::string& reason) {
    ErrorCode error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) {
        reason = error.message();
        return JW_FAIL(not_found);
    }
    if (!ip.is_loopback() && !access_.has_password()) {
        reason = "others can reach this address and no password is set";
        return JW_FAIL(denied);
    }
    const tcp::endpoint endpoint(ip, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        acceptor_.bind(endpoint, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        reason = error.message();
        ErrorCode ignored;
        acceptor_.close(ignored);
        if (error == asio::error::address_in_use) {
            return JW_FAIL(busy);
        }
        return JW_FAIL(not_found);
    }
    tls_ = std::move(tls);
    accept_next();
    return done;
}

std::uint16_t Server::port() const {
    ErrorCode error;
    const tcp::endpoint endpoint = acceptor_.local_endpoint(error);
    return error ? std::uint16_t{0} : endpoint.port();
}

void Server::accept_next() {
    acceptor_.async_accept(
        [this, alive = std::weak_ptr<char>(alive_)](const ErrorCode& error, tcp::socket socket) {
            if (alive.expired() || error == asio::error::operation_aborted) {
                return;
            }
            if (!error) {
                admit(std::move(socket));
                accept_next();
                return;
            }
            // No descriptor left, most likely: they come back.
            retry_.expires_after(std::chrono::milliseconds(100));
            retry_.async_wait([this, alive](const ErrorCode& cancelled) {
                if (!cancelled && !alive.expired()) {
                    accept_next();
                }
            });
        });
}

void Server::admit(tcp::socket socket) {
    ErrorCode error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    const std::string peer = error ? std::string() : remote.address().to_string();
    if (error || !has_room(peer)) {
        ++counters_.connections_refused;
        return;  // the socket closes itself
    }
    ++counters_.connections;
    socket.set_option(tcp::no_delay(true), error);
    auto stream = tls_ ? tls_->open(io_, std::move(socket)) : open_plain(io_, std::move(socket));
    connections_.push_back(std::make_shared<Connection>(*this, std::move(stream), peer));
    connections_.back()->start();
}

/// Where a bound is reached, the connection that has been idle longest makes room.
bool Server::has_room(const std::string& peer) {
    ErrorCode bad;
    const auto address = asio::ip::make_address(peer, bad);
    const std::size_t same_max =
        !bad && address.is_loopback() ? limits_.loopback_max : limits_.per_address_max;
    std::size_t same = 0;
    for (const auto& connection : connections_) {
        same += connection->peer() == peer ? 1 : 0;
    }
    for (const Channel& channel : channels_) {
        same += channel.peer == peer ? 1 : 0;
    }
    const bool crowded = same >= same_max;
    if (!crowded && connections() < limits_.connections_max) {
        return true;
    }
    Connection* idle = nullptr;
    for (const auto& connection : connections_) {
        const bool counts = !crowded || connection->peer() == peer;
        if (counts && connection->idle_since() &&
            (idle == nullptr || *connection->idle_since() < *idle->idle_since())) {
            idle = connection.get();
        }
    }
    if (idle == nullptr) {
        return false;
    }
    idle->close();
    return true;
}

void Server::closed(const Connection* connection) {
    std::erase_if(connections_, [&](const auto& known) { return known.get() == connection; });
}

void Server::open_channel(std::unique_ptr<ByteStream> stream,
                          const Request& request,
                          std::string early) {
    const auto place =
        channels_.insert(channels_.end(), Channel{request.peer, request.admission, nullptr});
    const auto opened = [this, place] {
        // A client that is too slow leaves the list while it is told.
        const std::shared_ptr<WebSocket> socket = place->socket;
        for (const std::string& text : greeting_ ? greeting_() : std::vector<std::string>()) {
            socket->send(text);
        }
    };
    const auto closed = [this, place] { channels_.erase(place); };
    place->socket = WebSocket::accept(std::move(stream), request, std::move(early), opened, closed);
}

void Server::tell(std::string_view text) {
    const Instant now = now_();
    for (auto place = channels_.begin(); place != channels_.end();) {
        const auto channel = place++;
        const std::shared_ptr<WebSocket> socket = channel->socket;
        if (access_.still_admitted(channel->admission, now)) {
            socket->send(text);  // may take the channel from the list
        } else {
            socket->close();
            channels_.erase(channel);
        }
    }
}

}  // namespace jw::http
