// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the subcommands for CAN logs share: profiles by name, and the lines of a log.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "apps/joulectl/subcommands.h"
#include "core/codec/candump.h"
#include "core/sink/can_out/describe.h"

namespace joulectl {

/// Throws UsageError, which names those that there are.
const jw::can_out::Profile& profile_named(const std::string& name);

/// Adds the id and the data of a frame.
void put_frame(const jw::CanFrame& can, nlohmann::ordered_json& line);

/// Adds what a frame says in that dialect; nothing where the dialect does not know it. False: it is
/// too short for any value.
[[nodiscard]] bool put_meaning(const jw::CanFrame& can,
                               const jw::can_out::Profile& profile,
                               nlohmann::ordered_json& line);

/// Calls with each line and its offset.
void each_line(std::string_view text, const std::function<void(std::string_view, std::size_t)>& f);

}  // namespace joulectl
