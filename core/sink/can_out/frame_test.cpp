// SPDX-License-Identifier: Apache-2.0
#include "core/sink/can_out/frame.h"

#include "core/base/test.h"
#include "core/sink/can_out/profiles.h"

namespace {

using namespace jw;
using namespace jw::can_out;

const Frame& frame_of(const char* profile, std::uint32_t id) {
    return *find(*profile_named(profile), id);
}

bool encodes(const char* profile, const BatteryState& state, const CanFrame& expected) {
    const auto encoded = encode(frame_of(profile, expected.id), state);
    return encoded && *encoded == expected;
}

BatteryState with_limits(std::int64_t volts_mv, std::int64_t in_ma, std::int64_t out_ma) {
    BatteryState state;
    state.set({volts_mv, in_ma, out_ma, 44'800});
    return state;
}

TEST(a_charge_voltage_of_zero_never_leaves) {
    for (const Profile& profile : profiles) {
        for (const std::int64_t mv : {0, -1, 99, -55'000}) {
            const auto encoded = encode(*find(profile, 0x351), with_limits(mv, 1000, 1000));
            EXPECT(encoded.code() == Code::out_of_range);
        }
        EXPECT(encode(*find(profile, 0x351), BatteryState{}).code() == Code::not_found);
    }
}

TEST(limits_are_rounded_to_the_safe_side) {
    BatteryState state = with_limits(55'299, 99'999, 150'099);
    state.discharge_voltage_mv = 44'701;
    EXPECT(encodes("victron", state, {0x351, false, 8, {0x28, 2, 0xE7, 3, 0xDC, 5, 0xC0, 1}}));
}

TEST(numbers_stay_at_the_ends_of_their_type) {
    EXPECT(encodes("victron",
                   with_limits(INT64_MAX, INT64_MAX, -5'000),
                   {0x351, false, 8, {0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0xC0, 1}}));
    BatteryState state;
    state.voltage_mv = INT64_MAX;
    state.current_ma = INT64_MIN;
    state.temperature_mc = -3'276'900;
    EXPECT(encodes("victron", state, {0x356, false, 8, {0xFF, 0x7F, 0, 0x80, 0, 0x80, 0, 0}}));
    state.current_ma = INT64_MAX;  // out of the battery there; 8000 would be "none"
    state.temperature_mc = -3'276'800;
    EXPECT(encodes("sma", state, {0x356, false, 8, {0xFF, 0x7F, 1, 0x80, 1, 0x80, 0, 0}}));
    state.cell_minimum_mv = 70'000;  // FFFF would be "none"
    state.cell_maximum_mv = -1;
    EXPECT(
        encodes("victron", state, {0x373, false, 8, {0xFE, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}}));
}

TEST(sma_gets_nothing_outside_of_its_ranges) {
    EXPECT(encodes("sma",
                   with_limits(70'000, 200'000, 200'000),
                   {0x351, false, 8, {0x76, 2, 0xB0, 4, 0xB0, 4, 0xC0, 1}}));
    EXPECT(encode(frame_of("sma", 0x351), with_limits(40'900, 1, 1)).code() == Code::out_of_range);
}

TEST(what_is_absent_is_not_sent_as_zero) {
    BatteryState state;
    for (const Profile& profile : profiles) {
        for (const Frame& frame : profile.sent) {
            const bool only_alarms = frame.id == 0x35A || frame.id == 0x359;
            EXPECT(encode(frame, state).has_value() == only_alarms);
        }
    }
    EXPECT(encodes("victron", state, {0x35A, false, 8, {}}));  // 00: not supported
    state.soc_permyriad = 5000;
    EXPECT(encodes("victron", state, {0x355, false, 2, {50}}));
    EXPECT(encodes("sma", state, {0x355, false, 8, {50, 0, 0xFF, 0xFF, 0x88, 0x13}}));
    state.soh_permille = 990;
    EXPECT(encodes("pylontech", state, {0x355, false, 6, {50, 0, 99}}));
    state.modules_offline = 1;
    EXPECT(
        encodes("victron", state, {0x372, false, 8, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0}}));
    state.temperature_maximum_mc = -5'000;
    EXPECT(encodes(
        "victron", state, {0x373, false, 8, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0C, 1}}));
}

TEST(names_of_eight_characters_need_no_second_frame) {
    BatteryState state;
    state.name = "TinyBMS8";
    state.serial = "01234567";
    EXPECT(encode(frame_of("victron", 0x370), state).has_value());
    EXPECT(encode(frame_of("victron", 0x371), state).code() == Code::not_found);
    EXPECT(encodes("victron", state, {0x381, false, 8, {}}));  // both halves of a serial are needed
}

TEST(energy_begins_again_at_zero) {
    BatteryState state;
    state.energy_in_wh = (std::int64_t{1} << 32) * 100 + 250;
    state.energy_out_wh = 99;
    EXPECT(encodes("victron", state, {0x378, false, 8, {2}}));
}

TEST(each_alarm_has_its_own_pair) {
    for (unsigned i = 0; i < battery_alarms; ++i) {
        for (const AlarmLevel level : {AlarmLevel::ok, AlarmLevel::warning, AlarmLevel::alarm}) {
            BatteryState state;
            state.alarms[i] = level;
            const unsigned shift = 2 * (i % 4);
            CanFrame expected{0x35A, false, 8, {}};
            const unsigned alarm = level == AlarmLevel::alarm ? 1 : 2;
            const unsigned warning = level == AlarmLevel::ok ? 2 : 1;
            expected.data[i / 4] = static_cast<std::uint8_t>(alarm << shift);
            expected.data[4 + i / 4] = static_cast<std::uint8_t>(warning << shift);
            EXPECT(encodes("victron", state, expected));
            BatteryState decoded;
            EXPECT(decode(frame_of("victron", 0x35A), expected, decoded) && decoded == state);
        }
    }
}

TEST(pairs_of_three_are_not_supported) {
    BatteryState state;
    const CanFrame can{0x35A, false, 8, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    EXPECT(decode(frame_of("victron", 0x35A), can, state) && state == BatteryState{});
}

TEST(short_frames_say_what_they_hold) {
    BatteryState state;
    state.soh_permille = 1;
    const Frame& charge = frame_of("victron", 0x355);
    EXPECT(decode(charge, {0x355, false, 3, {90, 0, 99}}, state));
    EXPECT(state.soc_permyriad == 9000 && !state.soh_permille);
    EXPECT(decode(charge, {0x355, false, 1, {90}}, state).code() == Code::not_found);
}

TEST(frames_of_another_id_are_refused) {
    BatteryState state;
    const Frame& charge = frame_of("victron", 0x355);
    EXPECT(decode(charge, {0x356, false, 8, {}}, state).code() == Code::malformed);
    EXPECT(decode(charge, {0x355, true, 8, {}}, state).code() == Code::malformed);
}

TEST(tables_hold_no_two_frames_of_one_id_and_no_overlapping_signals) {
    for (const Profile& profile : profiles) {
        for (const std::span<const Frame> frames : {profile.sent, profile.heard}) {
            for (const Frame& frame : frames) {
                EXPECT(find(profile, frame.id) == &frame && frame.id <= can_id_max);
                std::uint64_t used = 0;
                for (const Signal& signal : frame.signals) {
                    const std::uint64_t mask = signal.bits == 64
                                                   ? ~std::uint64_t{0}
                                                   : ((std::uint64_t{1} << signal.bits) - 1)
                                                         << signal.first_bit;
                    EXPECT((used & mask) == 0 && signal.first_bit + signal.bits <= 64);
                    EXPECT(signal.kind != Kind::number || signal.field != nullptr);
                    EXPECT(signal.kind != Kind::text || signal.text != nullptr);
                    used |= mask;
                }
            }
        }
    }
}

}  // namespace
