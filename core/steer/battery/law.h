// SPDX-License-Identifier: Apache-2.0
#pragma once
// The battery's law: from readings, settings and the time follows what an inverter may do. A
// comfort layer over the BMS's own protection, never the protective device. Pure: no I/O, no clock.
#include <array>
#include <cstdint>
#include <span>

#include "core/model/battery.h"
#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/pack.h"

namespace jw::battery {

inline constexpr std::size_t packs_max = 8;

/// What can hold a current or the voltage down. Each has a sentence in docs/safety.md.
enum class Rule : std::uint8_t {
    none,
    owner,        // the owner's setting
    bms_rating,   // what the BMS is set to
    remote,       // a command, for as long as it holds
    not_ready,    // no complete reading yet
    stale,        // the values are old
    implausible,  // the values contradict each other, or do not change
    cell_high,    // the fullest cell
    cell_low,     // the emptiest cell
    temperature,  // of the cells
    board_temperature,
    soc,
    bms_fault,       // the BMS has opened a switch, or says fault
    charge_voltage,  // the stage of charging: full, balancing, empty
    cell_difference,
    chatter,     // it went to and fro; held at the lower value
    recovering,  // rising slowly
    hull,        // the last gate
};
inline constexpr std::size_t rules = 18;

/// What one rule allows just now.
struct RuleLimit {
    Rule rule = Rule::none;
    Number charge_current_ma;  // absent: it says nothing about that direction
    Number discharge_current_ma;
    Number charge_voltage_mv;
    Number input;            // what it looked at: mV of the cell, m°C, ‰, ms of age
    std::uint8_t index = 0;  // of the cell or sensor, from 1; 0: the whole
    std::uint8_t pack = 0;
};

enum class ChargeStage : std::uint8_t {
    bulk,
    transition,
    float_approach,
    floating,
    imbalance_hold,
    sustain,
};

/// An upper bound from afar. It has no way to raise anything.
struct Lowering {
    Number charge_current_ma;
    Number discharge_current_ma;
    Instant until;
};

/// What the law says. Only the law makes it non-zero; whoever sends it asks live() first.
class Verdict {
  public:
    /// Zero currents where the verdict is older than the law may be silent (R13): whoever keeps on
    /// sending after the law stopped sends zeros. The voltage is never 0 where `may_send`.
    [[nodiscard]] BatteryLimits limits(Instant now) const;
    [[nodiscard]] Instant at() const { return at_; }

    bool may_send = false;  // before the first complete reading, and long after the last: nothing
    Rule charge_rule = Rule::not_ready;  // which holds each down now
    Rule discharge_rule = Rule::not_ready;
    Rule voltage_rule = Rule::not_ready;
    ChargeStage stage = ChargeStage::bulk;
    Duration age;  // of the oldest pack's last complete and plausible reading
    BatteryAlarms alarms{};
    std::uint8_t packs = 0;
    std::uint8_t packs_online = 0;
    /// Every rule that has something to say, the lowest charge current first.
    std::array<RuleLimit, rules> by_rule{};
    std::uint8_t rule_count = 0;

  private:
    friend class Law;
    BatteryLimits limits_;
    Instant at_{-1};
};

class Law {
  public:
    explicit Law(const LawSettings& settings) : settings_(settings) {}

    /// From the packs of one battery, wired in parallel (limits add, the weakest cell decides, the
    /// share of a silent one is zero). At most packs_max.
    const Verdict& step(std::span<const Pack> packs, Instant now);
    /// Bounds the currents until then; absent numbers leave what an earlier one said.
    void lower(const Lowering& lowering, Instant now);
    [[nodiscard]] const Verdict& verdict() const { return verdict_; }
    [[nodiscard]] const LawSettings& settings() const { return settings_; }

  private:
    LawSettings settings_;
    Verdict verdict_;
};

}  // namespace jw::battery
