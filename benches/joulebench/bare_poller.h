// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bound that polling is held against: one epoll loop that asks what the gateway asks, at the
// same rate over as many connections, decodes the answers and drops them.
#include <atomic>
#include <cstdint>

#include "benches/joulebench/mix.h"
#include "core/base/time.h"

namespace jw::bench {

struct BareSettings {
    std::uint16_t port = 0;
    std::size_t connections = 0;
    std::size_t devices = 0;  // device i is on connection i % connections
    Duration poll;
    const Mix* mix = nullptr;
};

struct BareCounters {
    std::atomic<std::uint64_t> tags = 0;
    std::atomic<std::int64_t> sum = 0;  // of all values, so that decoding is not left out
};

/// Polls for ever. Like the gateway's lines it has one request under way on a connection.
void poll_barely(const BareSettings& settings, BareCounters& counters);

}  // namespace jw::bench
