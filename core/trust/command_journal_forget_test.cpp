// SPDX-License-Identifier: Apache-2.0
// What the journal of commands keeps and what it forgets when its table is full.
#include <array>

#include "core/base/test.h"
#include "core/trust/command_journal.h"
#include "core/trust/test_storage.h"

using namespace jw;
using namespace jw::test;

namespace {

JournalEntry reported(int number) {
    return entry(number, CommandPhase::reported);
}

bool knows(const CommandJournal& journal, std::initializer_list<const char*> ids) {
    bool all = journal.entries().size() == ids.size();
    for (const char* id : ids) {
        all = all && journal.find(id) != nullptr;
    }
    return all;
}

TEST(only_what_is_reported_old_and_holds_no_counter_is_forgotten) {
    SmallStorage storage(false);
    std::array<JournalEntry, 6> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    EXPECT(journal.put(entry(1), 1, 0).has_value());                       // begun
    EXPECT(journal.put(entry(2, CommandPhase::ended), 1, 0).has_value());  // not yet reported
    JournalEntry young = reported(3);
    young.forget_ms = 5001;
    EXPECT(journal.put(young, 1, 0).has_value());
    EXPECT(journal.put(reported(4), 1, 0).has_value());
    EXPECT(journal.put(reported(5), 1, 0).has_value());  // the operator's highest counter
    JournalEntry local = reported(6);
    local.issuer = "";
    local.counter = 0;  // holds no counter
    local.forget_ms = 5000;
    EXPECT(journal.put(local, 1, 0).has_value());
    EXPECT(knows(journal, {"c-1", "c-2", "c-3", "c-4", "c-5", "c-6"}));
    EXPECT(journal.put(entry(7), 1, 5000).has_value());
    EXPECT(knows(journal, {"c-1", "c-2", "c-3", "c-5", "c-7"}));
}

TEST(nothing_is_forgotten_while_there_is_room_or_for_a_command_that_is_known) {
    SmallStorage storage(false);
    std::array<JournalEntry, 3> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        EXPECT(journal.put(reported(1), 1, 9000).has_value());
        EXPECT(journal.put(entry(2), 1, 9000).has_value());
        EXPECT(journal.put(entry(3), 1, 9000).has_value());  // finds room
        EXPECT(knows(journal, {"c-1", "c-2", "c-3"}));
        EXPECT(journal.put(reported(2), 1, 9000).has_value());  // takes none
        EXPECT(knows(journal, {"c-1", "c-2", "c-3"}));
    }
    // Reading does as writing did.
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(knows(again, {"c-1", "c-2", "c-3"}));
    EXPECT(again.put(entry(4), 1, 9000).has_value());
    EXPECT(knows(again, {"c-3", "c-4"}));
}

TEST(what_was_forgotten_when_an_entry_was_written_is_forgotten_when_it_is_read) {
    SmallStorage storage(false);
    std::array<JournalEntry, 2> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        for (int number = 1; number <= 10; ++number) {
            EXPECT(journal.put(reported(number), 1, 9000).has_value());
        }
    }
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(again.last_counter("operator") == 10 && again.find("c-10") != nullptr);
}

TEST(a_command_never_goes_back_to_an_earlier_phase) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    EXPECT(journal.put(reported(1), 1, 0).has_value());
    EXPECT(journal.put(entry(1, CommandPhase::ended), 1, 0).has_value());
    EXPECT(journal.find("c-1")->phase == CommandPhase::reported);
    JournalEntry repeated = reported(1);
    repeated.code = ResultCode::busy;
    EXPECT(journal.put(repeated, 1, 0).has_value());
    EXPECT(journal.find("c-1")->code == ResultCode::busy);
}

TEST(counters_of_issuers_whose_names_are_alike_stay_apart) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    EXPECT(journal.put(entry(7), 1, 0).has_value());
    for (const char* other : {"operatos", "operators", "operato", ""}) {
        EXPECT(journal.last_counter(other) == 0);
    }
    EXPECT(journal.last_counter("operator") == 7);
}

TEST(an_entry_without_a_value_has_none_after_a_restart) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        EXPECT(journal.put(entry(1), 1, 0).has_value());
        JournalEntry zero = entry(2, CommandPhase::ended);
        zero.value = 0;
        EXPECT(journal.put(zero, 1, 0).has_value());
    }
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(!again.find("c-1")->value.has_value());
    EXPECT(again.find("c-2")->value == 0);
}

TEST(a_table_larger_than_a_half_is_full_when_the_half_is) {
    SmallStorage storage(false);
    static std::array<JournalEntry, 40> memory{};
    constexpr int slots = 24;  // beside the header
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        journal.synced(0, true);
        for (int number = 1; number <= slots; ++number) {
            EXPECT(journal.put(entry(number), 1, 0).has_value());
        }
        const std::size_t before = storage.writes;
        EXPECT(journal.put(entry(slots + 1), 1, 0).code() == Code::full);
        EXPECT(storage.writes == before);
    }
    CommandJournal again(storage, memory);
    EXPECT(again.open().has_value());
    EXPECT(again.entries().size() == slots && again.damaged() == 0);
}

