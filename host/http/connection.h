// SPDX-License-Identifier: Apache-2.0
#pragma once
// Connection: one client of the server, request after request.
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "host/http/byte_stream.h"
#include "host/http/message.h"
#include "host/http/server.h"

namespace jw::http {

/// Lives as long as an operation of it is under way; after close() it does nothing more and its
/// server may be gone.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Server& server, std::unique_ptr<ByteStream> stream, std::string peer);
    ~Connection();

    void start();
    void close();
    [[nodiscard]] const std::string& peer() const { return peer_; }
    /// When the last request ended, where none is under way; otherwise nothing.
    [[nodiscard]] std::optional<Instant> idle_since() const { return idle_since_; }

  private:
    struct Parser;

    void set_deadline(Duration wait);
    void expire();
    void read_request();
    void read_more();
    void parse();
    void refuse_malformed(const ErrorCode& error);
    [[nodiscard]] bool take_request();
    [[nodiscard]] std::optional<Response> admit();
    [[nodiscard]] std::optional<Response> refuse_body() const;
    void dispatch();
    void answer(const Response& response);
    void write_rest();
    void written();
    void drain();

    Server* server_;  // null after close()
    std::unique_ptr<ByteStream> stream_;
    std::string peer_;
    boost::asio::steady_timer timer_;
    std::optional<Instant> idle_since_;
    std::unique_ptr<Parser> parser_;
    std::array<char, 8192 + 512> incoming_{};
    std::size_t incoming_size_ = 0;
    Request request_;
    const Route* route_ = nullptr;
    std::string outgoing_;
    std::size_t outgoing_at_ = 0;
    std::size_t drained_ = 0;
    std::uint64_t exchange_ = 0;  // counts requests, so that a late reply finds nobody
    bool keep_alive_ = false;
    bool answering_ = false;
    bool unread_ = false;  // the client may still be sending what nobody will read
};

}  // namespace jw::http
