// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inputs of the micro benches: CAN frames that differ, as each program meets them.
#include <array>
#include <vector>

#include "core/bus/linux_can.h"
#include "core/bus/slcan.h"
#include "core/sink/can_out/profiles.h"

namespace jw::bench {

/// Limits of a battery, no two the same.
std::vector<can_out::BatteryState> can_states();
/// The frame of the limits in Victron's dialect, from each of them.
std::vector<CanFrame> can_frames();
/// As an slcan adapter writes them: 22 characters.
std::vector<std::vector<std::uint8_t>> slcan_lines();
/// As a raw CAN socket gives them.
std::vector<std::array<std::uint8_t, linux_can::frame_size>> socket_frames();

const can_out::Frame& can_limits();

}  // namespace jw::bench
