// SPDX-License-Identifier: Apache-2.0
// What the outbox does when the storage fails, lies or is damaged.
#include "core/outbox/outbox.h"

#include <array>

#include "core/base/test.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

TEST(damage_in_a_block_costs_the_rest_of_that_block_only) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open(2).has_value());
        for (std::uint32_t i = 1; i <= 300; ++i) {
            EXPECT(box.append(telemetry, i).has_value());
        }
        box.sync();
        storage.damage(block_at(1) + 2000, 0x10);
        for (std::size_t sink = 0; sink < 2; ++sink) {
            Cursor cursor = box.outbox.cursor(sink, telemetry);
            std::uint32_t expected = 1;
            unsigned gaps = 0;
            for (std::uint32_t got = box.take(cursor); got != ~0U; got = box.take(cursor)) {
                if (got == 0) {
                    ++gaps;
                    EXPECT(box.gap.reason == GapReason::damaged && box.gap.from == expected);
                    EXPECT(box.gap.to - box.gap.from < 41);
                    expected = static_cast<std::uint32_t>(box.gap.to + 1);
                } else {
                    EXPECT(got == expected);
                    ++expected;
                }
            }
            EXPECT(gaps == 1 && expected == 301);
            EXPECT(box.outbox.counters().damaged[3] == box.gap.to - box.gap.from + 1);
        }
    }
}

TEST(a_failed_sync_loses_nothing) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box;
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= 100; ++i) {
                EXPECT(box.append(telemetry, i).has_value());
                if (i == 50) {
                    box.sync();
                }
            }
            storage.fail_syncs = 1;
            box.sync();
            EXPECT(box.outbox.counters().sync_failures == 1);
            EXPECT(box.outbox.accepted_to(telemetry) == 100);
            EXPECT(box.append(telemetry, 101).has_value());
            box.sync();
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open().has_value());
        Cursor cursor = box.outbox.cursor(0, telemetry);
        for (std::uint32_t i = 1; i <= 101; ++i) {
            EXPECT(box.take(cursor) == i);
        }
        EXPECT(box.take(cursor) == ~0U);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(while_syncs_fail_nothing_is_taken_and_it_recovers_by_itself) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 1).has_value());
    storage.fail_syncs = 1000;
    box.sync();
    EXPECT(box.append(telemetry, 2).code() == Code::internal);
    EXPECT(box.outbox.accepted_to(telemetry) == 0);
    const std::uint64_t used = box.outbox.bytes_used();
    for (int i = 0; i < 100; ++i) {
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
    }
    EXPECT(box.outbox.bytes_used() == used);  // attempts do not eat the store
    storage.fail_syncs = 0;
    box.now = box.now + seconds(1);
    (void)box.outbox.step(box.now);
    box.answer();
    EXPECT(box.outbox.accepted_to(telemetry) == 1);
    EXPECT(box.append(telemetry, 3).has_value());
    box.sync();
    storage.cut_power();
    Box again;
    EXPECT(again.open().has_value());
    Cursor cursor = again.outbox.cursor(0, telemetry);
    EXPECT(again.take(cursor) == 1);
    EXPECT(again.take(cursor) == 3);
}

TEST(a_full_disk_is_told_and_passes) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 1).has_value());
    storage.fail_writes = 1;
    EXPECT(box.append(telemetry, 2).code() == Code::full);
    EXPECT(box.append(telemetry, 3).has_value());
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1);
    EXPECT(box.take(cursor) == 0 && box.gap.from == 2 && box.gap.to == 2);
    EXPECT(box.take(cursor) == 3);
    EXPECT(box.outbox.counters().write_failures == 1);
}

TEST(a_busy_storage_costs_no_number_and_is_synced_at_once) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 1).has_value());
    const std::uint64_t syncs = box.outbox.counters().syncs;
    storage.fail_code = Code::busy;
    storage.fail_writes = 1;
    EXPECT(box.append(telemetry, 2).code() == Code::full);
    storage.fail_code = Code::full;
    EXPECT(box.outbox.counters().syncs == syncs + 1);
    EXPECT(box.append(telemetry, 3).has_value());
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1);
    EXPECT(box.take(cursor) == 3 && box.last.id.seq == 2);
    EXPECT(box.outbox.counters().write_failures == 0 && storage.written_twice == 0);
}

