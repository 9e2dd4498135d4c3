// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a client on the same loop as the server, so that no test needs a thread or a sleep.
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace jw::http {

struct Answer {
    int status = 0;  // 0: the connection ended without an answer
    std::string head;
    std::string body;

    /// The value of a header, or empty; names as the server writes them.
    [[nodiscard]] std::string header(const std::string& name) const {
        const std::size_t at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos) {
            return {};
        }
        const std::size_t begin = at + name.size() + 4;
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
};

class TestClient {
  public:
    TestClient(boost::asio::io_context& io, std::uint16_t port) : io_(io), socket_(io) {
        using boost::asio::ip::tcp;
        socket_.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
        socket_.non_blocking(true);
    }

    void send(std::string_view bytes) {
        const bool sent = run_until([&] {
            boost::system::error_code error;
            const std::size_t size =
                socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
            bytes.remove_prefix(size);
            return bytes.empty() || (error && error != boost::asio::error::would_block);
        });
        (void)sent;
    }

    /// Sends a request with the headers that every client sends, and takes the answer.
    Answer ask(const std::string& line,
               const std::string& headers = "",
               const std::string& body = "") {
        std::string request = line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers;
        if (!body.empty()) {
            request += "Content-Type: application/json\r\n";
        }
        if (!body.empty() || line.starts_with("POST")) {
            request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        }
        send(request + "\r\n" + body);
        return receive(line.starts_with("HEAD"));
    }

    Answer receive(bool head_only = false) {
        Answer answer;
        (void)run_until([&] { return take() || complete(head_only); });
        const std::size_t end = incoming_.find("\r\n\r\n");
        if (end == std::string::npos) {
            return answer;
        }
        answer.head = incoming_.substr(0, end + 2);
        const std::size_t size = head_only ? 0 : length();
        answer.body = incoming_.substr(end + 4, size);
        incoming_.erase(0, end + 4 + size);
        (void)std::from_chars(
            answer.head.data() + 9, answer.head.data() + answer.head.size(), answer.status);
        return answer;
    }

    /// Whether the server ends the connection.
    bool closed() {
        return run_until([&] { return take(); });
    }
    [[nodiscard]] std::string& incoming() { return incoming_; }

    bool run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done()) {
            io_.restart();
            if (io_.run_for(std::chrono::milliseconds(1)) == 0 &&
                std::chrono::steady_clock::now() > deadline) {
                return false;
            }
        }
        return true;
    }

    /// Takes what is there; true once the connection has ended.
    bool take() {
        std::array<char, 65536> part{};
        boost::system::error_code error;
        const std::size_t size = socket_.read_some(boost::asio::buffer(part), error);
        incoming_.append(part.data(), size);
        return error && error != boost::asio::error::would_block;
    }

  private:
    [[nodiscard]] std::size_t length() const {
        constexpr std::string_view name = "\r\nContent-Length: ";
        const std::size_t end = incoming_.find("\r\n\r\n");
        const std::size_t at = incoming_.find(name);
        std::size_t size = 0;
        if (at < end) {
            (void)std::from_chars(
                incoming_.data() + at + name.size(), incoming_.data() + end, size);
        }
        return size;
    }
    [[nodiscard]] bool complete(bool head_only) const {
        const std::size_t end = incoming_.find("\r\n\r\n");
        return end != std::string::npos && (head_only || incoming_.size() >= end + 4 + length());
    }

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::socket socket_;
    std::string incoming_;
};

}  // namespace jw::http
