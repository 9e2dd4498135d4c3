// SPDX-License-Identifier: Apache-2.0
#pragma once
// The batteries of the settings: what a file says of one, and what a schema cannot say.
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "host/settings.h"

namespace jw::settings {

/// `settings` has its buses and devices already.
GatewaySettings::Battery read_battery(const nlohmann::json& item, const GatewaySettings& settings);

/// Packs that are there, are batteries and belong to one only; a CAN bus of its own; a profile.
void check_batteries(const GatewaySettings& read,
                     const nlohmann::json& document,
                     std::vector<SettingsError>& errors);

}  // namespace jw::settings
