// SPDX-License-Identifier: Apache-2.0
#pragma once
// A gateway's commands with journal, outbox and one device, for the tests of this folder.
#include <array>
#include <optional>

#include "core/base/test.h"
#include "core/task/commands.h"
#include "core/task/ram_storage.h"

namespace jw::test {

inline RamStorage<32> records;
inline RamStorage<4> journal_bytes;

inline constexpr std::int64_t noon = 1'790'000'000'000;

inline Command command(const char* id = "c-1") {
    Command c;
    c.id = id;
    c.issuer = "operator";
    c.target = "plug";
    c.expiry_ms = noon + 60'000;
    c.counter = 7;
    c.quantity = "relay_closed";
    c.value = 1;
    return c;
}

/// A gateway's life between two power cuts. The device outlives it.
struct Life : CommandPorts {
    std::array<Segment, 16> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch{};
    std::array<JournalEntry, 8> memory{};
    std::array<Commands::Job, 4> job_memory{};
    Outbox outbox;
    CommandJournal journal;
    Commands commands;
    Instant now = Instant{} + seconds(10);
    int& executed;  // how often the device acted
    int cleared = 0;
    ResultCode last = ResultCode::busy;
    bool device_answers = true;
    bool asked = false;
    ResultCode act_code = ResultCode::executed;  // what the device says at once
    ResultCode check_code = ResultCode::executed;
    CommandResult told;
    int begun_told = 0;
    int not_written_told = 0;

    static OutboxSettings settings() {
        OutboxSettings s;
        s.segment_blocks = 2;
        for (ClassSettings& c : s.classes) {
            c.commit = {};
        }
        return s;
    }
    explicit Life(int& executions)
        : outbox(records, settings(), {segments, sinks, clocks, scratch}),
          journal(journal_bytes, memory),
          commands(journal, outbox, *this, job_memory),
          executed(executions) {
        const Name sink = "broker";
        EXPECT(outbox.open({&sink, 1}, 0x1234'5678'9ABC'DEF1, now).has_value());
        EXPECT(journal.open().has_value());
        SyncTicket ticket = 0;
        EXPECT(journal_bytes.take(ticket));
        commands.synced(ticket, done, now);
    }
    ResultCode act(const Command&, Instant) override {
        asked = act_code == ResultCode::executed;
        return act_code;
    }
    ResultCode check(const Command& c) override {
        return c.target == "plug" ? check_code : ResultCode::unknown_target;
    }
    void begun(const CommandId&, Status written) override {
        ++(written ? begun_told : not_written_told);
    }
    void finished(const CommandResult& result, CommandSource, Instant) override {
        ++cleared;
        last = result.code;
        told = result;
    }
    /// One step of whatever is next: the journal's sync, the device, the outbox's sync. False when
    /// nothing is left to do.
    bool advance() {
        SyncTicket ticket = 0;
        if (journal_bytes.take(ticket)) {
            commands.synced(ticket, done, now);
            return true;
        }
        if (asked && device_answers) {
            asked = false;
            ++executed;
            commands.acted("plug", ResultCode::executed, 1, now);
            return true;
        }
        now = now + milliseconds(10);
        (void)outbox.step(now);
        if (records.take(ticket)) {
            outbox.synced(ticket, done, now);
            return true;
        }
        const int before = cleared;
        (void)commands.step(noon, now);
        return cleared != before || !commands.jobs().empty();
    }
    void run() {
        for (int i = 0; i < 100 && advance(); ++i) {
        }
    }
};

inline void fresh_media() {
    records = {};
    journal_bytes = {};
}

}  // namespace jw::test
