// SPDX-License-Identifier: Apache-2.0
// What opening makes of a storage that cannot be read or written, and of bytes that are not its.
#include <array>

#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

/// A store with telemetry 1 to `count`, confirmed up to 10 by the first sink; gives its epoch.
std::uint64_t write_store(std::uint32_t count, const OutboxSettings& settings = small()) {
    Box box(settings);
    EXPECT(box.open(2).has_value());
    for (std::uint32_t i = 1; i <= count; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    box.outbox.confirm(0, telemetry, 10, box.now);
    box.sync();
    return box.outbox.epoch();
}

/// How many records follow in their order, up to the first thing that is none.
std::uint32_t count_from(Box& box, std::uint32_t first) {
    Cursor cursor{.record_class = telemetry, .seq = first};
    std::uint32_t next = first;
    while (box.take(cursor) == next) {
        ++next;
    }
    return next - first;
}

/// The first number of a block of the first segments.
std::uint64_t first_seq(std::size_t block) {
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    EXPECT(storage.read(block_at(block), bytes).has_value());
    const auto header = decode_block_header(bytes);
    EXPECT(header.has_value());
    return header ? header->first_seq : 0;
}

TEST(more_sinks_than_there_is_memory_for_are_refused) {
    format(Shape::file);
    Box box;
    const std::array<Name, 3> names{Name("a"), Name("b"), Name("c")};
    EXPECT(box.outbox.open(names, 1, box.now).code() == Code::out_of_range);
    EXPECT(storage.bytes_written == 0);
}

TEST(either_superblock_is_enough) {
    for (const Shape shape : shapes) {
        for (const std::uint64_t lost : {0U, 1U}) {
            format(shape);
            const std::uint64_t epoch = write_store(30);
            storage.lose_blocks(lost, 1);
            Box box;
            EXPECT(box.open(2).has_value());
            EXPECT(box.outbox.epoch() == epoch && box.outbox.confirmed_to(0, telemetry) == 10);
            EXPECT(count_from(box, 1) == 30);
        }
    }
}

TEST(a_damaged_superblock_is_written_anew) {
    for (const std::size_t lost : {0U, 1U}) {
        format(Shape::file);
        const std::uint64_t epoch = write_store(3);
        storage.damage(lost * 4096 + 20, 1);
        {
            Box box;
            EXPECT(box.open(2).has_value() && box.outbox.epoch() == epoch);
        }
        storage.zero((1 - lost) * 4096, 4096);
        Box box;
        EXPECT(box.open(2).has_value() && box.outbox.epoch() == epoch);
        EXPECT(box.outbox.superblock().serial > 2);
    }
}

TEST(a_storage_that_cannot_be_read_is_not_begun_anew) {
    format(Shape::file);
    (void)write_store(3);
    const std::uint64_t before = storage.bytes_written;
    storage.lose_blocks(0, 2);
    Box box;
    EXPECT(box.open(2).code() == Code::internal);
    Box looking;
    EXPECT(looking.outbox.inspect().code() == Code::internal);
    EXPECT(storage.bytes_written == before);
}

TEST(a_new_store_that_cannot_be_written_is_told) {
    for (const int good : {0, 1}) {
        format(Shape::flash);
        storage.good_writes = good;
        storage.fail_writes = 1;
        storage.fail_code = Code::denied;
        Box box;
        EXPECT(box.open().code() == Code::denied);
        storage.fail_code = Code::full;
    }
    format(Shape::flash);
    storage.fail_erases = 1;
    Box box;
    EXPECT(box.open().code() == Code::internal);
}

TEST(a_store_for_more_segments_than_memory_is_refused_and_left_alone) {
    format(Shape::file);
    (void)write_store(3);
    const std::uint64_t before = storage.bytes_written;
    std::array<Segment, 19> segments{};
    std::array<SinkCursor, 2> sinks{};
    std::array<ClockPair, 1> clocks{};
    std::array<std::uint8_t, 100> record{};
    const std::array<Name, 1> names{Name("broker")};
    EXPECT(Outbox::segments_needed(storage, small()) == 20);
    Outbox opened(storage, small(), {segments, sinks, clocks, record});
    EXPECT(opened.open(names, 1, {}).code() == Code::out_of_range);
    Outbox inspected(storage, small(), {segments, sinks, clocks, record});
    EXPECT(inspected.inspect().code() == Code::out_of_range);
    EXPECT(storage.bytes_written == before);
}

TEST(the_store_itself_says_how_it_is_cut_whatever_the_settings_say) {
    format(Shape::file);
    (void)write_store(30);
    OutboxSettings settings = small();
    settings.segment_blocks = 4;
    settings.sink_slots = 1;
    EXPECT(Outbox::segments_needed(storage, settings) == 20);
    for (const std::uint64_t lost : {0U, 1U}) {
        storage.lose_blocks(lost, 1);
        EXPECT(Outbox::segments_needed(storage, settings) == 20);
    }
    storage.lose_blocks(0, 2);
    EXPECT(Outbox::segments_needed(storage, settings) == 10);
    storage.lose_blocks(0, 0);
    Box box(settings);
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.segment_size() == 2 * 4096 && box.outbox.bytes_max() == 20 * 8192);
    EXPECT(count_from(box, 1) == 30);
}

