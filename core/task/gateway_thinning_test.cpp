// SPDX-License-Identifier: Apache-2.0
// A store that fills because nobody collects it, and a gateway that therefore keeps less.
#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/task/gateway.h"
#include "core/task/ram_storage.h"

using namespace jw;

namespace {

constexpr Duration poll = seconds(5);
constexpr Duration interval = seconds(10);
constexpr std::size_t values = 40;  // some 200 bytes each reading

test::RamStorage<64> records;
test::RamStorage<4> journal_bytes;
// Too large for a node's stack, like the storages.
alignas(16) std::array<std::byte, 32768> block;
std::array<std::uint8_t, Storage::block_size> buffer;

struct Meter final : Device {
    DeviceOut* out = nullptr;
    Status act(Quantity, std::int64_t, Instant) override { return done; }
    Status poll_now(Instant) override { return done; }
};

constexpr auto capabilities = [] {
    std::array<Capability, values> all{};
    for (std::size_t i = 0; i < values; ++i) {
        all[i].quantity = Quantity::temperature_mc;
        all[i].index = static_cast<std::uint8_t>(i + 1);
    }
    return all;
}();

Device* make_meter(Arena& arena, const DeviceSettings& /*settings*/, DeviceOut& out) {
    Meter& meter = arena.make<Meter>();
    meter.out = &out;
    return &meter;
}

constexpr Driver driver{"meter", LineKind::modbus, sizeof(Meter), capabilities, &make_meter};

struct Scene final : GatewayOut {
    std::array<Segment, 32> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch{};
    std::array<JournalEntry, 8> memory{};
    Arena arena{block};
    Outbox outbox;
    CommandJournal journal;
    Gateway gateway;
    Meter* meter = nullptr;
    Instant now = Instant{} + seconds(10);
    std::uint64_t readings = 0;
    Cursor events;

