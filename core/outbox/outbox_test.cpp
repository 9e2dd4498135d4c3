// SPDX-License-Identifier: Apache-2.0
// The promises of the outbox, one by one, over a file and over flash.
#include "core/outbox/outbox.h"

#include <array>

#include "core/base/test.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

TEST(record_comes_back_as_it_was_appended) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        box.now = Instant{5'000'000};
        const auto id = box.append(alarm, 7);
        EXPECT(id && id->seq == 1 && id->record_class == alarm && id->epoch != 0);
        box.sync();
        Cursor cursor = box.outbox.cursor(0, alarm);
        EXPECT(box.take(cursor) == 7);
        EXPECT(box.last.id == *id);
        EXPECT(box.last.kind == RecordKind::event && box.last.ttl_s == 0);
        EXPECT(box.last.time == (BootTime{1, 5000}));
        EXPECT(box.take(cursor) == ~0U);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(record_is_given_out_only_after_its_sync_has_passed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.append(alarm, 1).has_value());
    EXPECT(box.outbox.appended_to(alarm) == 1 && box.outbox.accepted_to(alarm) == 0);
    Cursor cursor = box.outbox.cursor(0, alarm);
    EXPECT(box.take(cursor) == ~0U);
    box.answer();
    EXPECT(box.outbox.accepted_to(alarm) == 1);
    EXPECT(box.take(cursor) == 1);
}

TEST(many_records_keep_their_order_over_blocks_and_segments) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        for (std::uint32_t i = 1; i <= 600; ++i) {
            EXPECT(box.append(telemetry, i).has_value());
        }
        box.sync();
        Cursor cursor = box.outbox.cursor(0, telemetry);
        bool same = true;
        for (std::uint32_t i = 1; i <= 600; ++i) {
            same = same && box.take(cursor) == i && box.last.id.seq == i;
        }
        EXPECT(same);
        EXPECT(box.take(cursor) == ~0U);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(cursor_finds_its_place_anywhere) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 500; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    bool same = true;
    for (std::uint32_t i = 1; i <= 500; i += 7) {
        Cursor cursor;
        cursor.record_class = telemetry;
        cursor.seq = i;
        same = same && box.take(cursor) == i;
    }
    EXPECT(same);
}

TEST(a_small_buffer_reads_the_same_records) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 300; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    std::array<std::uint8_t, 1024 + Outbox::record_overhead> buffer{};
    Cursor cursor = box.outbox.cursor(0, telemetry);
    bool same = true;
    for (std::uint32_t i = 1; i <= 300; ++i) {
        const auto item = box.outbox.next(cursor, buffer, box.now);
        same = same && item && item->record && Reader(item->record->payload).u32_le() == i;
    }
    EXPECT(same);
}

TEST(after_a_restart_numbers_go_on_and_boots_are_counted) {
    for (const Shape shape : shapes) {
        format(shape);
        std::uint64_t epoch = 0;
        for (std::uint32_t boot = 1; boot <= 12; ++boot) {
            Box box;
            EXPECT(box.open().has_value());
            EXPECT(box.outbox.boot() == boot);
            epoch = epoch == 0 ? box.outbox.epoch() : epoch;
            EXPECT(box.outbox.epoch() == epoch);
            EXPECT(box.outbox.accepted_to(telemetry) == boot - 1);
            EXPECT(box.append(telemetry, boot).has_value());
            box.sync();
            Cursor cursor;
            cursor.record_class = telemetry;
            for (std::uint32_t i = 1; i <= boot; ++i) {
                EXPECT(box.take(cursor) == i && box.last.time.boot == i);
            }
        }
        EXPECT(storage.written_twice == 0);
    }
}

TEST(power_cut_costs_nothing_that_was_accepted) {
    for (const Shape shape : shapes) {
        format(shape);
        {
            Box box;
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= 100; ++i) {
                EXPECT(box.append(telemetry, i).has_value());
            }
            box.sync();
            for (std::uint32_t i = 101; i <= 200; ++i) {
                EXPECT(box.append(telemetry, i).has_value());
            }
        }
        storage.cut_power();
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.accepted_to(telemetry) == 100);
        EXPECT(box.append(telemetry, 1000).has_value());
        box.sync();
        Cursor cursor = box.outbox.cursor(0, telemetry);
        for (std::uint32_t i = 1; i <= 100; ++i) {
            EXPECT(box.take(cursor) == i);
        }
        EXPECT(box.take(cursor) == 1000 && box.last.id.seq == 101);
    }
}

