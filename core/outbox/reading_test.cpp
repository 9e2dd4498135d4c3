// SPDX-License-Identifier: Apache-2.0
// What a cursor gives where records span blocks, expire, or stand in what cannot be read.
#include <array>

#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

// Payloads of 100 bytes: 37 records fit into a block, number 38 begins in the first block and ends
// in the second, number 75 ends in the third.
constexpr std::uint32_t spanning = 38;
constexpr std::uint32_t next_spanning = 75;

OutboxSettings long_segments() {
    OutboxSettings settings = small();
    settings.segment_blocks = 4;
    return settings;
}

void write_hundred(Box& box) {
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 100; ++i) {
        EXPECT(box.append(telemetry, i, 100).has_value());
    }
    box.sync();
}

/// Whether exactly these numbers are missing of 1 to 100, told as one damaged gap.
bool misses(Box& box, std::uint32_t from, std::uint32_t to) {
    Cursor cursor{.record_class = telemetry, .seq = 1};
    bool right = true;
    for (std::uint32_t i = 1; i <= 100; ++i) {
        if (i == from) {
            right = right && box.take(cursor) == 0 && box.gap.from == from && box.gap.to == to &&
                    box.gap.reason == GapReason::damaged;
            i = to;
        } else {
            right = right && box.take(cursor) == i && box.last.payload.size() == 100;
        }
    }
    return right && box.take(cursor) == ~0U;
}

TEST(a_record_that_spans_blocks_is_lost_with_either_half) {
    struct Damage {
        std::size_t at;
        std::uint32_t from;
        std::uint32_t to;
    };
    const std::size_t second = block_at(1);
    const Damage cases[] = {
        {second - 20, spanning, spanning},                     // body of its first part
        {second - 36, spanning, spanning},                     // sum of that
        {second - 32, spanning, spanning},                     // length of that
        {second + 8, spanning, next_spanning},                 // header of the second block
        {second + 64, spanning, next_spanning},                // sum of its second part
        {second + 64 + 4, spanning, next_spanning},            // length
        {second + 64 + 5, spanning, next_spanning},            // length beyond the block
        {second + 64 + 6, spanning, next_spanning},            // type
        {second + 64 + 20, spanning, next_spanning},           // body
        {second + 64 + 79 + 20, spanning + 1, next_spanning},  // the record behind it
    };
    for (const Damage& damage : cases) {
        format(Shape::file);
        Box box(long_segments());
        write_hundred(box);
        storage.damage(damage.at, 0x40);
        EXPECT(misses(box, damage.from, damage.to));
        EXPECT(box.outbox.counters().damaged[3] == damage.to - damage.from + 1);
    }
}

TEST(a_block_that_cannot_be_read_costs_what_ends_or_begins_in_it) {
    format(Shape::file);
    Box box(long_segments());
    write_hundred(box);
    storage.lose_blocks(8 + 1, 1);
    EXPECT(misses(box, spanning, next_spanning));
    storage.unreadable_from = block_at(1) + 64;  // its header can be read
    EXPECT(misses(box, spanning, next_spanning));
    storage.unreadable_from = block_at(1) + 64 + 7;  // and the head of the second part
    EXPECT(misses(box, spanning, next_spanning));
    storage.lose_blocks(0, 0);
    EXPECT(misses(box, 101, 101));
}

TEST(half_a_record_at_the_end_is_none_and_its_number_comes_again) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box(long_segments());
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= spanning; ++i) {
                EXPECT(box.append(telemetry, i, 100).has_value());
            }
            box.sync();
        }
        if (shape == Shape::file) {
            storage.zero(block_at(1), 4096);
        } else {
            for (std::size_t i = 0; i < 4096; ++i) {
                storage.damage(block_at(1) + i,
                               static_cast<std::uint8_t>(~storage.byte(block_at(1) + i)));
            }
        }
        Box box(long_segments());
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.appended_to(telemetry) == spanning - 1);
        const auto id = box.append(telemetry, 1000);
        EXPECT(id && id->seq == spanning);
        box.sync();
        Cursor cursor{.record_class = telemetry, .seq = spanning - 1};
        EXPECT(box.take(cursor) == spanning - 1);
        EXPECT(box.take(cursor) == 1000 && box.take(cursor) == ~0U);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(what_is_appended_behind_a_cursor_at_the_end_is_given_next) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    Cursor cursor = box.outbox.cursor(0, telemetry);
    bool same = true;
    for (std::uint32_t i = 1; i <= 200; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
        box.sync();
        same = same && box.take(cursor) == i && box.take(cursor) == ~0U;
    }
    EXPECT(same);
}

TEST(a_cursor_is_not_confused_by_another_buffer) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 200; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    std::array<std::uint8_t, 1024 + Outbox::record_overhead> other{};
    Cursor cursor = box.outbox.cursor(0, telemetry);
    bool same = true;
    for (std::uint32_t i = 1; i <= 200; ++i) {
        const auto item = i % 3 == 0 ? box.outbox.next(cursor, box.buffer, box.now)
                                     : box.outbox.next(cursor, other, box.now);
        same = same && item && item->record && Reader(item->record->payload).u32_le() == i;
    }
    EXPECT(same);
}

