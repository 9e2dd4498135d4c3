// SPDX-License-Identifier: Apache-2.0
#include "bench/joulebench/backlog.h"

#include <unistd.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "bench/joulebench/gateway.h"
#include "bench/joulebench/net.h"
#include "core/base/cbor.h"
#include "core/outbox/outbox.h"
#include "host/file_storage.h"

namespace jw::bench {
namespace {

constexpr std::uint64_t devices = 10;
constexpr Duration distance = milliseconds(100);  // of two readings

/// A reading that is some 200 bytes of JSON.
Reading reading_of(std::uint64_t number, std::uint32_t& random) {
    random = random * 1664525U + 1013904223U;
    const auto noise = static_cast<std::int64_t>(random >> 16);
    const auto count = static_cast<std::int64_t>(number);
    Reading reading;
    reading.device = "meter-" + std::to_string(number % devices);
    reading.values.put(Quantity::power_w, 0, noise % 11'000 - 4000);
    reading.values.put(Quantity::voltage_mv, 0, 228'000 + noise % 5000);
    reading.values.put(Quantity::current_ma, 0, noise % 32'000);
    reading.values.put(Quantity::frequency_mhz, 0, 49'950 + noise % 100);
    reading.values.put(Quantity::energy_import_wh, 0, 12'345'678 + count / 40);
    reading.values.put(Quantity::energy_export_wh, 0, 4'567'890 + count / 90);
    return reading;
}

void require(bool good, const char* what) {
    if (!good) {
        throw std::runtime_error(std::string("the backlog cannot be written: ") + what);
    }
}

}  // namespace

void write_backlog(const std::string& folder, std::uint64_t readings, unsigned size_mb) {
    Outbox* answers = nullptr;
    Instant time;
    FileStorageSettings file;
    file.directory = folder;
    file.bytes_max = std::uint64_t{size_mb} << 20;
    file.queue_bytes_max = 64U << 20;
    file.sync_file = [](int) { return 0; };  // the disk is asked once, at the end
    FileStorage storage(nullptr, file, [&](SyncTicket ticket, Status result) {
        answers->synced(ticket, result, time);
    });
    require(storage.open().has_value(), "its file");
    OutboxSettings settings;
    settings.classes[static_cast<std::size_t>(RecordClass::telemetry)].commit = seconds(600);
    std::vector<Segment> segments(Outbox::segments_needed(storage, settings));
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 16> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> record{};
    Outbox outbox(storage, settings, {segments, sinks, clocks, record});
    answers = &outbox;
    const std::array names{Name(sink_name)};
    require(outbox.open(names, static_cast<std::uint64_t>(unix_us()), time).has_value(),
            "the store");
    const Duration day = distance * static_cast<std::int64_t>(readings);
    outbox.learn_time((unix_us() - day.us) / 1000 - 60'000, time);
    std::uint32_t random = 1;
    for (std::uint64_t i = 0; i < readings; ++i) {
        time = time + distance;
        std::array<std::uint8_t, limits::record_payload_max> payload{};
        Writer out(payload);
        to_cbor(reading_of(i, random), out);
        const auto id =
            outbox.append(RecordClass::telemetry, RecordKind::reading, out.written(), time);
        require(id.has_value(), "a record");
        (void)outbox.step(time);
    }
    outbox.flush(time);
    require(outbox.accepted_to(RecordClass::telemetry) == readings, "its end");
    sync();
}

}  // namespace jw::bench
