// SPDX-License-Identifier: Apache-2.0
#pragma once
// A minimal MQTT broker that acknowledges at once, and in front of it a line that delays both ways.
// It checks what it is sent: each reading once, nothing missing, never more under way than it
// allows.
#include <array>
#include <atomic>
#include <cstdint>

#include "benches/joulebench/net.h"

namespace jw::bench {

/// What the broker counts; children share it with their parent.
struct BrokerCounters {
    static constexpr std::size_t latencies_max = 1U << 17;
    struct Latency {
        std::int64_t unix_ms = 0;  // when the reading was taken
        std::int64_t us = 0;       // from then until its sender has the acknowledgement
    };

    std::atomic<std::uint64_t> connects = 0;
    std::atomic<std::uint64_t> messages = 0;
    std::atomic<std::uint64_t> bytes = 0;  // of payloads of readings
    std::atomic<std::uint64_t> readings = 0;
    std::atomic<std::uint64_t> tags = 0;
    std::atomic<std::uint64_t> backlog = 0;     // different readings of it
    std::atomic<std::uint64_t> repeated = 0;    // readings that came before
    std::atomic<std::uint64_t> disordered = 0;  // that came behind a later one of their lane
    std::atomic<std::uint32_t> under_way_most = 0;
    std::atomic<std::int64_t> drained_us = 0;  // when the last of the backlog was acknowledged
    std::atomic<std::size_t> latencies = 0;
    std::array<Latency, latencies_max> latency{};
};

struct BrokerSettings {
    std::uint16_t receive_maximum = 65535;
    Duration delay;             // each way
    std::uint64_t backlog = 0;  // readings with a seq up to here are the backlog
};

/// Serves for ever.
void serve_broker(const Fd& listener, const BrokerSettings& settings, BrokerCounters& counters);

/// Counts what a batch of readings holds, as serve_broker() does: for a subscriber of another
/// broker.
void count_tags(Bytes payload, BrokerCounters& counters);

}  // namespace jw::bench
