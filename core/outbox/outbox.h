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

#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/ports.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/model/reading.h"
#include "core/model/record.h"
#include "core/model/wall_time.h"
#include "core/outbox/journal.h"
#include "core/outbox/layout.h"

namespace jw {

/// What gives way in a class that is full. With thin_out whoever appends keeps less the fuller
/// it is (model/thinning.h); of what does not fit even so the outbox drops the oldest.
enum class WhenFull : std::uint8_t { drop_oldest, reject_new, thin_out };
constexpr auto enum_names(WhenFull) {
    return std::array{"drop_oldest", "reject_new", "thin_out"};
}

struct ClassSettings {
    Duration commit;                     // how long an appended record may wait for its sync
    std::uint32_t reserve_segments = 1;  // never taken by a class of lower priority
    WhenFull when_full = WhenFull::drop_oldest;
    std::uint32_t ttl_s = 0;  // 0: for ever
};

struct OutboxSettings {
    /// Of a new store; a store that exists keeps what it was made with.
    std::uint16_t segment_blocks = 256;  // 1 MiB; a node takes 2
    /// Of a new store: how many sinks may ever have a cursor here. A node takes 1.
    std::uint8_t sink_slots = limits::sinks_max;
    /// Tells this storage from a copy of it (a file's time of birth); 0 where there is none. A
    /// store that finds itself copied, say restored from a backup, begins a new epoch.
    std::uint64_t medium = 0;
    /// A sync is asked for before its time when so much was written since the last one.
    std::uint32_t unsynced_bytes_max = 256 * 1024;
    /// alarm and result at once, billing within 1 s, telemetry within commit_s.
    std::array<ClassSettings, record_classes> classes{
        ClassSettings{.commit = {}, .reserve_segments = 1},
        ClassSettings{.commit = {}, .reserve_segments = 1},
        ClassSettings{.commit = seconds(1), .reserve_segments = 1},
        ClassSettings{.commit = seconds(10), .reserve_segments = 1}};
};

/// What the outbox knows of one segment.
struct Segment {
    std::uint64_t first_seq = 0;
    std::uint32_t generation = 0;  // 0: holds nothing; rises over the whole store
    RecordClass record_class = RecordClass::alarm;
    bool superseded : 1 = false;  // a later copy stands for it once that is on the medium,
    bool washing : 1 = false;     // free once its stale blocks are wiped on the medium,
    bool asked : 1 = false;       // which the settling sync will tell, for both
    bool clean : 1 = false;       // looked at since the last opening or failed sync
};

/// What the outbox knows of one sink.
struct SinkCursor {
    struct PerClass {
        std::uint64_t confirmed = 0;
        std::uint64_t written = 0;  // of that, what the journal was told
        std::uint64_t safe = 0;     // of that, what is on the medium
        std::uint64_t durable = 0;
        std::uint64_t claimed = 0;  // to be durable, also of what is not confirmed yet
    };
    Name name;
    std::uint8_t slot = 0;
    bool two_stage = false;
    bool failing = false;  // the journal could not be written: not before `due` again
    Instant due = never;   // when what changed is to be written
    Journal journal;
    std::array<PerClass, record_classes> classes{};
};

/// Memory of the outbox, from the program. Segments: one per segment of the storage
/// (Outbox::segments_needed); sinks: one per sink; clocks: how many boots keep their wall time;
/// record: the largest payload and Outbox::record_overhead on top.
struct OutboxMemory {
    std::span<Segment> segments;
    std::span<SinkCursor> sinks;
    std::span<ClockPair> clocks;
    MutableBytes record;
};

/// A place in the chain of one class; a value, cheap to copy. Made by Outbox::cursor(), or by
/// setting class and seq.
struct Cursor {
    RecordClass record_class = RecordClass::telemetry;
    std::uint64_t seq = 0;  // number of the next record

