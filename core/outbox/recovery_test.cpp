// SPDX-License-Identifier: Apache-2.0
// What an outbox makes good again: failed syncs, stale copies, old superblocks, lost segments.
#include <array>

#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr std::array every_class{alarm, RecordClass::result, billing, telemetry};

OutboxSettings long_segments() {
    OutboxSettings settings = small();
    settings.segment_blocks = 8;
    return settings;
}

void append(Box& box, RecordClass c, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i <= to; ++i) {
        EXPECT(box.append(c, i).has_value());
    }
}

void let_pass(Box& box, int passed_s) {
    for (int i = 0; i < passed_s; ++i) {
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
    }
}

/// Whether the class holds exactly the records `from` to `to`, each once and in order.
bool holds(Box& box, RecordClass c, std::uint32_t from, std::uint32_t to) {
    Cursor cursor{.record_class = c, .seq = from};
    bool right = true;
    for (std::uint32_t i = from; i <= to; ++i) {
        right = right && box.take(cursor) == i && box.last.id.seq == i;
    }
    return right && box.take(cursor) == ~0U;
}

TEST(a_failed_sync_is_made_good_for_every_class_and_every_sink) {
    for (const Shape shape : shapes) {
        for (const bool written : {false, true}) {
            format(shape);
            {
                Box box;
                EXPECT(box.open(2).has_value());
                for (const RecordClass c : every_class) {
                    append(box, c, 1, 3);
                }
                box.sync();
                storage.failed_syncs_write = written;
                storage.fail_syncs = 1;
                for (const RecordClass c : every_class) {
                    append(box, c, 4, 6);
                    box.outbox.confirm(0, c, 2, box.now);
                    box.outbox.confirm(1, c, 3, box.now);
                }
                box.outbox.learn_time(1'000'000, box.now);
                box.sync();
                EXPECT(storage.fail_syncs == 0);
                let_pass(box, 3);
                for (const RecordClass c : every_class) {
                    EXPECT(box.outbox.accepted_to(c) == 6 && holds(box, c, 1, 6));
                }
            }
            storage.cut_power();
            Box box;
            EXPECT(box.open(2).has_value());
            EXPECT(box.outbox.boot() == 2);
            EXPECT(box.outbox.wall_time().unix_ms({1, 7}) == 1'000'007);
            for (const RecordClass c : every_class) {
                EXPECT(box.outbox.accepted_to(c) == 6 && holds(box, c, 1, 6));
                EXPECT(box.outbox.confirmed_to(0, c) == 2 && box.outbox.confirmed_to(1, c) == 3);
            }
            EXPECT(storage.written_twice == 0);
        }
    }
}

TEST(of_two_copies_of_a_record_the_later_one_counts) {
    for (const Shape shape : shapes) {
        format(shape);
        std::uint64_t used = 0;
        {
            Box box;
            EXPECT(box.open().has_value());
            append(box, telemetry, 1, 150);
            used = box.outbox.bytes_used();
            storage.failed_syncs_write = true;
            storage.fail_syncs = 1;
            box.sync();
            let_pass(box, 3);
            EXPECT(box.outbox.accepted_to(telemetry) == 150 && holds(box, telemetry, 1, 150));
            EXPECT(box.outbox.bytes_used() == used);
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(holds(box, telemetry, 1, 150));
        EXPECT(box.outbox.counters().damaged[3] == 0);
    }
}

TEST(a_failed_sync_is_tried_again_at_once_and_then_every_second) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, alarm, 1, 1);
    storage.fail_syncs = 3;
    box.answer();  // the sync of the alarm fails, and the one behind it
    box.answer();
    EXPECT(storage.fail_syncs == 1);
    const std::uint64_t syncs = box.outbox.counters().syncs;
    EXPECT(box.outbox.step(box.now) == box.now + seconds(1));
    EXPECT(box.outbox.step(box.now + milliseconds(999)) == box.now + seconds(1));
    box.outbox.flush(box.now);
    EXPECT(box.outbox.counters().syncs == syncs);
    box.now = box.now + seconds(1);
    EXPECT(box.outbox.step(box.now) == never);  // waits for the answer
    EXPECT(box.outbox.counters().syncs == syncs + 1);
    box.answer();
    EXPECT(storage.fail_syncs == 0);
    let_pass(box, 2);
    EXPECT(box.outbox.accepted_to(alarm) == 1);
    EXPECT(box.outbox.step(box.now) == never);
}

TEST(nothing_is_taken_after_a_failed_sync_even_if_only_a_cursor_was_in_it) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, alarm, 1, 3);
    box.sync();
    box.outbox.confirm(0, alarm, 2, box.now);
    storage.fail_syncs = 2;
    box.outbox.flush(box.now);
    box.answer();
    box.answer();
    EXPECT(storage.fail_syncs == 0);
    EXPECT(box.append(telemetry, 1).code() == Code::internal);
    EXPECT(box.outbox.counters().rejected[3] == 1);
    let_pass(box, 2);
    EXPECT(box.append(telemetry, 1).has_value());
}

TEST(a_storage_that_is_known_for_the_first_time_is_no_copy) {
    format(Shape::file);
    OutboxSettings settings = small();
    std::uint64_t epoch = 0;
    for (const std::uint64_t medium : {0U, 8U, 8U, 0U, 8U}) {
        settings.medium = medium;
        Box box(settings);
        EXPECT(box.open().has_value());
        epoch = epoch == 0 ? box.outbox.epoch() : epoch;
        EXPECT(box.outbox.epoch() == epoch);
        box.sync();
    }
    settings.medium = 9;
    Box box(settings);
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.epoch() != epoch && box.outbox.superblock().medium == 9);
}

