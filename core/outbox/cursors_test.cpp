// SPDX-License-Identifier: Apache-2.0
// What sinks confirm and make durable, and when that is written down.
#include <array>

#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

void append(Box& box, RecordClass c, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i <= to; ++i) {
        EXPECT(box.append(c, i).has_value());
    }
}

TEST(what_is_not_accepted_yet_cannot_be_confirmed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open(2).has_value());
    append(box, telemetry, 1, 5);
    box.sync();
    append(box, telemetry, 6, 9);
    box.outbox.confirm(0, telemetry, 9, box.now);
    EXPECT(box.outbox.confirmed_to(0, telemetry) == 5 && box.outbox.waiting(0, telemetry) == 0);
    box.sync();
    EXPECT(box.outbox.waiting(0, telemetry) == 4);
}

TEST(a_confirmation_takes_nothing_back) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, telemetry, 1, 9);
    box.sync();
    const std::uint64_t epoch = box.outbox.epoch();
    box.outbox.confirm(0, telemetry, 7, box.now);
    box.outbox.confirm(0, telemetry, 3, box.now);
    EXPECT(box.outbox.confirmed_to(0, telemetry) == 7);
    EXPECT(!box.outbox.durable(0, epoch, telemetry, 4, box.now));
    EXPECT(!box.outbox.durable(0, epoch, telemetry, 2, box.now));
    EXPECT(box.outbox.durable_to(0, telemetry) == 4 && box.outbox.confirmed_to(0, telemetry) == 7);
}

TEST(what_never_reached_a_sink_is_not_durable_there_before_it_does) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.outbox.use_two_stage(0, true);
    append(box, telemetry, 1, 9);
    box.sync();
    box.outbox.confirm(0, telemetry, 4, box.now);
    EXPECT(!box.outbox.durable(0, box.outbox.epoch(), telemetry, 8, box.now));
    EXPECT(box.outbox.durable_to(0, telemetry) == 4 && box.outbox.confirmed_to(0, telemetry) == 4);
    EXPECT(box.outbox.cursor(0, telemetry).seq == 5);
    box.outbox.confirm(0, telemetry, 9, box.now);
    EXPECT(box.outbox.durable_to(0, telemetry) == 8);  // now the word counts that came before
}

TEST(who_claims_more_than_there_ever_was_releases_nothing_that_was_not_sent) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.outbox.use_two_stage(0, true);
    append(box, telemetry, 1, 5);
    box.sync();
    box.outbox.confirm(0, telemetry, 2, box.now);
    const std::uint64_t epoch = box.outbox.epoch();
    EXPECT(box.outbox.durable(0, epoch, telemetry, 9, box.now));
    append(box, telemetry, 10, 11);
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    for (const std::uint32_t content : {3U, 4U, 5U}) {
        EXPECT(box.take(cursor) == content && box.last.id.epoch == epoch);
    }
    EXPECT(box.take(cursor) == 0 && box.gap.from == 6 && box.gap.to == 9);
    EXPECT(box.take(cursor) == 10 && box.last.id.epoch == box.outbox.epoch());
    EXPECT(box.take(cursor) == 11 && box.take(cursor) == ~0U);
}

TEST(each_sink_and_each_class_has_a_cursor_of_its_own) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box;
            EXPECT(box.open(2).has_value());
            append(box, alarm, 1, 6);
            append(box, telemetry, 1, 9);
            box.sync();
            box.outbox.confirm(0, alarm, 2, box.now);
            box.outbox.confirm(1, telemetry, 8, box.now);
            box.outbox.confirm(1, alarm, 5, box.now);
            EXPECT(!box.outbox.durable(1, box.outbox.epoch(), alarm, 5, box.now));
            box.sync();
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open(2).has_value());
        EXPECT(box.outbox.confirmed_to(0, alarm) == 2 && box.outbox.durable_to(0, alarm) == 0);
        EXPECT(box.outbox.confirmed_to(0, telemetry) == 0);
        EXPECT(box.outbox.confirmed_to(1, alarm) == 5 && box.outbox.durable_to(1, alarm) == 5);
        EXPECT(box.outbox.confirmed_to(1, telemetry) == 8);
        EXPECT(box.outbox.durable_to(1, telemetry) == 0);
    }
}