TEST(who_looks_at_a_store_sees_as_many_sinks_as_it_has_memory_for) {
    format(Shape::file);
    (void)write_store(30);
    std::array<Segment, 20> segments{};
    std::array<SinkCursor, 1> one{};
    std::array<SinkCursor, 4> many{};
    std::array<ClockPair, 1> clocks{};
    std::array<std::uint8_t, 300> record{};
    Outbox narrow(storage, small(), {segments, one, clocks, record});
    EXPECT(narrow.inspect().has_value());
    EXPECT(narrow.sinks().size() == 1 && narrow.sinks()[0].name == "broker");
    Outbox wide(storage, small(), {segments, many, clocks, record});
    EXPECT(wide.inspect().has_value());
    EXPECT(wide.sinks().size() == 2 && wide.sinks()[1].name == "hub");
    EXPECT(wide.confirmed_to(0, telemetry) == 10 && wide.confirmed_to(1, telemetry) == 0);
}

TEST(who_looks_at_a_store_sees_also_what_has_expired) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 1;
    (void)write_store(12, settings);
    Box box(settings);
    EXPECT(box.outbox.inspect().has_value());
    box.now = Instant{} + seconds(3600);
    EXPECT(count_from(box, 1) == 12);
}

TEST(who_looks_at_a_store_without_superblocks_finds_it_by_its_blocks) {
    format(Shape::file);
    const std::uint64_t epoch = write_store(30);
    storage.zero(0, 2 * 4096);
    const std::uint64_t before = storage.bytes_written;
    Box box;
    EXPECT(box.outbox.inspect().has_value());
    EXPECT(box.outbox.epoch() == epoch && count_from(box, 1) == 30);
    EXPECT(storage.bytes_written == before);
}

TEST(a_store_is_known_by_any_block_that_can_be_read) {
    format(Shape::file);
    const std::uint64_t epoch = write_store(200);
    storage.zero(0, 2 * 4096);
    storage.lose_blocks(8, 1);  // the first block of the first segment
    Box box;
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.epoch() == epoch && box.outbox.appended_to(telemetry) == 200);
}

