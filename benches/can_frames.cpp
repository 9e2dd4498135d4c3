// SPDX-License-Identifier: Apache-2.0
// CAN frames that differ.
#include "benches/can_frames.h"

#include "benches/frames.h"
#include "benches/report.h"

namespace jw::bench {
namespace {

constexpr std::uint32_t limits_id = 0x351;

}  // namespace

const can_out::Frame& can_limits() {
    const can_out::Frame* frame = can_out::find(*can_out::profile_named("victron"), limits_id);
    if (frame == nullptr) {
        give_up("the frame of the limits is gone");
    }
    return *frame;
}

std::vector<can_out::BatteryState> can_states() {
    std::vector<can_out::BatteryState> states(inputs_rotated);
    std::int64_t n = 1;
    for (can_out::BatteryState& state : states) {
        n = n * 48'271 % 2'147'483'647;  // the minimal standard generator
        state.charge_voltage_mv = 40'000 + n % 20'000;
        state.charge_current_ma = n % 200'000;
        state.discharge_current_ma = n % 300'000;
        state.discharge_voltage_mv = 40'000 + n % 8'000;
    }
    return states;
}

std::vector<CanFrame> can_frames() {
    std::vector<CanFrame> frames;
    for (const can_out::BatteryState& state : can_states()) {
        const auto frame = can_out::encode(can_limits(), state);
        if (!frame) {
            give_up("limits were refused");
        }
        frames.push_back(*frame);
    }
    return frames;
}

std::vector<std::vector<std::uint8_t>> slcan_lines() {
    std::vector<std::vector<std::uint8_t>> lines;
    for (const CanFrame& frame : can_frames()) {
        std::array<std::uint8_t, slcan::line_max> room{};
        Writer out(room);
        slcan::put_frame(frame, out);
        lines.emplace_back(out.written().begin(), out.written().end());
    }
    return lines;
}

std::vector<std::array<std::uint8_t, linux_can::frame_size>> socket_frames() {
    std::vector<std::array<std::uint8_t, linux_can::frame_size>> all;
    for (const CanFrame& frame : can_frames()) {
        auto& bytes = all.emplace_back();
        Writer out(bytes);
        linux_can::put_frame(frame, out);
    }
    return all;
}

}  // namespace jw::bench
