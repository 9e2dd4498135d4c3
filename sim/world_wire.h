// SPDX-License-Identifier: Apache-2.0
#pragma once
// One connection between the gateway and some demo meters, with the faults that both have. Devices
// and wire outlive a power cut of the gateway.
#include <deque>
#include <optional>
#include <vector>

#include "core/base/ports.h"
#include "sim/modbus_server.h"
#include "sim/world_checker.h"
#include "sim/world_stage.h"

namespace jw::sim {

class WorldGateway;

class WorldWire final : public Bus {
  public:
    /// Meters with the unit ids 1 … `meters`; `first` is the number of the first in the world.
    WorldWire(WorldStage& stage,
              WorldChecker& checker,
              std::size_t index,
              std::size_t first,
              std::size_t meters);

    Status send(Bytes bytes) override;
    /// A gateway starts (or its power was cut: null).
    void attach(WorldGateway* gateway);
    /// Chooses the faults at work anew, from now and then on.
    void live();
    [[nodiscard]] Instant next() const { return server_ ? server_->next() : never; }
    /// Hands over the answers that are due.
    void deliver();

    [[nodiscard]] ModbusFraming framing() const { return framing_; }
    [[nodiscard]] std::size_t first() const { return first_; }
    [[nodiscard]] std::size_t meters() const { return units_.size(); }
    [[nodiscard]] std::uint64_t breaks() const { return breaks_; }

  private:
    void connect();
    void disconnect();
    void choose_faults();

    WorldStage& stage_;
    std::size_t index_;
    std::size_t first_;
    ModbusFraming framing_;
    std::vector<ModbusUnit> units_;
    std::optional<ModbusServer> server_;  // while a connection stands
    ModbusFaults faults_;
    WorldGateway* gateway_ = nullptr;
    std::uint64_t attached_ = 0;  // how often
    std::uint64_t breaks_ = 0;
    std::vector<std::uint8_t> bytes_;
};

}  // namespace jw::sim
