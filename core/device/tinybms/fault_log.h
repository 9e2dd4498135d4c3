// SPDX-License-Identifier: Apache-2.0
#pragma once
// The BMS's event log and status: which events are new, and which faults hold just now.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/device/tinybms/registers.h"
#include "core/model/battery.h"

namespace jw::tinybms {

inline constexpr std::uint16_t first_event = 200;
inline constexpr std::size_t events_max = 49;
inline constexpr std::size_t event_words = 2 * events_max;

using NewEvents = FixedList<Event, events_max>;

/// A fault holds from its event (0x02 to 0x0F) until the event of its recovery (0x73 to 0x7B), the
/// event of a start (0x61), or until the status has not been 0x9B for 10 s; for switch and sensor
/// errors, which have no recovery, the last two. What the log says when it is first read counts
/// only while the status is 0x9B: it may be months old. The status 0x9B alone is `bms_internal`.
class FaultLog {
  public:
    /// Register 50, with every live poll.
    void status(std::uint16_t status, Instant now);
    /// Registers 200 to 297; `lifetime_s` is register 32, which tells old from new where the 24
    /// bits of an event's time have begun anew. Gives the events that were not there before (time
    /// and id), oldest first; of the first read none.
    void read(std::span<const std::uint16_t, event_words> words,
              std::uint32_t lifetime_s,
              Instant now,
              NewEvents& fresh);
    /// Bit n: BatteryAlarm n.
    [[nodiscard]] std::uint32_t alarm_bits() const;

  private:
    void take(const Event& event, Instant now);

    std::array<Event, events_max> known_{};
    bool read_ = false;
    bool in_fault_ = false;
    std::uint16_t active_ = 0;  // bit n: fault event n
    Instant held_at_{-1};       // when a fault last showed
};

/// "It reports over voltage (event 0x03)."
void put_sentence(const Event& event, Text& out);

}  // namespace jw::tinybms
