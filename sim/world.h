// SPDX-License-Identifier: Apache-2.0
#pragma once
// A world from a seed: meters on bad lines, a gateway whose power is cut, a broker that is hard to
// reach. First the faults of the seed are at work, then they end, and everything that was accepted
// has to arrive within ten minutes. The same seed is the same run, event for event.
#include <cstdint>
#include <string>

#include "sim/world_checker.h"

namespace jw::sim {

struct WorldSettings {
    std::uint64_t seed = 1;
    Duration faulty = seconds(3600);
};

struct WorldReport {
    std::uint64_t seed = 0;
    std::size_t devices = 0;
    std::uint32_t faults = 0;  // bits by WorldFault
    std::int64_t device_ms = 0;
    WorldCounts counts;
    std::uint64_t power_cuts = 0;
    std::uint64_t failed_syncs = 0;
    std::uint64_t thinned = 0;  // records less, since the store filled
    std::uint64_t breaks = 0;   // of connections
    std::int64_t healed_after_ms = 0;
    std::uint64_t trace = 0;
    std::string broken;  // what broke first and when; empty: nothing
};

WorldReport run_world(const WorldSettings& settings);
/// One line of JSON.
std::string to_json(const WorldReport& report);

}  // namespace jw::sim