TEST(a_confirmation_is_written_a_second_later_and_with_the_next_sync_then) {
    for (const bool by_far_side : {false, true}) {
        format(Shape::file);
        {
            Box box;
            EXPECT(box.open().has_value());
            append(box, alarm, 1, 4);
            box.sync();
            if (by_far_side) {
                EXPECT(!box.outbox.durable(0, box.outbox.epoch(), alarm, 3, box.now));
            }
            box.outbox.confirm(0, alarm, 3, box.now);
            EXPECT(box.outbox.step(box.now) == box.now + seconds(1));
            box.now = box.now + milliseconds(999);
            EXPECT(box.outbox.step(box.now) == box.now + milliseconds(1));
            box.now = box.now + milliseconds(1);
            (void)box.outbox.step(box.now);
            box.answer();
            EXPECT(box.outbox.step(box.now) == never);
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.confirmed_to(0, alarm) == 3);
        EXPECT(box.outbox.durable_to(0, alarm) == (by_far_side ? 3U : 0U));
    }
}

TEST(a_cursor_that_could_not_be_written_is_tried_again_after_a_second) {
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open().has_value());
        append(box, alarm, 1, 4);
        box.sync();
        box.outbox.confirm(0, alarm, 3, box.now);
        storage.fail_writes = 1;
        box.outbox.flush(box.now);
        box.answer();
        EXPECT(storage.fail_writes == 0 && box.outbox.counters().write_failures == 1);
        EXPECT(box.outbox.step(box.now) == box.now + seconds(1));
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
    }
    storage.cut_power();
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.confirmed_to(0, alarm) == 3);
}

TEST(a_busy_storage_is_no_failure_of_a_cursor) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, alarm, 1, 4);
    box.sync();
    box.outbox.confirm(0, alarm, 3, box.now);
    storage.fail_writes = 1;
    storage.fail_code = Code::busy;
    box.outbox.flush(box.now);
    storage.fail_code = Code::full;
    box.answer();
    EXPECT(storage.fail_writes == 0 && box.outbox.counters().write_failures == 0);
}

TEST(a_cursor_whose_sync_failed_is_written_again) {
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open().has_value());
        append(box, alarm, 1, 4);
        box.sync();
        box.outbox.confirm(0, alarm, 3, box.now);
        storage.fail_syncs = 1;
        box.outbox.flush(box.now);
        box.answer();
        for (int i = 0; i < 3; ++i) {
            box.now = box.now + seconds(1);
            (void)box.outbox.step(box.now);
            box.answer();
        }
    }
    storage.cut_power();
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.confirmed_to(0, alarm) == 3);
}

TEST(what_was_durable_in_the_epoch_before_counts_up_to_its_end) {
    format(Shape::file);
    std::uint64_t former = 0;
    OutboxSettings settings = small();
    settings.medium = 7;
    {
        Box box(settings);
        EXPECT(box.open().has_value());
        former = box.outbox.epoch();
        append(box, alarm, 1, 6);
        box.sync();
    }
    settings.medium = 8;  // a copy: a new epoch begins with number 7
    Box box(settings);
    EXPECT(box.open().has_value());
    append(box, alarm, 7, 9);
    append(box, billing, 1, 2);
    box.sync();
    box.outbox.confirm(0, alarm, 9, box.now);
    box.outbox.confirm(0, billing, 2, box.now);
    EXPECT(!box.outbox.durable(0, former, alarm, 4, box.now));
    EXPECT(box.outbox.durable_to(0, alarm) == 4);
    EXPECT(!box.outbox.durable(0, former, alarm, 1000, box.now));
    EXPECT(box.outbox.durable_to(0, alarm) == 6);
    EXPECT(!box.outbox.durable(0, former, billing, 5, box.now));  // had none of that class
    EXPECT(box.outbox.durable_to(0, billing) == 0);
    EXPECT(!box.outbox.durable(0, former ^ 1, alarm, 8, box.now));  // nobody knows that epoch
    EXPECT(!box.outbox.durable(0, 0, alarm, 8, box.now));
    EXPECT(box.outbox.durable_to(0, alarm) == 6);
    EXPECT(!box.outbox.durable(0, box.outbox.epoch(), alarm, 8, box.now));
    EXPECT(box.outbox.durable_to(0, alarm) == 8);
}

