// SPDX-License-Identifier: Apache-2.0
#pragma once
// Alerts: what people are to be told and have to acknowledge. Rules over the latest values raise
// faults; every fault, of whatever origin, is an alert, and the last of them are remembered.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/list.h"
#include "core/model/battery.h"
#include "core/model/event.h"
#include "core/model/snapshot.h"
#include "core/task/faults.h"

namespace jw {

enum class AlertStatus : std::uint8_t { active, acknowledged, cleared };
constexpr auto enum_names(AlertStatus) {
    return std::array{"active", "acknowledged", "cleared"};
}

struct Alert {
    std::uint64_t id = 0;
    Fault fault;
    AlertStatus status = AlertStatus::active;
    Instant since;
    Instant cleared{-1};  // negative: it lasts
    Name acknowledged_by;
    Quantity quantity = Quantity::none;  // of a rule, with what follows
    std::optional<std::int64_t> value;   // as it was when the alert came
    std::optional<std::int64_t> threshold;
};

/// A bound that a value is held against.
struct AlertRule {
    Name device;
    Quantity quantity = Quantity::none;
    Quantity minus = Quantity::none;  // what is taken from it first: of a difference
    bool above = true;                // else below
    std::int64_t threshold = 0;
    std::int64_t hysteresis = 0;  // so far back within the bound it is over
    Duration hold = seconds(10);  // so long beyond it, or back, before it counts
    Severity severity = Severity::warning;
};

/// How far back a value of that quantity has to come before an alert of it ends.
std::int64_t default_hysteresis(Quantity quantity);

/// The rules that hold for a battery where its owner gave none (battery-can 1.7): temperature, cell
/// voltages, currents, state of charge, difference of the cells.
std::span<const AlertRule> battery_alert_rules();

/// A rule and how it stands.
struct AlertWatch {
    AlertRule rule;
    Instant since{-1};  // beyond the bound, or back within it, since then; negative: it is not
    bool raised = false;
};

/// A battery whose alarm bits are alerts, and which of them are raised.
struct AlertBattery {
    Name device;
    BatteryAlarms levels{};  // unsupported where nothing is raised
};

struct AlertMemory {
    std::span<Alert> ring;
    std::span<AlertWatch> watches;
    std::span<AlertBattery> batteries;
};

class Alerts {
  public:
    /// Ids rise from `first_id`.
    Alerts(const AlertMemory& memory, std::uint64_t first_id);

    /// Every change of a fault. Where the ring is full the oldest that is over goes, else the
    /// oldest.
    void changed(const Fault& fault, Instant now);
    /// Holds the values against the rules; a value that is stale proves nothing either way. Raised
    /// faults come back by changed(). Returns when to look again.
    Instant step(const Snapshot& snapshot, Faults& faults, Instant now);

    /// Errors: not_found (no such alert), out_of_range (it is over). Twice is once.
    Status acknowledge(std::uint64_t id, std::string_view who);
    /// Takes those that are over out of the ring.
    void forget_cleared();
    /// Takes what an earlier life remembers before its own, as far as there is room.
    void inherit(std::span<const Alert> before);

    /// Oldest first.
    [[nodiscard]] std::span<const Alert> items() const { return ring_.items(); }
    /// Differs whenever the items do.
    [[nodiscard]] std::uint32_t revision() const { return revision_; }

  private:
    void look(AlertWatch& watch, const DeviceSnapshot& device, Faults& faults, Instant now);
    void look(AlertBattery& battery, const DeviceSnapshot& device, Faults& faults, Instant now);
    void raise(const AlertWatch& watch, std::int64_t value, Faults& faults, Instant now);

    List<Alert> ring_;
    std::span<AlertWatch> watches_;
    std::span<AlertBattery> batteries_;
    std::uint64_t next_id_;
    std::uint32_t revision_ = 0;
    const AlertRule* raising_ = nullptr;  // whose fault changed() is told of just now
    std::int64_t raising_value_ = 0;
};

}  // namespace jw
