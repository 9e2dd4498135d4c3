// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a frame between battery and inverter says, signal by signal, as names and JSON values.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/sink/can_out/frame.h"

namespace jw {

struct CanSignal {
    std::string name;
    std::string unit;              // empty: none
    nlohmann::ordered_json value;  // a number, a text, or null where the frame marks it as absent
};

/// In the order of the table; a signal that the frame is too short for is left out. Where a field
/// stands twice only the finer one counts. Nothing where the frame is not of that id.
std::vector<CanSignal> can_signals(const can_out::Frame& frame, const CanFrame& can);

}  // namespace jw