TEST(much_that_waits_is_synced_before_its_time) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.unsynced_bytes_max = 2000;
    Box box(settings);
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 30; ++i) {
        EXPECT(box.append(telemetry, i, 100).has_value());
    }
    box.answer();
    EXPECT(box.outbox.accepted_to(telemetry) >= 15 && box.outbox.accepted_to(telemetry) < 30);
}

TEST(a_store_of_a_newer_version_is_refused_and_left_alone) {
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open().has_value());
        box.sync();
    }
    std::array<std::uint8_t, Superblock::size> bytes{};
    EXPECT(storage.read(0, bytes).has_value());
    bytes[8] = 2;
    Writer(MutableBytes(bytes).last(4)).u32_le(crc32c(Bytes(bytes).first(Superblock::size - 4)));
    EXPECT(storage.write(0, bytes).has_value());
    const std::uint64_t before = storage.bytes_written;
    Box box;
    EXPECT(box.open().code() == Code::unsupported);
    EXPECT(storage.bytes_written == before);
}

TEST(a_store_without_superblocks_is_known_by_its_blocks) {
    for (const Shape shape : shapes) {
        format(shape);
        std::uint64_t epoch = 0;
        {
            Box box;
            EXPECT(box.open().has_value());
            EXPECT(box.append(telemetry, 1).has_value());
            EXPECT(box.append(telemetry, 2).has_value());
            box.sync();
            box.outbox.confirm(0, telemetry, 1, box.now);
            box.sync();
            epoch = box.outbox.epoch();
        }
        storage.zero(0, 2 * 4096);
        for (int i = 0; i < 3; ++i) {
            Box box;
            EXPECT(box.open().has_value());
            EXPECT(box.outbox.epoch() == epoch);
            Cursor cursor = box.outbox.cursor(0, telemetry);
            EXPECT(box.take(cursor) == 2);
        }
    }
}

TEST(a_store_behind_its_sink_goes_on_under_a_new_epoch) {
    format(Shape::file);
    std::uint64_t epoch = 0;
    {
        Box box;
        EXPECT(box.open().has_value());
        epoch = box.outbox.epoch();
        for (std::uint32_t i = 1; i <= 20; ++i) {
            EXPECT(box.append(alarm, i).has_value());
        }
        box.sync();
        box.outbox.confirm(0, alarm, 20, box.now);
        box.sync();
    }
    storage.zero(block_at(0), 4096 * 2);  // all of the class
    {
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.epoch() != epoch);
        const auto id = box.append(alarm, 21);
        EXPECT(id && id->seq == 21 && id->epoch == box.outbox.epoch());
        box.sync();
        epoch = box.outbox.epoch();
        Cursor cursor = box.outbox.cursor(0, alarm);
        EXPECT(box.take(cursor) == 21 && box.last.id.epoch == epoch);
        // The far side knows more than this store ever appended.
        box.outbox.confirm(0, alarm, 21, box.now);
        EXPECT(!box.outbox.durable(0, epoch, alarm, 21, box.now));
        EXPECT(box.outbox.durable(0, epoch, alarm, 50, box.now));
        const auto next = box.append(alarm, 51);
        EXPECT(next && next->seq == 51 && next->epoch != epoch);
        epoch = next->epoch;
        box.sync();
    }
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.epoch() == epoch);
    EXPECT(box.outbox.confirmed_to(0, alarm) == 21);
    Cursor cursor = box.outbox.cursor(0, alarm);
    EXPECT(box.take(cursor) == 0 && box.gap.from == 22 && box.gap.to == 50);
    EXPECT(box.take(cursor) == 51);
}

TEST(a_store_is_looked_at_without_a_change_and_damage_is_told) {
    format(Shape::flash);
    Box nothing;
    EXPECT(nothing.outbox.inspect().code() == Code::not_found);
    {
        Box box;
        EXPECT(box.open().has_value());
        for (std::uint32_t i = 1; i <= 200; ++i) {
            EXPECT(box.append(telemetry, i).has_value());
        }
        box.sync();
        box.outbox.confirm(0, telemetry, 30, box.now);
        box.sync();
    }
    storage.damage(block_at(1) + 100, 1);
    const std::uint64_t before = storage.bytes_written;
    Box box;
    EXPECT(box.outbox.inspect().has_value());
    EXPECT(box.outbox.sinks().size() == 1 && box.outbox.sinks()[0].name == "broker");
    EXPECT(box.outbox.confirmed_to(0, telemetry) == 30);
    EXPECT(box.append(telemetry, 1).code() == Code::denied);
    Cursor cursor{.record_class = telemetry};
    unsigned records = 0;
    for (std::uint32_t got = box.take(cursor); got != ~0U; got = box.take(cursor)) {
        records += got != 0 ? 1 : 0;
    }
    EXPECT(records > 120 && records < 200);
    EXPECT(records + box.outbox.counters().damaged[3] == 200);
    EXPECT(box.outbox.step(box.now) == never);
    EXPECT(storage.bytes_written == before);
}

