// SPDX-License-Identifier: Apache-2.0
#pragma once
// The product's outbox over the product's file storage, as the benches use it.
#include <array>
#include <string>
#include <vector>

#include "core/outbox/outbox.h"
#include "host/file_storage.h"
#include "host/loop.h"

namespace jw::bench {

struct StoreSettings {
    std::string folder;
    std::uint64_t bytes = 128ULL << 20;
    Duration commit;  // of telemetry
    std::function<int(int fd)> sync_file = {};
};

/// One outbox with one sink named "broker". With a loop the storage's own threads write, as in the
/// gateway; without one everything happens within the call.
class Store {
  public:
    Store(Loop* loop, const StoreSettings& settings, std::function<void()> synced = {});

    FileStorage& storage() { return storage_; }
    Outbox& outbox() { return outbox_; }
    [[nodiscard]] std::uint64_t accepted() const {
        return outbox_.accepted_to(RecordClass::telemetry);
    }
    /// False where the outbox has no room before the next sync.
    bool append(Bytes payload, Instant now);

  private:
    static OutboxSettings outbox_settings(Duration commit);

    std::function<void()> synced_;
    FileStorage storage_;
    std::vector<Segment> segments_;
    std::array<SinkCursor, 1> sinks_;
    std::array<ClockPair, 4> clocks_;
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> record_{};
    Outbox outbox_;
};

/// What a gateway keeps of a meter: a reading of 14 values.
std::vector<std::uint8_t> encoded_reading(std::uint64_t number);

}  // namespace jw::bench
