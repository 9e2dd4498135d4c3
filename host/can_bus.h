// SPDX-License-Identifier: Apache-2.0
#pragma once
// CanBus: the port Bus over a CAN interface of Linux (SocketCAN), opened again when the interface
// was down or away and returns.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ports.h"
#include "core/bus/line.h"
#include "core/task/backoff.h"
#include "host/guard.h"
#include "host/loop.h"
#include "host/stream.h"

namespace jw {

struct CanBusSettings {
    std::string name;    // of the bus, for messages
    std::string device;  // name of the interface
    /// The 11-bit ids to hear; empty: every frame, with 29-bit ids too.
    std::vector<std::uint16_t> ids;
    /// Short: looking for an interface disturbs nobody, and an inverter waits behind it.
    BackoffSettings backoff{.base = milliseconds(250), .cap = seconds(1), .stable = seconds(5)};
};

/// Every send() and every received() is one struct can_frame of 16 bytes; error frames of the
/// controller come in too. What this bus sends it does not hear, but other programs on the same
/// interface do. Speed and restart after bus-off are settings of the interface (`ip link set can0
/// type can bitrate 500000 restart-ms 100`), which this program has no right to change.
class CanBus final : public Bus {
  public:
    CanBus(Loop& loop, CanBusSettings settings);
    CanBus(const CanBus&) = delete;
    CanBus& operator=(const CanBus&) = delete;

    /// Opens the interface, and keeps doing so. The line must outlive this bus.
    void start(Line& line);
    /// Errors also: busy, where the interface's queue is full.
    Status send(Bytes bytes) override;
    [[nodiscard]] const BusState& state() const { return state_; }

  private:
    void attempt();
    void retry(std::string trouble);
    /// Gives errno, or 0.
    [[nodiscard]] int set_up(int fd) const;
    [[nodiscard]] int filter(int fd) const;
    [[nodiscard]] std::string words(int reason) const;

    Loop& loop_;
    CanBusSettings settings_;
    Line* line_ = nullptr;
    Backoff backoff_;
    int fd_ = -1;  // the stream's, which closes it
    BusState state_;
    Stream stream_;
    Guard attempt_;
};

}  // namespace jw
