// SPDX-License-Identifier: Apache-2.0
#pragma once
// A CAN bus as subcommands reach it: an interface of Linux, or an adapter behind a serial port.
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "apps/joulectl/subcommands.h"
#include "core/bus/can_line.h"
#include "host/can_bus.h"
#include "host/loop.h"
#include "host/serial_bus.h"

namespace joulectl {

class CanPort final : private jw::CanClient {
  public:
    /// Opens it: a device with a slash is the serial port of an adapter. `heard` gets every frame.
    CanPort(jw::Loop& loop,
            const CanTrafficOptions& options,
            std::function<void(const jw::CanFrame& frame)> heard);
    /// Waits until it is open; ends in Failure, which says what is wrong, where it is not.
    void wait_open();
    /// Ends in Failure where the bus has gone, or took nothing for five seconds.
    void send(const jw::CanFrame& frame);
    [[nodiscard]] const jw::CanCounters& counters() const { return line_->counters(); }
    /// What is wrong with it, or nothing.
    [[nodiscard]] const std::string& trouble() const;
    /// As a log names it: "can0", "ttyACM0".
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    void received(const jw::CanFrame& frame, jw::Instant now) override;
    void rivalled(const jw::CanFrame& frame, jw::Instant now) override;
    void bus_changed(std::optional<jw::CanBusState> state, jw::Instant now) override;
    [[nodiscard]] bool is_open() const;

    jw::Loop& loop_;
    std::function<void(const jw::CanFrame& frame)> heard_;
    std::string name_;
    std::unique_ptr<jw::CanBus> interface_;
    std::unique_ptr<jw::SerialBus> adapter_;
    std::array<jw::WaitingCanFrame, 4> waiting_;
    std::unique_ptr<jw::CanLine> line_;
};

}  // namespace joulectl
