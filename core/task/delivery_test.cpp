// SPDX-License-Identifier: Apache-2.0
#include "core/task/delivery.h"

#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/model/event.h"
#include "core/task/ram_storage.h"

using namespace jw;

namespace {

struct Letters : DeadLetters {
    std::uint64_t last_seq = 0;
    int count = 0;
    void rejected(const Record& record) override {
        last_seq = record.id.seq;
        ++count;
    }
};

test::RamStorage<96> storage;  // one at a time: too large for a stack

struct Bench {
    std::array<Segment, 48> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch{};
    Outbox outbox;
    std::array<BatchUnderWay, 8> window{};
    std::array<char, 4096> batch{};
    std::array<std::uint8_t, 4096> record{};
    JsonBatch writer{batch};
    Letters letters;
    Delivery delivery;
    Instant now = Instant{} + seconds(10);
    std::uint32_t ticket = 0;

    static OutboxSettings settings() {
        OutboxSettings s;
        s.segment_blocks = 2;
        for (ClassSettings& c : s.classes) {
            c.commit = {};
        }
        return s;
    }
    explicit Bench(DeliverySettings delivery_settings = {.records_max = 4},
                   OutboxSettings outbox_settings = settings())
        : outbox((storage = {}, storage), outbox_settings, {segments, sinks, clocks, scratch}),
          delivery(outbox, delivery_settings, {window, record}, writer, letters) {
        const Name sink = "broker";
        EXPECT(outbox.open({&sink, 1}, 0x1234'5678'9ABC'DEF1, now).has_value());
        settle();
        delivery.identify("gw-1", "house");
    }
    void settle() {
        for (int i = 0; i < 8; ++i) {
            (void)outbox.step(now);
            SyncTicket waiting = 0;
            if (storage.take(waiting)) {
                outbox.synced(waiting, done, now);
            }
        }
    }
    void append(RecordClass c, RecordKind kind, int count = 1) {
        for (int i = 0; i < count; ++i) {
            Reading reading;
            reading.device = "grid";
            reading.values.put(Quantity::power_w, 0, i);
            std::array<std::uint8_t, 128> payload{};
            Writer out(payload);
            if (kind == RecordKind::fault) {
                Fault fault;
                fault.source = "grid";
                to_cbor(fault, out);
            } else {
                to_cbor(reading, out);
            }
            EXPECT(outbox.append(c, kind, out.written(), now).has_value());
        }
        settle();
    }
    /// A reading that takes more than batch_size_min in JSON.
    void append_long() {
        Reading reading;
        reading.device = "grid";
        for (std::uint8_t i = 1; i <= 60; ++i) {
            reading.values.put(Quantity::cell_voltage_mv, i, 1'000'000'000 + i);
        }
        std::array<std::uint8_t, limits::record_payload_max> payload{};
        Writer out(payload);
        to_cbor(reading, out);
        EXPECT(outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now)
                   .has_value());
        settle();
    }
    /// Sends one batch; gives what it covers, or an empty one.
    OutgoingBatch send() {
        OutgoingBatch out;
        if (!delivery.next(now, out)) {
            return {};
        }
        delivery.sent(++ticket);
        return out;
    }
};

constexpr auto telemetry = RecordClass::telemetry;

}  // namespace

TEST(full_batches_go_at_once_and_a_partial_one_waits_for_company) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 5);
    const OutgoingBatch first = bench.send();
    EXPECT(first.from == 1 && first.to == 4 && first.records == 4);
    EXPECT(bench.send().records == 0);
    EXPECT(bench.delivery.due(bench.now) == bench.now + seconds(1));
    bench.now = bench.now + seconds(1);
    const OutgoingBatch second = bench.send();
    EXPECT(second.from == 5 && second.to == 5);
}

