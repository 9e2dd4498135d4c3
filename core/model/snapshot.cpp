// SPDX-License-Identifier: Apache-2.0
#include "core/model/snapshot.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw {

bool DeviceSnapshot::stale(const LatestValue& latest, Instant now) const {
    return now - latest.at > std::max(poll * 3, seconds(10));
}

DeviceSnapshot* Snapshot::find(std::string_view name) {
    for (DeviceSnapshot& device : devices_) {
        if (device.name == name) {
            return &device;
        }
    }
    return nullptr;
}

std::optional<CounterFall> Snapshot::update(std::size_t device,
                                            const Reading& reading,
                                            Instant now) {
    CHECK(device < devices_.size());
    DeviceSnapshot& target = devices_[device];
    CHECK(now >= target.last_reading);  // I-05: the age of a value never falls by itself
    target.last_reading = now;
    target.state = DeviceState::online;
    ++target.readings;
    // A device gives its values in the same order each time: the search starts behind the last hit.
    std::size_t hint = 0;
    std::optional<CounterFall> fall;
    for (const Value& value : reading.values) {
        const std::size_t known = target.values.size();
        bool found = false;
        for (std::size_t step = 0; step < known && !found; ++step) {
            const std::size_t at = hint + step < known ? hint + step : hint + step - known;
            LatestValue& latest = target.values[at];
            if (latest.value.quantity == value.quantity && latest.value.index == value.index) {
                if (value.number < latest.value.number && !fall &&
                    info(value.quantity).behaviour == Behaviour::counter) {
                    fall = CounterFall{value, latest.value.number};
                }
                latest = {value, now};
                hint = at + 1 < known ? at + 1 : 0;
                found = true;
            }
        }
        if (!found && !target.values.push({value, now})) {
            ++lost_;
        }
    }
    return fall;
}

const LatestValue* Snapshot::latest(std::size_t device,
                                    Quantity quantity,
                                    std::uint8_t index) const {
    CHECK(device < devices_.size());
    for (const LatestValue& latest : devices_[device].values) {
        if (latest.value.quantity == quantity && latest.value.index == index) {
            return &latest;
        }
    }
    return nullptr;
}

}  // namespace jw
