// SPDX-License-Identifier: Apache-2.0
#pragma once
// The bodies of the API's answers.
#include <optional>
#include <string>
#include <vector>

#include "host/http/api.h"
#include "host/http/recent.h"
#include "host/http/view.h"

namespace jw::http::api_json {

std::string status(const GatewayView& view);
std::string devices(const GatewayView& view);
/// The devices whose flag is set.
std::string readings(const GatewayView& view, const std::vector<bool>& wanted);
std::string recent(const GatewayView& view,
                   const std::string& device,
                   const std::string& name,
                   const std::optional<Recent::Means>& means,
                   Instant now);
std::string outbox(const GatewayView& view);
std::string faults(const GatewayView& view);
std::string command(const CommandView& command);

}  // namespace jw::http::api_json
