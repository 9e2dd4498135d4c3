// SPDX-License-Identifier: Apache-2.0
// What the journal of commands makes of bytes that it did not write so, and of a failing storage.
#include <array>

#include "core/base/crc.h"
#include "core/base/test.h"
#include "core/trust/command_journal.h"
#include "core/trust/test_storage.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr std::size_t slot_size = 160;
constexpr std::size_t slots = Storage::block_size / slot_size;  // of a half, with its header

MutableBytes slot_of(SmallStorage& storage, std::size_t half, std::size_t slot) {
    return MutableBytes(storage.bytes)
        .subspan(half * Storage::block_size + slot * slot_size, slot_size);
}

/// Makes the sum of a slot right again; headers are bound to generation 0.
void seal(MutableBytes slot, std::uint64_t generation) {
    std::array<std::uint8_t, 8> seed{};
    Writer(seed).u64_le(generation);
    Writer(slot.first(4)).u32_le(crc32c(slot.subspan(4), crc32c(seed)));
}

/// A journal with its memory.
struct Table {
    std::array<JournalEntry, 8> memory{};
    CommandJournal journal;
    explicit Table(SmallStorage& storage, std::size_t size = 8)
        : journal(storage, std::span(memory).first(size)) {}
};

/// Commands 1 to 3 in the first half.
void write_three(SmallStorage& storage) {
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    for (int number = 1; number <= 3; ++number) {
        EXPECT(table.journal.put(entry(number), 1, 0).has_value());
    }
}

/// Puts reported entries until the journal has just changed to the other half; gives the last
/// number, which is the one behind the copies.
int change_half(SmallStorage& storage, CommandJournal& journal) {
    int number = 0;
    for (const std::uint64_t half = slots - 1; number < static_cast<int>(half); ++number) {
        EXPECT(journal.put(entry(number + 1, CommandPhase::reported), 1, 9000).has_value());
    }
    journal.synced(1, true);
    const std::size_t before = storage.writes;
    EXPECT(journal.put(entry(++number, CommandPhase::reported), 2, 9000).has_value());
    EXPECT(storage.writes > before + 2);
    return number;
}

TEST(a_journal_from_before_there_were_keys_opens_with_all_it_knew) {
    // As it was written then: two slots, each up to where its zeros begin.
    constexpr std::array<std::uint8_t, 21> header{0x0A, 0xB9, 0xC2, 0x66, 0x4A, 0x43, 0x57,
                                                  0x4A, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00,
                                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    constexpr std::array<std::uint8_t, 57> first{
        0xC2, 0x6B, 0x18, 0xEE, 0x02, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0xE9, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF9, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0x84, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x63, 0x2D, 0x31, 0x08, 0x6F,
        0x70, 0x65, 0x72, 0x61, 0x74, 0x6F, 0x72, 0x04, 0x64, 0x65, 0x6D, 0x6F};
    SmallStorage storage(false);
    std::copy(header.begin(), header.end(), slot_of(storage, 0, 0).begin());
    std::copy(first.begin(), first.end(), slot_of(storage, 0, 1).begin());
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    const JournalEntry* const known = table.journal.find("c-1");
    EXPECT(known != nullptr && known->phase == CommandPhase::reported && known->value == -7);
    EXPECT(known->issuer == "operator" && known->target == "demo" && known->counter == 1);
    EXPECT(known->forget_ms == 1001 && known->written_ms == 900 && known->asked.key == 0);
    EXPECT(table.journal.damaged() == 0);
}

TEST(an_entry_whose_fields_are_beyond_their_range_is_damage) {
    const struct {
        std::size_t at;
        std::uint8_t value;
    } cases[] = {{4, 3}, {4, 0xFF}, {5, 14}, {5, 0xFF}, {39, 37}, {39, 200}, {43, 33}, {52, 33}};
    for (const auto& c : cases) {
        SmallStorage storage(false);
        write_three(storage);
        const MutableBytes slot = slot_of(storage, 0, 2);
        EXPECT(slot[39] == 3 && slot[43] == 8 && slot[52] == 4);  // sizes of id, issuer, target
        slot[c.at] = c.value;
        seal(slot, 1);
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.entries().size() == 2 && again.journal.damaged() == 1);
        EXPECT(again.journal.find("c-2") == nullptr && again.journal.find("c-3") != nullptr);
    }
}

