// SPDX-License-Identifier: Apache-2.0
#pragma once
// The battery's law: from readings, settings and the time follows what an inverter may do. A
// comfort layer over the BMS's own protection, never the protective device. Pure: no I/O, no clock.
#include <array>
#include <cstdint>
#include <span>

#include "core/model/battery.h"
#include "core/steer/battery/alarms.h"
#include "core/steer/battery/ceiling.h"
#include "core/steer/battery/chatter.h"
#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/merge.h"
#include "core/steer/battery/pack.h"
#include "core/steer/battery/pack_law.h"
#include "core/steer/battery/rule.h"
#include "core/steer/battery/slow_rise.h"

namespace jw::battery {

/// A verdict that is older stands for nothing (R13).
inline constexpr Duration liveness = seconds(2);

/// An upper bound from afar. It has no way to raise anything.
struct Lowering {
    Number charge_current_ma = {};
    Number discharge_current_ma = {};
    Instant until;
};

/// What the law says. Only the law makes it non-zero.
class Verdict {
  public:
    /// Zero currents where the verdict is older than the law may be silent (R13), or where a
    /// reading that it stands on got too old since: whoever keeps on sending after the law stopped
    /// sends zeros. The voltage is never 0 where `may_send`, everything is where not.
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
    std::uint32_t hull_clamps = 0;  // how often the last gate had to act: a fault of ours
    /// Every rule that has something to say, the lowest charge current first.
    std::array<RuleLimit, rules> by_rule{};
    std::uint8_t rule_count = 0;

  private:
    friend class Law;
    BatteryLimits limits_;
    Instant at_{-1};
    Instant charge_until_;
    Instant discharge_until_;
};

class Law {
  public:
    /// The settings have passed check().
    explicit Law(const LawSettings& settings);

    /// From the packs of one battery, wired in parallel (limits add, the weakest cell decides, the
    /// share of a silent one is zero). At most packs_max, always in the same order.
    const Verdict& step(std::span<const Pack> packs, Instant now);
    /// Bounds the currents until then, at most for `lowering_max`; absent numbers leave what an
    /// earlier one said, a later one takes the place of an earlier one. Takes effect with the next
    /// step().
    void lower(const Lowering& lowering, Instant now);
    /// The owner saw to what is latched until then (a cell far beyond its cut-off).
    void release();
    [[nodiscard]] const Verdict& verdict() const { return verdict_; }
    [[nodiscard]] const LawSettings& settings() const { return settings_; }

  private:
    /// One direction of the current.
    struct Direction {
        SlowRise rise;
        Chatter chatter;
        std::int64_t remote_ma = 0;
        Instant remote_until{-1};
    };

    void add_row(const RuleLimit& row);
    void sort_rows();
    void bound_by_settings(Ceiling& charge, Ceiling& discharge, const Merged& merged);
    void bound_by_age(Ceiling& charge, Ceiling& discharge, const Merged& merged);
    void bound_by_packs(Ceiling& charge, Ceiling& discharge, const Merged& merged);
    void bound_by_remote(Ceiling& charge, Ceiling& discharge, Instant now);
    void calm(Ceiling& charge, Ceiling& discharge, const Merged& merged, Instant now);
    std::int64_t charge_voltage(const Merged& merged, Instant now);
    void close(BatteryLimits limits, const Merged& merged, Instant now);

    LawSettings settings_;
    std::array<PackLaw, packs_max> packs_{};
    Direction charge_;
    Direction discharge_;
    SlowRise voltage_;
    Alarms alarms_;
    Verdict verdict_;
};

}  // namespace jw::battery