    // The rest is the outbox's own: where that number is expected.
    std::uint64_t at_seq = 0;      // number of the record that begins at `offset`
    std::uint32_t segment = ~0U;   // ~0: to be found
    std::uint32_t generation = 0;  // of that segment, so that a recycled one is noticed
    std::uint32_t offset = 0;      // in the segment, bytes
    std::uint32_t chain = 0;       // running checksum at that place
    std::uint64_t epoch = 0;       // these four of the block
    std::int64_t up_ms = 0;
    std::uint32_t boot = 0;
    std::uint32_t ttl_s = 0;
    std::uint64_t limit = 0;     // numbers from here on stand in a later segment
    std::uint32_t upto = ~0U;    // segments of a later generation are not looked at
    std::uint64_t held_at = 0;   // from where in the storage something was read ahead,
    std::uint32_t held = 0;      // and how much of it lies in the caller's buffer
    std::uint32_t rewrites = 0;  // of the outbox when the place was found
};

/// What stands at a cursor: a record, or numbers that will never come.
struct Item {
    std::optional<Record> record;
    Gap gap;  // where there is no record
};

struct OutboxCounters {
    std::array<std::uint64_t, record_classes> appended{};
    std::array<std::uint64_t, record_classes> rejected{};  // append() did not take them
    std::array<std::uint64_t, record_classes> dropped{};   // for space, before they were confirmed
    std::array<std::uint64_t, record_classes> expired{};
    std::array<std::uint64_t, record_classes> damaged{};  // numbers found missing
    std::uint64_t bytes_written = 0;                      // to the medium: flash wear
    std::uint64_t syncs = 0;                              // asked for
    std::uint64_t syncs_passed = 0;
    std::uint64_t sync_failures = 0;
    std::uint64_t write_failures = 0;
};

/// How full a class is: what would be lost if it were given up, of all that the class may hold
/// before that happens.
struct ClassFill {
    std::uint64_t bytes = 0;
    std::uint64_t bytes_max = 0;
};

/// One per store. Not a thread's business: everything happens on the loop that owns it.
class Outbox {
  public:
    static constexpr std::size_t record_overhead = 32;
    /// Segments that a store of this storage has; 0 where it is too small for one.
    static std::size_t segments_needed(Storage& storage, const OutboxSettings& settings);

    Outbox(Storage& storage, const OutboxSettings& settings, const OutboxMemory& memory);

    /// Opens or creates the store, whatever the storage holds; once per object. `fresh` is 64
    /// random bits, taken for uuid, epoch and nonce. Boots are counted here: boot() is new after
    /// each open. What is found counts as accepted once the sync that open() asks for has passed.
    /// Errors: unsupported (written by a newer version; nothing is touched), out_of_range (more
    /// sinks than slots, too few segments in memory or on the medium), internal and denied (the
    /// storage cannot be read, or a new store not be written).
    Status open(std::span<const Name> sinks, std::uint64_t fresh, Instant now);

    /// Opens a store to look at it, live or damaged: nothing is written, ever; append() says
    /// denied. cursor() is not needed: set class and seq 1. sinks() gives the cursors that are
    /// kept. Errors: not_found (no store), unsupported, out_of_range (too few segments in memory),
    /// internal.
    Status inspect();

    /// Appends a record; it is accepted once accepted_to() has passed its seq. Errors: full (class
    /// rejects new records, nothing may be dropped yet, or the storage is busy with what it has),
    /// out_of_range (payload too long), internal (syncs fail), and those of the storage. After an
    /// error of the storage the number is used up: it becomes a gap, or the record is found after
    /// all.
    Result<RecordId> append(RecordClass record_class, RecordKind kind, Bytes payload, Instant now);
    /// Asks for syncs whose commit window is over, writes cursors that are due, recovers from a
    /// failed sync. Returns when it wants to be called again.
    Instant step(Instant now);
    /// The storage's answer to a sync.
    void synced(SyncTicket ticket, Status result, Instant now);
    /// Asks for a sync now (stop, reload).
    void flush(Instant now);

    [[nodiscard]] std::uint64_t epoch() const { return super_.epoch; }
    [[nodiscard]] std::uint32_t boot() const { return boot_; }
    /// The highest seq of the class that is on the medium; 0: none.
    [[nodiscard]] std::uint64_t accepted_to(RecordClass record_class) const {
        return chain(record_class).accepted;
    }
    [[nodiscard]] std::uint64_t appended_to(RecordClass record_class) const {
        return chain(record_class).appended;
    }
    /// Up to here the bytes were given up for space; what was not confirmed of it became a gap.
    [[nodiscard]] std::uint64_t released_to(RecordClass record_class) const {
        return chain(record_class).released;
    }

