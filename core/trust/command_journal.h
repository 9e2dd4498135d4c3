// SPDX-License-Identifier: Apache-2.0
#pragma once
// CommandJournal: the durable table of commands that were begun. What stands in it is never begun
// again, whatever happens in between. docs/formats/command-journal.md has the layout.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/base/ports.h"
#include "core/model/command.h"

namespace jw {

enum class CommandPhase : std::uint8_t {
    begun,     // from here on the device may have been asked
    ended,     // the result is known
    reported,  // the result is a record on disk
};

/// What a command from here is known by when its request comes again: digests of whoever sent it
/// with the key that was given, and of the request itself. Zeros: no key was given.
struct RequestKey {
    std::uint64_t key = 0;
    std::uint64_t request = 0;
};

struct JournalEntry {
    CommandId id;
    Name issuer;  // empty: came through the local door
    Name target;
    std::uint64_t counter = 0;
    std::int64_t forget_ms = 0;   // Unix time from which the id may be forgotten; 0: not known yet
    std::int64_t written_ms = 0;  // Unix time of this entry, set by put(); 0: clock not set
    CommandPhase phase = CommandPhase::begun;
    ResultCode code = ResultCode::interrupted;
    std::optional<std::int64_t> value;
    RequestKey asked;

    [[nodiscard]] bool is_local() const { return issuer.empty(); }
};

/// Two halves of a storage take turns: entries are appended to one until it is full, then what must
/// be remembered is copied to the other. Memory belongs to the caller; its size is how many
/// commands can be remembered at a time.
class CommandJournal {
  public:
    CommandJournal(Storage& storage, std::span<JournalEntry> memory)
        : storage_(storage), entries_(memory) {}

    /// Reads what is there; damaged entries are skipped and counted. An unreadable or foreign
    /// storage is begun anew. Asks for a sync under ticket 0. Errors: unsupported (written by a
    /// newer version; nothing is touched), those of the storage.
    Status open();
    [[nodiscard]] const JournalEntry* find(const CommandId& id) const;
    /// The latest command of that key; null where none is remembered or its time has passed.
    [[nodiscard]] const JournalEntry* find_key(std::uint64_t key,
                                               std::optional<std::int64_t> now_ms) const;
    /// The highest counter that the issuer ever used; 0: none.
    [[nodiscard]] std::uint64_t last_counter(const Name& issuer) const;
    /// Writes the entry (over an older one of the same id) and asks for a sync under `ticket`.
    /// `now_ms`: Unix time if known, to forget what is over; where nothing is, the oldest reported
    /// command from here gives way. Errors: full (of what must be kept), busy (a change of the half
    /// waits for a sync), or those of the storage.
    Status put(const JournalEntry& wanted, SyncTicket ticket, std::optional<std::int64_t> now_ms);
    /// The clock was set: what was written without it is remembered until `forget_ms`.
    void date(std::int64_t forget_ms);
    /// Whether a new command would find a place.
    [[nodiscard]] bool has_room(std::optional<std::int64_t> now_ms) const;
    /// The storage's answer to a sync: after a failure the next put() writes everything again.
    void synced(SyncTicket ticket, bool passed);
    [[nodiscard]] std::span<const JournalEntry> entries() const { return entries_.items(); }
    [[nodiscard]] std::uint32_t damaged() const { return damaged_; }

  private:
    static constexpr std::size_t slot_size = 160;
    static constexpr std::size_t slots_per_block = Storage::block_size / slot_size;

    [[nodiscard]] std::uint32_t half_blocks() const { return storage_.block_count() / 2; }
    [[nodiscard]] std::size_t slots_per_half() const { return half_blocks() * slots_per_block; }
    [[nodiscard]] std::uint64_t place(std::uint32_t half, std::size_t slot) const;
    bool read_half(std::uint32_t half, std::uint64_t& generation, bool keep);
    Status write_slot(std::size_t slot, const JournalEntry& entry);
    Status change_half();
    Status write_again();
    bool remember(const JournalEntry& entry);
    [[nodiscard]] bool is_over(const JournalEntry& entry, std::int64_t now_ms) const;
    [[nodiscard]] std::size_t giving_way() const;
    void make_room(std::int64_t now_ms);

    Storage& storage_;
    List<JournalEntry> entries_;
    std::uint32_t half_ = 0;
    std::uint64_t generation_ = 0;
    std::size_t next_slot_ = 0;
    std::uint32_t damaged_ = 0;
    SyncTicket settles_ = 0;    // once this one passes, the half as it was then is on the medium
    bool settled_ = false;      // it is: the other half may be given up
    bool write_again_ = false;  // since a sync failed
};

}  // namespace jw
