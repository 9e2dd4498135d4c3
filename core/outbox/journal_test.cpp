// SPDX-License-Identifier: Apache-2.0
// The journal: the latest value of every key holds, whatever fails in between.
#include "core/outbox/journal.h"

#include <array>

#include "core/base/test.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr unsigned keys = 3;

/// A journal on blocks 0 and 1 with the values that belong into it.
struct Values {
    Journal journal;
    Medium medium{storage};
    std::array<std::uint32_t, keys> wanted{};
    std::array<std::uint32_t, keys> found{};

    void open(std::uint64_t uuid = 7) {
        found = {};
        journal.open(storage, uuid, 0, keys, [&](unsigned key, Bytes body) {
            found[key] = Reader(body).u32_le();
        });
        wanted = found;
    }
    Status write() {
        return journal.write(medium, [&](unsigned key, Writer& out) {
            out.u32_le(wanted[key]);
            return wanted[key] != 0;
        });
    }
    Status set(unsigned key, std::uint32_t value) {
        wanted[key] = value;
        journal.mark(key);
        return write();
    }
};

/// What a journal that is opened now finds.
std::array<std::uint32_t, keys> reopened() {
    Values values;
    values.open();
    return values.found;
}

using Three = std::array<std::uint32_t, keys>;

TEST(the_latest_value_of_every_key_holds_over_many_changes_of_the_block) {
    for (const Shape shape : shapes) {
        format(shape);
        Values values;
        values.open();
        EXPECT(values.found == Three{} && !values.journal.dirty());
        for (std::uint32_t i = 1; i <= 1000; ++i) {
            EXPECT(values.set(i % 5 == 0 ? 0 : 1 + i % 2, i).has_value());
            values.journal.synced(true);
            if (i % 61 == 0) {
                EXPECT(reopened() == values.wanted);
            }
            if (i % 177 == 0) {
                Values again;
                again.open();
                EXPECT(again.found == values.wanted);
                EXPECT(again.journal.number() == values.journal.number());
                values.journal = again.journal;
            }
        }
        EXPECT(storage.written_twice == 0);
    }
}

TEST(a_key_without_a_value_takes_no_entry) {
    format(Shape::file);
    Values values;
    values.open();
    values.journal.mark(2);
    EXPECT(values.write().has_value() && !values.journal.dirty());
    EXPECT(values.journal.number() == 0);
    EXPECT(values.set(1, 5).has_value());
    EXPECT(values.journal.number() == 1 && reopened() == (Three{0, 5, 0}));
}

TEST(what_could_not_be_written_stays_marked_and_is_written_later) {
    for (const Shape shape : shapes) {
        format(shape);
        Values values;
        values.open();
        storage.fail_erases = 1;
        EXPECT(values.set(0, 1).code() == Code::internal);
        EXPECT(values.journal.dirty());
        storage.fail_writes = 1;
        EXPECT(values.write().code() == Code::full);
        EXPECT(values.journal.dirty() && reopened() == Three{});
        EXPECT(values.write().has_value() && !values.journal.dirty());
        EXPECT(reopened() == (Three{1, 0, 0}));
        EXPECT(storage.written_twice == 0);
    }
}

TEST(a_block_that_cannot_be_erased_leaves_the_values_where_they_are) {
    for (const Shape shape : shapes) {
        format(shape);
        Values values;
        values.open();
        for (std::uint32_t i = 1; i <= Journal::entries_per_block; ++i) {
            EXPECT(values.set(i % keys, i).has_value());
            values.journal.synced(true);
        }
        const Three before = values.wanted;
        storage.fail_erases = 1;
        EXPECT(values.set(0, 1000).code() == Code::internal);
        EXPECT(reopened() == before);
        EXPECT(values.write().has_value());
        EXPECT(reopened() == (Three{1000, before[1], before[2]}));
    }
}

TEST(the_block_left_behind_stays_until_the_new_one_is_on_the_medium) {
    for (const Shape shape : shapes) {
        format(shape);
        Values values;
        values.open();
        std::uint32_t i = 0;
        while (i < Journal::entries_per_block) {
            ++i;
            EXPECT(values.set(i % keys, i).has_value());
        }
        values.journal.synced(true);
        std::array<std::uint8_t, Storage::block_size> kept{};
        std::array<std::uint8_t, Storage::block_size> now{};
        EXPECT(storage.read(0, kept).has_value());
        for (; i < 5 * Journal::entries_per_block; ++i) {
            EXPECT(values.set(i % keys, i).has_value());  // begins the other block again and again
        }
        EXPECT(storage.read(0, now).has_value() && equal(kept, now));
        EXPECT(reopened() == values.wanted);
        values.journal.synced(true);
        for (; i < 6 * Journal::entries_per_block; ++i) {
            EXPECT(values.set(i % keys, i).has_value());
        }
        EXPECT(storage.read(0, now).has_value() && !equal(kept, now));
        EXPECT(reopened() == values.wanted);
    }
}

TEST(values_of_both_blocks_are_read_and_brought_together) {
    format(Shape::file);
    Values values;
    values.open();
    for (std::uint32_t i = 1; i <= Journal::entries_per_block; ++i) {
        EXPECT(values.set(i % keys, i).has_value());
        values.journal.synced(true);
    }
    const Three before = values.wanted;
    // Of the change to the other block only the first entry is written.
    storage.good_writes = 1;
    storage.fail_writes = 1;
    EXPECT(values.set(0, 1000).code() == Code::full);
    const Three expected{1000, before[1], before[2]};
    Values again;
    again.open();
    EXPECT(again.found == expected && again.journal.dirty());
    EXPECT(again.write().has_value() && !again.journal.dirty());
    again.journal.synced(true);
    storage.zero(0, Storage::block_size);  // the block left behind is not needed any more
    EXPECT(reopened() == expected);
}

