// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tables as text for people and their tools: DBC files and a page of conversions.
#include <string_view>

#include "core/sink/can_out/profiles.h"

namespace jw::can_out {

/// "high_voltage"
std::string_view alarm_name(BatteryAlarm alarm);
/// "unsupported", "ok", "warning", "alarm"
std::string_view level_name(AlarmLevel level);
/// A signal's own name, also where a field has two: "soc_permyriad", "name_2", "high_voltage".
void put_name(const Signal& signal, Text& out);

/// Appends one frame as it stands in a DBC file. Physical values are in our units.
void put_dbc_frame(const Frame& frame, Text& out);
/// What stands before and behind the frames of a profile.
void put_dbc_head(Text& out);
void put_dbc_tail(const Profile& profile, Text& out);

/// Appends one frame as rows of a Markdown table: id, signal, bits, type, conversion, absent.
void put_markdown(const Frame& frame, Text& out);

/// Room that one frame takes at most.
inline constexpr std::size_t description_max = 8192;

}  // namespace jw::can_out