    /// Draining. A cursor starts behind what the sink confirmed (or, with two-stage release, behind
    /// what it made durable). next() gives what stands there and moves on; the payload lies in
    /// `buffer` until the next call. A buffer of a block makes it read a block at a time; then the
    /// same buffer should be given again. Errors: not_found (nothing accepted beyond), out_of_range
    /// (buffer too small for the record), internal.
    [[nodiscard]] Cursor cursor(std::size_t sink, RecordClass record_class) const;
    Result<Item> next(Cursor& cursor, MutableBytes buffer, Instant now);
    /// How long the record still counts; only of one that has a time to live.
    [[nodiscard]] std::int64_t remaining_ms(const Record& record, Instant now) const;
    /// Everything of the class up to `seq` reached the sink. Made durable within a second or so.
    void confirm(std::size_t sink, RecordClass record_class, std::uint64_t seq, Instant now);
    /// The far side says it has everything up to `seq` on its own medium; taken as far as it was
    /// confirmed. A number beyond what the store ever appended means that the store is behind: it
    /// starts a new epoch and says true. What was appended since the state that came back has
    /// numbers that the far side may know as others.
    bool durable(std::size_t sink,
                 std::uint64_t epoch,
                 RecordClass record_class,
                 std::uint64_t seq,
                 Instant now);
    [[nodiscard]] std::uint64_t confirmed_to(std::size_t sink, RecordClass record_class) const;
    [[nodiscard]] std::uint64_t durable_to(std::size_t sink, RecordClass record_class) const;
    /// Whether the sink says what it made durable; then cursors start behind that, and such bytes
    /// are the last to go before unconfirmed ones.
    void use_two_stage(std::size_t sink, bool on);

    /// The first trustworthy wall time of this boot; kept in the store for the records of this
    /// boot.
    void learn_time(std::int64_t unix_ms, Instant now);
    [[nodiscard]] const WallTime& wall_time() const { return wall_time_; }

    [[nodiscard]] OutboxCounters counters() const;
    [[nodiscard]] std::span<const SinkCursor> sinks() const { return sinks_; }
    [[nodiscard]] const Superblock& superblock() const { return super_; }
    /// How many accepted numbers this sink has not confirmed yet.
    [[nodiscard]] std::uint64_t waiting(std::size_t sink, RecordClass record_class) const;
    /// The number of the first of them; beyond accepted_to() where none waits.
    [[nodiscard]] std::uint64_t first_waiting(std::size_t sink, RecordClass record_class) const {
        const std::uint64_t released = chain(record_class).released;
        const std::uint64_t confirmed = confirmed_to(sink, record_class);
        return (confirmed < released ? released : confirmed) + 1;
    }
    /// When the first of them was appended; nothing where none waits or it cannot be read. Reads
    /// the medium: a header for each block of its segment before it, and the record.
    std::optional<BootTime> oldest(std::size_t sink, RecordClass record_class);
    /// How long ago that was. Of an earlier boot by the wall time of both; where one of them is
    /// not known, at least as long as this store is open.
    [[nodiscard]] Duration age(const BootTime& time, Instant now) const;
    [[nodiscard]] std::uint32_t segment_size() const { return geometry_.segment_size(); }
    [[nodiscard]] std::uint64_t bytes_max() const;
    /// In segments that hold something and may not be overwritten yet.
    [[nodiscard]] std::uint64_t bytes_used() const;
    [[nodiscard]] WhenFull when_full(RecordClass record_class) const {
        return settings_of(record_class).when_full;
    }
    /// What every sink has (with two-stage release: has made durable) makes room, so it counts as
    /// free; what is reserved for classes of higher priority, or taken by them, is no part of it.
    [[nodiscard]] ClassFill fill(RecordClass record_class) const;

