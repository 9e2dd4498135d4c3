// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inverters' dialects. A further inverter is a table here.
#include <string_view>

#include "core/sink/can_out/frame.h"

namespace jw::can_out {

/// Victron "CAN-bus BMS protocol" (2021-04-17); Pylontech "Low voltage Protocol CAN" 1.2 (frames
/// 359 and 35C) and 1.3 (35A and 35F); SMA "Sunny Island: CAN communication with batteries". Where
/// documents are silent or contradict each other, recorded frames decided.
extern const std::span<const Profile> profiles;

/// Null where there is none of that name.
const Profile* profile_named(std::string_view name);

/// Every field that a table may name.
extern const std::span<const NumberField> number_fields;
extern const std::span<const TextField> text_fields;

}  // namespace jw::can_out