    static OutboxSettings settings(WhenFull when_full) {
        OutboxSettings s;
        s.segment_blocks = 2;
        s.sink_slots = 1;
        for (ClassSettings& c : s.classes) {
            c.commit = {};
        }
        s.classes[3].when_full = when_full;
        return s;
    }
    explicit Scene(WhenFull when_full = WhenFull::thin_out,
                   bool new_store = true,
                   std::optional<Duration> second = std::nullopt)
        : outbox((new_store ? records.format() : void(), records),
                 settings(when_full),
                 {segments, sinks, clocks, scratch}),
          journal((journal_bytes.format(), journal_bytes), memory),
          gateway(outbox, journal, arena, {.devices = 2, .tasks = 1}, *this) {
        const Name sink = "broker";
        EXPECT(outbox.open({&sink, 1}, 0x1234'5678'9ABC'DEF1, now).has_value());
        EXPECT(journal.open().has_value());
        DeviceSettings device;
        device.name = "boiler";
        device.driver = "meter";
        device.keep = interval;
        meter = static_cast<Meter*>(&gateway.add_device(driver, device, arena));
        if (second) {
            device.name = "tank";
            device.keep = *second;
            (void)gateway.add_device(driver, device, arena);
        }
        events.record_class = RecordClass::billing;
        events.seq = outbox.appended_to(RecordClass::billing) + 1;
        gateway.start("1.0", now);
        step();
    }
    void reading(std::size_t, const Reading&, Instant) override {}
    void identified(std::size_t, const DeviceInfo&, Instant) override {}
    void fault(const Fault&, Instant) override {}
    void breach(const char*, Instant) override { EXPECT(false); }
    void command_begun(const CommandId&, Status) override {}
    void command_finished(const CommandResult&, CommandSource, Instant) override {}

    void step() {
        for (int i = 0; i < 4; ++i) {
            (void)gateway.step(now);
            SyncTicket ticket = 0;
            if (records.take(ticket)) {
                outbox.synced(ticket, done, now);
            }
        }
    }
    /// The device is read once; says whether a record came of it.
    bool read() {
        now = now + poll;
        const std::uint64_t before = outbox.appended_to(RecordClass::telemetry);
        Reading reading;
        reading.device = "boiler";
        for (std::size_t i = 0; i < values; ++i) {
            reading.values.put(Quantity::temperature_mc, static_cast<std::uint8_t>(i + 1), 21'000);
        }
        meter->out->reading(reading, now);
        ++readings;
        const bool kept = outbox.appended_to(RecordClass::telemetry) != before;
        step();
        return kept;
    }
    void collect() {
        for (std::size_t i = 0; i < record_classes; ++i) {
            const auto c = static_cast<RecordClass>(i);
            outbox.confirm(0, c, outbox.accepted_to(c), now);
        }
    }
    /// The number that the next event of this kind tells; 0: there is none.
    std::uint32_t next_told() {
        for (auto item = outbox.next(events, buffer, now); item;
             item = outbox.next(events, buffer, now)) {
            Event event;
            Reader in(item->record->payload);
            EXPECT(from_cbor(in, event).has_value());
            if (event.kind == EventKind::keep_changed) {
                return event.keep_every.value_or(0);
            }
        }
        return 0;
    }
    const ActiveFault* thinned_fault() {
        for (const ActiveFault& active : gateway.faults().active()) {
            if (active.fault.kind == FaultKind::readings_thinned) {
                return &active;
            }
        }
        return nullptr;
    }
    std::uint64_t dropped() { return outbox.counters().dropped[3]; }
    std::uint64_t kept() { return outbox.appended_to(RecordClass::telemetry); }
};

void read_until(Scene& scene, std::uint32_t keep_every) {
    for (int i = 0; i < 20'000 && scene.gateway.keep_every() != keep_every; ++i) {
        (void)scene.read();
    }
    EXPECT(scene.gateway.keep_every() == keep_every);
}

}  // namespace

TEST(while_nobody_collects_records_come_at_doubled_and_doubled_distance) {
    Scene scene;
    for (const std::uint32_t every : {1U, 2U, 4U, 8U, 16U}) {
        read_until(scene, every);
        while (!scene.read()) {
        }
        const Instant first = scene.now;
        while (!scene.read()) {
        }
        EXPECT(scene.now - first == interval * every && scene.gateway.keep_every() == every);
    }
    EXPECT(scene.dropped() == 0);
}

TEST(each_reading_that_is_not_kept_is_counted_and_none_is_dropped_before_the_store_is_full) {
    Scene scene;
    read_until(scene, 16);
    EXPECT(scene.dropped() == 0);
    const std::uint64_t before = scene.kept();
    for (int i = 0; i < 6'000; ++i) {
        (void)scene.read();
    }
    // An interval ends with every second reading; the first one began with a reading.
    const std::uint64_t intervals = (scene.readings - 1) / 2;
    EXPECT(scene.kept() + scene.gateway.thinned() == intervals);
    EXPECT(scene.kept() - before <= 6'000 / 2 / 16 + 1);
    EXPECT(scene.dropped() > 0);  // what did not fit even so
    EXPECT(scene.outbox.counters().rejected[3] == 0);
}

TEST(a_store_that_is_thinned_lasts_three_times_as_long) {
    std::array<std::uint64_t, 2> until_dropped{};
    for (const bool thinned : {false, true}) {
        Scene scene(thinned ? WhenFull::thin_out : WhenFull::drop_oldest);
        while (scene.dropped() == 0) {
            (void)scene.read();
        }
        until_dropped[thinned ? 1 : 0] = scene.readings;
    }
    EXPECT(until_dropped[1] * 10 > until_dropped[0] * 28);
    EXPECT(until_dropped[1] * 10 < until_dropped[0] * 32);
}

TEST(the_spacing_is_told_as_a_fault_while_it_lasts_and_as_an_event_when_it_changes) {
    Scene scene;
    EXPECT(scene.thinned_fault() == nullptr && scene.next_told() == 0);
    read_until(scene, 2);
    EXPECT(scene.thinned_fault()->fault.severity == Severity::notice);
    EXPECT(scene.thinned_fault()->fault.text ==
           "The store is 50 % full, nobody collects it: kept every 20 s instead of every 10 s.");
    EXPECT(scene.next_told() == 2 && scene.next_told() == 0);
    read_until(scene, 16);
    EXPECT(scene.thinned_fault()->fault.text ==
           "The store is 93 % full, nobody collects it: kept every 160 s instead of every 10 s.");
    EXPECT(scene.next_told() == 4 && scene.next_told() == 8 && scene.next_told() == 16);
}

TEST(once_the_store_is_collected_everything_is_kept_again) {
    Scene scene;
    read_until(scene, 8);
    scene.collect();
    (void)scene.read();
    (void)scene.read();
    EXPECT(scene.gateway.keep_every() == 1 && scene.thinned_fault() == nullptr);
    EXPECT(scene.next_told() == 2 && scene.next_told() == 4 && scene.next_told() == 8);
    EXPECT(scene.next_told() == 1 && scene.next_told() == 0);
    const std::uint64_t kept = scene.kept();
    const std::uint64_t thinned = scene.gateway.thinned();
    for (int i = 0; i < 20; ++i) {
        (void)scene.read();
    }
    EXPECT(scene.kept() == kept + 10 && scene.gateway.thinned() == thinned);
}

TEST(a_store_that_is_collected_in_time_is_never_thinned_however_often_it_goes_round) {
    Scene scene;
    for (int i = 0; i < 8'000; ++i) {
        (void)scene.read();
        if (i % 100 == 0) {
            scene.collect();
        }
    }
    EXPECT(scene.outbox.bytes_used() > scene.outbox.bytes_max() / 2);
    EXPECT(scene.gateway.keep_every() == 1 && scene.gateway.thinned() == 0);
    EXPECT(scene.next_told() == 0);
}

TEST(a_class_that_drops_its_oldest_is_never_thinned) {
    Scene scene(WhenFull::drop_oldest);
    while (scene.dropped() == 0) {
        (void)scene.read();
    }
    EXPECT(scene.gateway.keep_every() == 1 && scene.gateway.thinned() == 0);
}

TEST(a_start_that_finds_the_store_full_thins_at_once) {
    {
        Scene before;
        read_until(before, 16);
    }
    Scene scene(WhenFull::thin_out, false);
    EXPECT(scene.gateway.keep_every() == 16 && scene.thinned_fault() != nullptr);
    EXPECT(scene.next_told() == 16);
}

TEST(devices_that_are_kept_differently_are_told_how_many_times_less_often) {
    Scene scene(WhenFull::thin_out, true, seconds(1));
    read_until(scene, 2);
    EXPECT(scene.thinned_fault()->fault.text ==
           "The store is 50 % full, nobody collects it: kept 2 times less often.");
}
