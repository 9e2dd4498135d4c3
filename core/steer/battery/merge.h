// SPDX-License-Identifier: Apache-2.0
#pragma once
// Merge: packs in parallel become one battery. Limits add, the weakest cell decides, the lowest
// voltage counts, the share of a silent pack is zero.
#include <array>
#include <cstdint>
#include <span>

#include "core/steer/battery/pack_law.h"

namespace jw::battery {

inline constexpr std::size_t packs_max = 8;

/// A finding, and of which pack it is.
struct MergedFinding {
    Finding finding;
    std::uint8_t pack = 0;  // from 0
};

struct Merged {
    std::uint8_t packs = 0;
    std::uint8_t known = 0;   // gave a plausible reading at least once
    std::uint8_t online = 0;  // gave one within charge_zero_after
    Duration oldest;          // age of the last plausible reading
    Duration newest;
    std::int64_t charge_rating_ma = 0;  // what the BMSs are set to, of the known packs
    std::int64_t discharge_rating_ma = 0;
    // What age leaves of it: a pack's share falls with its own age.
    bool aged = false;
    std::uint8_t aged_pack = 0;  // the one with the least share, from 0
    std::int64_t charge_share_ma = 0;
    std::int64_t discharge_share_ma = 0;
    Instant charge_until = never;  // the first share that still counts ends then
    Instant discharge_until = never;
    std::array<MergedFinding, findings_max> findings{};
    ChargeVoltage voltage;
    ChargeStage stage = ChargeStage::bulk;
    std::int64_t silent_voltage_mv = 0;  // what the voltage may be once all are silent
    bool all_silent = true;              // no pack has any share of charging
    std::int64_t voltage_min_mv = 0;
    std::int64_t voltage_max_mv = 0;
    bool unlike = false;  // no voltage suits all packs: they cannot be wired in parallel
    AlarmBits alarms;
};

Merged merge(std::span<const PackLaw> packs, const LawSettings& settings, Instant now);

}  // namespace jw::battery
