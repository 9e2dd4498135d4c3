// SPDX-License-Identifier: Apache-2.0
// What was seen on a CAN bus, one row an id.
#include "host/can_traffic.h"

#include <algorithm>
#include <tuple>

namespace jw {

void CanTraffic::received(const CanFrame& frame, Instant now) {
    note(frame, false, now);
    client_.received(frame, now);
}

void CanTraffic::rivalled(const CanFrame& frame, Instant now) {
    note(frame, false, now);
    client_.rivalled(frame, now);
}

void CanTraffic::bus_changed(std::optional<CanBusState> state, Instant now) {
    client_.bus_changed(state, now);
}

void CanTraffic::sent(const CanFrame& frame, Instant now) {
    note(frame, true, now);
    client_.sent(frame, now);
}

void CanTraffic::note(const CanFrame& frame, bool sent, Instant now) {
    const auto key = [](const CanFrame& one, bool was_sent) {
        return std::tuple(one.extended, one.id, was_sent);
    };
    auto at = std::ranges::lower_bound(
        seen_, key(frame, sent), {}, [&](const Seen& one) { return key(one.frame, one.sent); });
    if (at == seen_.end() || key(at->frame, at->sent) != key(frame, sent)) {
        if (seen_.size() >= ids_max) {
            ++overlooked_;
            return;
        }
        at = seen_.insert(at, Seen{frame, sent, 0, now, std::nullopt});
    } else {
        at->interval = now - at->at;
    }
    at->frame = frame;
    at->at = now;
    ++at->count;
}

}  // namespace jw
