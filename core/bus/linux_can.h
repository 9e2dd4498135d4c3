// SPDX-License-Identifier: Apache-2.0
#pragma once
// The 16 bytes of Linux's struct can_frame (include/uapi/linux/can.h), as a raw CAN socket gives
// and takes them, and what an error frame says (include/uapi/linux/can/error.h).
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/can.h"
#include "core/base/result.h"

namespace jw::linux_can {

inline constexpr std::size_t frame_size = 16;

/// What an error frame says.
struct Trouble {
    std::optional<CanBusState> state;  // where it changed
    bool restarted = false;            // the controller came back from `off`
    bool transmit_timeout = false;     // a frame did not leave in time
    bool overflow = false;             // frames were lost in the controller
};

struct Message {
    CanFrame frame;
    std::optional<Trouble> trouble;  // of an error frame, which has no `frame`
};

void put_frame(const CanFrame& frame, Writer& out);

/// Errors: malformed (not 16 bytes, or no size that can be), unsupported (a remote frame).
Result<Message> read_frame(Bytes bytes);

}  // namespace jw::linux_can
