// SPDX-License-Identifier: Apache-2.0
// Frames of a raw CAN socket of Linux.
#include "core/bus/linux_can.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace jw::linux_can {
namespace {

constexpr std::uint32_t extended_flag = 0x8000'0000;
constexpr std::uint32_t remote_flag = 0x4000'0000;
constexpr std::uint32_t error_flag = 0x2000'0000;
constexpr std::size_t size_at = 4;
constexpr std::size_t data_at = 8;

// Classes of errors, in the id, and details of the controller's, in byte 1.
constexpr std::uint32_t error_transmit_timeout = 0x001;
constexpr std::uint32_t error_controller = 0x004;
constexpr std::uint32_t error_bus_off = 0x040;
constexpr std::uint32_t error_restarted = 0x100;
constexpr std::uint8_t controller_overflow = 0x01 | 0x02;  // receiving, sending
constexpr std::uint8_t controller_passive = 0x10 | 0x20;   // receiving, sending
constexpr std::uint8_t controller_active = 0x40;

Trouble read_trouble(std::uint32_t id, std::uint8_t controller) {
    Trouble trouble;
    trouble.transmit_timeout = (id & error_transmit_timeout) != 0;
    if ((id & error_controller) != 0) {
        trouble.overflow = (controller & controller_overflow) != 0;
        if ((controller & controller_passive) != 0) {
            trouble.state = CanBusState::passive;
        } else if ((controller & controller_active) != 0) {
            trouble.state = CanBusState::active;
        }
    }
    if ((id & error_restarted) != 0) {
        trouble.restarted = true;
        trouble.state = CanBusState::active;
    }
    if ((id & error_bus_off) != 0) {
        trouble.state = CanBusState::off;
    }
    return trouble;
}

}  // namespace

void put_frame(const CanFrame& frame, Writer& out) {
    std::array<std::uint8_t, frame_size> bytes{};
    const std::uint32_t id = frame.id | (frame.extended ? extended_flag : 0U);
    std::memcpy(bytes.data(), &id, sizeof(id));  // in the order of this machine, as the kernel's
    bytes[size_at] = std::min<std::uint8_t>(frame.size, 8);
    std::copy(frame.data.begin(), frame.data.end(), bytes.begin() + data_at);
    out.put(bytes);
}

Result<Message> read_frame(Bytes bytes) {
    if (bytes.size() != frame_size || bytes[size_at] > 8) {
        return JW_FAIL(malformed);
    }
    std::uint32_t id = 0;
    std::memcpy(&id, bytes.data(), sizeof(id));
    Message message;
    if ((id & error_flag) != 0) {
        message.trouble = read_trouble(id, bytes[data_at + 1]);
        return message;
    }
    if ((id & remote_flag) != 0) {
        return JW_FAIL(unsupported);
    }
    CanFrame& frame = message.frame;
    frame.extended = (id & extended_flag) != 0;
    frame.id = id & (frame.extended ? can_extended_id_max : can_id_max);
    frame.size = bytes[size_at];
    std::copy_n(bytes.begin() + data_at, frame.size, frame.data.begin());
    return message;
}

}  // namespace jw::linux_can
