// SPDX-License-Identifier: Apache-2.0
// A connection: Beast parses, the door decides once the header is there, the route answers.
#include "host/http/connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <utility>

#include "host/http/problem.h"

namespace jw::http {
namespace asio = boost::asio;
namespace beast_http = boost::beast::http;

namespace {

// Beyond this whatever a route asks for: the bound of the parser.
constexpr std::size_t body_size_max = std::size_t{1} << 20;
constexpr std::size_t drained_max = std::size_t{256} << 10;
constexpr std::size_t target_size_max = 2048;

constexpr std::string_view security_headers =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

Verb verb_of(beast_http::verb verb) {
    switch (verb) {
        case beast_http::verb::get:
            return Verb::get;
        case beast_http::verb::head:
            return Verb::head;
        case beast_http::verb::post:
            return Verb::post;
        case beast_http::verb::put:
            return Verb::put;
        case beast_http::verb::patch:
            return Verb::patch;
        case beast_http::verb::delete_:
            return Verb::remove;
        case beast_http::verb::options:
            return Verb::options;
        default:
            return Verb::other;
    }
}

/// Paths of ours need no escapes; whatever has some, or steps up, is nobody's.
bool plain_path(std::string_view path) {
    const bool known = std::all_of(path.begin(), path.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("/-._~").find(c) != std::string_view::npos;
    });
    return known && path.starts_with('/') && path.find("//") == std::string_view::npos &&
           path.find("/.") == std::string_view::npos;
}

/// Headers that decide who asks for what: two of one of them is an attempt to confuse.
bool is_single(beast_http::field name) {
    switch (name) {
        case beast_http::field::host:
        case beast_http::field::origin:
        case beast_http::field::authorization:
        case beast_http::field::content_length:
        case beast_http::field::transfer_encoding:
        case beast_http::field::content_type:
        case beast_http::field::cookie:
        case beast_http::field::upgrade:
            return true;
        default:
            return false;
    }
}

std::string head_of(const Response& response, std::size_t body_size, bool keep_alive) {
    const auto status = beast_http::int_to_status(response.status);
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\n", response.status, std::string(beast_http::obsolete_reason(status)));
    bool cached = false;
    for (const Header& header : response.headers) {
        // A line break would be a header of somebody else's making.
        if (header.value.find_first_of("\r\n") == std::string::npos) {
            head += fmt::format("{}: {}\r\n", header.name, header.value);
        }
        cached = cached || header.name == "Cache-Control";
    }
    constexpr std::time_t year_2024 = 1'704'067'200;
    if (const std::time_t now = std::time(nullptr); now > year_2024) {
        head += fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", fmt::gmtime(now));
    }
    if (response.status != 204 && response.status != 304) {
        head += fmt::format("Content-Length: {}\r\n", body_size);
    }
    head += cached ? "" : "Cache-Control: no-store\r\n";
    head += security_headers;
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

}  // namespace

struct Connection::Parser {
    beast_http::request_parser<beast_http::string_body> beast;
    explicit Parser(std::size_t header_size_max) {
        beast.header_limit(static_cast<std::uint32_t>(header_size_max));
        beast.body_limit(body_size_max);
    }
};

Connection::Connection(Server& server, std::unique_ptr<ByteStream> stream, std::string peer)
    : server_(&server), stream_(std::move(stream)), peer_(std::move(peer)), timer_(stream_->io()) {}

Connection::~Connection() = default;

void Connection::start() {
    set_deadline(server_->limits_.deadline);
    stream_->handshake([self = shared_from_this()](const ErrorCode& error, std::size_t) {
        if (self->server_ == nullptr) {
            return;
        }
        if (error) {
            ++self->server_->counters_.malformed;
            self->close();
            return;
        }
        self->read_request();
    });
}

void Connection::close() {
    Server* server = std::exchange(server_, nullptr);
    timer_.cancel();
    if (stream_) {
        stream_->close();
    }
    if (server != nullptr) {
        server->closed(this);
    }
}

void Connection::set_deadline(Duration wait) {
    timer_.expires_after(std::chrono::microseconds(wait.us));
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (!error && self->server_ != nullptr) {
            self->expire();
        }
    });
}