  private:
    /// The records of one class, in their order.
    struct Chain {
        std::uint64_t appended = 0;
        std::uint64_t recorded = 0;  // what a later open() would go on behind
        std::uint64_t accepted = 0;  // on the medium
        std::uint64_t found = 0;     // by open()
        std::uint64_t released = 0;  // up to here bytes were given up for space
        std::uint64_t released_written = 0;
        std::uint64_t released_safe = 0;  // of that, what the medium knows
        std::uint64_t damage_counted = 0;
        std::uint64_t expiry_counted = 0;
        Instant due = never;  // for the oldest record that waits for its sync
        // The place of the next record.
        std::uint64_t next_seq = 0;    // number that the next record of this block would have
        std::uint32_t newest = ~0U;    // segment; ~0: none
        std::uint32_t offset = 0;      // in it, bytes
        std::uint32_t running = 0;     // checksum there
        std::int64_t block_up_ms = 0;  // of the block's header
        bool unsure = false;           // since a sync failed: to be written again
        bool open = false;             // whether the block takes more
        bool closed = false;           // whether the segment takes no more blocks
    };
    /// What becomes true when a sync that is under way passes.
    struct PendingSync {
        SyncTicket ticket = 0;
        std::uint32_t generation = 0;  // segments up to here are on the medium
        bool settles = false;          // and journals, wiped and superseded segments
        std::array<std::uint64_t, record_classes> accepted{};
    };
    /// Two keep a medium busy, the third is there when the first of them ends.
    static constexpr std::size_t syncs_max = 3;
    /// How many segments may be taken beyond those that are on the medium.
    static constexpr std::uint32_t generations_ahead_max = 512;
    enum class StoreKey : unsigned { boot, released = 1, clocks = 1 + record_classes };
    static constexpr unsigned clocks_max = 16;

    Chain& chain(RecordClass c) { return chains_[static_cast<std::size_t>(c)]; }
    [[nodiscard]] const Chain& chain(RecordClass c) const {
        return chains_[static_cast<std::size_t>(c)];
    }
    [[nodiscard]] const ClassSettings& settings_of(RecordClass c) const {
        return settings_.classes[static_cast<std::size_t>(c)];
    }
    [[nodiscard]] std::uint64_t place(std::uint32_t segment, std::uint32_t offset) const {
        return std::uint64_t{geometry_.block_of(segment)} * Storage::block_size + offset;
    }

    // open.cpp
    Result<bool> find_store();
    Result<bool> find_superblock();
    Result<bool> rebuild_superblock();
    Status create(std::uint64_t fresh);
    Status write_superblock();
    Status load(std::uint32_t segments_min);
    void scan_segments();
    void scan_segment(std::uint32_t index);
    void open_store_journal();
    using Numbers = std::array<std::uint64_t, record_classes>;
    Status open_sinks(std::span<const Name> names, Numbers& seen);
    void read_sink(SinkCursor& sink, std::uint32_t slot, Numbers& accepted);
    void recover(RecordClass c);
    void start_epoch(std::uint64_t random);

    // space.cpp
    [[nodiscard]] bool is_free(std::uint32_t segment) const;
    [[nodiscard]] std::uint32_t next_segment(RecordClass c,
                                             std::uint32_t generation,
                                             std::uint32_t upto = ~0U) const;
    [[nodiscard]] std::uint64_t last_of(std::uint32_t segment) const;
    [[nodiscard]] std::uint64_t confirmed_by_all(RecordClass c, bool durably) const;
    [[nodiscard]] std::uint32_t available(RecordClass c) const;
    [[nodiscard]] std::uint32_t segments_waiting(RecordClass c) const;
    [[nodiscard]] std::uint32_t oldest_of(RecordClass c) const;
    [[nodiscard]] std::uint32_t oldest_confirmed(bool durably) const;
    [[nodiscard]] std::uint32_t victim_for(RecordClass c) const;
    [[nodiscard]] bool release_pending() const;
    bool cursors_behind(std::uint32_t segment);
    bool release_for(RecordClass c);
    void prepare(RecordClass c);
    void keep_rest(RecordClass c);
    void release(std::uint32_t segment, std::uint64_t last);
    [[nodiscard]] std::uint32_t choose_free(RecordClass c) const;
    std::uint32_t choose_clean(RecordClass c);
    bool clean(std::uint32_t segment);
    void wash(std::uint32_t segment);
    Status take_segment(RecordClass c, std::uint64_t first_seq, std::int64_t up_ms, Instant now);
    Status enter_block(RecordClass c,
                       std::uint32_t block,
                       std::uint64_t first_seq,
                       std::int64_t up_ms);
    Status make_place(
        RecordClass c, std::uint64_t seq, std::size_t size, std::int64_t up_ms, Instant now);
    Status write_record(RecordClass c,
                        std::uint64_t seq,
                        RecordKind kind,
                        std::size_t payload_size,
                        std::int64_t up_ms);

