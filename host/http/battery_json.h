// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of the API's answers about batteries.
#include <span>
#include <string>

#include "host/http/battery_view.h"

namespace jw::http::api_json {

/// All batteries: what they may, which rule says so and why, cells, inverter.
std::string batteries(std::span<const BatteryView> batteries, Instant now);
/// The latest frame of every id on the CAN bus of one, with what it says.
std::string can_traffic(const BatteryView& battery, Instant now);

}  // namespace jw::http::api_json