TEST(a_store_that_was_copied_begins_a_new_epoch_and_says_so_once) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.medium = 7;
    std::uint64_t epoch = 0;
    for (int opening = 0; opening < 2; ++opening) {
        Box box(settings);
        EXPECT(box.open().has_value());
        EXPECT(opening == 0 || box.outbox.epoch() == epoch);
        epoch = box.outbox.epoch();
        EXPECT(box.append(telemetry, 1).has_value());
        box.sync();
    }
    settings.medium = 8;  // restored from a backup
    for (int opening = 0; opening < 2; ++opening) {
        Box box(settings);
        EXPECT(box.open().has_value());
        EXPECT((box.outbox.epoch() == epoch) == (opening == 1));
        epoch = box.outbox.epoch();
        EXPECT(box.outbox.appended_to(telemetry) == 2);
        Cursor cursor = box.outbox.cursor(0, telemetry);
        EXPECT(box.take(cursor) == 1 && box.take(cursor) == 1);  // what it holds stays as it was
    }
}

TEST(a_far_side_that_claims_what_cannot_be_is_not_believed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.outbox.use_two_stage(0, true);
    EXPECT(box.append(telemetry, 1).has_value());
    box.sync();
    const std::uint64_t epoch = box.outbox.epoch();
    for (const std::uint64_t claim :
         {std::uint64_t{UINT64_MAX}, std::uint64_t{1} << 56, (std::uint64_t{1} << 48) + 1}) {
        EXPECT(!box.outbox.durable(0, epoch, telemetry, claim, box.now));
        EXPECT(box.outbox.appended_to(telemetry) == 1 && box.outbox.epoch() == epoch);
        EXPECT(box.outbox.durable_to(0, telemetry) == 0);
    }
}

TEST(too_small_a_storage_and_too_many_sinks_are_refused) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.segment_blocks = 32;
    Box box(settings);
    EXPECT(box.open().code() == Code::out_of_range);
    format(Shape::file);
    settings = small();
    settings.sink_slots = 1;
    Box other(settings);
    EXPECT(other.open(2).code() == Code::out_of_range);
    EXPECT(Outbox::segments_needed(storage, settings) == 21);
}

}  // namespace

TEST(a_journal_found_full_goes_on_after_a_failed_sync) {
    for (const Shape shape : {Shape::file, Shape::flash}) {
        format(shape);
        Medium medium{storage};
        const auto value = [](unsigned key, Writer& out) {
            out.u8(static_cast<std::uint8_t>(key));
            return true;
        };
        const auto nothing = [](unsigned, Bytes) {};
        Journal former;
        former.open(storage, 7, 0, 3, nothing);
        former.mark_all();
        EXPECT(former.write(medium, value).has_value());
        former.synced(true);
        for (std::uint32_t i = 3; i < Journal::entries_per_block; ++i) {
            former.mark(1);
            EXPECT(former.write(medium, value).has_value());
        }
        Journal journal;
        unsigned restored = 0;
        journal.open(storage, 7, 0, 3, [&](unsigned key, Bytes) { restored |= 1U << key; });
        EXPECT(restored == 7);
        for (int failures = 0; failures < 3; ++failures) {
            journal.synced(false);
            (void)journal.write(medium, value);
        }
        journal.synced(true);
        EXPECT(journal.write(medium, value).has_value());
        journal.synced(true);
        Journal again;
        restored = 0;
        again.open(storage, 7, 0, 3, [&](unsigned key, Bytes) { restored |= 1U << key; });
        EXPECT(restored == 7 && again.number() == journal.number());
        EXPECT(storage.written_twice == 0 || shape == Shape::file);
    }
}