TEST(what_has_waited_long_enough_goes_at_once_though_it_takes_several_batches) {
    Bench bench({.records_max = 100});
    bench.delivery.begin(8, 1500, bench.now);  // bytes for some ten of them, room for the end
    bench.append(telemetry, RecordKind::reading, 30);
    EXPECT(bench.send().records == 0);
    bench.now = bench.now + seconds(1);
    std::uint32_t sent = 0;
    for (int i = 0; i < 8 && sent < 30; ++i) {
        sent += bench.send().records;
    }
    EXPECT(sent == 30 && bench.delivery.under_way() > 1);
    bench.append(telemetry, RecordKind::reading);
    EXPECT(bench.send().records == 0);
    EXPECT(bench.delivery.due(bench.now) == bench.now + seconds(1));
}

TEST(a_batch_says_how_long_its_oldest_record_still_counts) {
    OutboxSettings mortal = Bench::settings();
    mortal.classes[static_cast<std::size_t>(telemetry)].ttl_s = 60;
    Bench bench({.records_max = 100}, mortal);
    bench.append(telemetry, RecordKind::reading);
    bench.now = bench.now + seconds(20);
    bench.append(telemetry, RecordKind::reading);
    bench.delivery.begin(8, 4096, bench.now);
    bench.now = bench.now + seconds(1);
    const OutgoingBatch batch = bench.send();
    EXPECT(batch.records == 2 && batch.ttl_s == 39);
}

TEST(what_waited_for_the_connection_waits_no_longer_for_company) {
    Bench bench;
    bench.append(telemetry, RecordKind::reading, 2);
    bench.delivery.begin(8, 4096, bench.now);
    EXPECT(bench.send().records == 2);
    bench.append(telemetry, RecordKind::reading);
    EXPECT(bench.send().records == 0);
}

TEST(nothing_is_confirmed_before_everything_ahead_of_it_is) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 12);
    for (int i = 0; i < 3; ++i) {
        EXPECT(bench.send().records == 4);
    }
    bench.delivery.acknowledged(3, bench.now);
    bench.delivery.acknowledged(2, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 0);
    bench.delivery.acknowledged(1, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 12);
    EXPECT(bench.delivery.under_way() == 0 && bench.delivery.counters().confirmed == 12);
}

TEST(what_was_under_way_when_the_connection_went_is_sent_again) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 8);
    (void)bench.send();
    (void)bench.send();
    bench.delivery.acknowledged(1, bench.now);
    bench.delivery.end(bench.now);
    EXPECT(bench.send().records == 0);  // no connection, no window
    bench.delivery.begin(8, 4096, bench.now);
    EXPECT(bench.send().from == 5);
    bench.delivery.acknowledged(2, bench.now);  // of the old connection: means nothing
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 4);
}

TEST(never_more_batches_are_under_way_than_the_far_side_takes) {
    Bench bench;
    bench.delivery.begin(1, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 12);
    EXPECT(bench.send().records == 4);
    EXPECT(bench.send().records == 0 && bench.delivery.due(bench.now) == never);
    bench.delivery.acknowledged(1, bench.now);
    EXPECT(bench.send().from == 5);
}

TEST(an_alarm_overtakes_telemetry_and_telemetry_does_not_starve) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 16);
    (void)bench.send();
    bench.append(RecordClass::alarm, RecordKind::fault, 60);
    int alarms = 0;
    int readings = 0;
    for (int i = 0; i < 18; ++i) {
        const OutgoingBatch out = bench.send();
        (out.record_class == RecordClass::alarm ? alarms : readings) += 1;
        if (i == 0) {
            EXPECT(out.record_class == RecordClass::alarm);
        }
        bench.delivery.acknowledged(bench.ticket, bench.now);
    }
    EXPECT(alarms >= 8 && readings >= 1);
}

TEST(a_record_that_the_sink_refuses_is_set_aside_and_blocks_nobody) {
    Bench bench;
    bench.delivery.begin(1, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 8);
    // The broker refuses whatever holds record 3.
    bool gap_told = false;
    for (int i = 0; i < 30 && bench.outbox.confirmed_to(0, telemetry) < 8; ++i) {
        const OutgoingBatch out = bench.send();
        const std::string_view text = as_text(out.payload);
        bench.now = bench.now + seconds(1);
        const bool has_three = text.find("\"seq\":3,") != std::string_view::npos;
        gap_told = gap_told || text.find("{\"from\":3,\"to\":3,\"reason\":\"rejected\"}") !=
                                   std::string_view::npos;
        if (has_three) {
            bench.delivery.refused(bench.ticket, bench.now);
        } else {
            bench.delivery.acknowledged(bench.ticket, bench.now);
        }
    }
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 8);
    EXPECT(bench.letters.count == 1 && bench.letters.last_seq == 3 && gap_told);
    EXPECT(bench.delivery.counters().rejected == 1);
}

