// SPDX-License-Identifier: Apache-2.0
// Plain TCP, and TLS by OpenSSL.
#include "host/http/byte_stream.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <utility>

namespace jw::http {
namespace asio = boost::asio;
namespace {

using Socket = asio::ip::tcp::socket;

void close_socket(Socket& socket) {
    ErrorCode ignored;
    socket.shutdown(Socket::shutdown_both, ignored);
    socket.close(ignored);
}

class PlainStream final : public ByteStream {
  public:
    PlainStream(asio::io_context& io, Socket socket) : ByteStream(io), socket_(std::move(socket)) {}
    void handshake(Transferred handler) override {
        asio::post(
            io(), [handler = std::move(handler)]() mutable { std::move(handler)(ErrorCode{}, 0); });
    }
    void read_some(asio::mutable_buffer buffer, Transferred handler) override {
        socket_.async_read_some(buffer, std::move(handler));
    }
    void write_some(asio::const_buffer buffer, Transferred handler) override {
        socket_.async_write_some(buffer, std::move(handler));
    }
    void finish_writing() override {
        ErrorCode ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }
    void close() override { close_socket(socket_); }
    [[nodiscard]] bool encrypted() const override { return false; }

  private:
    Socket socket_;
};

class TlsStream final : public ByteStream {
  public:
    TlsStream(asio::io_context& io, Socket socket, asio::ssl::context& context)
        : ByteStream(io), stream_(std::move(socket), context) {}
    void handshake(Transferred handler) override {
        stream_.async_handshake(asio::ssl::stream_base::server,
                                [handler = std::move(handler)](const ErrorCode& error) mutable {
                                    std::move(handler)(error, 0);
                                });
    }
    void read_some(asio::mutable_buffer buffer, Transferred handler) override {
        stream_.async_read_some(buffer, std::move(handler));
    }
    void write_some(asio::const_buffer buffer, Transferred handler) override {
        stream_.async_write_some(buffer, std::move(handler));
    }
    void finish_writing() override {
        ErrorCode ignored;
        stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
    }
    // No close_notify: HTTP lengths tell where a message ends, and nobody waits for a slow peer.
    void close() override { close_socket(stream_.next_layer()); }
    [[nodiscard]] bool encrypted() const override { return true; }

  private:
    asio::ssl::stream<Socket> stream_;
};

class OpenSslServer final : public TlsServer {
  public:
    asio::ssl::context& context() { return context_; }
    std::unique_ptr<ByteStream> open(asio::io_context& io, Socket socket) override {
        return std::make_unique<TlsStream>(io, std::move(socket), context_);
    }

  private:
    asio::ssl::context context_{asio::ssl::context::tls_server};
};

}  // namespace

std::unique_ptr<ByteStream> open_plain(asio::io_context& io, Socket socket) {
    return std::make_unique<PlainStream>(io, std::move(socket));
}

Result<std::unique_ptr<TlsServer>> make_tls(const std::string& certificate_file,
                                            const std::string& key_file,
                                            std::string& reason) {
    auto server = std::make_unique<OpenSslServer>();
    ErrorCode error;
    server->context().set_options(
        asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
            asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
        error);
    SSL_CTX_set_options(server->context().native_handle(), SSL_OP_NO_RENEGOTIATION);
    server->context().use_certificate_chain_file(certificate_file, error);
    if (error) {
        reason = certificate_file + ": " + error.message();
        return JW_FAIL(not_found);
    }
    server->context().use_private_key_file(key_file, asio::ssl::context::pem, error);
    if (error) {
        reason = key_file + ": " + error.message();
        return JW_FAIL(malformed);
    }
    return Result<std::unique_ptr<TlsServer>>(std::move(server));
}

}  // namespace jw::http
