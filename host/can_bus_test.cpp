// SPDX-License-Identifier: Apache-2.0
// CanBus where there is no CAN. On a real interface it is tested in tests/uml/can_bus_test.cpp.
#include "host/can_bus.h"

#include <gtest/gtest.h>

#include "host/fakes.h"

namespace jw {
namespace {

TEST(can_bus, an_interface_that_is_not_there_is_told_and_tried_again) {
    Loop loop;
    test::FakeLine line;
    CanBus bus(
        loop,
        {.name = "can",
         .device = "can-none",
         .ids = {},
         .backoff = {.base = milliseconds(1), .cap = milliseconds(2), .stable = milliseconds(1)}});
    bus.start(line);
    EXPECT_NE(bus.state().trouble.find("can-none (bus can): "), std::string::npos);
    // What is to be done depends on whether the kernel knows CAN at all.
    EXPECT_TRUE(bus.state().trouble.find("plugged in?") != std::string::npos ||
                bus.state().trouble.find("can_raw") != std::string::npos)
        << bus.state().trouble;
    EXPECT_FALSE(loop.run_until([&] { return line.up; }, milliseconds(20)));
    EXPECT_EQ(bus.send(as_bytes("0123456789abcdef")).code(), Code::not_found);
    EXPECT_EQ(line.connects, 0);
}

TEST(can_bus, a_name_that_no_interface_can_have_is_no_crash) {
    Loop loop;
    test::FakeLine line;
    CanBus bus(loop, {.name = "can", .device = std::string(200, 'x'), .ids = {}, .backoff = {}});
    bus.start(line);
    EXPECT_FALSE(bus.state().connected);
    EXPECT_FALSE(bus.state().trouble.empty());
}

}  // namespace
}  // namespace jw
