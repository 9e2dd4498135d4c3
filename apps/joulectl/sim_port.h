// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a simulated device is spoken to: TCP port or pseudo terminal. Bytes only; the devices
// themselves are in sim/.
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/joulectl/sim_faults.h"
#include "core/base/bytes.h"

namespace joulectl {

/// The device's side of one connection: what it has heard so far.
class SimSession {
  public:
    virtual ~SimSession() = default;
    virtual void received(jw::Bytes bytes, jw::Instant now) = 0;
    /// When it will have something to say; `never` while it has not.
    [[nodiscard]] virtual jw::Instant next() const = 0;
    /// What it says by now.
    virtual std::string take(jw::Instant now) = 0;
};

class SimDevice {
  public:
    virtual ~SimDevice() = default;
    virtual std::unique_ptr<SimSession> connect() = 0;
};

struct SimCounters {
    std::uint64_t connections = 0;
    std::uint64_t heard = 0;  // pieces of bytes received
    std::uint64_t said = 0;   // answers and telegrams
    std::uint64_t lost = 0;   // of them, kept back by a fault
};

/// A place at which one device is spoken to. What it says may be late, lost or, while the device
/// sleeps, not said at all.
class SimPort {
  public:
    virtual ~SimPort() = default;
    /// Address as the gateway's settings name it: type, host and port, or device.
    [[nodiscard]] virtual nlohmann::ordered_json address() const = 0;
    /// Says it to everybody who listens.
    virtual void say(const std::string& bytes) = 0;
    virtual void close() = 0;
    [[nodiscard]] virtual const SimCounters& counters() const = 0;
};

/// What a port is made of; all of it outlives the port.
struct SimPlace {
    boost::asio::io_context& io;
    SimDevice& device;
    SimFaults& faults;
};

/// Time since the program's start.
jw::Instant sim_now();

/// Errors end in Failure, naming the address and what the system said. Port 0: any free one.
std::unique_ptr<SimPort> open_tcp(SimPlace place, const std::string& host, std::uint16_t port);
/// `link` becomes a symbolic link to the terminal, removed at the end; empty: none is made.
std::unique_ptr<SimPort> open_pty(SimPlace place, const std::string& link);

}  // namespace joulectl
