// SPDX-License-Identifier: Apache-2.0
#pragma once
// What happened once (Event) and trouble that lasts until it is cleared (Fault).
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/fields.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/model/reading.h"

namespace jw {

using Detail = FixedText<limits::detail_size_max>;

enum class EventKind : std::uint8_t {
    started,
    stopped,
    settings_changed,
    identified,
    notice,
    keep_changed,  // readings are kept less often than set, or as often again
};
constexpr auto enum_names(EventKind) {
    return std::array{
        "started", "stopped", "settings_changed", "identified", "notice", "keep_changed"};
}

struct Event {
    Name device;  // empty: the gateway itself
    EventKind kind = EventKind::notice;
    Detail text;
    std::optional<std::uint32_t> keep_every = std::nullopt;

    static constexpr auto fields() {
        return Fields{Field{1, "device", &Event::device, "empty: the gateway itself"},
                      Field{2, "kind", &Event::kind},
                      Field{3, "text", &Event::text, "one sentence for people"},
                      Field{4,
                            "keep_every",
                            &Event::keep_every,
                            "of keep_changed: of so many keep intervals one is kept from now on"}};
    }
};

enum class Severity : std::uint8_t { notice, warning, alarm };
constexpr auto enum_names(Severity) {
    return std::array{"notice", "warning", "alarm"};
}

enum class FaultKind : std::uint8_t {
    device_silent,
    device_refuses,  // answers, but with exceptions or with values that cannot be
    identity_changed,
    sink_unreachable,
    sink_refuses,
    records_dropped,
    records_damaged,
    storage_failed,
    storage_full,
    clock_not_set,
    settings_invalid,
    broken_invariant,
    values_left_out,   // a reading had more values than one can hold, or impossible ones
    readings_thinned,  // kept less often than set, since the store fills
    commands_full,     // signed commands that have not expired fill the table of commands
    battery_stale,     // its BMS gives nothing usable: the limits fall
    inverter_silent,   // was heard on the CAN bus, and is not any more
    can_trouble,       // the CAN bus is off, or nothing can be sent
    can_rival,         // somebody else sends what only this battery may
    history_failed,    // the disk takes no history, or energies are not known
    value_high,        // a value is beyond what its owner wants to hear of
    value_low,
    battery_alarm,  // what a battery tells its inverter to be alarmed about
};
constexpr auto enum_names(FaultKind) {
    return std::array{"device_silent",   "device_refuses",   "identity_changed", "sink_unreachable",
                      "sink_refuses",    "records_dropped",  "records_damaged",  "storage_failed",
                      "storage_full",    "clock_not_set",    "settings_invalid", "broken_invariant",
                      "values_left_out", "readings_thinned", "commands_full",    "battery_stale",
                      "inverter_silent", "can_trouble",      "can_rival",        "history_failed",
                      "value_high",      "value_low",        "battery_alarm"};
}

/// A fault is raised once and cleared once; both are records.
struct Fault {
    Name source;  // device, sink or empty for the gateway itself
    FaultKind kind = FaultKind::device_silent;
    Severity severity = Severity::warning;
    bool raised = true;
    Detail text;
    Name about = {};  // which of several of its kind a source may have at once; empty: it has one

    static constexpr auto fields() {
        return Fields{Field{1, "source", &Fault::source, "device or sink; empty: the gateway"},
                      Field{2, "kind", &Fault::kind},
                      Field{3, "severity", &Fault::severity},
                      Field{4, "raised", &Fault::raised, "false: the trouble is over"},
                      Field{5, "text", &Fault::text, "what, where, what to do"},
                      Field{6, "about", &Fault::about, "which, where a source has several"}};
    }
};

/// Whether two changes are of the same trouble.
constexpr bool is_same(const Fault& a, const Fault& b) {
    return a.source == b.source && a.kind == b.kind && a.about == b.about;
}

}  // namespace jw