TEST(confirmed_records_are_not_sent_again_after_a_restart) {
    for (const Shape shape : shapes) {
        format(shape);
        for (std::uint32_t round = 0; round < 300; ++round) {
            Box box;
            EXPECT(box.open().has_value());
            EXPECT(box.outbox.confirmed_to(0, billing) == round);
            EXPECT(box.outbox.cursor(0, billing).seq == round + 1);
            EXPECT(box.append(billing, round + 1).has_value());
            box.sync();
            box.outbox.confirm(0, billing, round + 1, box.now);
            EXPECT(box.outbox.waiting(0, billing) == 0);
            box.sync();
            storage.cut_power();
        }
        EXPECT(storage.written_twice == 0);
    }
}

TEST(cursors_are_written_at_most_once_a_second) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 100; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.sync();
    const std::uint64_t before = storage.bytes_written;
    for (std::uint32_t i = 1; i <= 100; ++i) {
        box.now = box.now + milliseconds(10);
        box.outbox.confirm(0, telemetry, i, box.now);
        (void)box.outbox.step(box.now);
        box.answer();
    }
    box.now = box.now + seconds(1);
    (void)box.outbox.step(box.now);
    box.answer();
    EXPECT(storage.bytes_written - before == Journal::entry_size);
}

TEST(commit_windows_group_records_into_one_sync) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    const std::uint64_t before = box.outbox.counters().syncs;
    EXPECT(box.append(telemetry, 1).has_value());
    EXPECT(box.append(billing, 2).has_value());
    EXPECT(box.outbox.step(box.now) == box.now + seconds(1));
    EXPECT(box.outbox.counters().syncs == before);
    box.now = box.now + seconds(1);
    EXPECT(box.outbox.step(box.now) == never);  // waits for the answer only
    box.answer();
    EXPECT(box.outbox.accepted_to(telemetry) == 1 && box.outbox.accepted_to(billing) == 1);
    EXPECT(box.outbox.counters().syncs == before + 1);
    EXPECT(box.append(alarm, 3).has_value());
    EXPECT(box.outbox.counters().syncs == before + 2);  // alarms at once
}

TEST(when_space_ends_the_oldest_go_and_a_gap_says_so) {
    for (const Shape shape : shapes) {
        format(shape);
        Box box;
        EXPECT(box.open().has_value());
        std::uint32_t appended = 0;
        for (std::uint32_t i = 1; i <= 3000; ++i) {
            appended += box.append(telemetry, i) ? 1 : 0;
            box.sync();
        }
        EXPECT(appended == 3000);
        Cursor cursor = box.outbox.cursor(0, telemetry);
        EXPECT(box.take(cursor) == 0);
        EXPECT(box.gap.from == 1 && box.gap.reason == GapReason::dropped);
        EXPECT(box.gap.to > 1000 && box.gap.to < 2990);
        EXPECT(box.outbox.counters().dropped[3] == box.gap.to);
        bool same = true;
        for (auto i = static_cast<std::uint32_t>(box.gap.to + 1); i <= 3000; ++i) {
            same = same && box.take(cursor) == i;
        }
        EXPECT(same);
        EXPECT(box.outbox.counters().damaged[3] == 0);
        EXPECT(storage.written_twice == 0);
    }
}

TEST(the_reason_of_a_gap_survives_a_restart) {
    format(Shape::file);
    std::uint64_t to = 0;
    {
        Box box;
        EXPECT(box.open().has_value());
        for (std::uint32_t i = 1; i <= 3000; ++i) {
            EXPECT(box.append(telemetry, i).has_value());
            box.sync();
        }
        Cursor cursor = box.outbox.cursor(0, telemetry);
        EXPECT(box.take(cursor) == 0);
        to = box.gap.to;
    }
    storage.cut_power();
    Box box;
    EXPECT(box.open().has_value());
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 0);
    EXPECT(box.gap.to == to && box.gap.reason == GapReason::dropped);
    EXPECT(box.take(cursor) == to + 1);
}