TEST(the_highest_number_that_may_be_claimed_is_believed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, telemetry, 1, 1);
    box.sync();
    const std::uint64_t epoch = box.outbox.epoch();
    EXPECT(!box.outbox.durable(0, epoch, telemetry, 1, box.now));
    EXPECT(box.outbox.durable(0, epoch, telemetry, std::uint64_t{1} << 48, box.now));
    EXPECT(box.outbox.appended_to(telemetry) == std::uint64_t{1} << 48);
    EXPECT(box.outbox.epoch() != epoch);
}

TEST(an_answer_to_a_sync_that_nobody_asked_for_accepts_nothing) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, alarm, 1, 1);
    box.outbox.synced(12345, done, box.now);
    EXPECT(box.outbox.accepted_to(alarm) == 0);
    box.answer();
    EXPECT(box.outbox.accepted_to(alarm) == 1);
    const std::uint64_t passed = box.outbox.counters().syncs_passed;
    box.outbox.synced(static_cast<SyncTicket>(box.outbox.counters().syncs), done, box.now);
    EXPECT(box.outbox.counters().syncs_passed == passed);
}

TEST(what_comes_while_a_sync_is_under_way_is_accepted_by_the_next_one) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    append(box, alarm, 1, 1);  // asks for a sync
    append(box, alarm, 2, 3);
    EXPECT(box.outbox.accepted_to(alarm) == 0);
    box.answer();
    EXPECT(box.outbox.accepted_to(alarm) == 3);
    EXPECT(box.outbox.step(box.now) == never);
}

TEST(a_wall_time_that_could_not_be_written_is_tried_again) {
    format(Shape::file);
    {
        Box box;
        EXPECT(box.open().has_value());
        box.outbox.learn_time(1'000'000, box.now);
        box.outbox.learn_time(5'000'000, box.now);  // the first one of a boot holds
        storage.fail_writes = 1;
        (void)box.outbox.step(box.now);
        box.answer();
        EXPECT(box.outbox.counters().write_failures == 1);
        EXPECT(box.outbox.step(box.now) == box.now + seconds(1));
        box.now = box.now + seconds(1);
        (void)box.outbox.step(box.now);
        box.answer();
        EXPECT(box.outbox.step(box.now) == never);
    }
    storage.cut_power();
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.wall_time().unix_ms({1, 7}) == 1'000'007);
}

TEST(a_name_of_any_length_finds_its_cursor_again) {
    for (const char* name : {"a",
                             "fifteen-letters",
                             "sixteen-letters-",
                             "seventeen-letters",
                             "thirty-two-letters-are-the-limit"}) {
        format(Shape::file);
        for (int opening = 0; opening < 2; ++opening) {
            Box box;
            box.names[0] = name;
            EXPECT(box.open(2).has_value());
            EXPECT(box.outbox.confirmed_to(0, alarm) == (opening == 0 ? 0U : 2U));
            append(box, alarm, 1, 2);
            box.sync();
            box.outbox.confirm(0, alarm, 2, box.now);
            box.sync();
        }
    }
}

TEST(a_payload_may_be_empty) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.append(alarm, RecordKind::fault, {}, box.now).has_value());
    append(box, alarm, 2, 2);
    box.sync();
    Cursor cursor = box.outbox.cursor(0, alarm);
    const auto item = box.outbox.next(cursor, box.buffer, box.now);
    EXPECT(item && item->record && item->record->payload.empty());
    EXPECT(item && item->record && item->record->kind == RecordKind::fault);
    EXPECT(box.take(cursor) == 2);
}

}  // namespace
