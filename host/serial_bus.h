// SPDX-License-Identifier: Apache-2.0
#pragma once
// SerialBus: the port Bus over a serial line (termios); opened again when the adapter was unplugged
// and returns.
#include <cstdint>
#include <string>

#include "core/base/ports.h"
#include "core/bus/line.h"
#include "core/task/backoff.h"
#include "host/guard.h"
#include "host/loop.h"
#include "host/settings.h"
#include "host/stream.h"

namespace jw {

struct SerialBusSettings {
    std::string name;    // of the bus, for messages
    std::string device;  // path, best one below /dev/serial/by-id
    std::uint32_t baud = 9600;
    std::uint8_t data_bits = 8;  // 7 or 8
    SerialParity parity = SerialParity::none;
    std::uint8_t stop_bits = 1;  // 1 or 2
    BackoffSettings backoff{.base = milliseconds(500), .cap = seconds(5), .stable = seconds(5)};
};

/// Whether a serial line can have this speed: 2400, 4800, 9600, 19200, 38400, 57600, 115200,
/// 230400, 460800, 500000, 576000 or 921600 baud.
[[nodiscard]] bool is_serial_speed(std::uint32_t baud);

/// Only one process may have the line: it is locked (flock).
class SerialBus final : public Bus {
  public:
    SerialBus(Loop& loop, SerialBusSettings settings);
    SerialBus(const SerialBus&) = delete;
    SerialBus& operator=(const SerialBus&) = delete;

    /// Opens the device, and keeps doing so. The line must outlive this bus.
    void start(Line& line);
    Status send(Bytes bytes) override { return stream_.send(bytes); }
    [[nodiscard]] const BusState& state() const { return state_; }

  private:
    void attempt();
    void retry(std::string trouble);
    /// Sets the line up. Gives what is wrong, or nothing.
    [[nodiscard]] std::string configure(int fd) const;
    [[nodiscard]] std::string words(int reason) const;

    Loop& loop_;
    SerialBusSettings settings_;
    Line* line_ = nullptr;
    Backoff backoff_;
    BusState state_;
    Stream stream_;
    Guard attempt_;
};

}  // namespace jw