TEST(an_unreadable_or_damaged_entry_costs_only_what_it_holds) {
    format(Shape::file);
    Values values;
    values.open();
    EXPECT(values.set(0, 1).has_value());
    EXPECT(values.set(1, 2).has_value());
    EXPECT(values.set(0, 3).has_value());
    storage.damage(2 * Journal::entry_size + 12, 1);
    EXPECT(reopened() == (Three{1, 2, 0}));
    storage.damage(2 * Journal::entry_size + 12, 1);
    EXPECT(reopened() == (Three{3, 2, 0}));
    storage.lose_blocks(0, 1);
    EXPECT(reopened() == Three{});
    storage.lose_blocks(1, 1);
    EXPECT(reopened() == (Three{3, 2, 0}));
}

TEST(entries_of_another_store_or_for_another_block_are_none) {
    format(Shape::file);
    Values values;
    values.open();
    EXPECT(values.set(0, 1).has_value());
    Values foreign;
    foreign.open(8);
    EXPECT(foreign.found == Three{});
    std::array<std::uint8_t, Journal::entry_size> entry{};
    EXPECT(storage.read(0, entry).has_value());
    format(Shape::file);
    EXPECT(storage.write(Storage::block_size, entry).has_value());
    EXPECT(reopened() == Three{});
}

TEST(an_entry_for_a_key_that_is_not_used_is_passed_over) {
    format(Shape::file);
    Values values;
    values.open();
    EXPECT(values.set(0, 1).has_value());
    EXPECT(values.set(2, 5).has_value());
    Journal narrow;
    unsigned seen = 0;
    narrow.open(storage, 7, 0, 2, [&](unsigned key, Bytes) { seen |= 1U << key; });
    EXPECT(seen == 1);
}

TEST(a_torn_entry_is_passed_over_on_flash_and_on_a_file) {
    for (const Shape shape : shapes) {
        for (const std::size_t at : {0U, 5U, 31U}) {
            format(shape);
            Values values;
            values.open();
            EXPECT(values.set(0, 1).has_value());
            storage.damage(Journal::entry_size + at, 0x55);
            EXPECT(values.set(1, 2).has_value());
            EXPECT(reopened() == (Three{1, 2, 0}) && storage.written_twice == 0);
            EXPECT(storage.byte(2 * Journal::entry_size + 8) == 1);  // stands behind it
        }
    }
}

TEST(a_slot_that_cannot_be_read_is_not_written) {
    format(Shape::file);
    Values values;
    values.open();
    EXPECT(values.set(0, 1).has_value());
    storage.unreadable_from = Journal::entry_size;
    storage.unreadable_to = 3 * Journal::entry_size;
    EXPECT(values.set(1, 2).has_value());
    EXPECT(storage.byte(Journal::entry_size) == 0);
    EXPECT(storage.byte(3 * Journal::entry_size + 8) == 1);
}

/// Flash with a cell that does not hold what is written.
struct WornStorage : TestStorage {
    std::uint64_t worn = 0;
    Status write(std::uint64_t at, Bytes bytes) override {
        const Status written = TestStorage::write(at, bytes);
        if (at <= worn && worn < at + bytes.size()) {
            byte(static_cast<std::size_t>(worn)) ^= 1;
        }
        return written;
    }
};

TEST(an_entry_that_does_not_read_back_is_written_once_more_behind) {
    static WornStorage worn;
    worn.format(Shape::flash);
    worn.worn = Journal::entry_size + 3;
    Journal journal;
    Medium medium{worn};
    journal.open(worn, 7, 0, keys, [](unsigned, Bytes) {});
    journal.mark_all();
    const auto store = [](unsigned key, Writer& out) {
        out.u8(static_cast<std::uint8_t>(40 + key));
        return true;
    };
    EXPECT(journal.write(medium, store).has_value());
    Journal again;
    std::array<std::uint8_t, keys> found{};
    again.open(worn, 7, 0, keys, [&](unsigned key, Bytes body) { found[key] = body[0]; });
    EXPECT(found[0] == 40 && found[1] == 41 && found[2] == 42);
    EXPECT(again.number() == keys + 1 && worn.written_twice == 0);
}

TEST(a_full_block_of_a_file_is_written_again_after_a_failed_sync_until_that_succeeds) {
    format(Shape::file);
    Values former;
    former.open();
    for (std::uint32_t i = 1; i <= Journal::entries_per_block; ++i) {
        EXPECT(former.set(i % keys, i).has_value());
        former.journal.synced(true);
    }
    Values values;
    values.open();
    const Three before = values.found;
    values.journal.synced(false);
    EXPECT(values.journal.dirty());
    const std::uint64_t written = storage.bytes_written;
    storage.lose_blocks(0, 2);
    EXPECT(values.write().code() == Code::internal);
    storage.lose_blocks(0, 0);
    storage.good_writes = 3;
    storage.fail_writes = 1;
    EXPECT(values.write().code() == Code::full);
    EXPECT(values.write().code() == Code::busy);  // all is written again, not yet on the medium
    EXPECT(storage.bytes_written - written == Storage::block_size + 3 * 256);
    EXPECT(values.write().code() == Code::busy);
    EXPECT(storage.bytes_written - written == Storage::block_size + 3 * 256);
    values.journal.synced(true);
    EXPECT(values.write().has_value());
    EXPECT(reopened() == before);
}

}  // namespace