TEST(a_lane_whose_batch_is_put_off_rests_and_the_others_go_on) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 12);
    for (int i = 0; i < 3; ++i) {
        EXPECT(bench.send().records == 4);
    }
    EXPECT(bench.delivery.put_off(1, bench.now, seconds(60)) && bench.delivery.puts_off());
    EXPECT(!bench.delivery.put_off(2, bench.now, seconds(60)));  // went with the first
    EXPECT(bench.delivery.under_way() == 0 && bench.send().records == 0);
    const Instant due = bench.delivery.due(bench.now);
    EXPECT(due >= bench.now + seconds(60) && due <= bench.now + seconds(90));
    bench.append(RecordClass::alarm, RecordKind::fault);
    EXPECT(bench.send().record_class == RecordClass::alarm);
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(bench.delivery.puts_off());  // of the other lane nothing is known
}

TEST(what_was_put_off_is_tried_with_one_batch_until_one_is_acknowledged) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 12);
    (void)bench.send();
    EXPECT(bench.delivery.put_off(1, bench.now, {}));
    bench.now = bench.delivery.due(bench.now);
    EXPECT(bench.send().from == 1 && bench.send().records == 0);
    EXPECT(bench.delivery.due(bench.now) == never);
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(!bench.delivery.puts_off() && bench.outbox.confirmed_to(0, telemetry) == 4);
    EXPECT(bench.send().from == 5 && bench.send().from == 9);
}

TEST(what_is_put_off_a_hundred_times_waits_longer_and_loses_nothing) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 4);
    const Instant begun = bench.now;
    for (int i = 0; i < 100; ++i) {
        EXPECT(bench.send().records == 4);
        EXPECT(bench.delivery.put_off(bench.ticket, bench.now, {}));
        bench.now = bench.delivery.due(bench.now);
    }
    EXPECT(bench.now - begun > seconds(3600));
    EXPECT(bench.send().records == 4);
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 4 && bench.letters.count == 0);
}

TEST(a_new_connection_tries_what_was_put_off_at_once) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 8);
    (void)bench.send();
    EXPECT(bench.delivery.put_off(1, bench.now, seconds(300)));
    bench.delivery.end(bench.now);
    bench.delivery.begin(8, 4096, bench.now);
    EXPECT(bench.send().from == 1 && bench.send().records == 0 && bench.delivery.puts_off());
}

TEST(a_record_is_set_aside_once_though_its_gap_is_sent_again) {
    Bench bench({.records_max = 1, .attempts_max = 3});
    bench.delivery.begin(1, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 2);
    for (int i = 0; i < 3; ++i) {
        EXPECT(bench.send().from == 1);
        bench.delivery.refused(bench.ticket, bench.now);
    }
    for (int connection = 0; connection < 3; ++connection) {
        const OutgoingBatch out = bench.send();
        EXPECT(as_text(out.payload).find("rejected") != std::string_view::npos);
        bench.delivery.end(bench.now);
        bench.delivery.begin(1, 4096, bench.now);
    }
    EXPECT(bench.letters.count == 1 && bench.delivery.counters().rejected == 1);
    (void)bench.send();
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 2);
}

TEST(only_the_record_that_fits_into_no_batch_is_set_aside) {
    Bench bench;
    bench.delivery.begin(8, batch_size_min, bench.now);
    bench.append(telemetry, RecordKind::reading, 2);
    bench.append_long();  // seq 3
    bench.append(telemetry, RecordKind::reading, 2);
    for (int i = 0; i < 8; ++i) {
        bench.now = bench.now + seconds(1);
        const OutgoingBatch out = bench.send();
        EXPECT(out.payload.size() <= batch_size_min);
        bench.delivery.acknowledged(bench.ticket, bench.now);
    }
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 5);
    EXPECT(bench.letters.count == 1 && bench.letters.last_seq == 3);
    EXPECT(bench.delivery.counters().confirmed == 4);
}