void Connection::expire() {
    const bool began = !answering_ && !idle_since_ && incoming_size_ + exchange_ > 0;
    if (!began) {
        close();
        return;
    }
    ++server_->counters_.malformed;
    keep_alive_ = false;
    answer(problem(Problem::timeout, "Send the whole request within ten seconds."));
}

void Connection::read_request() {
    ++exchange_;
    answering_ = false;
    unread_ = false;
    route_ = nullptr;
    request_ = {};
    parser_ = std::make_unique<Parser>(server_->limits_.header_size_max);
    if (incoming_size_ > 0) {
        set_deadline(server_->limits_.deadline);
        parse();
        return;
    }
    if (exchange_ > 1) {
        set_deadline(server_->limits_.idle);
    }
    idle_since_ = server_->now_();
    read_more();
}

void Connection::read_more() {
    if (incoming_size_ == incoming_.size()) {
        // What Beast leaves here is the head of a chunk; it would wait for the end for ever.
        refuse_malformed(beast_http::error::bad_chunk_extension);
        return;
    }
    const auto room =
        asio::buffer(incoming_.data() + incoming_size_, incoming_.size() - incoming_size_);
    stream_->read_some(room, [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
        if (self->server_ == nullptr || self->answering_) {
            return;
        }
        if (error) {
            self->close();
            return;
        }
        if (self->idle_since_) {
            self->idle_since_.reset();
            self->set_deadline(self->server_->limits_.deadline);
        }
        self->incoming_size_ += size;
        self->parse();
    });
}

void Connection::parse() {
    auto& parser = parser_->beast;
    while (!parser.is_done()) {
        if (incoming_size_ == 0) {
            read_more();
            return;
        }
        ErrorCode error;
        const std::size_t used = parser.put(asio::buffer(incoming_.data(), incoming_size_), error);
        std::copy(incoming_.data() + used, incoming_.data() + incoming_size_, incoming_.data());
        incoming_size_ -= used;
        if (error && error != beast_http::error::need_more) {
            refuse_malformed(error);
            return;
        }
        if (parser.is_header_done() && route_ == nullptr) {
            if (std::optional<Response> refused = admit()) {
                unread_ = !parser.is_done();
                keep_alive_ = parser.is_done() && parser.keep_alive();
                answer(*refused);
                return;
            }
            parser.eager(true);
        } else if (error == beast_http::error::need_more) {
            read_more();
            return;
        }
    }
    keep_alive_ = parser.keep_alive();
    dispatch();
}

void Connection::refuse_malformed(const ErrorCode& error) {
    ++server_->counters_.malformed;
    keep_alive_ = false;
    unread_ = true;
    if (error == beast_http::error::header_limit) {
        answer(problem(Problem::header_too_large,
                       fmt::format("Send at most {} bytes.", server_->limits_.header_size_max)));
    } else if (error == beast_http::error::body_limit) {
        answer(problem(Problem::too_large, "Send less."));
    } else {
        answer(problem(Problem::malformed_request, "This is not HTTP/1.1: " + error.message()));
    }
}

