// SPDX-License-Identifier: Apache-2.0
#include "core/device/node/node.h"

#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"

using namespace jw;

namespace {

struct Heard : DeviceOut {
    std::array<std::int64_t, 16> powers{};
    std::array<Instant, 16> taken{};
    std::size_t stored = 0;
    std::uint64_t on_medium = 0;
    bool full = false;
    int failures = 0;
    void reading(const Reading& r, Instant) override { EXPECT(r.device == "shed"); }
    void identified(const DeviceInfo&, Instant) override {}
    void failed(Error, Instant) override { ++failures; }
    void acted(ResultCode, std::optional<std::int64_t>, Instant) override {}
    Result<std::uint64_t> store(const Reading& r, Instant at) override {
        if (full) {
            return JW_FAIL(full);
        }
        powers[stored] = r.values.find(Quantity::power_w)->number;
        taken[stored] = at;
        return ++stored;
    }
    [[nodiscard]] std::uint64_t stored_to() const override { return on_medium; }
};

struct Wire : Bus {
    std::array<std::uint8_t, 256> bytes{};
    std::size_t size = 0;
    Status send(Bytes out) override {
        std::copy(out.begin(), out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        size += out.size();
        return done;
    }
    /// The seq of the one acknowledgement sent since the last call; 0: none.
    std::uint64_t acknowledged() {
        std::array<std::uint8_t, 64> buffer{};
        node_link::Receiver receiver(buffer);
        std::uint64_t seq = 0;
        for (std::size_t i = 0; i < size; ++i) {
            if (auto frame = receiver.take(bytes[i])) {
                seq = node_link::decode_acknowledge(frame->body)->seq;
            }
        }
        size = 0;
        return seq;
    }
};

struct Bench {
    Heard heard;
    Wire wire;
    std::array<std::uint8_t, 1024> buffer{};
    node::NodeDevice device;
    Bench() : device(settings(), heard, buffer) {
        device.use_bus(wire);
        device.connected(Instant{} + seconds(100));
    }
    static DeviceSettings settings() {
        DeviceSettings s;
        s.name = "shed";
        return s;
    }
    /// A batch of two records (seq, seq + 1) of powers 10·seq, taken 5 s and 4 s before sending.
    void send(std::uint64_t seq,
              std::uint64_t epoch = 7,
              std::uint32_t boot_now = 2,
              std::uint64_t up_ms = 10'000,
              std::int64_t taken_ms = 5000) {
        // {1: 1, 2: "n", 4: h'epoch', 5: 3, 6: 0, 7: [seq, 1], 8: 2, 9: [5000, 1000], 10: […]}
        std::array<std::uint8_t, 256> body{};
        Writer out(body);
        out.u32_be(boot_now).u64_be(up_ms);
        cbor::put_head(out, cbor::Major::map, 9);
        out.u8(1).u8(1).u8(2);
        cbor::put_text(out, "n");
        out.u8(4).u8(0x48).u64_be(epoch).u8(5).u8(3).u8(6).u8(0).u8(7).u8(0x82);
        cbor::put_head(out, cbor::Major::number, seq);
        out.u8(1).u8(8).u8(2).u8(9).u8(0x82);
        cbor::put_int(out, taken_ms);
        cbor::put_int(out, 1000);
        out.u8(10).u8(0x82);
        for (std::uint64_t i = seq; i <= seq + 1; ++i) {
            Reading reading;
            reading.device = "demo";
            reading.values.put(Quantity::power_w, 0, static_cast<std::int64_t>(10 * i));
            to_cbor(reading, out);
        }
        std::array<std::uint8_t, 512> frame{};
        Writer framed(frame);
        EXPECT(node_link::encode(node_link::FrameType::batch, {}, out.written(), framed));
        device.received(framed.written(), Instant{} + seconds(100));
    }
};

}  // namespace

TEST(a_batch_is_acknowledged_only_when_our_medium_has_it) {
    Bench bench;
    bench.send(1);
    EXPECT(bench.heard.stored == 2 && bench.heard.powers[1] == 20);
    EXPECT(bench.heard.taken[0] == Instant{} + seconds(95));
    (void)bench.device.step(Instant{} + seconds(100));
    EXPECT(bench.wire.acknowledged() == 0);
    bench.heard.on_medium = 2;
    (void)bench.device.step(Instant{} + seconds(101));
    EXPECT(bench.wire.acknowledged() == 2);
    (void)bench.device.step(Instant{} + seconds(102));
    EXPECT(bench.wire.acknowledged() == 0);
}

TEST(a_node_that_never_spoke_is_silent) {
    Bench bench;
    EXPECT(bench.device.step(Instant{} + seconds(100)) > Instant{} + seconds(100));
    EXPECT(bench.heard.failures == 0);
    (void)bench.device.step(Instant{} + seconds(200));
    EXPECT(bench.heard.failures == 1);
}

TEST(a_record_of_an_earlier_boot_counts_as_taken_on_arrival) {
    Bench bench;
    bench.send(1, 7, 3);  // the records are of boot 2
    EXPECT(bench.heard.stored == 2 && bench.heard.taken[0] == Instant{} + seconds(100));
}

TEST(a_repeated_batch_is_acknowledged_again_and_not_stored_again) {
    Bench bench;
    bench.send(1);
    bench.heard.on_medium = 2;
    (void)bench.device.step(Instant{} + seconds(101));
    EXPECT(bench.wire.acknowledged() == 2);
    bench.send(1);
    EXPECT(bench.heard.stored == 2 && bench.device.counters().repeated == 2);
    (void)bench.device.step(Instant{} + seconds(102));
    EXPECT(bench.wire.acknowledged() == 2);
    bench.send(1, 8);  // another epoch: other records
    EXPECT(bench.heard.stored == 4);
}

TEST(a_batch_repeated_after_a_lost_connection_still_waits_for_our_medium) {
    Bench bench;
    bench.send(1);
    bench.device.disconnected(Instant{} + seconds(100));
    bench.device.connected(Instant{} + seconds(100));
    bench.send(1);
    (void)bench.device.step(Instant{} + seconds(101));
    EXPECT(bench.heard.stored == 2 && bench.wire.acknowledged() == 0);
    bench.heard.on_medium = 2;
    (void)bench.device.step(Instant{} + seconds(102));
    EXPECT(bench.wire.acknowledged() == 2);
}

TEST(a_batch_that_cannot_be_stored_whole_is_not_acknowledged) {
    Bench bench;
    bench.heard.full = true;
    bench.send(1);
    bench.heard.on_medium = 99;
    (void)bench.device.step(Instant{} + seconds(101));
    EXPECT(bench.wire.acknowledged() == 0 && bench.heard.stored == 0);
    bench.heard.full = false;
    bench.send(1);
    (void)bench.device.step(Instant{} + seconds(102));
    EXPECT(bench.heard.stored == 2 && bench.wire.acknowledged() == 2);
}

TEST(a_silent_node_is_reported_after_its_time) {
    Bench bench;
    (void)bench.device.step(Instant{} + seconds(109));
    EXPECT(bench.heard.failures == 0);
    (void)bench.device.step(Instant{} + seconds(111));
    EXPECT(bench.heard.failures == 1);
}

TEST(times_of_a_node_that_are_none_count_as_taken_on_arrival) {
    for (const std::uint64_t up_ms : {UINT64_MAX, std::uint64_t{1} << 63, std::uint64_t{4000}}) {
        Bench bench;
        bench.send(1, 7, 2, up_ms);
        EXPECT(bench.heard.stored == 2 && bench.heard.taken[0] == Instant{} + seconds(100));
    }
    Bench bench;
    bench.send(1, 7, 2, INT64_MAX, INT64_MIN + 1);
    EXPECT(bench.heard.stored == 2 && bench.heard.taken[0] == Instant{} + seconds(100));
}

TEST(a_record_older_than_our_boot_counts_as_taken_at_its_begin) {
    Bench bench;
    bench.send(1, 7, 2, INT64_MAX);
    EXPECT(bench.heard.stored == 2 && bench.heard.taken[0] == Instant{});
}
