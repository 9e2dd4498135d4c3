// SPDX-License-Identifier: Apache-2.0
#pragma once
// One life of the gateway, from boot to power cut: the real core over simulated storage, wires and
// broker.
#include <memory>
#include <optional>
#include <vector>

#include "core/base/arena.h"
#include "core/bus/modbus_line.h"
#include "core/task/delivery.h"
#include "core/task/gateway.h"
#include "sim/storage.h"
#include "sim/world_broker.h"
#include "sim/world_checker.h"
#include "sim/world_wire.h"

namespace jw::sim {

/// What stays the same over all lives of a gateway.
struct WorldPlan {
    std::vector<DeviceSettings> devices;  // by their number in the world
    OutboxSettings outbox;
    DeliverySettings delivery;
    std::size_t window = 1;
};

class WorldGateway final : private GatewayOut, private DeadLetters, private Task {
  public:
    WorldGateway(WorldStage& stage,
                 WorldChecker& checker,
                 WorldBroker& broker,
                 SimStorage& records,
                 SimStorage& commands,
                 const WorldPlan& plan);
    WorldGateway(const WorldGateway&) = delete;
    WorldGateway& operator=(const WorldGateway&) = delete;

    /// Boots. Errors: those of the store.
    Status start(std::span<const std::unique_ptr<WorldWire>> wires);
    /// `unix_ms`: of the boot.
    void learn_time(std::int64_t unix_ms_at_boot);
    /// Gives when it wants to run again.
    Instant step();
    void records_synced(const SimStorage::Answer& answer);
    void commands_synced(const SimStorage::Answer& answer);
    [[nodiscard]] std::uint32_t boot() const { return outbox_.boot(); }
    /// Whether readings are kept less often than set now, and how many records that spared.
    [[nodiscard]] bool thins() const { return gateway_->keep_every() > 1; }
    [[nodiscard]] std::uint64_t thinned() const { return gateway_->thinned(); }

    void line_connected(std::size_t line);
    void line_disconnected(std::size_t line);
    void line_received(std::size_t line, Bytes bytes);
    void sink_connected();
    void sink_disconnected();
    void sink_answered(std::uint32_t ticket, bool taken);
    void sink_durable(std::uint64_t epoch);
    void sink_command(const Command& command);

  private:
    static constexpr std::size_t kept_values_max = 16;
    struct LineEnd final : Task {
        std::vector<ModbusClient*> clients;
        std::array<ModbusOpenRequest, 2> open{};
        std::array<std::uint8_t, modbus_buffer_size> in{};
        std::array<std::uint8_t, modbus_buffer_size> out{};
        std::optional<ModbusLine> line;
        Instant run(Instant now) override { return line->step(now); }
    };
    [[nodiscard]] Instant local() const { return Instant{stage_.now.us - booted_.us}; }
    void add_line(WorldWire& wire);
    Instant run(Instant now) override;
    void check_bounds();
    void check_thinning();

    void reading(std::size_t device, const Reading& reading, Instant now) override;
    void identified(std::size_t device, const DeviceInfo& info, Instant now) override;
    void fault(const Fault& fault, Instant now) override;
    void breach(const char* what, Instant now) override;
    void command_begun(const CommandId& /*id*/, Status /*written*/) override {}
    void command_finished(const CommandResult& result, CommandSource source, Instant now) override;
    void rejected(const Record& record) override;

    WorldStage& stage_;
    WorldChecker& checker_;
    WorldBroker& broker_;
    const WorldPlan& plan_;
    Instant booted_;
    std::vector<Segment> segments_;
    std::array<SinkCursor, 1> sinks_{};
    std::array<ClockPair, 16> clocks_{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> record_{};
    std::vector<JournalEntry> journal_memory_;
    Outbox outbox_;
    CommandJournal journal_;
    std::vector<std::byte> arena_block_;
    Arena arena_;
    std::vector<BatchUnderWay> window_;
    std::vector<char> batch_;
    JsonBatch writer_;
    std::vector<std::uint8_t> read_;
    Delivery delivery_;
    std::optional<Gateway> gateway_;
    std::vector<std::unique_ptr<LineEnd>> lines_;
    std::uint64_t accepted_ = 0;
    /// What would be kept of each device if nothing were thinned, gathered here once more.
    std::vector<std::array<KeptValue, kept_values_max>> unthinned_memory_;
    std::vector<Keep> unthinned_;
    Reading unthinned_reading_;
    std::uint64_t intervals_ = 0;
};

}  // namespace jw::sim