TEST(confirmed_bytes_stay_until_the_space_is_needed) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 3000; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
        box.sync();
        box.outbox.confirm(0, telemetry, i, box.now);
        if (i == 500) {
            Cursor cursor;
            cursor.record_class = telemetry;
            cursor.seq = 1;
            EXPECT(box.take(cursor) == 1);
        }
    }
    EXPECT(box.outbox.counters().dropped[3] == 0);
    EXPECT(box.outbox.counters().rejected[3] == 0);
}

TEST(a_class_may_refuse_new_records_instead) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[2].when_full = WhenFull::reject_new;
    Box box(settings);
    EXPECT(box.open().has_value());
    std::uint32_t taken = 0;
    Code code = Code::ok;
    for (std::uint32_t i = 1; i <= 3000 && code == Code::ok; ++i) {
        code = box.append(billing, i).code();
        taken += code == Code::ok ? 1 : 0;
        box.sync();
    }
    EXPECT(code == Code::full);
    EXPECT(box.outbox.counters().rejected[2] == 1 && box.outbox.counters().dropped[2] == 0);
    Cursor cursor = box.outbox.cursor(0, billing);
    EXPECT(box.take(cursor) == 1);
    // Once the sink has confirmed there is room again.
    box.outbox.confirm(0, billing, taken, box.now);
    box.sync();
    EXPECT(box.append(billing, 5000).code() == Code::full);  // asks for the space to be freed
    box.sync();
    EXPECT(box.append(billing, 5001).has_value());
}

TEST(telemetry_leaves_room_for_alarms) {
    format(Shape::flash);
    OutboxSettings settings = small();
    settings.classes[0].reserve_segments = 3;
    Box box(settings);
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 3000; ++i) {
        (void)box.append(telemetry, i);
        box.sync();
    }
    bool all = true;
    for (std::uint32_t i = 1; i <= 150; ++i) {
        all = all && box.append(alarm, i);  // more than two segments
        box.answer();
    }
    EXPECT(all);
    Cursor cursor = box.outbox.cursor(0, alarm);
    EXPECT(box.take(cursor) == 1);
    EXPECT(box.outbox.counters().dropped[0] == 0);
}

TEST(expired_records_become_one_gap) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    Box box(settings);
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 5; ++i) {
        EXPECT(box.append(telemetry, i).has_value());
    }
    box.now = Instant{} + seconds(61);
    EXPECT(box.append(telemetry, 6).has_value());
    box.sync();
    for (int sink = 0; sink < 2; ++sink) {
        Cursor cursor = box.outbox.cursor(0, telemetry);
        EXPECT(box.take(cursor) == 0);
        EXPECT(box.gap.from == 1 && box.gap.to == 5 && box.gap.reason == GapReason::expired);
        EXPECT(box.take(cursor) == 6 && box.last.ttl_s == 60);
        EXPECT(box.outbox.counters().expired[3] == 5);
    }
}

TEST(age_over_a_restart_needs_both_clocks_or_counts_from_the_start) {
    format(Shape::file);
    OutboxSettings settings = small();
    settings.classes[3].ttl_s = 60;
    {
        Box box(settings);
        EXPECT(box.open().has_value());
        EXPECT(box.append(telemetry, 1).has_value());
        box.outbox.learn_time(1'000'000, box.now);
        box.sync();
    }
    Box box(settings);
    box.now = Instant{} + seconds(5000);  // the machine has run for long
    EXPECT(box.open().has_value());
    Cursor cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 1);  // nobody knows the time: as young as this opening
    EXPECT(box.outbox.remaining_ms(box.last, box.now + seconds(20)) == 40'000);
    box.outbox.learn_time(1'061'000, box.now);
    cursor = box.outbox.cursor(0, telemetry);
    EXPECT(box.take(cursor) == 0 && box.gap.reason == GapReason::expired);
}

TEST(payload_is_written_once) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    const std::uint64_t before = storage.bytes_written;
    std::uint64_t payload = 0;
    for (std::uint32_t i = 1; i <= 600; ++i) {
        box.now = box.now + milliseconds(100);
        EXPECT(box.append(telemetry, i, 100).has_value());
        payload += 100;
        (void)box.outbox.step(box.now);
        box.answer();
        box.outbox.confirm(0, telemetry, box.outbox.accepted_to(telemetry), box.now);
    }
    const std::uint64_t written = storage.bytes_written - before;
    EXPECT(written * 10 <= 13 * payload);
}

