// SPDX-License-Identifier: Apache-2.0
#pragma once
// Snapshot: the latest value of everything. Overwritten, never kept; live consumers read it.
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/model/reading.h"

namespace jw {

struct LatestValue {
    Value value;
    Instant at;  // when it was read
};

/// A counter that stood at `from` and now gives a lower value.
struct CounterFall {
    Value value;
    std::int64_t from = 0;
};

/// How a device is doing, as far as its own line can tell.
enum class DeviceState : std::uint8_t {
    starting,  // never answered so far
    online,
    asleep,    // does not answer: an inverter at night, or somebody pulled the plug
    refusing,  // answers, but not with readings
};
constexpr auto enum_names(DeviceState) {
    return std::array{"starting", "online", "asleep", "refusing"};
}

/// The part of the snapshot that belongs to one device.
struct DeviceSnapshot {
    Name name;
    DeviceState state = DeviceState::starting;
    Duration poll;             // expected distance of two readings
    Instant last_reading{-1};  // negative: none yet
    std::uint32_t readings = 0;
    std::uint32_t errors = 0;
    List<LatestValue> values;

    /// Older than three times the expected distance, at least 10 s (ui.md, Stale).
    [[nodiscard]] bool stale(const LatestValue& latest, Instant now) const;
};

/// Devices keep their place: index i here is index i in the settings.
class Snapshot {
  public:
    Snapshot() = default;
    explicit Snapshot(std::span<DeviceSnapshot> devices) : devices_(devices) {}

    [[nodiscard]] std::span<DeviceSnapshot> devices() { return devices_; }
    [[nodiscard]] std::span<const DeviceSnapshot> devices() const { return devices_; }
    [[nodiscard]] DeviceSnapshot* find(std::string_view name);

    /// Overwrites the values that the reading has; a value with no room is counted in `lost`. Gives
    /// the first counter that fell (I-07), if one did.
    std::optional<CounterFall> update(std::size_t device, const Reading& reading, Instant now);
    /// The latest value, or null where the device never gave it.
    [[nodiscard]] const LatestValue* latest(std::size_t device,
                                            Quantity quantity,
                                            std::uint8_t index = 0) const;
    [[nodiscard]] std::uint32_t lost() const { return lost_; }

  private:
    std::span<DeviceSnapshot> devices_;
    std::uint32_t lost_ = 0;
};

}  // namespace jw
