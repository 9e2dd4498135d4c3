// SPDX-License-Identifier: Apache-2.0
// Golden CAN frames of every profile, decoded and encoded again, and golden lines of CAN logs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/codec/candump.h"
#include "core/sink/can_out/profiles.h"
#include "tests/golden/vectors.h"

namespace {

using namespace jw;

void add_alarms(const BatteryAlarms& alarms, AlarmLevel level, const char* name, std::string& out) {
    std::string list;
    for (std::size_t i = 0; i < alarms.size(); ++i) {
        if (alarms[i] == level) {
            list += (list.empty() ? "" : ",") + std::to_string(i);
        }
    }
    out += list.empty() ? "" : std::string(" ") + name + "=" + list;
}

std::string line_of(const can_out::BatteryState& state) {
    std::string line;
    for (const can_out::NumberField& field : can_out::number_fields) {
        if (const can_out::Number& value = state.*(field.member)) {
            line += std::string(" ") + field.name + "=" + std::to_string(*value);
        }
    }
    for (const can_out::TextField& field : can_out::text_fields) {
        if (const auto& words = state.*(field.member); !words.empty()) {
            line += std::string(" ") + field.name + "=" + std::string(words.view());
        }
    }
    add_alarms(state.alarms, AlarmLevel::ok, "ok", line);
    add_alarms(state.alarms, AlarmLevel::warning, "warning", line);
    add_alarms(state.alarms, AlarmLevel::alarm, "alarm", line);
    return "out" + (line.empty() ? " nothing" : line);
}

/// Frames of a case: two bytes of id and up to eight of data each.
std::vector<CanFrame> frames_of(Bytes in) {
    std::vector<CanFrame> frames;
    Reader reader(in);
    while (reader.remaining() > 0) {
        CanFrame can;
        can.id = reader.u16_be();
        const Bytes data = reader.take(std::min<std::size_t>(reader.remaining(), 8));
        can.size = static_cast<std::uint8_t>(data.size());
        std::copy(data.begin(), data.end(), can.data.begin());
        frames.push_back(can);
    }
    return frames;
}

TEST(golden, can_frames_say_what_their_vectors_say_and_encode_to_the_same_bytes) {
    for (const golden::Case& vector : golden::cases("can")) {
        const std::string file = vector.place.substr(0, vector.place.rfind(':'));
        const auto* profile = can_out::profile_named(std::filesystem::path(file).stem().string());
        ASSERT_NE(profile, nullptr) << vector.place;
        can_out::BatteryState state;
        const auto frames = frames_of(vector.in);
        for (const CanFrame& can : frames) {
            const auto* frame = find(*profile, can.id);
            ASSERT_NE(frame, nullptr) << vector.place;
            ASSERT_TRUE(decode(*frame, can, state)) << vector.place;
        }
        EXPECT_EQ(std::vector{line_of(state)}, vector.expected) << vector.place;
        for (const CanFrame& can : frames) {
            const auto encoded = encode(*find(*profile, can.id), state);
            ASSERT_TRUE(encoded) << vector.place;
            EXPECT_EQ(encoded->data, can.data) << vector.place;
        }
    }
}

TEST(golden, lines_of_can_logs_say_what_their_vectors_say) {
    for (const golden::Case& vector : golden::cases("candump")) {
        const auto read = candump::read_line(as_text(vector.in));
        std::string line;
        if (read.code != Code::ok) {
            line = std::string("error ") + code_name(read.code) + " at=" + std::to_string(read.at);
        } else {
            ASSERT_TRUE(read.logged) << vector.place;
            std::array<char, candump::line_max> room{};
            Text text(room);
            candump::put_line(*read.logged, text);
            line = "out " + std::string(text.view().substr(0, text.size() - 1));
        }
        EXPECT_EQ(std::vector{line}, vector.expected) << vector.place;
    }
}

}  // namespace
