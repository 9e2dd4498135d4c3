// SPDX-License-Identifier: Apache-2.0
#pragma once
// ByteStream: a connection that somebody opened to us, plain or TLS, behind one type.
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace jw::http {

using ErrorCode = boost::system::error_code;
using Transferred = boost::asio::any_completion_handler<void(ErrorCode, std::size_t)>;

/// Handlers run on `io`, never inside the call that was given them. Whoever destroys a stream
/// makes sure that nothing is under way, or owns it together with the handlers.
class ByteStream {
  public:
    virtual ~ByteStream() = default;
    /// TLS: the handshake as a server. Plain: at once.
    virtual void handshake(Transferred handler) = 0;
    virtual void read_some(boost::asio::mutable_buffer buffer, Transferred handler) = 0;
    virtual void write_some(boost::asio::const_buffer buffer, Transferred handler) = 0;
    /// Tells the peer that nothing more comes; it may still be read.
    virtual void finish_writing() = 0;
    /// Ends the connection; what is under way ends with operation_aborted.
    virtual void close() = 0;
    [[nodiscard]] virtual bool encrypted() const = 0;
    /// On which it was opened.
    [[nodiscard]] boost::asio::io_context& io() const { return io_; }

  protected:
    explicit ByteStream(boost::asio::io_context& io) : io_(io) {}

  private:
    boost::asio::io_context& io_;
};

/// What TLS connections share: certificate and key.
class TlsServer {
  public:
    virtual ~TlsServer() = default;
    virtual std::unique_ptr<ByteStream> open(boost::asio::io_context& io,
                                             boost::asio::ip::tcp::socket socket) = 0;
};

std::unique_ptr<ByteStream> open_plain(boost::asio::io_context& io,
                                       boost::asio::ip::tcp::socket socket);

/// TLS 1.2 and later. Errors: not_found, malformed (certificate or key cannot be used); `reason`
/// then says why.
Result<std::unique_ptr<TlsServer>> make_tls(const std::string& certificate_file,
                                            const std::string& key_file,
                                            std::string& reason);

}  // namespace jw::http
