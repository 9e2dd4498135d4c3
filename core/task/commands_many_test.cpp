// SPDX-License-Identifier: Apache-2.0
// More commands than the table has room for, and keys under which a request may come again.
#include "core/base/test.h"
#include "core/task/commands.h"
#include "core/task/commands_scene.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

Command numbered(int number) {
    std::array<char, 16> buffer{};
    Text id(buffer);
    id.put("n-").put(number);
    Command c = command();
    c.id = id.view();
    c.counter = static_cast<std::uint64_t>(number);
    return c;
}

Command from_here(int number) {
    Command c = numbered(number);
    c.issuer = "";
    c.counter = 0;
    c.expiry_ms = 0;
    return c;
}

/// Steps until nothing is left to do. Life::run() knows the time; this may not.
void run(Life& life, std::optional<std::int64_t> clock) {
    for (int i = 0; i < 100; ++i) {
        SyncTicket ticket = 0;
        if (journal_bytes.take(ticket)) {
            life.commands.synced(ticket, done, life.now);
        }
        if (life.asked) {
            life.asked = false;
            ++life.executed;
            life.commands.acted("plug", ResultCode::executed, 1, life.now);
        }
        life.now = life.now + milliseconds(10);
        (void)life.outbox.step(life.now);
        if (records.take(ticket)) {
            life.outbox.synced(ticket, done, life.now);
        }
        (void)life.commands.step(clock, life.now);
        if (life.commands.jobs().empty()) {
            return;
        }
    }
}

TEST(commands_from_here_are_never_too_many_for_the_table_with_and_without_a_clock) {
    for (const auto clock : {std::optional<std::int64_t>(noon), std::optional<std::int64_t>()}) {
        fresh_media();
        int executed = 0;
        Life life(executed);  // remembers 8
        for (int number = 1; number <= 12; ++number) {
            const RequestKey asked{static_cast<std::uint64_t>(number % 2 * number), 1};
            EXPECT(life.commands.submit(
                       from_here(number), CommandSource::local, clock, life.now, asked) ==
                   ResultCode::executed);
            run(life, clock);
        }
        EXPECT(executed == 12 && life.begun_told == 12 && !life.commands.journal_full());
    }
}

TEST(a_table_full_of_signed_commands_refuses_in_true_words_until_some_expired) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    for (int number = 1; number <= 8; ++number) {
        (void)life.commands.submit(numbered(number), CommandSource::remote, noon, life.now);
        run(life, noon);
    }
    EXPECT(executed == 8 && !life.commands.journal_full());
    (void)life.commands.submit(numbered(9), CommandSource::remote, noon, life.now);
    EXPECT(life.commands.journal_full());
    run(life, noon);
    EXPECT(executed == 8 && life.last == ResultCode::busy && life.not_written_told == 1);
    EXPECT(life.told.text ==
           "Too many signed commands have not expired; try again when some have.");
    (void)life.commands.submit(from_here(10), CommandSource::local, noon, life.now);
    run(life, noon);
    EXPECT(executed == 8 && life.not_written_told == 2 && life.commands.journal_full());
    const std::int64_t later = command().expiry_ms;
    (void)life.commands.step(later, life.now);
    EXPECT(!life.commands.journal_full());
    (void)life.commands.submit(from_here(11), CommandSource::local, later, life.now);
    run(life, later);
    EXPECT(executed == 9);
}

TEST(a_full_disk_is_not_told_as_a_full_table) {
    struct Told : Life {
        using Life::Life;
        void begun(const CommandId&, Status written) override { code = written.code(); }
        Code code = Code::ok;
    };
    fresh_media();
    int executed = 0;
    Told life(executed);
    journal_bytes.fail_writes = 1;
    journal_bytes.fail_code = Code::full;
    (void)life.commands.submit(command(), CommandSource::remote, noon, life.now);
    life.run();
    EXPECT(life.told.text == "The disk did not take it, so the device was not asked.");
    EXPECT(!life.commands.journal_full() && life.code == Code::denied && executed == 0);
}

TEST(a_key_is_known_for_a_day_also_after_a_restart_in_the_middle) {
    for (int cut = 1; cut < 8; ++cut) {
        fresh_media();
        int executed = 0;
        {
            Life life(executed);
            (void)life.commands.submit(
                from_here(1), CommandSource::local, noon, life.now, {77, 88});
            for (int i = 0; i < cut; ++i) {
                (void)life.advance();
            }
            records.cut();
            journal_bytes.cut();
        }
        Life life(executed);
        (void)life.commands.step(noon, life.now);
        life.commands.resume(life.now);
        run(life, noon);
        const JournalEntry* const known = life.journal.find_key(77, noon + day_ms - 1);
        EXPECT(known != nullptr && known->id == "n-1" && known->asked.request == 88);
        EXPECT(life.journal.find_key(77, noon + day_ms) == nullptr);
    }
}

TEST(a_key_of_before_the_clock_was_set_is_known_for_a_day_from_then) {
    fresh_media();
    int executed = 0;
    Life life(executed);
    (void)life.commands.submit(
        from_here(1), CommandSource::local, std::nullopt, life.now, {77, 88});
    run(life, std::nullopt);
    EXPECT(executed == 1 && life.journal.find_key(77, std::nullopt) != nullptr);
    (void)life.commands.step(noon, life.now);
    (void)life.commands.step(noon + 5, life.now);
    EXPECT(life.journal.find_key(77, noon + day_ms - 1) != nullptr);
    EXPECT(life.journal.find_key(77, noon + day_ms) == nullptr);
}

}  // namespace
