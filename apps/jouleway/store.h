// SPDX-License-Identifier: Apache-2.0
#pragma once
// Store: outbox and command journal of one gateway on their two files.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/outbox/outbox.h"
#include "core/trust/command_journal.h"
#include "host/file_storage.h"
#include "host/loop.h"
#include "host/settings.h"

namespace jw {

class Store {
  public:
    /// Called when the medium answered: for the outbox after it knows, for the journal instead of
    /// it.
    using JournalSynced = std::function<void(SyncTicket ticket, Status result)>;

    Store(Loop& loop, const GatewaySettings& settings, JournalSynced journal_synced);

    /// Opens or creates both files. Errors as of FileStorage::open() and Outbox::open(); trouble()
    /// says it in words.
    Status open(std::uint64_t fresh);
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    /// After open() only.
    Outbox& outbox() { return *outbox_; }
    CommandJournal& journal() { return *journal_; }
    [[nodiscard]] const FileStorage& records() const { return records_; }

  private:
    static constexpr std::size_t journal_bytes = 256 * 1024;
    static constexpr std::size_t commands_remembered = 512;
    static constexpr std::size_t boots_remembered = 16;

    Loop& loop_;
    std::vector<Name> sinks_;
    FileStorage records_;
    FileStorage commands_;
    OutboxSettings outbox_settings_;
    std::vector<Segment> segments_;
    std::vector<SinkCursor> cursors_;
    std::vector<ClockPair> clocks_;
    std::vector<std::uint8_t> record_;
    std::optional<Outbox> outbox_;
    std::vector<JournalEntry> journal_memory_;
    std::optional<CommandJournal> journal_;
    std::string trouble_;
};

}  // namespace jw
