// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/model/event.h"
#include "core/sink/batch.h"
#include "core/sink/mqtt.h"

using namespace jw;

namespace {

struct Payload {
    std::array<std::uint8_t, 256> bytes{};
    std::size_t size = 0;
    explicit Payload(std::int64_t power_w, const char* device = "grid") {
        Reading reading;
        reading.device = device;
        reading.values.put(Quantity::power_w, 0, power_w);
        reading.values.put(Quantity::energy_import_wh, 1, 12'345'678);
        Writer out(bytes);
        to_cbor(reading, out);
        size = out.size();
    }
    Record record(std::uint64_t seq, BootTime time = {3, 5000}) {
        return {{0xABCDEF, RecordClass::telemetry, seq},
                RecordKind::reading,
                time,
                0,
                Bytes(bytes).first(size)};
    }
};

constexpr BatchHead head{"gw-1", "house", 0xABCDEF, RecordClass::telemetry, RecordKind::reading};

struct Collected : BatchReader {
    std::size_t records = 0;
    std::uint64_t last_seq = 0;
    std::int64_t last_time = 0;
    std::int64_t power_sum = 0;
    bool wall = false;
    std::size_t gaps = 0;
    Gap last_gap;
    void record(const BatchHead& h, const Record& r, bool has_wall_time) override {
        EXPECT(h.gateway == "gw-1" && h.epoch == 0xABCDEF);
        Reading reading;
        Reader in(r.payload);
        EXPECT(from_cbor(in, reading).has_value());
        power_sum += reading.values.find(Quantity::power_w)->number;
        ++records;
        last_seq = r.id.seq;
        last_time = r.time.up_ms;
        wall = has_wall_time;
    }
    void gap(const Gap& g) override {
        ++gaps;
        last_gap = g;
    }
};

}  // namespace

TEST(a_json_batch_has_the_shape_of_the_design) {
    std::array<char, 2048> buffer{};
    JsonBatch batch(buffer);
    batch.begin(head);
    Payload payload(-1520);
    EXPECT(*batch.add(payload.record(1842), 1'790'000'000'123));
    EXPECT(*batch.add(payload.record(1843), std::nullopt));
    EXPECT(batch.add(Gap{0xABCDEF, RecordClass::telemetry, 1840, 1841, GapReason::expired}));
    EXPECT(as_text(batch.end()) ==
           "{\"v\":1,\"gateway\":\"gw-1\",\"site\":\"house\",\"epoch\":\"0000000000abcdef\","
           "\"class\":3,\"readings\":[{\"seq\":1842,\"time\":1790000000123,\"device\":\"grid\","
           "\"power_w\":-1520,\"energy_import_t1_wh\":12345678},{\"seq\":1843,\"boot\":3,"
           "\"up_ms\":5000,\"device\":\"grid\",\"power_w\":-1520,"
           "\"energy_import_t1_wh\":12345678}],"
           "\"gaps\":[{\"from\":1840,\"to\":1841,\"reason\":\"expired\"}]}");
}

TEST(a_json_batch_that_is_full_says_so_and_stays_whole) {
    std::array<char, 1400> buffer{};
    JsonBatch batch(buffer);
    batch.begin(head);
    Payload payload(7);
    std::uint64_t seq = 1;
    while (*batch.add(payload.record(seq), 5)) {
        ++seq;
    }
    EXPECT(seq > 2);
    for (std::size_t i = 0; i < gaps_per_batch_max; ++i) {
        EXPECT(batch.add(
            Gap{UINT64_MAX, RecordClass::telemetry, UINT64_MAX, UINT64_MAX, GapReason::rejected}));
    }
    EXPECT(!batch.add(Gap{}));
    const std::string_view text = as_text(batch.end());
    EXPECT(text.ends_with("]}") && batch.records() == seq - 1);
}

TEST(a_payload_that_cannot_be_decoded_is_refused_and_leaves_the_batch_as_it_was) {
    std::array<char, 2048> buffer{};
    JsonBatch batch(buffer);
    batch.begin(head);
    const std::array<std::uint8_t, 2> rubbish{0xFF, 0x00};
    Payload payload(1);
    Record bad = payload.record(9);
    bad.payload = rubbish;
    const std::size_t before = batch.size();
    EXPECT(batch.add(bad, 1).code() == Code::malformed);
    EXPECT(batch.size() == before && batch.empty());
}

