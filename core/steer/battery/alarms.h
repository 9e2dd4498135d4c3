// SPDX-License-Identifier: Apache-2.0
#pragma once
// Alarms: set after two readings in a row, cleared with hysteresis and not before some seconds
// (R15).
#include <array>
#include <cstdint>

#include "core/model/battery.h"
#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/pack.h"

namespace jw::battery {

/// What one plausible reading says of each alarm: bits by BatteryAlarm.
struct AlarmBits {
    std::uint16_t warning = 0;  // beyond the warning's threshold
    std::uint16_t alarm = 0;
    std::uint16_t warning_clear = 0;  // on the good side, by more than the hysteresis
    std::uint16_t alarm_clear = 0;
};

/// `cell_max_mv`, `cell_min_mv`: of its cells. Of a plausible reading only.
AlarmBits alarm_bits_of(const Pack& pack,
                        std::int64_t cell_max_mv,
                        std::int64_t cell_min_mv,
                        const LawSettings& settings);

/// The alarms of one battery.
class Alarms {
  public:
    /// `bits`: set ones are what two readings in a row of one pack said; clear ones what all packs
    /// say. `silence`: ok, warning or alarm by the age of the readings; that needs no second one.
    const BatteryAlarms& step(const AlarmBits& bits,
                              AlarmLevel silence,
                              const LawSettings& settings,
                              Instant now);

  private:
    struct Level {
        std::uint16_t set = 0;
        std::uint16_t clearing = 0;
        std::array<Instant, battery_alarms> since{};  // when each began to be clear
    };
    static void advance(
        Level& level, std::uint16_t set, std::uint16_t clear, Duration clear_after, Instant now);

    Level warning_;
    Level alarm_;
    BatteryAlarms told_{};
};

}  // namespace jw::battery
