// SPDX-License-Identifier: Apache-2.0
// How full a class is: what nobody collected, of what it may take.
#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

constexpr std::uint64_t segment = 2 * 4096;

std::uint64_t room(const Box& box) {
    return box.outbox.fill(telemetry).bytes_max / segment;
}

/// Appends until so many segments wait.
void fill_to(Box& box, RecordClass c, std::uint64_t segments) {
    for (std::uint32_t i = 1; i < 4000 && box.outbox.fill(c).bytes <= (segments - 1) * segment;
         ++i) {
        EXPECT(box.append(c, i).has_value());
        box.sync();
    }
}

/// Everything is confirmed, and the cursors are on the medium.
void collect(Box& box, RecordClass c, std::size_t sink) {
    box.outbox.confirm(sink, c, box.outbox.accepted_to(c), box.now);
    box.sync();
}

}  // namespace

TEST(an_empty_store_is_empty_and_its_room_is_without_what_others_have_reserved) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    const std::uint64_t segments = box.outbox.bytes_max() / segment;
    EXPECT(box.outbox.fill(telemetry).bytes == 0);
    EXPECT(room(box) == segments - 5);  // one for each higher class, for writing again, and ahead
    EXPECT(box.outbox.fill(alarm).bytes_max == (segments - 2) * segment);
}

TEST(fill_grows_with_what_is_appended_until_the_first_record_is_dropped_and_then_it_is_full) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        std::uint64_t before = 0;
        bool grows = true;
        std::uint64_t fullest = 0;
        while (box.outbox.counters().dropped[3] == 0) {
            fullest = before;
            EXPECT(box.append(telemetry, 100).has_value());
            box.sync();
            before = box.outbox.fill(telemetry).bytes;
            grows = grows && (before > fullest || box.outbox.counters().dropped[3] > 0);
        }
        EXPECT(grows && fullest <= box.outbox.fill(telemetry).bytes_max);
        EXPECT(fullest > box.outbox.fill(telemetry).bytes_max - 200);
    }
}

TEST(what_every_sink_confirmed_is_room_though_its_bytes_are_still_there) {
    format(Shape::file);
    Box box;
    EXPECT(box.open(2).has_value());
    fill_to(box, telemetry, 4);
    collect(box, telemetry, 0);
    EXPECT(box.outbox.fill(telemetry).bytes > 3 * segment);  // the other one has not
    collect(box, telemetry, 1);
    EXPECT(box.outbox.fill(telemetry).bytes == 0);
    EXPECT(box.outbox.bytes_used() >= 4 * segment);
}

TEST(with_two_stage_release_only_what_is_durable_is_room) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.outbox.use_two_stage(0, true);
    fill_to(box, telemetry, 4);
    collect(box, telemetry, 0);
    EXPECT(box.outbox.fill(telemetry).bytes > 3 * segment);
    const std::uint64_t to = box.outbox.accepted_to(telemetry);
    EXPECT(!box.outbox.durable(0, box.outbox.epoch(), telemetry, to, box.now));
    EXPECT(box.outbox.fill(telemetry).bytes == 0);
}

TEST(a_higher_class_takes_of_the_room_what_goes_beyond_its_reserve) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    const std::uint64_t before = room(box);
    fill_to(box, billing, 1);
    EXPECT(room(box) == before);  // its reserve
    fill_to(box, billing, 3);
    EXPECT(room(box) == before - 2);
    collect(box, billing, 0);
    EXPECT(room(box) == before);
}

TEST(a_store_without_sinks_fills_nobody_waits_for_it) {
    format(Shape::file);
    Box box;
    EXPECT(box.open(0).has_value());
    for (std::uint32_t i = 1; i <= 600; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    EXPECT(box.outbox.fill(telemetry).bytes == 0);
}

TEST(fill_is_the_same_after_the_store_was_opened_again) {
    format(Shape::file);
    ClassFill before;
    {
        Box box;
        EXPECT(box.open().has_value());
        fill_to(box, telemetry, 5);
        before = box.outbox.fill(telemetry);
    }
    Box box;
    EXPECT(box.open().has_value());
    const ClassFill after = box.outbox.fill(telemetry);
    // The rest of a block is not gone on with.
    EXPECT(after.bytes >= before.bytes && after.bytes - before.bytes < 4096);
    EXPECT(after.bytes_max == before.bytes_max);
}

TEST(a_class_that_is_thinned_out_drops_the_oldest_where_it_does_not_fit_even_so) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].when_full = WhenFull::thin_out;
    Box box(settings);
    EXPECT(box.open().has_value() && box.outbox.when_full(telemetry) == WhenFull::thin_out);
    for (std::uint32_t i = 1; i <= 4000; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
        box.sync();
    }
    EXPECT(box.outbox.counters().dropped[3] > 0 && box.outbox.counters().rejected[3] == 0);
    EXPECT(box.append(alarm, 1).has_value());  // and gives way to what is more important
}
