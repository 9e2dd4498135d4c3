// SPDX-License-Identifier: Apache-2.0
#include "core/task/node_uplink.h"

#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/model/batch.h"
#include "core/model/event.h"
#include "core/task/ram_storage.h"

using namespace jw;

namespace {

test::RamStorage<64> storage;  // one at a time: too large for a stack

/// What came over the wire since the last look.
struct Wire : Bus, BatchReader {
    std::array<std::uint8_t, 1024> buffer{};
    node_link::Receiver receiver{buffer};
    int frames = 0;
    int records = 0;
    std::uint32_t boot = 0;
    RecordId last;
    bool down = false;

    Status send(Bytes bytes) override {
        if (down) {
            return JW_FAIL(not_found);
        }
        for (const std::uint8_t byte : bytes) {
            if (const auto frame = receiver.take(byte)) {
                ++frames;
                Reader in(frame->body);
                boot = in.u32_be();
                (void)in.u64_be();
                EXPECT(read_batch(in.rest(), *this).has_value());
            }
        }
        return done;
    }
    void record(const BatchHead& /*head*/, const Record& record, bool /*has_wall_time*/) override {
        ++records;
        last = record.id;
    }
    void gap(const Gap& /*gap*/) override {}
};

struct Bench {
    std::array<Segment, 32> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 1> clocks{};
    std::array<std::uint8_t, 256> scratch{};
    Outbox outbox{storage, settings(), {segments, sinks, clocks, scratch}};
    Wire wire;
    std::array<std::uint8_t, 900> batch{};
    std::array<BatchEntry, 8> entries{};
    std::array<std::uint8_t, 256> record{};
    std::array<std::uint8_t, 32> receive{};
    NodeUplink uplink{outbox, wire, "node-1", {batch, entries, record, receive}};
    Instant now = Instant{} + seconds(1);

    static OutboxSettings settings() {
        OutboxSettings settings;
        settings.segment_blocks = 2;
        settings.sink_slots = 1;
        for (ClassSettings& each : settings.classes) {
            each.commit = {};
        }
        return settings;
    }
    Bench() {
        storage = {};
        const Name sink = "gateway";
        EXPECT(outbox.open({&sink, 1}, 0x1234'5678'9ABC'DEF0, now).has_value());
        answer();
    }
    void answer() {
        SyncTicket ticket = 0;
        (void)outbox.step(now);
        while (storage.take(ticket)) {
            outbox.synced(ticket, done, now);
        }
    }
    void append(int count) {
        for (int i = 0; i < count; ++i) {
            Reading reading;
            reading.device = "meter";
            reading.values.put(Quantity::power_w, 0, i);
            std::array<std::uint8_t, 64> payload{};
            Writer out(payload);
            to_cbor(reading, out);
            EXPECT(outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now)
                       .has_value());
        }
        answer();
    }
    void acknowledge(std::uint64_t epoch, std::uint64_t seq) {
        std::array<std::uint8_t, 64> bytes{};
        Writer out(bytes);
        EXPECT(node_link::encode(node_link::Acknowledge{epoch, 3, seq}, out).has_value());
        uplink.received(out.written(), now);
    }
    void step(Duration later = milliseconds(1)) {
        now = now + later;
        (void)uplink.step(now);
    }
};

}  // namespace

TEST(a_node_sends_what_is_on_its_flash_and_goes_on_when_it_is_acknowledged) {
    Bench bench;
    bench.append(10);
    bench.step();
    EXPECT(bench.wire.frames == 1 && bench.wire.records == 8 && bench.wire.last.seq == 8);
    EXPECT(bench.wire.boot == bench.outbox.boot());
    bench.step();
    EXPECT(bench.wire.frames == 1);  // one batch under way at a time
    bench.acknowledge(bench.outbox.epoch(), 8);
    EXPECT(bench.uplink.confirmed() == 8);
    bench.step();
    EXPECT(bench.wire.frames == 2 && bench.wire.records == 10);
}

TEST(a_batch_that_is_not_acknowledged_is_sent_again_after_two_seconds) {
    Bench bench;
    bench.append(2);
    bench.step();
    bench.step(milliseconds(1999));
    EXPECT(bench.wire.frames == 1);
    bench.step();
    EXPECT(bench.wire.frames == 2 && bench.wire.last.seq == 2 && bench.wire.records == 4);
}

TEST(an_acknowledgement_of_something_else_releases_nothing) {
    Bench bench;
    bench.append(2);
    bench.step();
    bench.acknowledge(bench.outbox.epoch() + 1, 2);
    bench.acknowledge(bench.outbox.epoch(), 1);
    bench.acknowledge(bench.outbox.epoch(), 3);
    EXPECT(bench.uplink.confirmed() == 0);
    EXPECT(bench.outbox.confirmed_to(0, RecordClass::telemetry) == 0);
}

TEST(a_line_that_is_down_loses_nothing) {
    Bench bench;
    bench.append(1);
    bench.wire.down = true;
    bench.step();
    EXPECT(bench.wire.frames == 0 && bench.uplink.sent() == 0);
    bench.wire.down = false;
    bench.step(seconds(2));
    EXPECT(bench.wire.frames == 1 && bench.wire.last.seq == 1);
}

TEST(a_batch_of_a_node_ends_where_the_kind_of_its_records_changes) {
    Bench bench;
    std::array<std::uint8_t, 64> payload{};
    Writer out(payload);
    to_cbor(Event{"", EventKind::started, "Started."}, out);
    constexpr auto billing = RecordClass::billing;
    EXPECT(bench.outbox.append(billing, RecordKind::event, out.written(), bench.now).has_value());
    EXPECT(bench.outbox.append(billing, RecordKind::event, out.written(), bench.now).has_value());
    EXPECT(bench.outbox.append(billing, RecordKind::reading, out.written(), bench.now).has_value());
    bench.answer();
    bench.step();
    EXPECT(bench.wire.frames == 1 && bench.wire.records == 2 && bench.wire.last.seq == 2);
    EXPECT(bench.wire.last.record_class == billing);
}

TEST(an_acknowledgement_of_another_epoch_class_or_number_releases_nothing) {
    Bench bench;
    bench.append(2);
    bench.step();
    const std::uint64_t epoch = bench.outbox.epoch();
    for (const node_link::Acknowledge& wrong : {node_link::Acknowledge{epoch + 1, 3, 2},
                                                node_link::Acknowledge{epoch, 2, 2},
                                                node_link::Acknowledge{epoch, 3, 1},
                                                node_link::Acknowledge{epoch, 4, 2}}) {
        std::array<std::uint8_t, 64> bytes{};
        Writer out(bytes);
        EXPECT(node_link::encode(wrong, out).has_value());
        bench.uplink.received(out.written(), bench.now);
        EXPECT(bench.uplink.confirmed() == 0);
    }
    // Somebody else's batch on our line is no acknowledgement either.
    std::array<std::uint8_t, 64> bytes{};
    Writer out(bytes);
    EXPECT(node_link::encode(node_link::FrameType::batch, {}, {}, out).has_value());
    bench.uplink.received(out.written(), bench.now);
    EXPECT(bench.uplink.confirmed() == 0);
    bench.acknowledge(epoch, 2);
    EXPECT(bench.uplink.confirmed() == 2);
    bench.acknowledge(epoch, 2);  // said twice
    EXPECT(bench.uplink.confirmed() == 2);
}
