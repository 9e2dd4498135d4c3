// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/backlog.h"

#include <unistd.h>

#include <array>

#include "benches/joulebench/net.h"
#include "benches/report.h"
#include "benches/store.h"
#include "core/base/cbor.h"

namespace jw::bench {
namespace {

constexpr std::uint64_t devices = 10;
constexpr Duration distance = milliseconds(100);  // of two readings
constexpr std::uint64_t readings_per_sync = 4000;

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

}  // namespace

void write_backlog(const std::string& folder, std::uint64_t readings, unsigned size_mb) {
    // The disk is asked once, at the end.
    Store store(nullptr,
                {.folder = folder,
                 .bytes = std::uint64_t{size_mb} << 20,
                 .commit = seconds(86'400),
                 .sync_file = [](int) { return 0; }});
    Outbox& outbox = store.outbox();
    Instant time = now();
    const Duration day = distance * static_cast<std::int64_t>(readings);
    outbox.learn_time((unix_us() - day.us) / 1000 - 60'000, time);
    std::uint32_t random = 1;
    for (std::uint64_t i = 0; i < readings; ++i) {
        time = time + distance;
        std::array<std::uint8_t, limits::record_payload_max> payload{};
        Writer out(payload);
        to_cbor(reading_of(i, random), out);
        if (!store.append(out.written(), time)) {
            give_up("the store has no room for the backlog");
        }
        if ((i + 1) % readings_per_sync == 0 || i + 1 == readings) {
            outbox.flush(time);
        }
    }
    if (store.accepted() != readings) {
        give_up("the backlog was not kept");
    }
    sync();
}

}  // namespace jw::bench
