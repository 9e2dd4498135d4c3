// SPDX-License-Identifier: Apache-2.0
// Makes a small store for the tests of joulectl: `make_store FOLDER`. Telemetry 1 to 300, of which
// 30 is no CBOR; one alarm; wall time known.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/base/cbor.h"
#include "core/model/event.h"
#include "core/outbox/outbox.h"
#include "sim/storage.h"

using namespace jw;

int main(int argc, char** argv) {
    if (argc != 2) {
        return 2;
    }
    SimStorage storage(SimStorage::Shape::file, 64);
    OutboxSettings settings;
    settings.segment_blocks = 2;
    settings.sink_slots = 1;
    std::array<Segment, 64> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, 1024 + Outbox::record_overhead> record{};
    Outbox outbox(storage, settings, {segments, sinks, clocks, record});
    Instant now;
    const auto answer = [&] {
        while (const auto given = storage.answer()) {
            outbox.synced(given->ticket, given->result, now);
        }
    };
    const std::array<Name, 1> names{Name("broker")};
    bool good = outbox.open(names, 42, now).has_value();
    answer();
    outbox.learn_time(1'790'000'000'000, now);
    for (int i = 1; i <= 300; ++i) {
        now = now + seconds(1);
        Reading reading;
        reading.device = "grid";
        reading.values.put(Quantity::power_w, 0, i);
        std::array<std::uint8_t, 1024> payload{};
        Writer out(payload);
        if (i == 30) {
            out.put(std::string_view("no CBOR at all"));
        } else {
            to_cbor(reading, out);
        }
        good =
            good && outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), now);
    }
    Fault fault;
    fault.source = "grid";
    std::array<std::uint8_t, 256> payload{};
    Writer out(payload);
    to_cbor(fault, out);
    good = good && outbox.append(RecordClass::alarm, RecordKind::fault, out.written(), now);
    outbox.flush(now);
    answer();
    (void)outbox.step(now + seconds(60));
    answer();
    std::ofstream file(std::filesystem::path(argv[1]) / "outbox.store", std::ios::binary);
    file.write(reinterpret_cast<const char*>(storage.bytes().data()),
               static_cast<std::streamsize>(storage.bytes().size()));
    return good && file.good() ? 0 : 1;
}