TEST(a_block_in_a_foreign_place_tells_nothing) {
    format(Shape::file);
    const std::uint64_t epoch = write_store(30);
    std::array<std::uint8_t, 4096> block{};
    EXPECT(storage.read(block_at(0), block).has_value());
    {
        // Of this store, but elsewhere: its superblocks tell where it belongs.
        EXPECT(storage.write(block_at(10), block).has_value());
        Box box;
        EXPECT(box.open(2).has_value());
        EXPECT(box.outbox.appended_to(telemetry) == 30 && count_from(box, 1) == 30);
    }
    {
        // Without superblocks nothing else is left.
        format(Shape::file);
        EXPECT(storage.write(block_at(10), block).has_value());
        Box box;
        EXPECT(box.open(2).has_value());
        EXPECT(box.outbox.epoch() != epoch && box.outbox.appended_to(telemetry) == 0);
    }
    // Of another store, at its place.
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open(2).has_value());
        EXPECT(box.append(alarm, 1).has_value());
        box.sync();
    }
    EXPECT(storage.write(block_at(2), Bytes(block)).has_value());
    EXPECT(storage.write(block_at(0) + 4096, Bytes(block)).has_value());
    Box box;
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.appended_to(telemetry) == 0 && box.outbox.appended_to(alarm) == 1);
}

TEST(a_segment_whose_first_block_is_lost_is_found_by_a_later_one) {
    OutboxSettings settings = small();
    settings.segment_blocks = 8;
    for (const bool blank : {true, false}) {
        for (std::size_t lost = 1; lost <= 4; ++lost) {
            format(Shape::file);
            (void)write_store(300, settings);  // seven blocks
            if (blank) {
                storage.zero(block_at(0), lost * 4096);
            } else {
                for (std::size_t block = 0; block < lost; ++block) {
                    storage.damage(block_at(block) + 8, 1);
                }
            }
            Box box(settings);
            EXPECT(box.open(2).has_value());
            EXPECT(box.outbox.appended_to(telemetry) == 300);
            Cursor cursor{.record_class = telemetry, .seq = 1};
            EXPECT(box.take(cursor) == 0 && box.gap.from == 1);
            EXPECT(box.gap.reason == GapReason::damaged);
            EXPECT(box.gap.to == first_seq(lost) - 1);
            const auto behind = static_cast<std::uint32_t>(box.gap.to + 1);
            EXPECT(count_from(box, behind) == 301 - behind);
        }
    }
}

TEST(a_segment_whose_first_block_cannot_be_read_is_found_by_a_later_one) {
    OutboxSettings settings = small();
    settings.segment_blocks = 8;
    format(Shape::file);
    (void)write_store(300, settings);
    storage.lose_blocks(8, 1);
    Box box(settings);
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.appended_to(telemetry) == 300);
    Cursor cursor{.record_class = telemetry, .seq = 1};
    EXPECT(box.take(cursor) == 0 && box.gap.from == 1);
    EXPECT(box.gap.to == first_seq(1) - 1);
}

TEST(boots_are_counted_also_where_the_journal_of_the_store_is_lost) {
    format(Shape::file);
    for (std::uint32_t boot = 1; boot <= 4; ++boot) {
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.append(telemetry, boot).has_value());
        box.sync();
    }
    storage.zero(2 * 4096, 2 * 4096);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.boot() == 5);
}

TEST(a_store_restored_as_it_was_goes_on_under_a_new_epoch) {
    // The sink's journal is newer than the records: numbers that it saw must not come again.
    format(Shape::file);
    const std::uint64_t epoch = write_store(30);
    storage.zero(block_at(0), 4096 * 2);
    Box box;
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.epoch() != epoch && box.outbox.superblock().previous_epoch == epoch);
    EXPECT(box.outbox.appended_to(telemetry) == 30);  // accepted, as the sink's journal knows
    const auto id = box.append(telemetry, 31);
    EXPECT(id && id->seq == 31 && id->epoch == box.outbox.epoch());
    box.sync();
    Cursor cursor = box.outbox.cursor(1, telemetry);
    EXPECT(box.take(cursor) == 0 && box.gap.from == 1 && box.gap.to == 30);
    EXPECT(box.gap.epoch == epoch && box.gap.reason == GapReason::damaged);
    EXPECT(box.take(cursor) == 31);
}

}  // namespace