TEST(a_text_that_is_too_long_is_damage_whatever_stands_behind_it) {
    for (const std::size_t at : {39U, 43U, 52U}) {  // sizes of id, issuer, target
        SmallStorage storage(false);
        write_three(storage);
        const MutableBytes slot = slot_of(storage, 0, 2);
        slot[at] = 37;
        const MutableBytes behind = slot.subspan(at + 1);
        std::fill(behind.begin(), behind.end(), std::uint8_t{0});
        seal(slot, 1);
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.entries().size() == 2 && again.journal.damaged() == 1);
    }
}

TEST(what_is_no_header_of_ours_is_begun_anew_and_not_taken_for_a_newer_version) {
    enum class Change : std::uint8_t { sum, magic, version };
    for (const Change change : {Change::sum, Change::magic, Change::version}) {
        SmallStorage storage(false);
        write_three(storage);
        const MutableBytes header = slot_of(storage, 0, 0);
        header[8] = change == Change::version ? 0 : 2;
        header[4] ^= change == Change::magic ? 1 : 0;
        seal(header, change == Change::sum ? 1 : 0);
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.entries().empty());
        EXPECT(again.journal.put(entry(1), 1, 0).has_value());
    }
    for (const Change change : {Change::sum, Change::magic}) {
        SmallStorage storage(false);
        write_three(storage);
        const MutableBytes header = slot_of(storage, 0, 0);
        header[4] ^= change == Change::magic ? 1 : 0;
        seal(header, change == Change::sum ? 1 : 0);
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.entries().empty());
    }
}

TEST(a_half_counts_only_with_all_copies_that_its_header_announces) {
    for (const bool announces_too_many : {false, true}) {
        SmallStorage storage(false);
        Table table(storage);
        EXPECT(table.journal.open().has_value());
        const int last = change_half(storage, table.journal);
        {
            Table again(storage);
            EXPECT(again.journal.open().has_value());
            EXPECT(again.journal.last_counter("operator") == static_cast<std::uint64_t>(last));
        }
        if (announces_too_many) {
            const MutableBytes header = slot_of(storage, 1, 0);
            Writer(header.subspan(17, 4)).u32_le(slots);
            seal(header, 0);
        } else {
            slot_of(storage, 1, 1)[20] ^= 1;  // one copy is lost
        }
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.last_counter("operator") == static_cast<std::uint64_t>(last - 1));
        EXPECT(again.journal.put(entry(last, CommandPhase::reported), 1, 9000).code() ==
               Code::busy);
    }
}

TEST(a_full_half_that_announces_more_than_it_has_room_for_is_none) {
    SmallStorage storage(false);
    {
        Table table(storage);
        EXPECT(table.journal.open().has_value());
        for (int number = 1; number < static_cast<int>(slots); ++number) {
            EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).has_value());
        }
    }
    const MutableBytes header = slot_of(storage, 0, 0);
    Writer(header.subspan(17, 4)).u32_le(slots);
    seal(header, 0);
    Table again(storage);
    EXPECT(again.journal.open().has_value());
    EXPECT(again.journal.entries().empty());
    EXPECT(again.journal.put(entry(1), 1, 0).has_value());
}

TEST(the_half_that_can_be_read_is_used_whichever_it_is) {
    for (const std::size_t unreadable : {0U, 1U}) {
        SmallStorage storage(false);
        Table table(storage);
        EXPECT(table.journal.open().has_value());
        const int last = change_half(storage, table.journal);
        storage.unreadable_from = unreadable * Storage::block_size;
        storage.unreadable_to = storage.unreadable_from + 1;  // its header
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.last_counter("operator") ==
               static_cast<std::uint64_t>(unreadable == 0 ? last : last - 1));
    }
}