TEST(a_batch_that_could_not_be_handed_over_is_built_again) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 4);
    OutgoingBatch out;
    EXPECT(bench.delivery.next(bench.now, out) && out.from == 1);
    bench.delivery.not_sent();
    EXPECT(bench.delivery.next(bench.now, out) && out.from == 1 && out.records == 4);
    bench.delivery.not_sent();
}

TEST(fresh_telemetry_overtakes_a_backlog_where_the_sink_asks_for_it) {
    Bench bench({.records_max = 4, .fresh_first = true, .backlog_min = 20});
    bench.append(telemetry, RecordKind::reading, 40);
    bench.delivery.begin(1, 4096, bench.now);
    EXPECT(bench.send().from == 1);
    bench.append(telemetry, RecordKind::reading, 4);  // 41 to 44, while the backlog drains
    bench.delivery.acknowledged(bench.ticket, bench.now);
    const OutgoingBatch fresh = bench.send();
    EXPECT(fresh.from == 41 && fresh.to == 44);
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 4);  // the order of confirmation stays
    for (int i = 0; i < 9; ++i) {
        EXPECT(bench.send().records == 4);
        bench.delivery.acknowledged(bench.ticket, bench.now);
    }
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 44);
    bench.append(telemetry, RecordKind::reading, 4);
    EXPECT(bench.send().from == 45);
}

TEST(wall_time_is_given_to_records_from_before_the_clock_was_set) {
    Bench bench;
    bench.delivery.begin(8, 4096, bench.now);
    bench.append(telemetry, RecordKind::reading, 4);
    OutgoingBatch out;
    EXPECT(bench.delivery.next(bench.now, out));
    EXPECT(as_text(out.payload).find("\"up_ms\":10000") != std::string_view::npos);
    bench.delivery.not_sent();
    bench.outbox.learn_time(1'790'000'005'000, bench.now + seconds(5));
    EXPECT(bench.delivery.next(bench.now, out));
    EXPECT(as_text(out.payload).find("\"time\":1790000000000") != std::string_view::npos);
    bench.delivery.not_sent();
}

TEST(a_batch_goes_as_cbor_where_the_writer_is_of_cbor) {
    struct Counted final : BatchReader {
        std::uint64_t last = 0;
        int records = 0;
        void record(const BatchHead& head, const Record& record, bool) override {
            records += head.gateway == "gw-1" && head.site == "house" ? 1 : 0;
            last = record.id.seq;
        }
        void gap(const Gap&) override {}
    };
    Bench bench;
    std::array<std::uint8_t, 2048> buffer{};
    std::array<BatchEntry, 4> entries{};
    CborBatch writer(buffer, entries);
    Delivery delivery(
        bench.outbox, {.records_max = 3}, {bench.window, bench.record}, writer, bench.letters);
    delivery.identify("gw-1", "house");
    delivery.begin(8, buffer.size(), bench.now);
    bench.append(telemetry, RecordKind::reading, 3);
    OutgoingBatch out;
    EXPECT(delivery.next(bench.now, out) && out.records == 3);
    Counted counted;
    EXPECT(read_batch(out.payload, counted).has_value());
    EXPECT(counted.records == 3 && counted.last == 3);
}

TEST(a_batch_ends_where_the_kind_of_its_records_changes) {
    Bench bench({.records_max = 100});
    bench.append(telemetry, RecordKind::reading, 2);
    bench.append(telemetry, RecordKind::fault, 3);
    bench.append(telemetry, RecordKind::reading, 1);
    bench.delivery.begin(8, 4096, bench.now);
    OutgoingBatch out = bench.send();
    EXPECT(out.from == 1 && out.to == 2 && out.kind == RecordKind::reading);
    out = bench.send();
    EXPECT(out.from == 3 && out.to == 5 && out.kind == RecordKind::fault);
    out = bench.send();
    EXPECT(out.from == 6 && out.to == 6 && out.kind == RecordKind::reading);
    EXPECT(bench.send().records == 0);
}