TEST(a_cursor_before_the_first_number_begins_with_it) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 5).has_value());
    box.sync();
    Cursor cursor{.record_class = telemetry, .seq = 0};
    EXPECT(box.take(cursor) == 5);
}

TEST(a_class_of_which_nothing_is_left_is_one_gap) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 20; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    storage.zero(block_at(0), 2 * 4096);
    Cursor cursor{.record_class = telemetry, .seq = 7};
    EXPECT(box.take(cursor) == 0 && box.gap.from == 7 && box.gap.to == 20);
    EXPECT(box.take(cursor) == ~0U && !box.outbox.oldest(0, telemetry));
    // Whoever asks for more of it counts only what was not counted.
    EXPECT(box.outbox.counters().damaged[3] == 14);
    cursor = Cursor{.record_class = telemetry, .seq = 1};
    EXPECT(box.take(cursor) == 0 && box.gap.to == 20);
    EXPECT(box.outbox.counters().damaged[3] == 14);
}

TEST(the_age_of_the_oldest_is_that_of_the_first_that_can_be_read) {
    format(Shape::file);
    Box box(long_segments());
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 100; ++i) {
        box.now = Instant{} + seconds(i);
        EXPECT(box.append(telemetry, i, 100).has_value());
    }
    box.sync();
    storage.damage(block_at(0) + 8, 1);
    const auto oldest = box.outbox.oldest(0, telemetry);
    EXPECT(oldest && oldest->up_ms > 35'000 && oldest->up_ms < 40'000);
    box.outbox.confirm(0, telemetry, 60, box.now);
    EXPECT(box.outbox.oldest(0, telemetry) == (BootTime{1, 61'000}));
    box.outbox.confirm(0, telemetry, 100, box.now);
    EXPECT(!box.outbox.oldest(0, telemetry));
}

TEST(many_expired_records_are_told_in_bounded_steps) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    Box box(settings);
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 600; ++i) {
        EXPECT(box.append(telemetry, i, 20).has_value());
    }
    box.now = Instant{} + seconds(61);
    EXPECT(box.append(telemetry, 601).has_value());
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    std::uint64_t told = 0;
    unsigned gaps = 0;
    while (box.take(cursor) == 0) {
        EXPECT(box.gap.from == told + 1 && box.gap.to <= told + 256);
        EXPECT(box.gap.reason == GapReason::expired);
        told = box.gap.to;
        ++gaps;
    }
    EXPECT(told == 600 && gaps == 3 && box.last.id.seq == 601);
    EXPECT(box.outbox.counters().expired[3] == 600);
}

TEST(a_record_counts_until_its_time_is_over_and_not_a_millisecond_longer) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    Box box(settings);
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 1).has_value());
    box.sync();
    box.now = Instant{} + seconds(60);
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1 && box.outbox.remaining_ms(box.last, box.now) == 0);
    box.now = box.now + milliseconds(1);
    cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 0 && box.gap.reason == GapReason::expired);
    EXPECT(box.take(cursor) == ~0U);
}

TEST(a_gap_of_expired_records_ends_with_their_epoch) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    Box box(settings);
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 5; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    const std::uint64_t before = box.outbox.epoch();
    EXPECT(box.outbox.durable(0, before, telemetry, 9, box.now));  // 6 to 9 were lost by us
    for (std::uint32_t i = 10; i <= 12; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    box.now = Instant{} + seconds(61);
    Cursor cursor{.record_class = telemetry, .seq = 1};
    EXPECT(box.take(cursor) == 0 && box.gap.epoch == before);
    EXPECT(box.gap.from == 1 && box.gap.to == 5 && box.gap.reason == GapReason::expired);
    EXPECT(box.take(cursor) == 0 && box.gap.epoch == before);
    EXPECT(box.gap.from == 6 && box.gap.to == 9 && box.gap.reason == GapReason::damaged);
    EXPECT(box.take(cursor) == 0 && box.gap.epoch == box.outbox.epoch());
    EXPECT(box.gap.from == 10 && box.gap.to == 12 && box.gap.reason == GapReason::expired);
    EXPECT(box.take(cursor) == ~0U);
    EXPECT(box.outbox.counters().expired[3] == 8 && box.outbox.counters().damaged[3] == 4);
}

TEST(records_of_two_epochs_that_expire_together_are_two_gaps) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    settings.medium = 7;
    std::uint64_t former = 0;
    {
        Box box(settings);
        EXPECT(box.open().has_value());
        former = box.outbox.epoch();
        EXPECT(box.append(telemetry, 1).has_value());
        EXPECT(box.append(telemetry, 2).has_value());
        box.sync();
    }
    settings.medium = 8;  // restored from a backup
    Box box(settings);
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 3).has_value());
    box.sync();
    box.now = Instant{} + seconds(61);
    Cursor cursor{.record_class = telemetry, .seq = 1};
    EXPECT(box.take(cursor) == 0 && box.gap.epoch == former);
    EXPECT(box.gap.from == 1 && box.gap.to == 2);
    EXPECT(box.take(cursor) == 0 && box.gap.epoch == box.outbox.epoch());
    EXPECT(box.gap.from == 3 && box.gap.to == 3 && box.gap.reason == GapReason::expired);
    EXPECT(box.take(cursor) == ~0U);
    EXPECT(box.outbox.counters().expired[3] == 3);
}

}  // namespace
