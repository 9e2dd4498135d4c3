// SPDX-License-Identifier: Apache-2.0
// What becomes of a CBOR batch whose bytes were changed on their way.
#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/sink/batch.h"

using namespace jw;

namespace {

/// Holds what it is given against what any batch must keep.
struct Judge : BatchReader {
    explicit Judge(Bytes all) : bytes(all) {}
    void record(const BatchHead& head, const Record& record, bool) override {
        inside = inside && record.payload.data() >= bytes.data() &&
                 record.payload.data() + record.payload.size() <= bytes.data() + bytes.size();
        rising = rising && record.id.seq > last && !head.gateway.empty();
        last = record.id.seq;
        ++records;
    }
    void gap(const Gap& gap) override { rising = rising && gap.from <= gap.to; }

    Bytes bytes;
    std::uint64_t last = 0;
    std::size_t records = 0;
    bool inside = true;
    bool rising = true;
};

struct Batch {
    std::array<std::uint8_t, 1024> buffer{};
    Bytes bytes;

    explicit Batch(std::optional<std::int64_t> unix_ms) {
        std::array<std::uint8_t, 64> payload{};
        Writer out(payload);
        Reading reading;
        reading.device = "grid";
        reading.values.put(Quantity::power_w, 0, -1520);
        to_cbor(reading, out);
        std::array<BatchEntry, 4> entries{};
        CborBatch batch(buffer, entries);
        batch.begin({"gw-1", "house", 7, RecordClass::telemetry, RecordKind::reading});
        for (std::uint64_t seq = 5; seq < 7; ++seq) {
            const Record record{
                {7, RecordClass::telemetry, seq}, RecordKind::reading, {3, 50}, 0, out.written()};
            EXPECT(*batch.add(record, unix_ms));
        }
        EXPECT(batch.add(Gap{7, RecordClass::telemetry, 3, 4, GapReason::expired}));
        bytes = batch.end();
    }
};

void spoil(Batch batch) {
    Judge whole(batch.bytes);
    EXPECT(read_batch(batch.bytes, whole).has_value() && whole.records == 2);
    std::size_t refused = 0;
    bool holds = true;
    const std::size_t size = batch.bytes.size();
    for (std::size_t at = 0; at < size; ++at) {
        const std::uint8_t right = batch.buffer[at];
        for (unsigned wrong = 0; wrong < 256; ++wrong) {
            batch.buffer[at] = static_cast<std::uint8_t>(wrong);
            const Bytes bytes = Bytes(batch.buffer).first(size);
            Judge judge(bytes);
            refused += read_batch(bytes, judge) ? 0 : 1;
            holds = holds && judge.inside && judge.rising && judge.records <= 2;
        }
        batch.buffer[at] = right;
    }
    EXPECT(holds);
    EXPECT(refused > size);
}

Code code_of(std::initializer_list<std::uint8_t> bytes) {
    const Bytes view(bytes.begin(), bytes.size());
    Judge judge(view);
    return read_batch(view, judge).code();
}

}  // namespace

TEST(a_batch_with_any_byte_changed_is_refused_or_stays_within_its_bytes) {
    spoil(Batch(1'790'000'000'123));
}

TEST(a_batch_without_wall_time_with_any_byte_changed_is_refused_or_stays_within_its_bytes) {
    spoil(Batch(std::nullopt));
}

TEST(a_batch_of_another_version_without_gateway_or_with_wrong_counts_is_refused) {
    EXPECT(code_of({0xA2, 0x01, 0x01, 0x02, 0x61, 'g'}) == Code::ok);
    EXPECT(code_of({0xA2, 0x01, 0x02, 0x02, 0x61, 'g'}) == Code::unsupported);
    EXPECT(code_of({0xA1, 0x01, 0x01}) == Code::malformed);             // no gateway
    EXPECT(code_of({0xA1, 0x02, 0x61, 'g', 0x00}) == Code::malformed);  // bytes behind the end
    EXPECT(code_of({0x81, 0x01}) == Code::malformed);                   // no map
    EXPECT(code_of({0xA2, 0x02, 0x61, 'g', 0x02}) == Code::malformed);  // an id twice
    EXPECT(code_of({0xA2, 0x02, 0x61, 'g', 0x04, 0x41, 0x00}) == Code::malformed);  // short epoch
    EXPECT(code_of({0xA2, 0x02, 0x61, 'g', 0x0B, 0x82, 0x01, 0x02}) == Code::malformed);
    EXPECT(code_of({0xA2, 0x02, 0x61, 'g', 0x0B, 0x83, 0x02, 0x01, 0x00}) == Code::out_of_range);
    EXPECT(code_of({0xA2, 0x02, 0x61, 'g', 0x07, 0x9A, 0xFF, 0, 0, 0}) == Code::truncated);
    EXPECT(code_of({0xA3, 0x02, 0x61, 'g', 0x07, 0x81, 0x01, 0x09, 0x82, 1, 1}) == Code::malformed);
}

TEST(a_batch_takes_as_many_gaps_as_it_has_room_for) {
    std::array<std::uint8_t, 1024> buffer{};
    std::array<BatchEntry, 1> entries{};
    CborBatch cbor(buffer, entries);
    cbor.begin({"gw-1", "", 7, RecordClass::alarm, RecordKind::event});
    std::array<char, 2048> text{};
    JsonBatch json(text);
    json.begin({"gw-1", "", 7, RecordClass::alarm, RecordKind::event});
    EXPECT(cbor.empty() && json.empty());
    for (std::uint64_t i = 0; i < gaps_per_batch_max; ++i) {
        const Gap gap{7, RecordClass::alarm, 2 * i + 1, 2 * i + 1, GapReason::rejected};
        EXPECT(cbor.add(gap) && json.add(gap));
    }
    EXPECT(!cbor.add(Gap{}) && !json.add(Gap{}));
    EXPECT(!cbor.empty() && cbor.records() == 0 && !cbor.end().empty());
    EXPECT(as_text(json.end()).find("\"site\"") == std::string_view::npos);
}