TEST(a_payload_of_the_largest_size_passes_and_a_larger_one_is_refused) {
    format(Shape::flash);
    Box box;
    EXPECT(box.open().has_value());
    for (std::uint32_t i = 1; i <= 30; ++i) {
        EXPECT(box.append(telemetry, i, 1024).has_value());
    }
    std::array<std::uint8_t, 1025> large{};
    EXPECT(box.outbox.append(telemetry, RecordKind::event, large, box.now).code() ==
           Code::out_of_range);
    box.sync();
    Cursor cursor = box.outbox.cursor(0, telemetry);
    for (std::uint32_t i = 1; i <= 30; ++i) {
        EXPECT(box.take(cursor) == i && box.last.payload.size() == 1024);
    }
}

TEST(the_age_of_the_oldest_waiting_record_is_known) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(!box.outbox.oldest(0, alarm));
    box.now = Instant{7'000'000};
    EXPECT(box.append(alarm, 1).has_value());
    box.now = Instant{9'000'000};
    EXPECT(box.append(alarm, 2).has_value());
    box.sync();
    EXPECT(box.outbox.oldest(0, alarm) == (BootTime{1, 7000}));
    box.outbox.confirm(0, alarm, 1, box.now);
    EXPECT(box.outbox.oldest(0, alarm) == (BootTime{1, 9000}));
}

TEST(clock_pairs_of_earlier_boots_are_kept) {
    format(Shape::file);
    for (std::uint32_t boot = 1; boot <= 18; ++boot) {
        Box box;
        EXPECT(box.open().has_value());
        box.outbox.learn_time(1000 * boot, box.now);
        box.sync();
    }
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.wall_time().unix_ms({18, 5}).value_or(0) == 18005);
    EXPECT(box.outbox.wall_time().unix_ms({3, 5}).value_or(0) == 3005);
    EXPECT(!box.outbox.wall_time().unix_ms({2, 5}));  // memory for sixteen
}

TEST(a_boot_without_a_clock_does_not_cost_a_later_one_its_time) {
    format(Shape::file);
    for (std::uint32_t boot = 1; boot <= 17; ++boot) {
        Box box;
        EXPECT(box.open().has_value());
        if (boot != 3) {
            box.outbox.learn_time(1000 * boot, box.now);
        }
        box.sync();
    }
    Box box;
    EXPECT(box.open().has_value());
    EXPECT(box.outbox.wall_time().unix_ms({17, 5}).value_or(0) == 17005);
    EXPECT(box.outbox.wall_time().unix_ms({2, 5}).value_or(0) == 2005);
}

TEST(with_two_stages_sending_begins_behind_what_is_durable) {
    format(Shape::file);
    Box box;
    EXPECT(box.open().has_value());
    box.outbox.use_two_stage(0, true);
    for (std::uint32_t i = 1; i <= 10; ++i) {
        EXPECT(box.append(alarm, i).has_value());
    }
    box.sync();
    box.outbox.confirm(0, alarm, 10, box.now);
    EXPECT(!box.outbox.durable(0, box.outbox.epoch(), alarm, 4, box.now));
    EXPECT(box.outbox.cursor(0, alarm).seq == 5);
    EXPECT(box.outbox.confirmed_to(0, alarm) == 10);
    box.outbox.use_two_stage(0, false);
    EXPECT(box.outbox.cursor(0, alarm).seq == 11);
}

TEST(a_new_sink_begins_with_the_oldest_record_and_not_with_another_sinks_cursor) {
    format(Shape::flash);
    {
        Box box;
        EXPECT(box.open(2).has_value());
        EXPECT(box.append(alarm, 1).has_value());
        EXPECT(box.append(alarm, 2).has_value());
        box.sync();
        box.outbox.confirm(0, alarm, 2, box.now);
        box.outbox.confirm(1, alarm, 1, box.now);
        box.sync();
    }
    {
        Box box;
        box.names[0] = "azure";  // takes the slot of the broker
        EXPECT(box.open(2).has_value());
        EXPECT(box.outbox.confirmed_to(0, alarm) == 0 && box.outbox.confirmed_to(1, alarm) == 1);
        box.sync();
    }
    Box box;
    std::swap(box.names[0], box.names[1]);
    box.names[1] = "azure";
    EXPECT(box.open(2).has_value());
    EXPECT(box.outbox.confirmed_to(0, alarm) == 1 && box.outbox.confirmed_to(1, alarm) == 0);
}

}  // namespace
