// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/gateway.h"

#include <fstream>

#include "benches/joulebench/net.h"

namespace jw::bench {

using Json = nlohmann::json;

Json settings_of(const SiteOfBench& site, const Scratch& folder) {
    Json buses = Json::array();
    for (std::size_t i = 0; i < site.connections; ++i) {
        buses.push_back({{"name", "line-" + std::to_string(i)},
                         {"type", "modbus_tcp"},
                         {"host", "127.0.0.1"},
                         {"port", site.devices_port}});
    }
    Json devices = Json::array();
    for (std::size_t i = 0; i < site.devices; ++i) {
        devices.push_back({{"name", "meter-" + std::to_string(i)},
                           {"driver", site.driver},
                           {"bus", "line-" + std::to_string(i % site.connections)},
                           {"unit", 1 + i / site.connections},
                           {"poll_s", site.poll_s},
                           {"keep_s", 0}});
    }
    Json sink{
        {"name", sink_name}, {"type", "mqtt"}, {"host", "127.0.0.1"}, {"port", site.broker_port}};
    sink.update(site.sink);
    std::uint16_t page = 0;
    const Fd free = listen_on_loopback(page);
    return {{"gateway", "gw-bench"},
            {"site", "bench"},
            {"clock", "system"},
            {"storage",
             {{"path", folder.path() + "/state"},
              {"size_mb", site.size_mb},
              {"commit_s", site.commit_s}}},
            {"buses", buses},
            {"devices", devices},
            {"sinks", Json::array({sink})},
            {"web", {{"listen", "127.0.0.1:" + std::to_string(page)}}}};
}

Child start_gateway(const std::string& program, const Json& settings, const Scratch& folder) {
    const std::string path = folder.path() + "/settings.json";
    std::ofstream(path) << settings.dump(1);
    return Child::exec({program, "--config", path}, folder.path() + "/log");
}

}  // namespace jw::bench
