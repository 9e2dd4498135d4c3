// SPDX-License-Identifier: Apache-2.0
// Tests of the age of what waits, also across boots.
#include "core/outbox/backlog_age.h"

#include "core/base/test.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr std::int64_t noon_ms = 1'790'000'000'000;

/// An alarm of 5 s and telemetry of 9 s after the start, the clock learned at 2 s or never.
void leave_two_records(bool clock) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.now = Instant{} + seconds(2);
    if (clock) {
        box.outbox.learn_time(noon_ms, box.now);
    }
    box.now = Instant{} + seconds(5);
    EXPECT(box.append(alarm, 1).has_value());
    box.now = Instant{} + seconds(9);
    EXPECT(box.append(telemetry, 2).has_value());
    box.sync();
}

/// What that box left, opened again 3 s after another start.
Status open_again(Box& box) {
    box.now = Instant{} + seconds(3);
    return box.open();
}

}  // namespace

TEST(of_all_classes_the_oldest_record_counts) {
    format(Shape::file);
    Box box;
    BacklogAge age;
    EXPECT(box.open().has_value());
    EXPECT(!age.of(box.outbox, 0, box.now));
    box.now = Instant{} + seconds(5);
    EXPECT(box.append(telemetry, 1).has_value());
    box.now = Instant{} + seconds(9);
    EXPECT(box.append(alarm, 2).has_value());
    box.sync();
    box.now = Instant{} + seconds(20);
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(15));
    box.outbox.confirm(0, telemetry, 1, box.now);
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(11));
    box.outbox.confirm(0, alarm, 1, box.now);
    EXPECT(!age.of(box.outbox, 0, box.now));
}

TEST(records_of_an_earlier_boot_keep_their_age_by_the_clocks_of_both) {
    leave_two_records(true);
    Box box;
    EXPECT(open_again(box).has_value());
    BacklogAge age;
    box.now = Instant{} + seconds(4);
    box.outbox.learn_time(noon_ms + 60'000, box.now);  // 58 s in the other boot
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(57));
    box.now = Instant{} + seconds(14);
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(67));
    box.outbox.confirm(0, alarm, 1, box.now);
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(63));
    // Of this boot, and younger.
    EXPECT(box.append(alarm, 3).has_value());
    box.sync();
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(63));
}

TEST(without_a_clock_what_waits_is_at_least_as_old_as_the_opening) {
    for (const bool clock : {true, false}) {
        leave_two_records(clock);
        Box box;
        EXPECT(open_again(box).has_value());
        box.now = Instant{} + seconds(10);
        BacklogAge age;
        EXPECT(age.of(box.outbox, 0, box.now) == seconds(7));
    }
}

TEST(a_clock_that_was_set_back_makes_nothing_younger_than_the_opening) {
    leave_two_records(true);
    Box box;
    EXPECT(open_again(box).has_value());
    box.outbox.learn_time(noon_ms - 3'600'000, box.now);
    box.now = Instant{} + seconds(10);
    BacklogAge age;
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(7));
}

TEST(the_medium_is_read_only_where_a_cursor_has_moved) {
    leave_two_records(false);
    Box box;
    EXPECT(open_again(box).has_value());
    BacklogAge age;
    EXPECT(age.of(box.outbox, 0, box.now));
    const auto reads = storage.reads;
    EXPECT(age.of(box.outbox, 0, box.now + seconds(1)) == seconds(1));
    EXPECT(storage.reads == reads);
    box.outbox.confirm(0, alarm, 1, box.now);
    EXPECT(box.append(alarm, 3).has_value());
    box.sync();
    const auto synced = storage.reads;
    EXPECT(age.of(box.outbox, 0, box.now));
    EXPECT(storage.reads > synced);
}

TEST(what_could_not_be_read_is_asked_for_again) {
    leave_two_records(false);
    Box box;
    EXPECT(open_again(box).has_value());
    BacklogAge age;
    storage.unreadable_to = UINT64_MAX;
    EXPECT(!age.of(box.outbox, 0, box.now));
    storage.unreadable_to = 0;
    EXPECT(age.of(box.outbox, 0, box.now) == seconds(0));
}
