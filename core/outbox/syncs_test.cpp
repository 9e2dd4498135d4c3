// SPDX-License-Identifier: Apache-2.0
// Several syncs under way: what each answer makes true, and what a failed one takes along.
#include "core/base/test.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

/// Answers the oldest sync that is under way.
void answer_one(Box& box) {
    SyncTicket ticket = 0;
    Status result = done;
    EXPECT(storage.answer(ticket, result));
    box.outbox.synced(ticket, result, box.now);
}

TEST(a_record_that_is_due_does_not_wait_for_the_sync_before_it) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 2; ++i) {
        EXPECT(box.append(alarm, i).has_value());
        EXPECT(storage.syncs_under_way() == i);
    }
    EXPECT(box.outbox.accepted_to(alarm) == 0);
    answer_one(box);
    EXPECT(box.outbox.accepted_to(alarm) == 1);
    answer_one(box);
    EXPECT(box.outbox.accepted_to(alarm) == 2);
    EXPECT(storage.syncs_under_way() == 0);
}

TEST(three_syncs_are_under_way_at_most_and_the_next_begins_with_the_first_answer) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 5; ++i) {
        EXPECT(box.append(alarm, i).has_value());
        (void)box.outbox.step(box.now);
    }
    EXPECT(storage.syncs_under_way() == 3);
    EXPECT(box.outbox.step(box.now) == never);  // an answer wakes it
    answer_one(box);
    EXPECT(box.outbox.accepted_to(alarm) == 1 && storage.syncs_under_way() == 3);
    box.answer();
    EXPECT(box.outbox.accepted_to(alarm) == 5 && storage.syncs_under_way() == 0);
    EXPECT(box.outbox.step(box.now) == never);
}

TEST(after_a_failed_sync_nothing_is_written_again_before_those_behind_it_are_answered) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box;
            EXPECT(box.open().has_value());
            EXPECT(box.append(alarm, 1).has_value());
            EXPECT(box.append(alarm, 2).has_value());
            EXPECT(storage.syncs_under_way() == 2);
            storage.fail_syncs = 1;
            answer_one(box);
            // Not before all is answered: who failed may still be at it.
            EXPECT(storage.syncs_under_way() == 1 && box.outbox.step(box.now) == never);
            EXPECT(box.append(alarm, 3).code() == Code::internal);
            answer_one(box);
            EXPECT(box.outbox.accepted_to(alarm) == 0);
            EXPECT(box.outbox.counters().sync_failures == 2);
            box.now = box.now + seconds(1);
            (void)box.outbox.step(box.now);
            box.answer();
            EXPECT(box.outbox.accepted_to(alarm) == 2);
        }
        storage.cut_power();
        Box again;
        EXPECT(again.open().has_value());
        Cursor cursor = again.outbox.cursor(0, alarm);
        EXPECT(again.take(cursor) == 1 && again.take(cursor) == 2 && again.take(cursor) == ~0U);
    }
}

TEST(a_cursor_goes_with_one_sync_at_a_time) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    const auto safe = [&](RecordClass c) {
        return box.outbox.sinks()[0].classes[static_cast<std::size_t>(c)].safe;
    };
    EXPECT(box.append(alarm, 1).has_value());
    EXPECT(box.append(billing, 2).has_value());
    box.sync();
    box.outbox.confirm(0, alarm, 1, box.now);
    box.outbox.flush(box.now);  // carries the cursor
    EXPECT(storage.syncs_under_way() == 1);
    EXPECT(box.append(alarm, 3).has_value());  // a sync of records alone
    EXPECT(storage.syncs_under_way() == 2);
    box.outbox.confirm(0, billing, 1, box.now);
    box.outbox.flush(box.now);  // has to wait
    EXPECT(storage.syncs_under_way() == 2);
    answer_one(box);
    EXPECT(safe(alarm) == 1 && safe(billing) == 0);
    EXPECT(storage.syncs_under_way() == 2);  // now the second cursor is on its way
    answer_one(box);
    EXPECT(box.outbox.accepted_to(alarm) == 2 && safe(billing) == 0);
    answer_one(box);
    EXPECT(safe(billing) == 1);
}

TEST(a_new_store_waits_for_its_first_sync_alone) {
    format(Shape::file);
    Box box;
    EXPECT(box.outbox.open(std::span<const Name>(box.names).first(1), 77, box.now).has_value());
    EXPECT(storage.syncs_under_way() == 1);
    EXPECT(box.append(alarm, 1).has_value());
    EXPECT(storage.syncs_under_way() == 1);
    answer_one(box);
    EXPECT(storage.syncs_under_way() == 1);
    answer_one(box);
    EXPECT(box.outbox.accepted_to(alarm) == 1);
}

}  // namespace
