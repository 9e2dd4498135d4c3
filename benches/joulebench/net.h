// SPDX-License-Identifier: Apache-2.0
#pragma once
// The little of sockets and clocks that the bench's servers and clients share.
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"

namespace jw::bench {

/// A file descriptor that closes with its owner.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();
    [[nodiscard]] int get() const { return number_; }
    [[nodiscard]] bool open() const { return number_ >= 0; }

  private:
    int number_ = -1;
};

/// Listens on a free port of 127.0.0.1; the port is written to `port`.
Fd listen_on_loopback(std::uint16_t& port);
/// Non-blocking, without delay. Not open where nobody waits.
Fd accept_from(const Fd& listener);
/// Connected, then non-blocking and without delay.
Fd connect_to_loopback(std::uint16_t port);

Instant now();
std::int64_t unix_us();

/// An epoll set whose events name what was given to add().
class Events {
  public:
    Events();
    void add(const Fd& fd, std::uint32_t name);
    /// Whether `fd` is to be told when it takes bytes again.
    void want_write(const Fd& fd, std::uint32_t name, bool on);
    struct Event {
        std::uint32_t name;
        bool readable;
        bool writable;
    };
    /// Waits until something happens, or `until`.
    const std::vector<Event>& wait(Instant until);

  private:
    Fd set_;
    std::vector<Event> events_;
};

/// Bytes on their way into a socket.
class Outgoing {
  public:
    void put(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    std::vector<std::uint8_t>& bytes() { return bytes_; }
    /// Writes what the socket takes; says whether all is out.
    bool flush(const Fd& fd);

  private:
    std::vector<std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

/// Reads once; the size, 0 where nothing waits, -1 at the end of the connection.
int read_some(const Fd& fd, MutableBytes room);

}  // namespace jw::bench
