// SPDX-License-Identifier: Apache-2.0
#pragma once
// Real descriptors for the peer tests: a loopback connection or a pty, and the loops that carry
// bytes between them and our line or our simulated server. Every wait has a deadline.
#include <functional>
#include <string>
#include <thread>

#include "core/base/ports.h"
#include "core/bus/line.h"
#include "sim/modbus_server.h"

namespace jw::peer {

/// A descriptor that is closed with its owner.
class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        reset(other.release());
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { reset(-1); }
    [[nodiscard]] int get() const { return fd_; }
    int release() {
        const int fd = fd_;
        fd_ = -1;
        return fd;
    }
    void reset(int fd);

  private:
    int fd_;
};

Instant now();

/// A listening socket of 127.0.0.1 on a port that the kernel chose.
Descriptor listen_on_loopback(int& port);
Descriptor connect_to_loopback(int port);
int port_of(int listening);

struct Pty {
    Descriptor ours;
    std::string theirs;  // path
    Descriptor held;     // the other end stays open, so that a peer may open it late
};
Pty open_pty();

/// The bus of a line over a descriptor.
class DescriptorBus final : public Bus {
  public:
    explicit DescriptorBus(int fd) : fd_(fd) {}
    Status send(Bytes bytes) override;

  private:
    int fd_;
};

/// Drives the line until `done` or the deadline; false if that passed first.
bool drive(Line& line, int fd, const std::function<bool()>& done, Duration at_most = seconds(20));

/// Serves one connection in a thread of its own until this object ends. `accept_from` is a
/// listening socket, or `fd` a serial end.
class ServerThread {
  public:
    ServerThread(sim::ModbusServer& server, int accept_from, int fd);
    ~ServerThread();
    ServerThread(const ServerThread&) = delete;
    ServerThread& operator=(const ServerThread&) = delete;

  private:
    void run();
    bool readable(int fd, Instant until);

    sim::ModbusServer& server_;
    int accept_from_;
    int fd_;
    Descriptor stop_read_;
    Descriptor stop_write_;
    std::thread thread_;
};

}  // namespace jw::peer
