// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 client (RFC 9112): one request a connection, answers of bounded size.
#include "apps/joulectl/http_client.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <functional>

#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::size_t answer_size_max = 1 << 20;

std::string place_of(const GatewayAddress& gateway) {
    return (gateway.tls ? "https://" : "http://") + gateway.host + ":" + gateway.port;
}

Failure unreachable(const HttpAccess& access, const std::string& what) {
    return Failure(place_of(access.gateway) + ": " + what +
                   "; is the gateway running, and does --url name its address?");
}

/// Runs one asynchronous step to its end, or to the deadline.
class Steps {
  public:
    explicit Steps(const HttpAccess& access)
        : access_(access),
          deadline_(std::chrono::steady_clock::now() +
                    std::chrono::milliseconds(access.timeout_ms)) {}

    asio::io_context io;

    void run(const char* what, const std::function<void(std::function<void(Error)>)>& begin) {
        bool ended = false;
        Error result;
        begin([&](Error error) {
            ended = true;
            result = error;
        });
        io.restart();
        io.run_until(deadline_);
        if (!ended) {
            throw unreachable(access_, std::string("no answer in time (") + what + ")");
        }
        if (result && result != asio::error::eof && result != asio::ssl::error::stream_truncated) {
            throw unreachable(access_, std::string(what) + ": " + result.message());
        }
    }

  private:
    const HttpAccess& access_;
    std::chrono::steady_clock::time_point deadline_;
};

tcp::socket connect(const HttpAccess& access, Steps& steps) {
    tcp::resolver resolver(steps.io);
    tcp::resolver::results_type found;
    steps.run("look up the name", [&](const auto& done) {
        resolver.async_resolve(access.gateway.host,
                               access.gateway.port,
                               [&, done](Error error, const tcp::resolver::results_type& results) {
                                   found = results;
                                   done(error);
                               });
    });
    tcp::socket socket(steps.io);
    steps.run("connect", [&](const auto& done) {
        asio::async_connect(
            socket, found, [done](Error error, const tcp::endpoint&) { done(error); });
    });
    return socket;
}

template <class Stream>
std::string exchange(Stream& stream, Steps& steps, const std::string& request) {
    steps.run("send", [&](const auto& done) {
        asio::async_write(
            stream, asio::buffer(request), [done](Error error, std::size_t) { done(error); });
    });
    std::string answer;
    steps.run("receive", [&](const auto& done) {
        asio::async_read(stream,
                         asio::dynamic_buffer(answer, answer_size_max),
                         [done](Error error, std::size_t) { done(error); });
    });
    return answer;
}

std::string exchange_tls(const HttpAccess& access, Steps& steps, const std::string& request) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    Error error;
    if (access.ca_file.empty()) {
        context.set_default_verify_paths(error);
    } else {
        context.load_verify_file(access.ca_file, error);
    }
    if (error) {
        throw UsageError("cannot take certificates from " + access.ca_file + ": " +
                         error.message());
    }
    asio::ssl::stream<tcp::socket> stream(connect(access, steps), context);
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(access.gateway.host));
    SSL_set_tlsext_host_name(stream.native_handle(), access.gateway.host.c_str());
    steps.run("agree on TLS", [&](const auto& done) {
        stream.async_handshake(asio::ssl::stream_base::client, done);
    });
    return exchange(stream, steps, request);
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return text;
}

HttpAnswer parse_answer(const HttpAccess& access, const std::string& text) {
    const std::size_t head_end = text.find("\r\n\r\n");
    HttpAnswer answer;
    const bool http =
        text.starts_with("HTTP/1.") && head_end != std::string::npos && text.size() > 12 &&
        std::from_chars(text.data() + 9, text.data() + 12, answer.status).ec == std::errc();
    if (!http) {
        throw unreachable(access, "what answers there does not speak HTTP, or stopped half-way");
    }
    const std::string head = lower(text.substr(0, head_end));
    answer.body = text.substr(head_end + 4);
    if (head.find("\r\ntransfer-encoding:") != std::string::npos) {
        throw unreachable(access, "the answer comes in a way that a gateway does not use");
    }
    constexpr std::string_view length_name = "\r\ncontent-length:";
    if (const std::size_t at = head.find(length_name); at != std::string::npos) {
        const std::size_t digits = head.find_first_not_of(' ', at + length_name.size());
        std::size_t length = 0;
        (void)std::from_chars(
            head.data() + std::min(digits, head.size()), head.data() + head.size(), length);
        if (answer.body.size() < length) {
            throw unreachable(access, "the answer stopped half-way");
        }
        answer.body.resize(length);
    }
    return answer;
}

bool is_header_text(const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; });
}

}  // namespace

GatewayAddress parse_url(const std::string& url) {
    GatewayAddress result;
    result.tls = url.starts_with("https://");
    const auto wrong = [&](const std::string& what) {
        return UsageError("--url " + url + ": " + what +
                          "; give it as http://127.0.0.1:8080 or https://gateway.local");
    };
    if (!result.tls && !url.starts_with("http://")) {
        throw wrong("neither http:// nor https://");
    }
    std::string rest = url.substr(result.tls ? 8 : 7);
    if (const std::size_t slash = rest.find('/'); slash != std::string::npos) {
        result.prefix = rest.substr(slash);
        rest.resize(slash);
        while (result.prefix.ends_with('/')) {
            result.prefix.pop_back();
        }
    }
    const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
    if (bracket == std::string::npos) {
        throw wrong("an address of IPv6 ends with ]");
    }
    const std::size_t colon = rest.find(':', bracket);
    result.host = rest.substr(0, colon);
    if (bracket > 0) {
        result.host = result.host.substr(1, bracket - 1);
    }
    result.port = colon == std::string::npos ? (result.tls ? "443" : "80") : rest.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] =
        std::from_chars(result.port.data(), result.port.data() + result.port.size(), port);
    if (error != std::errc() || *end != '\0' || port == 0 || port > 65535) {
        throw wrong("a port is a number from 1 to 65535");
    }
    if (result.host.empty() || !is_header_text(url)) {
        throw wrong("no host");
    }
    return result;
}

HttpAnswer ask_gateway(const HttpAccess& access,
                       const std::string& method,
                       const std::string& path,
                       const std::vector<std::string>& headers,
                       const std::string& body) {
    if (!is_header_text(access.token)) {
        throw UsageError("the token holds a line end; give the token alone");
    }
    std::string request = method + " " + access.gateway.prefix + path +
                          " HTTP/1.1\r\nHost: " + access.gateway.host + ":" + access.gateway.port +
                          "\r\nConnection: close\r\nUser-Agent: joulectl\r\n";
    for (const std::string& header : headers) {
        request += header + "\r\n";
    }
    if (!access.token.empty()) {
        request += "Authorization: Bearer " + access.token + "\r\n";
    }
    if (!body.empty()) {
        request +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
    }
    request += "\r\n" + body;
    Steps steps(access);
    if (access.gateway.tls) {
        return parse_answer(access, exchange_tls(access, steps, request));
    }
    tcp::socket socket = connect(access, steps);
    return parse_answer(access, exchange(socket, steps, request));
}

}  // namespace joulectl
