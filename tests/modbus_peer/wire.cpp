// SPDX-License-Identifier: Apache-2.0
// Sockets, ptys and the loops around them.
#include "tests/modbus_peer/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace jw::peer {
namespace {

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// poll() takes milliseconds; rounded up, so that it does not spin in front of a deadline.
int wait_ms(Instant until) {
    const std::int64_t us = until.us - now().us;
    return static_cast<int>(std::clamp<std::int64_t>((us + 999) / 1000, 0, 1000));
}

}  // namespace

void Descriptor::reset(int fd) {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = fd;
}

Instant now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

Descriptor listen_on_loopback(int& port) {
    Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(0);
    require(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
            "bind");
    require(::listen(fd.get(), 1) == 0, "listen");
    port = port_of(fd.get());
    return fd;
}

int port_of(int listening) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    require(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0,
            "getsockname");
    return ntohs(address.sin_port);
}

Descriptor connect_to_loopback(int port) {
    Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    require(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
            "connect");
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

Pty open_pty() {
    int ours = -1;
    int theirs = -1;
    std::array<char, 256> path{};
    require(::openpty(&ours, &theirs, path.data(), nullptr, nullptr) == 0, "openpty");
    termios raw{};
    require(::tcgetattr(theirs, &raw) == 0, "tcgetattr");
    ::cfmakeraw(&raw);
    require(::tcsetattr(theirs, TCSANOW, &raw) == 0, "tcsetattr");
    return {Descriptor(ours), path.data(), Descriptor(theirs)};
}

Status DescriptorBus::send(Bytes bytes) {
    // A frame is far smaller than the buffers behind a socket or a pty.
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) {
        return JW_FAIL(not_found);
    }
    return done;
}

bool drive(Line& line, int fd, const std::function<bool()>& done, Duration at_most) {
    const Instant deadline = now() + at_most;
    while (!done()) {
        const Instant instant = now();
        if (instant >= deadline) {
            return false;
        }
        const Instant next = line.step(instant);
        if (done()) {
            break;
        }
        pollfd wait{fd, POLLIN, 0};
        ::poll(&wait, 1, wait_ms(earlier(next, deadline)));
        if ((wait.revents & POLLIN) != 0) {
            std::array<std::uint8_t, 512> buffer{};
            const ssize_t count = ::read(fd, buffer.data(), buffer.size());
            if (count > 0) {
                line.received(Bytes(buffer).first(static_cast<std::size_t>(count)), now());
            }
        }
    }
    return true;
}

ServerThread::ServerThread(sim::ModbusServer& server, int accept_from, int fd)
    : server_(server), accept_from_(accept_from), fd_(fd) {
    std::array<int, 2> ends{};
    require(::pipe(ends.data()) == 0, "pipe");
    stop_read_.reset(ends[0]);
    stop_write_.reset(ends[1]);
    thread_ = std::thread([this] { run(); });
}

ServerThread::~ServerThread() {
    stop_write_.reset(-1);  // the reading end becomes readable
    thread_.join();
}

/// Waits for bytes, for the time or for the end; false at the end.
bool ServerThread::readable(int fd, Instant until) {
    std::array<pollfd, 2> wait{pollfd{fd, POLLIN, 0}, pollfd{stop_read_.get(), POLLIN, 0}};
    ::poll(wait.data(), wait.size(), wait_ms(until));
    return wait[1].revents == 0;
}

void ServerThread::run() {
    Descriptor connection;
    if (accept_from_ >= 0) {
        if (!readable(accept_from_, now() + seconds(20))) {
            return;
        }
        connection.reset(::accept(accept_from_, nullptr, nullptr));
        fd_ = connection.get();
    }
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    while (readable(fd_, earlier(server_.next(), now() + seconds(1)))) {
        std::array<std::uint8_t, 512> buffer{};
        const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
        if (count == 0) {
            return;
        }
        if (count > 0) {
            server_.received(Bytes(buffer).first(static_cast<std::size_t>(count)), now());
        }
        std::vector<std::uint8_t> bytes;
        server_.take(now(), bytes);
        if (!bytes.empty() && ::write(fd_, bytes.data(), bytes.size()) < 0) {
            return;
        }
    }
}

}  // namespace jw::peer