TEST(a_record_that_cannot_be_decoded_is_told_as_damaged_and_blocks_nobody) {
    Bench bench({.records_max = 100});
    bench.append(telemetry, RecordKind::reading, 1);
    constexpr std::array<std::uint8_t, 3> rubbish{0xFF, 0x00, 0xFF};
    EXPECT(bench.outbox.append(telemetry, RecordKind::reading, rubbish, bench.now).has_value());
    bench.append(telemetry, RecordKind::reading, 1);
    bench.delivery.begin(8, 4096, bench.now);
    const OutgoingBatch out = bench.send();
    EXPECT(out.from == 1 && out.to == 3 && out.records == 2);
    EXPECT(as_text(out.payload).find("{\"from\":2,\"to\":2,\"reason\":\"damaged\"}") !=
           std::string_view::npos);
    bench.delivery.acknowledged(bench.ticket, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 3);
    EXPECT(bench.delivery.counters().undecodable == 1 && bench.letters.count == 0);
}

TEST(an_answer_that_nobody_waits_for_changes_nothing) {
    Bench bench;
    bench.append(telemetry, RecordKind::reading, 8);
    bench.delivery.begin(8, 4096, bench.now);
    EXPECT(bench.send().to == 4 && bench.send().to == 8);
    bench.delivery.acknowledged(99, bench.now);
    bench.delivery.refused(99, bench.now);
    EXPECT(!bench.delivery.put_off(99, bench.now, {}));
    EXPECT(bench.delivery.under_way() == 2 && bench.outbox.confirmed_to(0, telemetry) == 0);
    bench.delivery.acknowledged(2, bench.now);
    bench.delivery.acknowledged(2, bench.now);  // twice
    EXPECT(bench.delivery.under_way() == 2 && bench.outbox.confirmed_to(0, telemetry) == 0);
    bench.delivery.acknowledged(1, bench.now);
    EXPECT(bench.delivery.under_way() == 0 && bench.outbox.confirmed_to(0, telemetry) == 8);
    EXPECT(bench.delivery.counters().requeued == 0 && bench.delivery.counters().confirmed == 8);
}

TEST(a_refusal_sends_again_what_was_behind_it_in_its_lane_and_nothing_else) {
    Bench bench;
    bench.append(telemetry, RecordKind::reading, 12);
    bench.append(RecordClass::alarm, RecordKind::fault, 1);
    bench.delivery.begin(8, 4096, bench.now);
    EXPECT(bench.send().record_class == RecordClass::alarm);
    EXPECT(bench.send().to == 4 && bench.send().to == 8 && bench.send().to == 12);
    bench.delivery.refused(3, bench.now);  // readings 5 to 8
    EXPECT(bench.delivery.under_way() == 2 && bench.delivery.counters().requeued == 2);
    bench.delivery.acknowledged(1, bench.now);
    bench.delivery.acknowledged(2, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, RecordClass::alarm) == 1);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 4);
    const OutgoingBatch alone = bench.send();
    EXPECT(alone.from == 5 && alone.to == 5);
}

TEST(gaps_that_the_sink_refuses_are_put_off_and_told_later) {
    OutboxSettings settings = Bench::settings();
    settings.classes[3].ttl_s = 1;
    Bench bench({.records_max = 4}, settings);
    bench.append(telemetry, RecordKind::reading, 3);
    bench.now = bench.now + seconds(2);
    bench.delivery.begin(8, 4096, bench.now);
    OutgoingBatch out;
    EXPECT(bench.delivery.next(bench.now, out) && out.records == 0 && out.to == 3);
    bench.delivery.sent(7);
    bench.delivery.refused(7, bench.now);
    EXPECT(bench.delivery.puts_off() && bench.outbox.confirmed_to(0, telemetry) == 0);
    bench.now = bench.delivery.due(bench.now);
    EXPECT(bench.delivery.next(bench.now, out) && out.from == 1 && out.to == 3);
    bench.delivery.sent(8);
    bench.delivery.acknowledged(8, bench.now);
    EXPECT(bench.outbox.confirmed_to(0, telemetry) == 3 && bench.letters.count == 0);
}
