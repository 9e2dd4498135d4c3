// SPDX-License-Identifier: Apache-2.0
#pragma once
// Slots: when a sink that does not stay connected may be, so that many gateways share few
// connections: 2.5 million of them on 10 000 connections are 250 slots, of 2 s each where every
// gateway connects once in 500 s.
#include <cstdint>
#include <string_view>

#include "core/base/time.h"

namespace jw {

struct SlotSettings {
    Duration every = seconds(300);  // one slot in this time
    Duration length = seconds(30);  // of a slot
    Duration linger = seconds(2);   // how long a drained session waits for commands
};

/// What the policy needs to know of the sink.
struct SlotState {
    bool connected = false;
    bool drained = false;  // nothing waits and nothing is under way
    bool urgent = false;   // an alarm waits: it does not wait for the slot
};

struct SlotAnswer {
    bool connect = false;
    Instant ask_again = never;
};

/// Connect, drain, disconnect: a gateway's slot follows from its name. A pure state machine.
class Slots {
  public:
    Slots(std::string_view gateway, const SlotSettings& settings);
    /// `clock_ms` is what all gateways share: Unix milliseconds, or the time since boot where the
    /// wall time is not known yet. Whether the sink shall be connected now.
    SlotAnswer step(Instant now, std::int64_t clock_ms, const SlotState& state);

    [[nodiscard]] std::uint32_t count() const { return count_; }
    [[nodiscard]] std::uint32_t index() const { return index_; }

  private:
    SlotSettings settings_;
    std::uint32_t count_ = 1;
    std::uint32_t index_ = 0;
    std::int64_t done_period_ = -1;  // drained in it already
    Instant drained_since_{-1};
};

}  // namespace jw
