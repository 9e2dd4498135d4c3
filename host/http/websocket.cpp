// SPDX-License-Identifier: Apache-2.0
// WebSocket by Boost.Beast over a type-erased stream, so that Beast is compiled for one stream
// only.
#include "host/http/websocket.h"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstring>
#include <deque>
#include <utility>

namespace jw::http {
namespace asio = boost::asio;
namespace beast = boost::beast;

/// A ByteStream as Beast's AsyncStream; gives what was read too early first.
class BeastStream {
  public:
    using executor_type = asio::io_context::executor_type;

    BeastStream(std::unique_ptr<ByteStream> stream, std::string early)
        : stream_(std::move(stream)), early_(std::move(early)) {}

    executor_type get_executor() { return stream_->io().get_executor(); }
    void close() { stream_->close(); }

    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& buffers, Handler&& handler) {
        return asio::async_initiate<Handler, void(ErrorCode, std::size_t)>(
            [this](auto&& done, const Buffers& into) {
                read_some(first(into), Transferred(std::forward<decltype(done)>(done)));
            },
            handler,
            buffers);
    }
    template <class Buffers, class Handler>
    auto async_write_some(const Buffers& buffers, Handler&& handler) {
        return asio::async_initiate<Handler, void(ErrorCode, std::size_t)>(
            [this](auto&& done, const Buffers& from) {
                stream_->write_some(first(from), Transferred(std::forward<decltype(done)>(done)));
            },
            handler,
            buffers);
    }

  private:
    /// The first buffer that is not empty: both operations may transfer less than all.
    template <class Buffers>
    static auto first(const Buffers& buffers) {
        auto at = asio::buffer_sequence_begin(buffers);
        const auto end = asio::buffer_sequence_end(buffers);
        using Buffer =
            std::conditional_t<std::is_convertible_v<decltype(*at), asio::mutable_buffer>,
                               asio::mutable_buffer,
                               asio::const_buffer>;
        for (; at != end; ++at) {
            if (const Buffer buffer(*at); buffer.size() != 0) {
                return buffer;
            }
        }
        return Buffer();
    }

    void read_some(asio::mutable_buffer into, Transferred handler) {
        if (early_.empty()) {
            stream_->read_some(into, std::move(handler));
            return;
        }
        const std::size_t size = std::min(early_.size(), into.size());
        std::memcpy(into.data(), early_.data(), size);
        early_.erase(0, size);
        asio::post(stream_->io(), [size, handler = std::move(handler)]() mutable {
            std::move(handler)(ErrorCode{}, size);
        });
    }

    std::unique_ptr<ByteStream> stream_;
    std::string early_;
};

/// Beast asks for these two by argument-dependent lookup.
void beast_close_socket(BeastStream& stream) {
    stream.close();
}

template <class Handler>
void async_teardown(beast::role_type, BeastStream& stream, Handler&& handler) {
    stream.close();
    asio::post(stream.get_executor(),
               [handler = std::forward<Handler>(handler)]() mutable { handler(ErrorCode{}); });
}

namespace {

/// Lives as long as an operation of it is under way.
class BeastWebSocket final : public WebSocket, public std::enable_shared_from_this<BeastWebSocket> {
  public:
    BeastWebSocket(std::unique_ptr<ByteStream> stream,
                   std::string early,
                   std::function<void()> opened,
                   std::function<void()> closed)
        : socket_(std::move(stream), std::move(early)),
          opened_(std::move(opened)),
          closed_(std::move(closed)) {}

    void start(const Request& request) {
        beast::websocket::stream_base::timeout timeouts{};
        timeouts.handshake_timeout = std::chrono::seconds(10);
        timeouts.idle_timeout = std::chrono::seconds(60);
        timeouts.keep_alive_pings = true;
        socket_.set_option(timeouts);
        socket_.read_message_max(4096);
        socket_.text(true);
        beast::http::request<beast::http::empty_body> upgrade(
            beast::http::verb::get, request.path, 11);
        for (const char* name :
             {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
            upgrade.set(name, std::string(request.header(name)));
        }
        socket_.async_accept(upgrade, [self = shared_from_this()](const ErrorCode& error) {
            if (self->done_) {
                return;
            }
            if (error) {
                self->finish();
                return;
            }
            self->opened_();
            self->ready_ = true;
            self->read_next();
            self->write_next();
        });
    }

    void send(std::string_view text) override {
        if (done_) {
            return;
        }
        if (waiting_ + text.size() > waiting_max) {
            finish();
            return;
        }
        waiting_ += text.size();
        messages_.emplace_back(text);
        if (ready_ && messages_.size() == 1) {
            write_next();
        }
    }

    void close() override {
        if (!done_) {
            done_ = true;
            beast::get_lowest_layer(socket_).close();
        }
    }

  private:
    void read_next() {
        if (done_) {
            return;
        }
        incoming_.clear();
        socket_.async_read(incoming_,
                           [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                               if (error) {
                                   self->finish();
                               } else {
                                   self->read_next();
                               }
                           });
    }

    void write_next() {
        if (done_ || messages_.empty()) {
            return;
        }
        const auto& text = messages_.front();
        socket_.async_write(asio::buffer(text),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                                if (error) {
                                    self->finish();
                                } else if (!self->done_) {
                                    self->waiting_ -= self->messages_.front().size();
                                    self->messages_.pop_front();
                                    self->write_next();
                                }
                            });
    }

    void finish() {
        if (!done_) {
            close();
            closed_();
        }
    }

    beast::websocket::stream<BeastStream, false> socket_;
    beast::flat_buffer incoming_;
    std::deque<std::string> messages_;
    std::size_t waiting_ = 0;
    std::function<void()> opened_;
    std::function<void()> closed_;
    bool ready_ = false;
    bool done_ = false;
};

}  // namespace

std::shared_ptr<WebSocket> WebSocket::accept(std::unique_ptr<ByteStream> stream,
                                             const Request& request,
                                             std::string early,
                                             std::function<void()> opened,
                                             std::function<void()> closed) {
    auto socket = std::make_shared<BeastWebSocket>(
        std::move(stream), std::move(early), std::move(opened), std::move(closed));
    socket->start(request);
    return socket;
}

}  // namespace jw::http
