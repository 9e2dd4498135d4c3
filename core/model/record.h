// SPDX-License-Identifier: Apache-2.0
#pragma once
// Record: a message that is kept until its sinks confirmed it, with the identity it has for ever.
#include <array>
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/time.h"

namespace jw {

/// Priority classes; each has its own chain of segments and its own gapless numbers.
enum class RecordClass : std::uint8_t { alarm, result, billing, telemetry };
inline constexpr std::size_t record_classes = 4;
constexpr auto enum_names(RecordClass) {
    return std::array{"alarm", "result", "billing", "telemetry"};
}

/// Which message the payload is.
enum class RecordKind : std::uint8_t { reading, event, fault, result };
constexpr auto enum_names(RecordKind) {
    return std::array{"reading", "event", "fault", "result"};
}

/// With the gateway's name, what identifies a record for ever (DESIGN 3).
struct RecordId {
    std::uint64_t epoch = 0;
    RecordClass record_class = RecordClass::telemetry;
    std::uint64_t seq = 0;
    friend constexpr bool operator==(const RecordId&, const RecordId&) = default;
};

/// When it happened: which boot, and milliseconds since that boot. Wall time is computed when a
/// batch is built (model/wall_time.h).
struct BootTime {
    std::uint32_t boot = 0;
    std::int64_t up_ms = 0;
    friend constexpr bool operator==(const BootTime&, const BootTime&) = default;
};

struct Record {
    RecordId id;
    RecordKind kind = RecordKind::reading;
    BootTime time;
    std::uint32_t ttl_s = 0;  // 0: kept for ever
    Bytes payload;            // CBOR of the message; owned by whoever gave the record
};

enum class GapReason : std::uint8_t { dropped, expired, damaged, rejected };
constexpr auto enum_names(GapReason) {
    return std::array{"dropped", "expired", "damaged", "rejected"};
}

/// Stands for the numbers `from`…`to` of a class that will never come, both included.
struct Gap {
    std::uint64_t epoch = 0;
    RecordClass record_class = RecordClass::telemetry;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    GapReason reason = GapReason::dropped;
};

}  // namespace jw
