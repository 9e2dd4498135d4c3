// SPDX-License-Identifier: Apache-2.0
// Where the room comes from: whose segments go first, and what happens when none may.
#include <array>

#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr auto result = RecordClass::result;

/// Six segments of six blocks: one for each class, one spare, one more.
OutboxSettings few_segments() {
    OutboxSettings settings = small();
    settings.segment_blocks = 6;
    return settings;
}

/// Appends and syncs; gives how many were taken.
std::uint32_t fill(Box& box, RecordClass c, std::uint32_t count, bool confirmed = false) {
    std::uint32_t taken = 0;
    for (std::uint32_t i = 1; i <= count; ++i) {
        taken += box.append(c, i, 200) ? 1 : 0;
        box.sync();
        if (confirmed) {
            box.outbox.confirm(0, c, box.outbox.accepted_to(c), box.now);
        }
    }
    return taken;
}

TEST(a_class_that_is_left_one_segment_begins_it_again_and_again) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box(few_segments());
        EXPECT(box.open().has_value());
        EXPECT(fill(box, alarm, 400) == 400);  // all but the reserve of the next class
        const std::uint32_t taken = fill(box, result, 1000);
        EXPECT(taken >= 990 && taken < 1000);  // each time one is refused until that is on disk
        EXPECT(box.outbox.released_to(alarm) == 0);
        EXPECT(box.outbox.counters().dropped[1] == box.outbox.released_to(result));
        EXPECT(box.outbox.counters().rejected[1] == 1000 - taken);
        Cursor cursor = box.outbox.cursor(0, result);
        EXPECT(box.take(cursor) == 0 && box.gap.reason == GapReason::dropped);
        EXPECT(box.gap.to == box.outbox.released_to(result) && box.gap.to > 800);
        std::uint64_t next = box.gap.to + 1;
        while (box.take(cursor) != ~0U) {
            EXPECT(box.last.id.seq == next);
            ++next;
        }
        EXPECT(next == taken + 1);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(a_class_with_one_segment_may_refuse_new_records_instead) {
    format(Shape::file);
    OutboxSettings settings = few_segments();
    settings.classes[1].when_full = WhenFull::reject_new;
    Box box(settings);
    EXPECT(box.open().has_value());
    EXPECT(fill(box, alarm, 400) == 400);
    const std::uint32_t taken = fill(box, result, 400);
    EXPECT(taken > 100 && taken < 130);  // one segment of them
    EXPECT(box.outbox.counters().dropped[1] == 0);
    EXPECT(box.outbox.counters().rejected[1] == 400 - taken);
    Cursor cursor = box.outbox.cursor(0, result);
    EXPECT(box.take(cursor) == 1);
    box.outbox.confirm(0, result, taken, box.now);
    box.sync();
    (void)box.append(result, 1);  // asks for the room of what was confirmed
    box.sync();
    EXPECT(box.append(result, 2).has_value());
}

TEST(a_class_of_higher_priority_takes_what_the_lower_ones_hold) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box(few_segments());
        EXPECT(box.open().has_value());
        EXPECT(fill(box, telemetry, 600) >= 598);
        EXPECT(fill(box, billing, 600) >= 594);
        EXPECT(fill(box, result, 600) >= 594);
        EXPECT(fill(box, alarm, 600) >= 594);
        EXPECT(box.outbox.bytes_used() <= box.outbox.bytes_max());
        EXPECT(storage.written_twice == 0);
    }
}

TEST(confirmed_segments_go_before_unconfirmed_older_ones) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(fill(box, telemetry, 200) == 200);
    EXPECT(fill(box, billing, 100, true) == 100);
    box.sync();
    std::uint32_t alarms = 0;
    while (box.outbox.released_to(billing) == 0 && alarms < 1000) {
        alarms += fill(box, alarm, 1);
    }
    EXPECT(alarms > 300 && alarms < 1000 && box.outbox.released_to(telemetry) == 0);
    while (box.outbox.released_to(telemetry) == 0 && alarms < 1000) {
        alarms += fill(box, alarm, 1);
    }
    EXPECT(alarms < 1000 && box.outbox.counters().dropped[3] == box.outbox.released_to(telemetry));
    EXPECT(box.outbox.counters().dropped[2] == 0 && box.outbox.counters().dropped[0] == 0);
}

