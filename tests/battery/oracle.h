// SPDX-License-Identifier: Apache-2.0
#pragma once
// Oracle: what a battery's limits must never be, written apart from the law and in another way:
// with floating point, with its own memory, rule by rule from docs/safety.md.
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "core/steer/battery/law.h"

namespace jw::battery_campaign {

using battery::LawSettings;
using battery::Lowering;
using battery::Pack;
using battery::Verdict;

class Oracle {
  public:
    explicit Oracle(const LawSettings& settings) : settings_(settings) {}

    void lowered(const Lowering& lowering, Instant now);
    void released();
    /// After a step: takes in what the packs said and looks at what came out of it, then at `later`
    /// with nothing said in between. Empty, or which invariant is broken and how.
    std::string look(std::span<const Pack> packs,
                     const Verdict& verdict,
                     Instant now,
                     Instant later);
    /// Of the last good readings.
    [[nodiscard]] Instant newest_good() const;
    [[nodiscard]] bool any_good() const { return newest_good().us >= 0; }
    /// Whether discharging may go on for T2d of the off-grid profile.
    [[nodiscard]] bool middle(std::size_t pack) const { return memories_[pack].middle; }

  private:
    /// What one pack said last that can be true.
    struct Memory {
        Pack good;
        Instant good_at{-1};
        Instant seen_at{-1};
        Pack still;  // since when it has not changed
        Instant still_since{-1};
        std::int64_t highest = 0;
        std::int64_t lowest = 0;
        bool middle = false;
        bool too_high = false;
        bool too_low = false;
        bool too_cold = false;
        bool too_hot = false;
        bool critical = false;
        std::array<bool, 2> had_sensor{};
        Instant fault_at{-1};
    };
    struct Bounds {
        double charge = 0;
        double discharge = 0;
        double voltage_least = 0;
        double voltage_most = 0;
    };

    [[nodiscard]] bool can_be_true(const Pack& pack) const;
    bool stands_still(Memory& memory, const Pack& pack);
    void take_in(Memory& memory, const Pack& pack, Instant now);
    void latch(Memory& memory);
    [[nodiscard]] Duration lasts(const Memory& memory) const;
    [[nodiscard]] Bounds bounds(std::span<const Pack> packs, Instant now) const;
    void bound_by(const Memory& memory, bool counts, Bounds& shares) const;
    std::string judge(const BatteryLimits& limits, const Bounds& bounds, Instant now) const;
    std::string judge_steps(const BatteryLimits& limits, const Bounds& most, Instant now);

    LawSettings settings_;
    std::array<Memory, battery::packs_max> memories_{};
    std::size_t count_ = 0;
    std::array<std::int64_t, 2> remote_{};
    std::array<Instant, 2> remote_until_{Instant{-1}, Instant{-1}};
    bool stepped_ = false;
    std::array<std::int64_t, 3> last_{};  // charge, discharge, voltage
    std::array<Instant, 2> fell_{};
    Instant last_at_;
};

}  // namespace jw::battery_campaign
