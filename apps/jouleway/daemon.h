// SPDX-License-Identifier: Apache-2.0
#pragma once
// Daemon: one gateway with its buses, sinks and store, made from one set of settings. A reload ends
// one daemon and makes the next.
#include <memory>
#include <string>
#include <vector>

#include "apps/jouleway/store.h"
#include "core/task/alerts.h"
#include "core/task/battery.h"
#include "core/task/gateway.h"
#include "host/can_bus.h"
#include "host/can_traffic.h"
#include "host/history/local_history.h"
#include "host/live_client.h"
#include "host/loop.h"
#include "host/mqtt_sink.h"
#include "host/serial_bus.h"
#include "host/settings.h"
#include "host/tcp_bus.h"

namespace jw {

/// A line in the gateway's loop: it has its turn when it asked for one, and when something arrived,
/// until it is stopped.
class LineTask final : public Task, public Line {
  public:
    LineTask(Line& line, Gateway& gateway) : line_(line), gateway_(gateway) {}
    /// From here on nobody is asked and nobody is heard.
    void stop() { stopped_ = true; }
    Instant run(Instant now) override { return step(now); }

    void connected(Instant now) override {
        if (!stopped_) {
            line_.connected(now);
            gateway_.wake(*this, now);
        }
    }
    void disconnected(Instant now) override {
        if (!stopped_) {
            line_.disconnected(now);
            gateway_.wake(*this, now);
        }
    }
    void received(Bytes bytes, Instant now) override {
        if (!stopped_) {
            line_.received(bytes, now);
            gateway_.wake(*this, now);
        }
    }
    Instant step(Instant now) override { return stopped_ ? never : line_.step(now); }

  private:
    Line& line_;
    Gateway& gateway_;
    bool stopped_ = false;
};

/// What a daemon hands to the next one, so that a reload leaves no gap on the page.
struct Remembered {
    DeviceSnapshot device;  // without its values
    Name driver;
    std::vector<LatestValue> values;
};

/// A bus of the settings with the line on it.
struct BusOfSite {
    const GatewaySettings::Bus* settings = nullptr;
    std::vector<ModbusClient*> clients;
    std::vector<ModbusOpenRequest> open_requests;
    std::vector<std::uint8_t> in;
    std::vector<std::uint8_t> out;
    DurationCounts answer_times;
    std::unique_ptr<TcpBus> tcp;
    std::unique_ptr<SerialBus> serial;
    std::unique_ptr<CanBus> can;
    std::unique_ptr<ModbusLine> modbus;
    Line* line = nullptr;
    std::unique_ptr<LineTask> task;

    Bus& bus();
    [[nodiscard]] const BusState& state() const;
};

/// A battery of the settings with what it speaks to its inverter by.
struct BatteryOfSite {
    const GatewaySettings::Battery* settings = nullptr;
    battery::Battery* battery = nullptr;
    std::vector<std::uint16_t> own_ids;
    std::vector<WaitingCanFrame> waiting;
    std::unique_ptr<CanTraffic> traffic;
    std::unique_ptr<CanLine> can;
};

class Daemon final : private GatewayOut {
  public:
    /// Loop and workers outlive it.
    Daemon(Loop& loop, Workers& workers, const GatewaySettings& settings);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Opens the store and starts everything. Errors: those of the store; trouble() says it in
    /// words.
    Status start();
    [[nodiscard]] const std::string& trouble() const { return store_.trouble(); }
    /// Gathers no more and keeps what is gathered, says goodbye; `done` is called when all of it is
    /// on the medium, or after five seconds.
    void stop(std::function<void()> done);
    Instant step(Instant now);

    /// How many records of all classes were accepted, as of the last turn.
    [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
    /// How many records wait for a sink, over all sinks.
    [[nodiscard]] std::uint64_t waiting();
    /// "epoch … accepted a,b,c,d waiting n", for whoever watches the service.
    [[nodiscard]] std::string status();
    [[nodiscard]] std::vector<Remembered> remember();
    void inherit(std::span<const Remembered> before);

    Gateway& gateway() { return *gateway_; }
    [[nodiscard]] const GatewaySettings& settings() const { return settings_; }
    [[nodiscard]] std::span<const std::unique_ptr<BusOfSite>> buses() const { return buses_; }
    [[nodiscard]] std::span<const std::unique_ptr<MqttSink>> sinks() const { return sinks_; }
    /// In the snapshot they follow the devices.
    [[nodiscard]] std::span<const std::unique_ptr<BatteryOfSite>> batteries() const {
        return batteries_;
    }
    [[nodiscard]] const Store& store() const { return store_; }
    /// After start() only.
    History& history() { return *history_; }
    Alerts& alerts() { return *alerts_; }
    /// What the page wants to hear of; set before start().
    struct Hooks {
        std::function<void(std::size_t device, const Reading& reading, Instant now)> reading;
        std::function<void(const CommandId& id, Status written)> begun;
        std::function<void(const CommandResult& result, CommandSource source)> finished;
        std::function<void()> breach;  // the program must stop and begin anew
    };
    void use_hooks(Hooks hooks) { hooks_ = std::move(hooks); }

  private:
    [[nodiscard]] std::size_t arena_size() const;
    void add_bus(std::size_t index);
    void add_device(std::size_t index);
    void add_live(Instant now);
    void add_battery(const GatewaySettings::Battery& settings);
    void add_line(BusOfSite& bus, Instant now);
    void look_at_clock(Instant now);
    Status open_history();
    void tell_history(const std::string& trouble);
    void note_energies();
    void make_alerts();
    void reading(std::size_t device, const Reading& reading, Instant now) override;
    void identified(std::size_t device, const DeviceInfo& info, Instant now) override;
    void fault(const Fault& fault, Instant now) override;
    void command_begun(const CommandId& id, Status written) override;
    void command_finished(const CommandResult& result, CommandSource source, Instant now) override;
    void breach(const char* what, Instant now) override;

    Loop& loop_;
    Workers& workers_;
    GatewaySettings settings_;
    std::vector<Issuer> issuers_;
    Store store_;
    std::vector<std::byte> arena_block_;
    std::unique_ptr<Arena> arena_;
    std::unique_ptr<Gateway> gateway_;
    std::unique_ptr<History> history_;
    std::vector<Alert> alert_ring_;
    std::vector<AlertWatch> alert_watches_;
    std::vector<AlertBattery> alert_batteries_;
    std::unique_ptr<Alerts> alerts_;
    Instant alerts_due_;
    std::vector<std::unique_ptr<BusOfSite>> buses_;
    std::vector<std::unique_ptr<BatteryOfSite>> batteries_;
    std::vector<std::unique_ptr<MqttSink>> sinks_;
    std::vector<std::unique_ptr<LiveSink>> live_;
    Hooks hooks_;
    std::uint64_t accepted_ = 0;  // of all classes, at the last turn
    bool clock_set_ = false;
    Instant clock_looked_{-1};
    std::function<void()> stopped_;
    bool history_flushed_ = false;
    std::array<std::uint64_t, record_classes> stop_at_{};
    Guard guard_;
};

}  // namespace jw
