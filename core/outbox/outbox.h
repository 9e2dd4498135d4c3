// SPDX-License-Identifier: Apache-2.0
#pragma once
// Outbox: records stay here until their sinks confirmed them. docs/formats/outbox.md has the
// layout.
//
// Promises (each has its test): a record that is accepted is on the medium; whatever bytes the
// storage holds, the outbox opens and every undamaged record is delivered; a record leaves only
// when it is confirmed or when the bound of the storage forces it, and then a Gap says so; memory
// does not grow with the backlog.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/base/ports.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/model/reading.h"
#include "core/model/record.h"
#include "core/model/wall_time.h"

namespace jw {

enum class WhenFull : std::uint8_t { drop_oldest, reject_new };
constexpr auto enum_names(WhenFull) {
    return std::array{"drop_oldest", "reject_new"};
}

struct ClassSettings {
    Duration commit;                     // how long an appended record may wait for its sync
    std::uint32_t reserve_segments = 1;  // never taken by a class of lower priority
    WhenFull when_full = WhenFull::drop_oldest;
    std::uint32_t ttl_s = 0;  // 0: for ever
};

struct OutboxSettings {
    std::uint32_t segment_blocks = 256;  // 1 MiB; a node takes 2
    /// alarm and result at once, billing within 1 s, telemetry within commit_s.
    std::array<ClassSettings, record_classes> classes{
        ClassSettings{.commit = {}, .reserve_segments = 1},
        ClassSettings{.commit = {}, .reserve_segments = 1},
        ClassSettings{.commit = seconds(1), .reserve_segments = 1},
        ClassSettings{.commit = seconds(10), .reserve_segments = 1}};
};

/// What the outbox knows of one segment.
struct Segment;
/// What the outbox knows of one sink.
struct SinkCursor;

/// Memory of the outbox, from the program. Segments: one per segment of the storage; sinks: one per
/// sink; clocks: how many boots keep their wall time.
struct OutboxMemory {
    std::span<Segment> segments;
    std::span<SinkCursor> sinks;
    std::span<ClockPair> clocks;
};

/// A place in the chain of one class; a value, cheap to copy. Made by Outbox::cursor().
struct Cursor {
    RecordClass record_class = RecordClass::telemetry;
    std::uint64_t seq = 0;         // number of the next record
    std::uint32_t segment = ~0U;   // where it is expected; ~0: to be found
    std::uint32_t generation = 0;  // of that segment, so that a recycled one is noticed
    std::uint32_t offset = 0;      // in the segment, bytes
    std::uint32_t chain = 0;       // running CRC at that place
};

/// What stands at a cursor: a record, or numbers that will never come.
struct Item {
    std::optional<Record> record;
    Gap gap;  // where there is no record
};

struct OutboxCounters {
    std::array<std::uint64_t, record_classes> appended{};
    std::array<std::uint64_t, record_classes> rejected{};  // append() said full
    std::array<std::uint64_t, record_classes> dropped{};   // for space, before they were confirmed
    std::array<std::uint64_t, record_classes> expired{};
    std::array<std::uint64_t, record_classes> damaged{};  // numbers that recovery found missing
    std::uint64_t bytes_written = 0;                      // to the medium: flash wear
    std::uint64_t syncs = 0;
    std::uint64_t sync_failures = 0;
};

/// One per store. Not a thread's business: everything happens on the loop that owns it.
class Outbox {
  public:
    Outbox(Storage& storage, const OutboxSettings& settings, const OutboxMemory& memory);

    /// Opens or creates the store, whatever the storage holds. `fresh` is 64 random bits, taken for
    /// the uuid and the epoch where new ones are needed. Boots are counted here: boot() is new
    /// after each open. Errors: unsupported (written by a newer version; nothing is touched),
    /// internal (the storage cannot be read at all).
    Status open(std::span<const Name> sinks, std::uint64_t fresh, Instant now);

    /// Appends a record; it is accepted once accepted_to() has passed its seq. Errors: full (class
    /// rejects new records, or nothing may be dropped), out_of_range (payload too long), internal.
    Result<RecordId> append(RecordClass record_class, RecordKind kind, Bytes payload, Instant now);
    /// Asks for syncs whose commit window is over, writes cursors that are due, drops what is
    /// expired. Returns when it wants to be called again.
    Instant step(Instant now);
    /// The storage's answer to a sync.
    void synced(SyncTicket ticket, Status result, Instant now);
    /// Asks for a sync now (stop, reload).
    void flush(Instant now);

    [[nodiscard]] std::uint64_t epoch() const;
    [[nodiscard]] std::uint32_t boot() const;
    /// The highest seq of the class that is on the medium; 0: none.
    [[nodiscard]] std::uint64_t accepted_to(RecordClass record_class) const;
    [[nodiscard]] std::uint64_t appended_to(RecordClass record_class) const;

    /// Draining. A cursor starts behind what the sink confirmed (or, with two-stage release, behind
    /// what it made durable). next() gives what stands there and moves on; the payload lies in
    /// `buffer` until the next call. Errors: not_found (nothing accepted beyond), internal.
    [[nodiscard]] Cursor cursor(std::size_t sink, RecordClass record_class) const;
    Result<Item> next(Cursor& cursor, MutableBytes buffer, Instant now);
    /// Everything of the class up to `seq` reached the sink. Made durable within a second or so.
    void confirm(std::size_t sink, RecordClass record_class, std::uint64_t seq, Instant now);
    /// The far side says it has everything up to `seq` on its own medium. A number beyond what the
    /// store ever appended means that the store is behind: it starts a new epoch and says true.
    bool durable(std::size_t sink,
                 std::uint64_t epoch,
                 RecordClass record_class,
                 std::uint64_t seq,
                 Instant now);
    [[nodiscard]] std::uint64_t confirmed_to(std::size_t sink, RecordClass record_class) const;
    [[nodiscard]] std::uint64_t durable_to(std::size_t sink, RecordClass record_class) const;
    /// Whether the sink says what it made durable; then bytes stay until the space is needed.
    void use_two_stage(std::size_t sink, bool on);

    /// The first trustworthy wall time of this boot; kept in the store for the records of this
    /// boot.
    void learn_time(std::int64_t unix_ms, Instant now);
    [[nodiscard]] const WallTime& wall_time() const;

    [[nodiscard]] const OutboxCounters& counters() const;
    /// Records and bytes that wait for this sink, and the age of the oldest by its (boot, up_ms).
    [[nodiscard]] std::uint64_t waiting(std::size_t sink, RecordClass record_class) const;
};

}  // namespace jw
