// SPDX-License-Identifier: Apache-2.0
#include "core/trust/command_journal.h"

#include <array>

#include "core/base/crc.h"
#include "core/base/test.h"
#include "core/trust/test_storage.h"

using namespace jw;
using namespace jw::test;

TEST(what_was_begun_is_known_after_a_restart) {
    for (const bool flash : {false, true}) {
        SmallStorage storage(flash);
        std::array<JournalEntry, 16> memory{};
        {
            CommandJournal journal(storage, memory);
            EXPECT(journal.open().has_value());
            EXPECT(journal.put(entry(1), 1, 0).has_value());
            JournalEntry ended = entry(1, CommandPhase::ended);
            ended.code = ResultCode::executed;
            ended.value = -7;
            EXPECT(journal.put(ended, 2, 0).has_value());
            EXPECT(journal.put(entry(2), 3, 0).has_value());
            EXPECT(storage.syncs == 4);
        }
        CommandJournal again(storage, memory);
        EXPECT(again.open().has_value());
        EXPECT(again.entries().size() == 2 && again.damaged() == 0);
        const JournalEntry* first = again.find("c-1");
        EXPECT(first != nullptr && first->phase == CommandPhase::ended);
        EXPECT(first->code == ResultCode::executed && first->value == -7);
        EXPECT(again.find("c-2")->phase == CommandPhase::begun);
        EXPECT(again.last_counter("operator") == 2 && again.last_counter("other") == 0);
    }
}

TEST(the_halves_take_turns_many_times_and_nothing_that_counts_is_forgotten) {
    for (const bool flash : {false, true}) {
        SmallStorage storage(flash);
        std::array<JournalEntry, 8> memory{};
        for (int number = 1; number <= 400; ++number) {
            CommandJournal journal(storage, memory);
            EXPECT(journal.open().has_value());
            EXPECT(journal.damaged() == 0);
            journal.synced(0, true);
            EXPECT(journal.last_counter("operator") == static_cast<std::uint64_t>(number - 1));
            EXPECT(journal.put(entry(number), 1, number + 2000).has_value());
            EXPECT(
                journal.put(entry(number, CommandPhase::reported), 2, number + 2000).has_value());
        }
    }
}

TEST(a_cut_at_any_write_keeps_what_was_synced_before) {
    for (const bool flash : {false, true}) {
        for (std::size_t cut = 0; cut < 60; ++cut) {
            SmallStorage storage(flash);
            std::array<JournalEntry, 8> memory{};
            CommandJournal journal(storage, memory);
            EXPECT(journal.open().has_value());
            storage.writes_left = cut;
            int accepted = 0;
            for (int number = 1; number <= 30; ++number) {
                if (!journal.put(entry(number, CommandPhase::reported), 1, 5000)) {
                    break;
                }
                accepted = number;
            }
            storage.writes_left = SIZE_MAX;
            CommandJournal again(storage, memory);
            EXPECT(again.open().has_value());
            EXPECT(again.last_counter("operator") >= static_cast<std::uint64_t>(accepted));
        }
    }
}

TEST(what_a_failed_sync_lost_is_written_again) {
    SmallStorage storage(false);
    std::array<JournalEntry, 16> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        EXPECT(journal.put(entry(1), 1, 0).has_value());
        journal.synced(1, true);
        storage.losing = true;
        EXPECT(journal.put(entry(2), 2, 0).has_value());
        journal.synced(2, false);
        storage.losing = false;
        EXPECT(journal.put(entry(3), 3, 0).has_value());
    }
    storage.bytes = storage.medium;
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(again.find("c-1") != nullptr && again.find("c-2") != nullptr);
    EXPECT(again.find("c-3") != nullptr && again.damaged() == 0);
}

TEST(a_half_is_given_up_only_once_the_other_is_on_the_medium) {
    SmallStorage storage(false);
    std::array<JournalEntry, 8> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    SyncTicket ticket = 0;
    int written = 0;
    Status put = done;
    while ((put = journal.put(entry(written + 1, CommandPhase::reported), ++ticket, 9000))) {
        ++written;
        EXPECT(written < 100);
    }
    EXPECT(put.code() == Code::busy);
    journal.synced(ticket, true);
    EXPECT(journal.put(entry(++written, CommandPhase::reported), ++ticket, 9000).has_value());
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(again.last_counter("operator") == static_cast<std::uint64_t>(written));
}

