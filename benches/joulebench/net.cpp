// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/net.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

namespace jw::bench {
namespace {

constexpr int events_max = 128;

int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

void no_delay(int fd) {
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::int64_t clock_us(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

Fd::~Fd() {
    if (number_ >= 0) {
        close(number_);
    }
}

Fd listen_on_loopback(std::uint16_t& port) {
    Fd fd(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    checked(bind(fd.get(), generic, size), "bind");
    checked(listen(fd.get(), SOMAXCONN), "listen");
    checked(getsockname(fd.get(), generic, &size), "getsockname");
    port = ntohs(address.sin_port);
    return fd;
}

Fd accept_from(const Fd& listener) {
    Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.open()) {
        no_delay(fd.get());
    }
    return fd;
}

Fd connect_to_loopback(std::uint16_t port) {
    Fd fd(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_in address = loopback(port);
    checked(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            "connect");
    no_delay(fd.get());
    return fd;
}

Instant now() {
    return {clock_us(CLOCK_BOOTTIME)};
}

std::int64_t unix_us() {
    return clock_us(CLOCK_REALTIME);
}

Events::Events() : set_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void Events::add(const Fd& fd, std::uint32_t name) {
    epoll_event event{.events = EPOLLIN, .data = {.u32 = name}};
    checked(epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd.get(), &event), "epoll_ctl");
}

void Events::want_write(const Fd& fd, std::uint32_t name, bool on) {
    epoll_event event{.events = EPOLLIN | (on ? EPOLLOUT : 0U), .data = {.u32 = name}};
    checked(epoll_ctl(set_.get(), EPOLL_CTL_MOD, fd.get(), &event), "epoll_ctl");
}

const std::vector<Events::Event>& Events::wait(Instant until) {
    std::array<epoll_event, events_max> found{};
    const std::int64_t us = std::max<std::int64_t>((until - now()).us, 0);
    const auto ms = static_cast<int>(std::min<std::int64_t>((us + 999) / 1000, 1000));
    const int count = epoll_wait(set_.get(), found.data(), events_max, ms);
    events_.clear();
    for (int i = 0; i < count; ++i) {
        const auto& event = found[static_cast<std::size_t>(i)];
        events_.push_back({event.data.u32,
                           (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
                           (event.events & EPOLLOUT) != 0});
    }
    return events_;
}

bool Outgoing::flush(const Fd& fd) {
    while (at_ < bytes_.size()) {
        const ssize_t sent =
            send(fd.get(), bytes_.data() + at_, bytes_.size() - at_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) {
            return false;
        }
        at_ += static_cast<std::size_t>(sent);
    }
    bytes_.clear();
    at_ = 0;
    return true;
}

int read_some(const Fd& fd, MutableBytes room) {
    const ssize_t got = recv(fd.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
        return static_cast<int>(got);
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

}  // namespace jw::bench
