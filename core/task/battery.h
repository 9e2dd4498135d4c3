// SPDX-License-Identifier: Apache-2.0
#pragma once
// Battery: packs in parallel as one device, steered by its law. Its readings are what it tells its
// inverter; commands to it lower that for a while.
#include <cstdint>
#include <optional>
#include <span>

#include "core/bus/can_line.h"
#include "core/device/device.h"
#include "core/model/snapshot.h"
#include "core/sink/can_out/talk.h"
#include "core/steer/battery/law.h"
#include "core/task/battery_state.h"
#include "core/task/faults.h"
#include "core/task/task_queue.h"

namespace jw::battery {

struct BatterySettings {
    LawSettings law;
    Identity identity;
    const can_out::Profile* profile = nullptr;  // null: no inverter is told
    Duration remote_hold = seconds(60);         // a command's limit holds so long
};

/// What a battery lives on. Everything outlives it.
struct BatteryWiring {
    BatterySettings settings;
    Snapshot* snapshot = nullptr;
    std::span<const std::uint8_t> packs;  // indices of their devices; at most packs_max
    Faults* faults = nullptr;
    CanLine* can = nullptr;  // null: no inverter is told
};

/// Runs when it asked to, and whenever one of its packs gave a reading: then a limit that falls
/// leaves in the same turn.
class Battery final : public Device, public Task, public CanClient {
  public:
    Battery(const DeviceSettings& settings, DeviceOut& out);
    /// The battery behind a device that `driver` made.
    static Battery& of(Device& device) { return static_cast<Battery&>(device); }
    /// Once, before the first run().
    void wire(const BatteryWiring& wiring);
    /// Energy counted in an earlier life; once, before the first run().
    void resume(const Energy& energy) { energy_ = energy; }

    Instant run(Instant now) override;
    /// Lowers charge_current_limit_ma or discharge_current_limit_ma for `remote_hold`.
    Status act(Quantity quantity, std::int64_t value, Instant now) override;
    Status poll_now(Instant now) override;
    /// One action: `release`, after the owner has seen to what is latched.
    [[nodiscard]] std::size_t parameter_count() const override { return 1; }
    [[nodiscard]] Parameter parameter(std::size_t index) const override;
    Status write_parameter(std::string_view name, std::int64_t value, Instant now) override;

    void received(const CanFrame& frame, Instant now) override;
    void rivalled(const CanFrame& frame, Instant now) override;
    void bus_changed(std::optional<CanBusState> state, Instant now) override;

    [[nodiscard]] const Verdict& verdict() const { return law_->verdict(); }
    [[nodiscard]] const Law& law() const { return *law_; }
    [[nodiscard]] std::span<const Pack> packs() const { return {packs_.data(), pack_count_}; }
    [[nodiscard]] const Energy& energy() const { return energy_; }
    /// What the inverter is told now.
    [[nodiscard]] can_out::BatteryState state(Instant now) const;
    [[nodiscard]] Duration remote_hold() const { return wiring_.settings.remote_hold; }
    [[nodiscard]] const can_out::Profile* profile() const { return wiring_.settings.profile; }
    /// When the inverter was last heard; negative: never.
    [[nodiscard]] Instant inverter_heard() const { return inverter_heard_; }

  private:
    void count_energy(const Pack& before, const Pack& pack);
    Instant tell_inverter(Instant now);
    void watch_packs(Instant now);
    void watch_bus(Instant now);
    void give_reading(Instant now);

    Name name_;
    Duration poll_;
    DeviceOut& out_;
    BatteryWiring wiring_;
    std::optional<Law> law_;
    std::optional<can_out::Talk> talk_;
    std::array<Pack, packs_max> packs_{};
    std::size_t pack_count_ = 0;
    Energy energy_;
    std::int64_t charge_mw_ms_ = 0;  // not yet a whole Wh
    std::int64_t discharge_mw_ms_ = 0;
    Instant reading_due_;
    Instant inverter_heard_{-1};
    Instant rival_heard_{-1};
    Instant bus_well_at_{-1};  // negative: not looked at yet
};

extern const Driver driver;

}  // namespace jw::battery