/// Copies what the routes see. False where it is not a request that they could answer.
bool Connection::take_request() {
    const auto& header = parser_->beast.get();
    const std::string_view target(header.target().data(), header.target().size());
    const std::size_t split = std::min(target.find('?'), target.size());
    request_.verb = verb_of(header.method());
    request_.path = target.substr(0, split);
    request_.query = target.substr(std::min(split + 1, target.size()));
    request_.peer = peer_;
    request_.encrypted = stream_->encrypted();
    for (const auto& field : header) {
        if (is_single(field.name()) && header.count(field.name()) != 1) {
            return false;
        }
        request_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    const std::string_view upgrade = request_.header("Upgrade");
    request_.upgrade = upgrade.size() == 9 && (upgrade == "websocket" || upgrade == "WebSocket");
    return target.size() <= target_size_max && header.count(beast_http::field::host) == 1;
}

std::optional<Response> Connection::admit() {
    ++server_->counters_.requests;
    if (!take_request()) {
        ++server_->counters_.malformed;
        return problem(Problem::malformed_request, "A header is missing, or is there twice.");
    }
    Router::Match match;
    if (plain_path(request_.path)) {
        match = server_->router_.find(request_.verb, request_.path);
    }
    if (match.route == nullptr) {
        if (match.allowed.empty()) {
            return problem(Problem::not_found, "Look into /api/openapi.json for what there is.");
        }
        Response response;
        response.status = 204;
        if (request_.verb != Verb::options) {
            response = problem(Problem::method_not_allowed, "Allowed are " + match.allowed + ".");
        }
        response.headers.push_back({"Allow", match.allowed});
        return response;
    }
    route_ = match.route;
    request_.parameter = std::move(match.parameter);
    if (auto refused = server_->access_.refuse(request_, *route_, server_->now_())) {
        ++server_->counters_.refused;
        return refused;
    }
    return refuse_body();
}

std::optional<Response> Connection::refuse_body() const {
    const auto& parser = parser_->beast;
    const std::uint64_t length = parser.content_length() ? *parser.content_length() : 0;
    const bool body = length > 0 || parser.chunked();
    if (length > route_->body_max || (body && route_->body_max == 0)) {
        return problem(Problem::too_large,
                       fmt::format("Send at most {} bytes here.", route_->body_max));
    }
    parser_->beast.body_limit(std::min(route_->body_max, body_size_max));
    const std::string_view type = request_.header("Content-Type");
    if (body && type.substr(0, type.find(';')) != "application/json") {
        return problem(Problem::content_type, "Send application/json.");
    }
    if (route_->websocket && !request_.upgrade) {
        Response response = problem(Problem::upgrade_required, "Open it as a WebSocket.");
        response.headers.push_back({"Upgrade", "websocket"});
        return response;
    }
    return std::nullopt;
}

void Connection::dispatch() {
    if (route_->websocket) {
        Server* server = server_;
        std::string early(incoming_.data(), incoming_size_);
        std::unique_ptr<ByteStream> stream = std::move(stream_);
        const Request request = std::move(request_);
        // The list of connections may hold the last reference.
        const std::shared_ptr<Connection> self = shared_from_this();
        close();
        server->open_channel(std::move(stream), request, std::move(early));
        return;
    }
    request_.body = std::move(parser_->beast.get().body());
    set_deadline(server_->limits_.deadline);
    // Whatever the handler does, the connection may be gone when it replies.
    route_->handler(request_,
                    [weak = weak_from_this(), exchange = exchange_](const Response& response) {
                        const std::shared_ptr<Connection> self = weak.lock();
                        if (self && self->server_ != nullptr && self->exchange_ == exchange &&
                            !self->answering_) {
                            self->answer(response);
                        }
                    });
}

void Connection::answer(const Response& response) {
    answering_ = true;
    idle_since_.reset();
    const std::string_view body =
        response.fixed.empty() ? std::string_view(response.body) : as_text(response.fixed);
    outgoing_ = head_of(response, body.size(), keep_alive_);
    if (request_.verb != Verb::head && response.status != 204 && response.status != 304) {
        outgoing_ += body;
    }
    outgoing_at_ = 0;
    set_deadline(server_->limits_.deadline);
    write_rest();
}

void Connection::write_rest() {
    stream_->write_some(
        asio::buffer(outgoing_.data() + outgoing_at_, outgoing_.size() - outgoing_at_),
        [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
            if (self->server_ == nullptr) {
                return;
            }
            if (error) {
                self->close();
                return;
            }
            self->outgoing_at_ += size;
            if (self->outgoing_at_ < self->outgoing_.size()) {
                self->write_rest();
            } else {
                self->written();
            }
        });
}

void Connection::written() {
    outgoing_ = {};
    if (keep_alive_) {
        read_request();
    } else if (unread_) {
        // Closing now would reset the connection, and the client would lose the answer.
        stream_->finish_writing();
        set_deadline(std::min(server_->limits_.deadline, seconds(2)));
        drain();
    } else {
        close();
    }
}

void Connection::drain() {
    stream_->read_some(asio::buffer(incoming_),
                       [self = shared_from_this()](const ErrorCode& error, std::size_t size) {
                           if (self->server_ == nullptr) {
                               return;
                           }
                           self->drained_ += size;
                           if (error || self->drained_ > drained_max) {
                               self->close();
                           } else {
                               self->drain();
                           }
                       });
}

}  // namespace jw::http
