// SPDX-License-Identifier: Apache-2.0
#pragma once
// PackLaw: what the law remembers of one pack, and what its last plausible reading allows.
#include <array>
#include <cstdint>
#include <span>

#include "core/steer/battery/alarms.h"
#include "core/steer/battery/charge_voltage.h"
#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/plausibility.h"
#include "core/steer/battery/rule.h"

namespace jw::battery {

/// What one rule makes of one pack: shares of the current, in ‰.
struct Finding {
    static constexpr std::int16_t no_say = -1;

    Rule rule = Rule::none;  // none: nothing to say
    std::uint8_t index = 0;  // of the cell or sensor, from 1
    bool latched = false;
    bool below = false;  // it acts below the threshold, not above
    bool has_input = false;
    std::int16_t charge_permille = no_say;
    std::int16_t discharge_permille = no_say;
    std::int32_t input = 0;
    std::int32_t threshold = 0;
};
inline constexpr std::size_t findings_max = 6;
using Findings = std::array<Finding, findings_max>;  // always in the same order

/// What it takes from the settings of its BMS.
struct PackRatings {
    std::int64_t cells = 0;
    std::int64_t charge_current_ma = 0;
    std::int64_t discharge_current_ma = 0;
    std::int64_t voltage_min_mv = 0;  // of the pack
    std::int64_t voltage_max_mv = 0;
};

class PackLaw {
  public:
    /// Takes the pack's newest reading, once. One that is not plausible changes nothing but
    /// objection(): the values before it get older.
    void read(const Pack& pack, const LawSettings& settings, Instant now);
    /// The owner saw to a cell that was far too high; nothing happens while it still is.
    void release();

    [[nodiscard]] bool known() const { return good_at_.us >= 0; }
    [[nodiscard]] Instant good_at() const { return good_at_; }
    [[nodiscard]] const Objection& objection() const { return objection_; }
    [[nodiscard]] const PackRatings& ratings() const { return ratings_; }
    [[nodiscard]] const Findings& findings() const { return findings_; }
    [[nodiscard]] const ChargeVoltage& voltage() const { return voltage_; }
    [[nodiscard]] ChargeStage stage() const { return stages_.stage(); }
    [[nodiscard]] bool middle() const { return middle_; }
    /// What two readings in a row said.
    [[nodiscard]] AlarmBits alarms() const;

  private:
    void judge(const Pack& pack, const LawSettings& settings);
    Finding cell_high(const Pack& pack, const LawSettings& settings);
    Finding cell_low(const Pack& pack, const LawSettings& settings);
    Finding temperature(const Pack& pack, const LawSettings& settings);
    Finding bms_fault(const Pack& pack, const LawSettings& settings);

    Instant at_{-1};
    Instant good_at_{-1};
    Objection objection_{Doubt::silent};
    Freeze freeze_;
    PackRatings ratings_;
    Findings findings_{};
    ChargeStages stages_;
    ChargeVoltage voltage_;
    AlarmBits alarms_;
    AlarmBits alarms_before_;
    Instant charge_fault_at_{-1};  // when the BMS last said so
    Instant discharge_fault_at_{-1};
    std::int64_t cell_max_mv_ = 0;
    std::int64_t cell_min_mv_ = 0;
    std::uint8_t cell_max_ = 0;  // from 1
    std::uint8_t cell_min_ = 0;
    bool middle_ = false;  // all cells lie in the middle band
    bool high_ = false;    // latches of R6 and R7
    bool low_ = false;
    bool cold_ = false;
    bool hot_ = false;
    bool critical_ = false;
    bool critical_now_ = false;
    std::array<bool, 2> sensor_seen_{};
};

}  // namespace jw::battery
