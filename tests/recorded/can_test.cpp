// SPDX-License-Identifier: Apache-2.0
// Recorded CAN frames of batteries that drive inverters: every frame is known and means what was
// written down beside it.
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "core/codec/candump.h"
#include "core/sink/can_out/profiles.h"
#include "tests/recorded/recorded.h"

namespace {

using namespace jw;

std::vector<CanFrame> frames_of(const std::filesystem::path& path) {
    std::vector<CanFrame> frames;
    std::istringstream in(recorded::bytes_of(path));
    for (std::string line; std::getline(in, line);) {
        const auto read = candump::read_line(line);
        EXPECT_EQ(read.code, Code::ok) << line << ": " << read.wrong;
        if (read.logged) {
            frames.push_back(read.logged->frame);
        }
    }
    return frames;
}

TEST(recorded, victron_frames_of_a_smartbms_are_all_understood_and_encode_to_what_was_sent) {
    const auto folder = recorded::folder("tinybms");
    JW_NEED_RECORDED(folder);
    const auto& profile = *can_out::profile_named("victron");
    const auto frames = frames_of(folder / "victron_smartbms_candump.log");
    EXPECT_EQ(frames.size(), 48U);
    can_out::BatteryState state;
    for (const CanFrame& can : frames) {
        const auto* frame = find(profile, can.id);
        ASSERT_NE(frame, nullptr) << std::hex << can.id;
        ASSERT_TRUE(decode(*frame, can, state)) << std::hex << can.id;
        // Behind the temperature it sends two bytes of its own.
        if (frame->from == can_out::From::battery && can.id != 0x356) {
            const auto encoded = encode(*frame, state);
            ASSERT_TRUE(encoded) << std::hex << can.id;
            EXPECT_EQ(encoded->data, can.data) << std::hex << can.id;
        }
    }
    EXPECT_EQ(state.charge_voltage_mv, 57'900);
    EXPECT_EQ(state.discharge_current_ma, 195'000);
    EXPECT_EQ(state.soc_permyriad, 6020);
    EXPECT_EQ(state.current_ma, -27'700);
    EXPECT_EQ(state.name, "CAN-SMARTBMS-BAT");
    EXPECT_EQ(state.manufacturer, "SHEnergy");
    EXPECT_EQ(state.cell_minimum_id, "Pack-01#");
    EXPECT_EQ(state.energy_out_wh, 369'100);
    EXPECT_EQ(state.full_capacity_mah, 304'000);
    for (const AlarmLevel level : state.alarms) {
        EXPECT_EQ(level, AlarmLevel::ok);
    }
}

TEST(recorded, pylontech_frames_are_all_understood_but_two_of_another_maker) {
    const auto folder = recorded::folder("tinybms");
    JW_NEED_RECORDED(folder);
    const auto& profile = *can_out::profile_named("pylontech");
    const auto frames = frames_of(folder / "pylontech_us_candump.log");
    EXPECT_EQ(frames.size(), 34U);
    can_out::BatteryState state;
    std::set<std::uint32_t> unknown;
    for (const CanFrame& can : frames) {
        const auto* frame = find(profile, can.id);
        if (frame == nullptr) {
            unknown.insert(can.id);
            continue;
        }
        EXPECT_TRUE(decode(*frame, can, state)) << std::hex << can.id;
    }
    EXPECT_EQ(unknown, (std::set<std::uint32_t>{0x370, 0x371}));
    EXPECT_EQ(state.charge_voltage_mv, 58'400);
    EXPECT_EQ(state.soc_permyriad, 3000);
    EXPECT_EQ(state.voltage_mv, 52'410);
    EXPECT_EQ(state.modules_ok, 2);
    EXPECT_EQ(state.charge_allowed, 1);
    EXPECT_EQ(state.manufacturer, "PYLON");
    EXPECT_EQ(state.cell_maximum_mv, 3279);
    EXPECT_EQ(state.full_capacity_mah, 200'000);
}

}  // namespace