/// A reported command from here, under a key if one is given.
JournalEntry local(int number, std::uint64_t key = 0) {
    JournalEntry e = reported(number);
    e.issuer = "";
    e.counter = 0;
    e.asked = {key, 1};
    return e;
}

TEST(a_full_table_gives_way_to_the_oldest_reported_local_command_without_a_key) {
    for (const std::int64_t clock : {0, 500}) {  // unknown, and before anything is over
        SmallStorage storage(false);
        std::array<JournalEntry, 4> memory{};
        {
            CommandJournal journal(storage, memory);
            EXPECT(journal.open().has_value());
            EXPECT(journal.put(reported(1), 1, clock).has_value());  // from afar
            EXPECT(journal.put(local(2, 22), 1, clock).has_value());
            EXPECT(journal.put(local(3), 1, clock).has_value());
            EXPECT(journal.put(local(4), 1, clock).has_value());
            EXPECT(journal.has_room(clock));
            EXPECT(journal.put(entry(5), 1, clock).has_value());
            EXPECT(knows(journal, {"c-1", "c-2", "c-4", "c-5"}));
            EXPECT(journal.put(entry(6), 1, clock).has_value());
            EXPECT(knows(journal, {"c-1", "c-2", "c-5", "c-6"}));
            EXPECT(journal.put(entry(7), 1, clock).has_value());
            EXPECT(knows(journal, {"c-1", "c-5", "c-6", "c-7"}));
            EXPECT(!journal.has_room(clock));
            EXPECT(journal.put(entry(8), 1, clock).code() == Code::full);
        }
        CommandJournal again(storage, memory);
        EXPECT(again.open().has_value());
        EXPECT(knows(again, {"c-1", "c-5", "c-6", "c-7"}));
        EXPECT(!again.has_room(clock));
    }
}

TEST(a_full_table_has_room_again_once_a_command_from_afar_expired) {
    SmallStorage storage(false);
    std::array<JournalEntry, 2> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    EXPECT(journal.put(reported(1), 1, 500).has_value());
    EXPECT(journal.put(reported(2), 1, 500).has_value());
    EXPECT(!journal.has_room(1000) && journal.has_room(1001));
    EXPECT(!journal.has_room(std::nullopt));  // without a clock nothing is over
}

TEST(thousands_of_local_commands_pass_through_a_small_table_with_and_without_a_clock) {
    for (const bool clock : {false, true}) {
        SmallStorage storage(false);
        std::array<JournalEntry, 8> memory{};
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        for (int number = 1; number <= 2000; ++number) {
            const auto now = clock ? std::optional<std::int64_t>(500) : std::nullopt;
            JournalEntry begun = local(number, static_cast<std::uint64_t>(number % 3));
            begun.phase = CommandPhase::begun;
            EXPECT(journal.put(begun, 1, now).has_value());
            JournalEntry ended = begun;
            ended.phase = CommandPhase::reported;
            EXPECT(journal.put(ended, 2, now).has_value());
            journal.synced(2, true);
        }
        // Two entries a command, and a half of 24 begins with at most 8 copies and its header.
        EXPECT(storage.writes < 2000 * 2 * 2);
        CommandJournal again(storage, memory);
        EXPECT(again.open().has_value());
        EXPECT(again.entries().size() == journal.entries().size());
        for (const JournalEntry& known : journal.entries()) {
            EXPECT(again.find(known.id) != nullptr);
        }
    }
}

TEST(a_key_finds_its_latest_command_until_its_time_has_passed) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    {
        CommandJournal journal(storage, memory);
        EXPECT(journal.open().has_value());
        EXPECT(journal.put(local(1), 1, 500).has_value());
        EXPECT(journal.put(local(2, 22), 1, 500).has_value());  // until 1002
    }
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    EXPECT(journal.find_key(0, 500) == nullptr && journal.find_key(23, 500) == nullptr);
    EXPECT(journal.find_key(22, 1001)->id == "c-2" &&
           journal.find_key(22, 1001)->asked.request == 1);
    EXPECT(journal.find_key(22, std::nullopt) != nullptr);
    EXPECT(journal.find_key(22, 1002) == nullptr);
    EXPECT(journal.put(local(3, 22), 1, 1002).has_value());  // until 1003
    EXPECT(journal.find_key(22, 1002)->id == "c-3");
}

TEST(what_was_written_without_a_clock_has_its_time_once_the_clock_is_set) {
    SmallStorage storage(false);
    std::array<JournalEntry, 4> memory{};
    CommandJournal journal(storage, memory);
    EXPECT(journal.open().has_value());
    JournalEntry undated = local(1, 11);
    undated.forget_ms = 0;
    EXPECT(journal.put(undated, 1, std::nullopt).has_value());
    EXPECT(journal.find_key(11, 1'000'000) != nullptr);
    EXPECT(journal.put(local(2, 22), 1, 500).has_value());
    journal.date(5000);
    EXPECT(journal.find_key(11, 4999) != nullptr && journal.find_key(11, 5000) == nullptr);
    EXPECT(journal.find_key(22, 1002) == nullptr);  // had its time
}

}  // namespace
