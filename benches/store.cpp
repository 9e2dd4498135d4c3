// SPDX-License-Identifier: Apache-2.0
#include "benches/store.h"

#include "benches/report.h"
#include "core/base/cbor.h"
#include "core/model/reading.h"

namespace jw::bench {
namespace {

FileStorageSettings file_settings(const StoreSettings& settings) {
    FileStorageSettings result;
    result.directory = settings.folder;
    result.bytes_max = settings.bytes;
    result.sync_file = settings.sync_file;
    return result;
}

FileStorage& opened(FileStorage& storage) {
    if (!storage.open()) {
        give_up(storage.trouble());
    }
    return storage;
}

}  // namespace

OutboxSettings Store::outbox_settings(Duration commit) {
    OutboxSettings settings;
    settings.classes[static_cast<std::size_t>(RecordClass::telemetry)].commit = commit;
    return settings;
}

Store::Store(Loop* loop, const StoreSettings& settings, std::function<void()> synced)
    : synced_(std::move(synced)),
      storage_(loop,
               file_settings(settings),
               [this](SyncTicket ticket, Status result) {
                   if (!result) {
                       give_up("a sync of the store failed: " + storage_.trouble());
                   }
                   outbox_.synced(ticket, result, Loop::now());
                   if (synced_) {
                       synced_();
                   }
               }),
      segments_(Outbox::segments_needed(opened(storage_), outbox_settings(settings.commit))),
      outbox_(storage_, outbox_settings(settings.commit), {segments_, sinks_, clocks_, record_}) {
    const std::array<Name, 1> names{Name("broker")};
    if (!outbox_.open(names, 42, Loop::now())) {
        give_up("the store cannot be opened");
    }
}

bool Store::append(Bytes payload, Instant now) {
    const auto id = outbox_.append(RecordClass::telemetry, RecordKind::reading, payload, now);
    if (!id && id.code() != Code::full) {
        give_up(std::string("append failed: ") + code_name(id.code()));
    }
    return id.has_value();
}

std::vector<std::uint8_t> encoded_reading(std::uint64_t number) {
    const auto n = static_cast<std::int64_t>(number);
    Reading reading;
    reading.device = "grid";
    for (std::uint8_t phase = 1; phase <= 3; ++phase) {
        reading.values.put(Quantity::voltage_mv, phase, 229'000 + (n * 37 + phase * 101) % 3000);
        reading.values.put(Quantity::current_ma, phase, (n * 53 + phase * 977) % 16'000);
        reading.values.put(Quantity::power_w, phase, (n * 71 + phase * 13) % 3600 - 1800);
    }
    reading.values.put(Quantity::power_w, 0, (n * 71) % 10'000 - 5000);
    reading.values.put(Quantity::frequency_mhz, 0, 49'990 + n % 20);
    reading.values.put(Quantity::temperature_mc, 0, 21'000 + n % 500);
    reading.values.put(Quantity::energy_import_wh, 0, 12'345'670 + n);
    reading.values.put(Quantity::energy_export_wh, 0, 50 + n / 3);
    std::vector<std::uint8_t> bytes(limits::record_payload_max);
    Writer out(bytes);
    to_cbor(reading, out);
    bytes.resize(out.size());
    return bytes;
}

}  // namespace jw::bench