    // outbox.cpp
    void begin_sync(Instant now);
    [[nodiscard]] bool settling() const;
    [[nodiscard]] bool may_sync() const;
    [[nodiscard]] bool unsure() const;
    [[nodiscard]] Instant records_due() const;
    void settle(Instant now);
    void settled(Instant now);
    void write_journals(Instant now);
    void write_store_journal(Instant now);
    void write_sink_journal(SinkCursor& sink, Instant now);
    [[nodiscard]] Instant next_due() const;
    [[nodiscard]] Instant later_try(Instant now) const;
    void take_claim(SinkCursor& of, RecordClass record_class, Instant now);
    bool store_value(unsigned key, Writer& out) const;
    bool sink_value(const SinkCursor& sink, unsigned key, Writer& out) const;
    void sync_succeeded(const PendingSync& sync, Instant now);
    void sync_failed(Instant now);
    void write_again(Instant now);
    bool write_again(RecordClass c, Instant now);
    void forget(RecordClass c, std::uint32_t behind);

    // read.cpp
    std::optional<BlockHeader> read_header(std::uint32_t segment, std::uint32_t block);
    Result<Bytes> fetch(Cursor& cursor, MutableBytes buffer, std::size_t size);
    bool enter(Cursor& cursor, std::uint32_t segment, std::uint32_t block);
    bool enter_next_block(Cursor& cursor);
    void find(Cursor& cursor);
    void set_limit(Cursor& cursor, std::uint32_t segment) const;
    [[nodiscard]] bool stale(const Cursor& cursor) const;
    Result<Record> read_record(Cursor& cursor, MutableBytes buffer);
    Result<Record> read_fragments(Cursor& cursor, MutableBytes buffer);
    bool read_rest(Cursor& cursor, MutableBytes buffer, std::size_t& size);
    Item gap(Cursor& cursor, std::uint64_t to, GapReason reason);
    Item next_written(Cursor& cursor, MutableBytes buffer);
    [[nodiscard]] bool expired(const Record& record, Instant now) const;

    Medium medium_;
    OutboxSettings settings_;
    std::span<Segment> segments_;
    std::span<SinkCursor> sinks_;
    MutableBytes record_;
    WallTime wall_time_;
    Superblock super_;
    Geometry geometry_;
    Journal journal_;
    std::array<Chain, record_classes> chains_{};
    FixedList<PendingSync, syncs_max> syncs_;  // under way, in their order
    OutboxCounters counters_;
    Instant opened_at_;
    Instant store_due_ = never;     // when superblock or journal of the store are to be written
    Instant retry_at_ = never;      // after a failed sync
    std::uint32_t rewrites_ = 0;    // how often records were written again
    std::uint32_t generation_ = 0;  // of the segment taken last
    std::uint32_t generation_safe_ = 0;  // up to here segments are on the medium
    std::uint32_t boot_ = 0;
    std::uint32_t nonce_ = 0;
    std::uint64_t fresh_ = 0;
    std::uint64_t written_before_ = 0;  // bytes, when the last sync was asked for
    SyncTicket ticket_ = 0;
    bool opened_ = false;
    bool inspecting_ = false;     // opened to be looked at only
    bool asking_ = false;         // inside Storage::sync()
    bool sync_again_ = false;     // asked for while none could begin
    bool recovering_ = false;     // the sync of open() has not passed yet
    bool failed_ = false;         // the last sync failed
    bool prepare_again_ = false;  // a segment is to be given up once cursors are on the medium
    bool super_dirty_ = false;    // the superblock is to be written
};

}  // namespace jw