TEST(of_confirmed_segments_the_oldest_goes_first_whatever_its_class) {
    for (const bool billing_first : {false, true}) {
        format(Shape::file);
        Box box;
        EXPECT(box.open().has_value());
        const RecordClass older = billing_first ? billing : telemetry;
        const RecordClass younger = billing_first ? telemetry : billing;
        EXPECT(fill(box, older, 60, true) == 60);
        EXPECT(fill(box, younger, 60, true) == 60);
        box.sync();
        std::uint32_t alarms = 0;
        while (box.outbox.released_to(older) == 0 && alarms < 1000) {
            alarms += fill(box, alarm, 1);
            EXPECT(box.outbox.released_to(younger) == 0);
        }
        EXPECT(alarms > 0 && alarms < 1000);
    }
}

TEST(no_more_is_given_up_than_the_room_that_is_needed) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(fill(box, telemetry, 3000) == 3000);
        // Of 20 segments with some 38 records: a reserve for each other class and a spare one.
        EXPECT(3000 - box.outbox.released_to(telemetry) > 14 * 36);
        EXPECT(box.outbox.bytes_used() >= 15 * 8192 && box.outbox.bytes_used() <= 16 * 8192);
    }
}

TEST(a_class_of_lower_priority_never_takes_from_a_higher_one) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(fill(box, alarm, 150) == 150);
    EXPECT(fill(box, telemetry, 1000) == 1000);
    EXPECT(box.outbox.counters().dropped[0] == 0 && box.outbox.released_to(alarm) == 0);
    EXPECT(box.outbox.counters().dropped[3] > 0);
    Cursor cursor = box.outbox.cursor(0, alarm);
    EXPECT(box.take(cursor) == 1);
}

TEST(what_a_sink_has_not_made_durable_goes_after_what_it_has) {
    for (const bool two_stage : {true, false}) {
        format(Shape::file);
        Box box;
        EXPECT(box.open().has_value());
        box.outbox.use_two_stage(0, two_stage);
        EXPECT(fill(box, telemetry, 60) == 60);        // not even received
        EXPECT(fill(box, billing, 100, true) == 100);  // received, never durable
        EXPECT(fill(box, result, 100, true) == 100);
        EXPECT(!box.outbox.durable(0, box.outbox.epoch(), result, 100, box.now));
        box.sync();
        while (box.outbox.released_to(billing) == 0 && box.outbox.released_to(result) == 0) {
            EXPECT(fill(box, alarm, 1) == 1);
        }
        EXPECT((box.outbox.released_to(billing) == 0) == two_stage);
        EXPECT((box.outbox.released_to(result) == 0) != two_stage);
        EXPECT(box.outbox.counters().dropped[1] == 0 && box.outbox.counters().dropped[2] == 0);
        std::uint32_t alarms = 0;
        while (box.outbox.released_to(billing) == 0 && alarms < 1000) {
            alarms += fill(box, alarm, 1);
        }
        EXPECT(alarms < 1000);  // received is enough where room is needed
        EXPECT(box.outbox.released_to(telemetry) == 0);
    }
}

TEST(the_slowest_sink_decides_what_is_confirmed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open(2).has_value());
    EXPECT(fill(box, telemetry, 1000, true) == 1000);  // the second sink confirms nothing
    EXPECT(box.outbox.counters().dropped[3] > 0);
    EXPECT(box.outbox.counters().dropped[3] == box.outbox.released_to(telemetry));
    box.outbox.confirm(1, telemetry, 1000, box.now);
    const std::uint64_t dropped = box.outbox.counters().dropped[3];
    box.sync();
    for (int i = 0; i < 500; ++i) {
        EXPECT(box.append(telemetry, 7, 200).has_value());
        box.sync();
        for (const std::size_t sink : {0U, 1U}) {
            box.outbox.confirm(sink, telemetry, box.outbox.accepted_to(telemetry), box.now);
        }
    }
    EXPECT(box.outbox.counters().dropped[3] == dropped);
}