TEST(an_answer_to_an_older_sync_does_not_vouch_for_what_came_later) {
    SmallStorage storage(false);
    std::array<JournalEntry, 8> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    SyncTicket ticket = 10;
    int written = 0;
    journal.synced(0, true);
    const auto put = [&] {
        return journal.put(entry(written + 1, CommandPhase::reported), ++ticket, 9000);
    };
    while (storage.syncs < 100 && put()) {
        ++written;  // changes the half once; that change is never known to be on the medium
        journal.synced(5, true);
    }
    EXPECT(written > 25 && written < 60);
}

TEST(half_a_change_of_the_half_is_none) {
    int changes = 0;
    for (std::size_t good = 0; good < 9; ++good) {
        SmallStorage storage(false);
        std::array<JournalEntry, 8> memory{};
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        journal.synced(0, true);
        int written = 0;
        for (; written < 24; ++written) {
            EXPECT(journal.put(entry(written + 1, CommandPhase::reported), 1, 9000).has_value());
        }
        storage.writes_left = good;  // the next entry changes the half, and writes begin to fail
        const bool changed =
            journal.put(entry(written + 1, CommandPhase::reported), 2, 9000).has_value();
        storage.writes_left = SIZE_MAX;
        changes += changed ? 1 : 0;
        EXPECT(journal.put(entry(written + 2, CommandPhase::reported), 3, 9000).has_value());
        CommandJournal again(storage, memory);
        EXPECT(again.open().has_value());
        EXPECT(again.last_counter("operator") == static_cast<std::uint64_t>(written + 2));
    }
    EXPECT(changes > 0 && changes < 9);
}

TEST(a_journal_of_a_newer_version_is_refused_and_left_alone) {
    SmallStorage storage(false);
    std::array<JournalEntry, 8> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        EXPECT(journal.put(entry(1), 1, 0).has_value());
    }
    constexpr std::size_t header = 0;  // the first half is in use
    storage.bytes[header + 8] = 2;
    const Bytes slot = Bytes(storage.bytes).subspan(header, 160);
    std::array<std::uint8_t, 8> seed{};
    Writer(MutableBytes(storage.bytes).subspan(header, 4))
        .u32_le(crc32c(slot.subspan(4), crc32c(seed)));
    const auto before = storage.bytes;
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().code() == Code::unsupported);
    EXPECT(storage.bytes == before);
}

TEST(any_flipped_bit_costs_one_entry_at_most_and_is_counted) {
    SmallStorage storage(false);
    std::array<JournalEntry, 8> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    for (int number = 1; number <= 4; ++number) {
        EXPECT(journal.put(entry(number), 1, 0).has_value());
    }
    for (std::size_t bit = 8 * 160; bit < 8 * 160 * 5; bit += 13) {
        const auto flip = static_cast<std::uint8_t>(1U << (bit % 8));
        const std::size_t at = Storage::block_size + bit / 8;  // the second half is in use
        storage.bytes[at] ^= flip;
        storage.bytes[bit / 8] ^= flip;
        CommandJournal again(storage, memory);
        EXPECT(again.open().has_value());
        EXPECT(again.entries().size() >= 3);
        EXPECT(again.entries().size() == 4 || again.damaged() > 0);
        storage.bytes[at] ^= flip;
        storage.bytes[bit / 8] ^= flip;
    }
}

TEST(a_journal_whose_commands_may_not_be_forgotten_refuses_the_next_one) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    for (int number = 1; number <= 4; ++number) {
        EXPECT(journal.put(entry(number), 1, 0).has_value());
    }
    EXPECT(journal.put(entry(5), 1, 99999).code() == Code::full);  // all begun, none reported
    EXPECT(journal.put(entry(4, CommandPhase::reported), 1, 0).has_value());
}
