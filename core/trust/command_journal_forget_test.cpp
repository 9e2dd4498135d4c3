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

}  // namespace