TEST(an_older_superblock_does_not_bring_back_an_older_epoch) {
    format(Shape::file);
    std::array<std::uint8_t, 2 * 4096> before{};
    std::uint64_t epoch = 0;
    {
        Box box;
        EXPECT(box.open().has_value());
        append(box, telemetry, 1, 3);
        box.sync();
        EXPECT(storage.read(0, before).has_value());
        EXPECT(box.outbox.durable(0, box.outbox.epoch(), telemetry, 10, box.now));
        epoch = box.outbox.epoch();
        append(box, telemetry, 11, 13);
        box.sync();
    }
    for (std::size_t block = 0; block < 2; ++block) {
        EXPECT(storage.write(block * 4096, Bytes(before).subspan(block * 4096, 4096)).has_value());
    }
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.epoch() == epoch && box.outbox.appended_to(telemetry) == 13);
    Cursor cursor{.record_class = telemetry, .seq = 11};
    EXPECT(box.take(cursor) == 11 && box.last.id.epoch == epoch);
}

TEST(the_times_of_earlier_boots_survive_a_change_of_the_journals_block) {
    format(Shape::file);
    for (std::uint32_t boot = 1; boot <= 200; ++boot) {
        Box box;
        EXPECT(box.open().has_value());
        if (boot <= 3) {
            box.outbox.learn_time(1'000'000 * boot, box.now);
        }
        box.sync();
    }
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t boot = 1; boot <= 3; ++boot) {
        EXPECT(box.outbox.wall_time().unix_ms({boot, 5}) == 1'000'000 * boot + 5);
    }
    EXPECT(!box.outbox.wall_time().unix_ms({4, 5}));
}

TEST(an_age_is_not_guessed_where_the_boot_of_the_record_had_no_clock) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    {
        Box box(settings);
        EXPECT(box.open().has_value());
        append(box, telemetry, 1, 1);
        box.sync();
    }
    Box box(settings);
    box.now = Instant{} + seconds(5000);
    EXPECT(box.open().has_value());
    box.outbox.learn_time(1'790'000'000'000, box.now);
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1);
    EXPECT(box.outbox.remaining_ms(box.last, box.now + seconds(20)) == 40'000);
}

TEST(what_a_power_cut_left_of_a_segment_never_comes_back) {
    // Of a whole segment only block 3 reached the medium, where opening does not look.
    format(Shape::file);
    std::array<std::uint8_t, 4096> stale{};
    {
        Box box(long_segments());
        EXPECT(box.open().has_value());
        append(box, telemetry, 1, 290);
        EXPECT(storage.read(block_at(3), stale).has_value());
    }
    storage.cut_power();
    EXPECT(decode_block_header(stale).has_value());
    {
        Box box(long_segments());
        EXPECT(box.open().has_value());
        EXPECT(storage.write(block_at(3), stale).has_value());
        box.sync();
    }
    {
        Box box(long_segments());
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.appended_to(telemetry) == 0);
        append(box, telemetry, 1, 5);
        box.sync();
        EXPECT(box.append(telemetry, 6).has_value() || box.append(telemetry, 6).has_value());
        box.sync();
        EXPECT(holds(box, telemetry, 1, 6));
        let_pass(box, 2);
        EXPECT(storage.read(block_at(3), stale).has_value() && !decode_block_header(stale));
    }
    storage.damage(block_at(0) + 8, 1);  // wherever they went: the first segment first
    Box box(long_segments());
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.appended_to(telemetry) <= 6);
}

TEST(a_cursor_finds_its_place_also_where_segments_were_used_again_and_again) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 2000; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
        box.sync();
    }
    const auto first = static_cast<std::uint32_t>(box.outbox.released_to(telemetry) + 1);
    EXPECT(first > 500 && first < 1900);
    bool same = true;
    for (std::uint32_t i = first; i <= 2000; i += 3) {
        Cursor cursor{.record_class = telemetry, .seq = i};
        same = same && box.take(cursor) == i;
    }
    EXPECT(same);
}

TEST(lost_segments_are_one_gap_each_and_what_stands_between_is_given) {
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open().has_value());
        append(box, telemetry, 1, 400);
        box.sync();
    }
    storage.zero(block_at(0), 2 * 4096);
    storage.zero(block_at(4), 2 * 4096);
    Box box;
    EXPECT(box.open().has_value());
    Cursor cursor = box.outbox.cursor(0, telemetry);
    std::uint64_t expected = 1;
    unsigned gaps = 0;
    for (std::uint32_t got = box.take(cursor); got != ~0U; got = box.take(cursor)) {
        if (got == 0) {
            ++gaps;
            EXPECT(box.gap.from == expected && box.gap.reason == GapReason::damaged);
            EXPECT(box.gap.to - box.gap.from > 60 && box.gap.to - box.gap.from < 140);
            expected = box.gap.to + 1;
        } else {
            EXPECT(got == expected);
            ++expected;
        }
    }
    EXPECT(gaps == 2 && expected == 401);
    EXPECT(box.outbox.oldest(0, telemetry).has_value());
}

TEST(a_buffer_of_a_block_is_read_a_block_at_a_time_and_a_place_found_by_headers) {
    format(Shape::file);
    Box box(long_segments());
    EXPECT(box.open().has_value());
    append(box, telemetry, 1, 290);  // eight blocks
    box.sync();
    storage.reads = 0;
    EXPECT(holds(box, telemetry, 1, 290));
    EXPECT(storage.reads < 8 * 8);
    storage.reads = 0;
    Cursor cursor{.record_class = telemetry, .seq = 280};
    EXPECT(box.take(cursor) == 280);
    EXPECT(storage.reads < 8 + 8);
}

}  // namespace
