// SPDX-License-Identifier: Apache-2.0
// What a looker-on sees of a CAN bus.
#include "host/can_traffic.h"

#include <gtest/gtest.h>

#include "core/sink/can_out/profiles.h"
#include "host/can_signals.h"

namespace jw {
namespace {

struct Client final : CanClient {
    void received(const CanFrame& /*frame*/, Instant /*now*/) override { ++heard; }
    void rivalled(const CanFrame& /*frame*/, Instant /*now*/) override { ++rivals; }
    void bus_changed(std::optional<CanBusState> /*state*/, Instant /*now*/) override { ++changes; }
    int heard = 0;
    int rivals = 0;
    int changes = 0;
};

constexpr Instant start{1'000'000};

TEST(CanTrafficTest, the_latest_frame_of_an_id_stands_with_its_rate) {
    Client client;
    CanTraffic traffic(client);
    traffic.sent({.id = 0x351, .size = 1, .data = {1}}, start);
    traffic.sent({.id = 0x351, .size = 1, .data = {2}}, start + seconds(1));
    ASSERT_EQ(traffic.seen().size(), 1U);
    EXPECT_EQ(traffic.seen()[0].frame.data[0], 2);
    EXPECT_EQ(traffic.seen()[0].count, 2U);
    EXPECT_EQ(traffic.seen()[0].interval, seconds(1));
}

TEST(CanTrafficTest, sent_and_received_of_one_id_are_two_and_both_are_handed_on) {
    Client client;
    CanTraffic traffic(client);
    traffic.received({.id = 0x305, .size = 8}, start);
    traffic.rivalled({.id = 0x351, .size = 8}, start);
    traffic.sent({.id = 0x351, .size = 8}, start);
    traffic.bus_changed(CanBusState::active, start);
    EXPECT_EQ(traffic.seen().size(), 3U);
    EXPECT_EQ(client.heard, 1);
    EXPECT_EQ(client.rivals, 1);
    EXPECT_EQ(client.changes, 1);
}

TEST(CanTrafficTest, ids_beyond_the_bound_are_counted_only) {
    Client client;
    CanTraffic traffic(client);
    for (std::uint32_t id = 0; id < 100; ++id) {
        traffic.received({.id = id, .size = 8}, start);
    }
    EXPECT_EQ(traffic.seen().size(), CanTraffic::ids_max);
    EXPECT_EQ(traffic.overlooked(), 100 - CanTraffic::ids_max);
    EXPECT_EQ(client.heard, 100);
}

TEST(CanSignalsTest, a_frame_says_its_values_by_name) {
    const can_out::Profile& victron = *can_out::profile_named("victron");
    const CanFrame limits{
        .id = 0x351, .size = 8, .data = {0x28, 0x02, 0xE8, 0x03, 0xDC, 0x05, 0xC0, 0x01}};
    const auto signals = can_signals(*can_out::find(victron, 0x351), limits);
    ASSERT_EQ(signals.size(), 4U);
    EXPECT_EQ(signals[0].name, "charge_voltage_mv");
    EXPECT_EQ(signals[0].value, 55'200);
    EXPECT_EQ(signals[1].value, 100'000);
}

TEST(CanSignalsTest, a_frame_of_another_id_says_nothing) {
    const can_out::Profile& victron = *can_out::profile_named("victron");
    EXPECT_TRUE(can_signals(*can_out::find(victron, 0x351), {.id = 0x355, .size = 8}).empty());
}

}  // namespace
}  // namespace jw