TEST(a_cbor_batch_round_trips_with_seqs_times_and_gaps) {
    std::array<std::uint8_t, 2048> buffer{};
    std::array<BatchEntry, 8> entries{};
    CborBatch batch(buffer, entries);
    batch.begin(head);
    for (int i = 0; i < 5; ++i) {
        Payload payload(100 * i);
        EXPECT(*batch.add(payload.record(10 + static_cast<std::uint64_t>(i) * 2),
                          1'000'000 + i * 1000));
    }
    EXPECT(batch.add(Gap{0xABCDEF, RecordClass::telemetry, 1, 9, GapReason::dropped}));
    const Bytes bytes = batch.end();
    Collected collected;
    EXPECT(read_batch(bytes, collected).has_value());
    EXPECT(collected.records == 5 && collected.last_seq == 18 && collected.last_time == 1'004'000);
    EXPECT(collected.power_sum == 1000 && collected.wall);
    EXPECT(collected.gaps == 1 && collected.last_gap.to == 9);
}

TEST(a_cbor_batch_without_wall_time_holds_one_boot_only) {
    std::array<std::uint8_t, 2048> buffer{};
    std::array<BatchEntry, 4> entries{};
    CborBatch batch(buffer, entries);
    batch.begin(head);
    Payload payload(1);
    EXPECT(*batch.add(payload.record(1, {3, 100}), std::nullopt));
    EXPECT(!*batch.add(payload.record(2, {4, 50}), std::nullopt));
    EXPECT(!*batch.add(payload.record(2, {3, 150}), 1'000));
    EXPECT(*batch.add(payload.record(2, {3, 150}), std::nullopt));
    const Bytes bytes = batch.end();
    Collected collected;
    EXPECT(read_batch(bytes, collected).has_value());
    EXPECT(collected.records == 2 && !collected.wall && collected.last_time == 150);
}

TEST(a_batch_keeps_to_the_limit_and_takes_the_longest_payload_within_it) {
    constexpr std::size_t limit = 2048;
    static std::array<std::uint8_t, 4096> buffer{};
    static std::array<char, 4096> text{};
    static std::array<BatchEntry, 200> entries{};
    CborBatch cbor(buffer, entries);
    JsonBatch json(text);
    cbor.limit(limit);
    json.limit(limit);
    cbor.begin(head);
    json.begin(head);
    std::array<std::uint8_t, limits::record_payload_max> payload{};
    Payload small(5);
    Record longest = small.record(1);
    longest.payload = payload;
    EXPECT(*cbor.add(longest, INT64_MAX));
    std::uint64_t seq = 2;
    while (*cbor.add(small.record(seq), 1'790'000'000'000)) {
        ++seq;
    }
    while (*json.add(small.record(seq), 1'790'000'000'000)) {
        ++seq;
    }
    for (std::size_t i = 0; i < gaps_per_batch_max; ++i) {
        const Gap gap{
            UINT64_MAX, RecordClass::telemetry, UINT64_MAX, UINT64_MAX, GapReason::rejected};
        EXPECT(cbor.add(gap) && json.add(gap));
    }
    EXPECT(cbor.end().size() <= limit && json.end().size() <= limit);
    cbor.limit(buffer.size());
    cbor.begin(head);
    std::size_t more = 0;
    while (*cbor.add(small.record(more + 1), 1)) {
        ++more;
    }
    EXPECT(more > seq);
}

TEST(every_truncation_of_a_cbor_batch_is_refused) {
    std::array<std::uint8_t, 1024> buffer{};
    std::array<BatchEntry, 4> entries{};
    CborBatch batch(buffer, entries);
    batch.begin(head);
    Payload payload(1);
    EXPECT(*batch.add(payload.record(1), 5));
    EXPECT(*batch.add(payload.record(2), 6));
    const Bytes bytes = batch.end();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        Collected collected;
        EXPECT(!read_batch(bytes.first(size), collected));
    }
}

TEST(topics_follow_the_design_and_give_back_the_id_of_a_command) {
    EXPECT(mqtt::batch_topic("gw-1", RecordKind::fault) == "jouleway/v1/gw-1/faults");
    EXPECT(mqtt::commands_filter("gw-1") == "jouleway/v1/gw-1/commands/+");
    EXPECT(mqtt::command_id("gw-1", "jouleway/v1/gw-1/commands/a-7") == "a-7");
    EXPECT(!mqtt::command_id("gw-1", "jouleway/v1/gw-12/commands/a-7"));
    EXPECT(!mqtt::command_id("gw-1", "jouleway/v1/gw-1/commands/"));
}
