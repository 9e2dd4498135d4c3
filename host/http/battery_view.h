// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API shows of a battery.
#include <optional>
#include <string>
#include <vector>

#include "core/task/battery.h"
#include "host/can_traffic.h"

namespace jw::http {

/// Valid while the loop does nothing else.
struct BatteryView {
    std::string name;
    std::string title;
    const battery::Battery* battery = nullptr;
    std::vector<std::string> packs;  // names of their devices
    std::string bus;                 // empty: no inverter is told
    const CanLine* can = nullptr;
    const CanTraffic* traffic = nullptr;
};

}  // namespace jw::http