TEST(what_a_sink_has_confirmed_is_not_told_as_dropped_after_a_power_cut) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box;
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= 900; ++i) {
                (void)box.append(telemetry, i, 200);
                box.answer();
                // Confirmed at once; time stands still, so nothing is due but what space forces.
                box.outbox.confirm(0, telemetry, box.outbox.accepted_to(telemetry), box.now);
            }
            EXPECT(box.outbox.counters().dropped[3] == 0);
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.confirmed_to(0, telemetry) >= box.outbox.released_to(telemetry));
    }
}

TEST(while_cursors_cannot_be_written_their_records_are_not_given_up) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 900; ++i) {
        (void)box.append(telemetry, i, 200);
        box.answer();
        box.outbox.confirm(0, telemetry, box.outbox.accepted_to(telemetry), box.now);
    }
    EXPECT(box.outbox.counters().dropped[3] == 0 && box.outbox.released_to(telemetry) > 0);
    // Of the cursors' journals, behind the superblocks and the store's own, nothing can be written.
    storage.unwritable_from = 4 * 4096;
    storage.unwritable_to = 8 * 4096;
    const std::uint64_t confirmed = box.outbox.confirmed_to(0, telemetry);
    for (std::uint32_t i = 0; i < 900; ++i) {
        (void)box.append(telemetry, i, 200);
        box.answer();
        box.outbox.confirm(0, telemetry, box.outbox.accepted_to(telemetry), box.now);
    }
    EXPECT(box.outbox.counters().rejected[3] > 300 && box.outbox.counters().dropped[3] == 0);
    EXPECT(box.outbox.released_to(telemetry) <= confirmed);
    EXPECT(box.outbox.counters().write_failures > 0);
    storage.unwritable_to = 0;
    box.now = box.now + seconds(2);
    box.sync();
    box.sync();
    EXPECT(fill(box, telemetry, 100) >= 98);
    EXPECT(box.outbox.counters().dropped[3] == 0);
}

TEST(while_no_sync_is_answered_a_full_store_takes_nothing_more) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        std::uint32_t taken = 0;
        for (std::uint32_t i = 1; i <= 2000; ++i) {
            taken += box.append(telemetry, i, 200) ? 1 : 0;
        }
        EXPECT(taken > 300 && taken < 800);
        EXPECT(box.outbox.counters().rejected[3] == 2000 - taken);
        EXPECT(box.outbox.counters().dropped[3] == 0);
        box.answer();
        EXPECT(box.outbox.accepted_to(telemetry) == taken);
        Cursor cursor = box.outbox.cursor(0, telemetry);
        EXPECT(box.take(cursor) == 1);
        box.sync();
        EXPECT(fill(box, telemetry, 100) >= 98);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(after_more_failed_syncs_than_generations_may_run_ahead_it_still_recovers) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(telemetry, 1).has_value());
    storage.fail_syncs = 1200;
    box.sync();
    const std::uint64_t used = box.outbox.bytes_used();
    for (int i = 0; i < 1200 && storage.fail_syncs > 0; ++i) {
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
    }
    EXPECT(storage.fail_syncs == 0 && box.outbox.bytes_used() == used);
    for (int i = 0; i < 3; ++i) {
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
    }
    EXPECT(box.outbox.accepted_to(telemetry) == 1);
    EXPECT(box.append(telemetry, 2).has_value());
    box.sync();
    storage.cut_power();
    Box again;
    EXPECT(again.open().has_value());
    Cursor cursor = again.outbox.cursor(0, telemetry);
    EXPECT(again.take(cursor) == 1 && again.take(cursor) == 2);
    EXPECT(storage.written_twice == 0);
}