TEST(a_half_whose_copies_cannot_all_be_read_is_none) {
    SmallStorage storage(false);
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    const int last = change_half(storage, table.journal);
    storage.unreadable_from = Storage::block_size + slot_size;
    storage.unreadable_to = storage.unreadable_from + 1;
    Table again(storage);
    EXPECT(again.journal.open().has_value());
    EXPECT(again.journal.last_counter("operator") == static_cast<std::uint64_t>(last - 1));
}

TEST(a_slot_is_blank_only_if_every_byte_of_it_is) {
    SmallStorage storage(false);
    write_three(storage);
    for (const std::uint8_t blank : {std::uint8_t{0}, std::uint8_t{0xFF}}) {
        const MutableBytes slot = slot_of(storage, 0, 4);
        std::fill(slot.begin(), slot.end(), blank);
        for (std::uint8_t& byte : slot) {
            byte ^= 0x10;
            Table again(storage);
            EXPECT(again.journal.open().has_value());
            EXPECT(again.journal.damaged() == 1);
            byte = blank;
        }
    }
}

TEST(a_torn_entry_is_passed_over_and_the_next_one_stands_behind_it) {
    for (const bool flash : {false, true}) {
        SmallStorage storage(flash);
        write_three(storage);
        const MutableBytes torn = slot_of(storage, 0, 4);
        torn[0] = 0x55;
        {
            Table again(storage);
            EXPECT(again.journal.open().has_value());
            EXPECT(again.journal.damaged() == 1 && again.journal.entries().size() == 3);
            EXPECT(again.journal.put(entry(4), 1, 0).has_value());
        }
        EXPECT(torn[0] == 0x55 && torn[40] == (flash ? 0xFF : 0));
        Table last(storage);
        EXPECT(last.journal.open().has_value());
        EXPECT(last.journal.entries().size() == 4 && last.journal.find("c-4") != nullptr);
    }
}

TEST(blank_slots_are_free_whether_they_are_zeros_or_ones) {
    for (const std::uint8_t blank : {std::uint8_t{0}, std::uint8_t{0xFF}}) {
        SmallStorage storage(false);
        write_three(storage);
        for (std::size_t slot = 4; slot < slots; ++slot) {
            const MutableBytes bytes = slot_of(storage, 0, slot);
            std::fill(bytes.begin(), bytes.end(), blank);
        }
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.damaged() == 0);
        EXPECT(again.journal.put(entry(4), 1, 0).has_value());
        EXPECT(slot_of(storage, 0, 4)[39] == 3);  // in the first free slot
    }
}

TEST(an_unreadable_entry_is_left_out_and_its_slot_not_counted_as_damage) {
    SmallStorage storage(false);
    write_three(storage);
    storage.unreadable_from = 2 * slot_size;
    storage.unreadable_to = storage.unreadable_from + 1;
    Table again(storage);
    EXPECT(again.journal.open().has_value());
    EXPECT(again.journal.damaged() == 0 && again.journal.entries().size() == 2);
    EXPECT(again.journal.find("c-2") == nullptr);
}

TEST(a_storage_that_takes_nothing_is_told_when_a_journal_is_begun) {
    SmallStorage storage(false);
    storage.writes_left = 0;
    Table unwritable(storage);
    EXPECT(unwritable.journal.open().code() == Code::internal);
    EXPECT(storage.syncs == 0);
    storage.writes_left = SIZE_MAX;
    storage.erases_fail = true;
    Table unerasable(storage);
    EXPECT(unerasable.journal.open().code() == Code::internal);
}

