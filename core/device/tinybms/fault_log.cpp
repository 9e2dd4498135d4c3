// SPDX-License-Identifier: Apache-2.0
// Events in the order of their age; faults are set and taken back by them.
#include "core/device/tinybms/fault_log.h"

#include <algorithm>

#include "core/device/tinybms/pack_reading.h"

namespace jw::tinybms {
namespace {

constexpr std::uint8_t fault_most = 0x0F;
constexpr std::uint8_t started = 0x61;
constexpr Duration hold = seconds(10);
// The log is read behind the lifetime: an event may be a little younger.
constexpr std::uint32_t slack_s = 3600;
constexpr std::uint32_t time_bits = 0xFF'FFFF;

struct Fault {
    std::uint8_t id;
    std::uint8_t recovery;  // 0: has none
    BatteryAlarm alarm;
};

constexpr Fault faults[] = {
    {0x02, 0x7B, BatteryAlarm::low_voltage},
    {0x03, 0x79, BatteryAlarm::high_voltage},
    {0x04, 0x73, BatteryAlarm::high_temperature},
    {0x05, 0x77, BatteryAlarm::high_current},
    {0x06, 0x76, BatteryAlarm::high_charge_current},
    {0x07, 0x78, BatteryAlarm::high_charge_current},  // regeneration charges
    {0x0A, 0x75, BatteryAlarm::low_temperature},
    {0x0B, 0, BatteryAlarm::contactor},
    {0x0C, 0, BatteryAlarm::contactor},
    {0x0D, 0, BatteryAlarm::contactor},
    {0x0E, 0, BatteryAlarm::bms_internal},
    {0x0F, 0, BatteryAlarm::bms_internal},
};

constexpr std::uint32_t bit(BatteryAlarm alarm) {
    return 1U << static_cast<unsigned>(alarm);
}

bool same(const Event& a, const Event& b) {
    return a.id == b.id && a.time_s == b.time_s;
}

}  // namespace

void FaultLog::status(std::uint16_t status, Instant now) {
    in_fault_ = status == status_fault;
    if (in_fault_) {
        held_at_ = now;
    } else if (active_ != 0 && now - held_at_ >= hold) {
        active_ = 0;
    }
}

void FaultLog::read(std::span<const std::uint16_t, event_words> words,
                    std::uint32_t lifetime_s,
                    Instant now,
                    NewEvents& fresh) {
    const auto age = [lifetime_s](const Event& event) {
        return (lifetime_s + slack_s - event.time_s) & time_bits;
    };
    std::array<Event, events_max> log{};
    fresh.clear();
    for (std::size_t i = 0; i < events_max; ++i) {
        const Event event = event_of(words[2 * i], words[2 * i + 1]);
        log[i] = event;
        const auto is_it = [&event](const Event& other) { return same(event, other); };
        const bool seen = std::any_of(known_.begin(), known_.end(), is_it) ||
                          std::any_of(fresh.begin(), fresh.end(), is_it);
        if (event.id == 0 || seen || !fresh.push(event)) {
            continue;
        }
        // Into its place by age; of the same second the one that stands first is older.
        for (std::size_t at = fresh.size() - 1; at > 0 && age(fresh[at - 1]) < age(event); --at) {
            std::swap(fresh[at - 1], fresh[at]);
        }
    }
    known_ = log;
    for (const Event& event : fresh) {
        take(event, now);
    }
    if (!read_) {
        read_ = true;
        active_ = in_fault_ ? active_ : std::uint16_t{0};
        fresh.clear();
    }
}

void FaultLog::take(const Event& event, Instant now) {
    if (event.id <= fault_most) {
        active_ = static_cast<std::uint16_t>(active_ | 1U << event.id);
        held_at_ = now;
    }
    for (const Fault& fault : faults) {
        if (event.id == started || event.id == fault.recovery) {
            active_ = static_cast<std::uint16_t>(active_ & ~(1U << fault.id));
        }
    }
}

std::uint32_t FaultLog::alarm_bits() const {
    std::uint32_t bits = in_fault_ ? bit(BatteryAlarm::bms_internal) : 0U;
    for (const Fault& fault : faults) {
        if ((active_ >> fault.id & 1U) != 0) {
            bits |= bit(fault.alarm);
        }
    }
    return bits;
}

void put_sentence(const Event& event, Text& out) {
    out.put("It reports ");
    const char* const name = event_name(event.id);
    for (const char c : std::string_view(name == nullptr ? "an unknown event" : name)) {
        out.put(c == '_' ? ' ' : c);
    }
    out.put(" (event 0x").hex(event.id, 2).put(").");
}

}  // namespace jw::tinybms