TEST(a_failed_sync_in_a_full_store_finds_the_segment_that_is_kept_for_it) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(fill(box, telemetry, 700) == 700);
        const std::uint64_t accepted = box.outbox.accepted_to(telemetry);
        EXPECT(box.append(telemetry, 701, 200).has_value());
        storage.fail_syncs = 1;
        box.sync();
        for (int i = 0; i < 4; ++i) {
            box.now = box.now + seconds(1);
            (void)box.outbox.step(box.now);
            box.answer();
        }
        EXPECT(box.outbox.accepted_to(telemetry) == accepted + 1);
        storage.cut_power();
        Box again;
        EXPECT(again.open().has_value());
        Cursor cursor{.record_class = telemetry, .seq = accepted};
        EXPECT(again.take(cursor) == 700 && again.take(cursor) == 701);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(a_clock_that_goes_back_begins_a_new_block) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    box.now = Instant{} + seconds(100);
    EXPECT(box.append(telemetry, 1).has_value());
    box.now = Instant{} + seconds(50);
    EXPECT(box.append(telemetry, 2).has_value());
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1 && box.last.time.up_ms == 100'000);
    EXPECT(box.take(cursor) == 2 && box.last.time.up_ms == 50'000);
}

TEST(a_record_whose_second_half_cannot_be_written_is_a_gap) {
    for (const bool erasing : {false, true}) {
        for (const Shape shape : shapes) {
            format(shape);
            Box box;
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= 37; ++i) {
                EXPECT(box.append(telemetry, i, 100).has_value());
            }
            // Number 38 begins in the first block and ends in the second.
            storage.good_writes = erasing ? 0 : 2;
            storage.fail_writes = erasing ? 0 : 1;
            storage.fail_erases = erasing ? 1 : 0;
            EXPECT(!box.append(telemetry, 38, 100).has_value());
            EXPECT(storage.fail_writes == 0 && storage.fail_erases == 0);
            EXPECT(box.outbox.appended_to(telemetry) == 38);
            EXPECT(box.append(telemetry, 39, 100).has_value());
            box.sync();
            Cursor cursor{.record_class = telemetry, .seq = 37};
            EXPECT(box.take(cursor) == 37);
            EXPECT(box.take(cursor) == 0 && box.gap.from == 38 && box.gap.to == 38);
            EXPECT(box.take(cursor) == 39);
            EXPECT(storage.written_twice == 0);
        }
    }
}

TEST(a_storage_that_gets_busy_in_the_middle_of_a_record_costs_its_number) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 37; ++i) {
        EXPECT(box.append(telemetry, i, 100).has_value());
    }
    storage.good_writes = 2;
    storage.fail_writes = 1;
    storage.fail_code = Code::busy;
    EXPECT(box.append(telemetry, 38, 100).code() == Code::busy);
    storage.fail_code = Code::full;
    EXPECT(box.append(telemetry, 39, 100).has_value());
    box.sync();
    Cursor cursor{.record_class = telemetry, .seq = 38};
    EXPECT(box.take(cursor) == 0 && box.gap.from == 38 && box.gap.to == 38);
    EXPECT(box.take(cursor) == 39 && box.last.id.seq == 39);
    EXPECT(storage.written_twice == 0);
}

TEST(a_segment_that_cannot_be_begun_costs_no_number) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    storage.fail_erases = 1;
    EXPECT(box.append(telemetry, 1).code() == Code::internal);
    EXPECT(box.outbox.counters().write_failures == 1 && box.outbox.appended_to(telemetry) == 0);
    const auto id = box.append(telemetry, 2);
    EXPECT(id && id->seq == 1);
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 2);
}

TEST(bytes_in_use_are_those_of_segments_that_may_not_be_overwritten) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.bytes_max() == 20 * 8192 && box.outbox.bytes_used() == 0);
    EXPECT(fill(box, alarm, 1) == 1);
    EXPECT(box.outbox.bytes_used() == 8192);
    EXPECT(fill(box, telemetry, 60) == 60);  // of 19 to a block
    EXPECT(box.outbox.bytes_used() == 3 * 8192);
}

}  // namespace