TEST(a_half_that_cannot_be_erased_is_not_changed_to) {
    SmallStorage storage(false);
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    table.journal.synced(0, true);
    int number = 1;
    for (; number < static_cast<int>(slots); ++number) {
        EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).has_value());
    }
    storage.erases_fail = true;
    const std::size_t before = storage.writes;
    EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).code() ==
           Code::internal);
    EXPECT(storage.writes == before);
    storage.erases_fail = false;
    EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).has_value());
    Table again(storage);
    EXPECT(again.journal.open().has_value());
    EXPECT(again.journal.last_counter("operator") == static_cast<std::uint64_t>(number));
}

TEST(one_copy_that_cannot_be_written_spoils_the_change_of_the_half) {
    for (std::size_t copy = 0; copy < 2; ++copy) {
        SmallStorage storage(false);
        Table table(storage);
        EXPECT(table.journal.open().has_value());
        table.journal.synced(0, true);
        int number = 1;
        for (; number < static_cast<int>(slots); ++number) {
            EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).has_value());
        }
        storage.failing_write = storage.writes + copy;
        EXPECT(table.journal.put(entry(number, CommandPhase::reported), 1, 9000).code() ==
               Code::internal);
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.last_counter("operator") == static_cast<std::uint64_t>(number - 1));
    }
}

TEST(writing_again_after_a_failed_sync_is_tried_until_all_of_it_is_written) {
    for (const bool reading_fails : {false, true}) {
        SmallStorage storage(false);
        Table table(storage);
        EXPECT(table.journal.open().has_value());
        storage.losing = true;
        EXPECT(table.journal.put(entry(1), 1, 0).has_value());
        EXPECT(table.journal.put(entry(2), 2, 0).has_value());
        table.journal.synced(1, false);
        storage.losing = false;
        if (reading_fails) {
            storage.unreadable_from = slot_size;
            storage.unreadable_to = slot_size + 1;
        } else {
            storage.writes_left = 2;
        }
        EXPECT(table.journal.put(entry(3), 3, 0).code() == Code::internal);
        storage.writes_left = SIZE_MAX;
        storage.unreadable_from = storage.unreadable_to = UINT64_MAX;
        EXPECT(table.journal.put(entry(3), 4, 0).has_value());
        storage.cut_power();
        Table again(storage);
        EXPECT(again.journal.open().has_value());
        EXPECT(again.journal.entries().size() == 3);
    }
}

TEST(flash_shows_what_is_there_and_is_not_written_again) {
    SmallStorage storage(true);
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    EXPECT(table.journal.put(entry(1), 1, 0).has_value());
    table.journal.synced(1, false);
    const std::size_t before = storage.writes;
    EXPECT(table.journal.put(entry(2), 2, 0).has_value());
    EXPECT(storage.writes == before + 1);
}

TEST(a_sync_that_passes_vouches_for_nothing_until_all_is_written_again) {
    SmallStorage storage(false);
    Table table(storage);
    EXPECT(table.journal.open().has_value());
    table.journal.synced(0, true);
    SyncTicket ticket = 0;
    int number = 0;
    while (number < static_cast<int>(slots) - 1) {
        ++number;
        EXPECT(
            table.journal.put(entry(number, CommandPhase::reported), ++ticket, 9000).has_value());
    }
    table.journal.synced(ticket - 1, false);
    table.journal.synced(ticket, true);
    ++number;
    // Writes again now, and changes the half once that is on the medium.
    EXPECT(table.journal.put(entry(number, CommandPhase::reported), ++ticket, 9000).code() ==
           Code::busy);
    table.journal.synced(ticket - 1, true);  // older than what was written again
    EXPECT(table.journal.put(entry(number, CommandPhase::reported), ticket, 9000).code() ==
           Code::busy);
    table.journal.synced(ticket, true);
    table.journal.synced(1, true);  // an older answer takes nothing back
    EXPECT(table.journal.put(entry(number, CommandPhase::reported), ++ticket, 9000).has_value());
}

}  // namespace
