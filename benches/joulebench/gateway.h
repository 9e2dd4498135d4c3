// SPDX-License-Identifier: Apache-2.0
#pragma once
// The real gateway under a bench: its settings and its process.
#include <nlohmann/json.hpp>
#include <string>

#include "benches/joulebench/process.h"
#include "benches/report.h"

namespace jw::bench {

struct SiteOfBench {
    std::string driver;
    std::size_t devices = 0;  // device i is on connection i % connections
    std::size_t connections = 0;
    double poll_s = 1;
    std::uint16_t devices_port = 0;
    std::uint16_t broker_port = 0;
    double commit_s = 1;
    unsigned size_mb = 512;
    /// Members that the sink has beside host and port.
    nlohmann::json sink = nlohmann::json::object();
};

/// Name of the sink, under which a store keeps its cursor.
inline constexpr const char* sink_name = "broker";

/// Settings with the store in `folder`/state; every reading is kept.
nlohmann::json settings_of(const SiteOfBench& site, const Scratch& folder);
/// Starts the program with these settings; its log is `folder`/log.
Child start_gateway(const std::string& program,
                    const nlohmann::json& settings,
                    const Scratch& folder);

}  // namespace jw::bench
