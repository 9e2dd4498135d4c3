// SPDX-License-Identifier: Apache-2.0
// Settings of CAN buses.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "host/settings.h"

namespace jw {
namespace {

Device* make_none(Arena& /*arena*/, const DeviceSettings& /*settings*/, DeviceOut& /*out*/) {
    return nullptr;
}
const Driver p1{"p1", LineKind::stream, 0, {}, &make_none};
const Driver demo_meter{"demo_meter", LineKind::modbus, 0, {}, &make_none};
const Driver* const drivers[] = {&p1, &demo_meter};

SettingsOutcome with_buses(const std::string& buses, const std::string& devices = "") {
    const std::string text =
        fmt::format(R"({{"gateway":"gw","buses":[{}],"devices":[{}]}})", buses, devices);
    return parse_settings(text, {.drivers = drivers});
}

/// The one error that there is.
SettingsError error_of(const SettingsOutcome& outcome) {
    EXPECT_EQ(outcome.errors.size(), 1U);
    return outcome.errors.empty() ? SettingsError{} : outcome.errors[0];
}

TEST(settings_of_can, an_interface_needs_its_name_only) {
    const auto outcome = with_buses(R"({"name":"can","type":"can","device":"can0"})");
    ASSERT_TRUE(outcome.settings) << outcome.errors[0].text();
    const GatewaySettings::Bus& bus = outcome.settings->buses[0];
    EXPECT_EQ(bus.type, BusType::can);
    EXPECT_EQ(bus.line(), LineKind::can);
    EXPECT_EQ(bus.address(), "can0");
}

TEST(settings_of_can, an_adapter_has_two_speeds_with_defaults) {
    const auto outcome = with_buses(R"({"name":"a","type":"slcan","device":"/dev/ttyACM0"},
        {"name":"b","type":"slcan","device":"/dev/ttyACM1","baud":921600,"bitrate":250000})");
    ASSERT_TRUE(outcome.settings) << outcome.errors[0].text();
    EXPECT_EQ(outcome.settings->buses[0].baud, 115'200U);
    EXPECT_EQ(outcome.settings->buses[0].bitrate, 500'000U);
    EXPECT_EQ(outcome.settings->buses[1].baud, 921'600U);
    EXPECT_EQ(outcome.settings->buses[1].bitrate, 250'000U);
    EXPECT_EQ(outcome.settings->buses[1].line(), LineKind::can);
}

TEST(settings_of_can, what_an_interface_cannot_be_called_is_refused) {
    for (const char* name : {"", "/dev/can0", "can 0", "a-name-of-16-char", "can0:1"}) {
        const auto outcome =
            with_buses(fmt::format(R"({{"name":"can","type":"can","device":"{}"}})", name));
        EXPECT_EQ(error_of(outcome).pointer, "/buses/0/device") << name;
    }
}

TEST(settings_of_can, a_speed_that_no_adapter_has_is_refused) {
    const auto outcome =
        with_buses(R"({"name":"a","type":"slcan","device":"/dev/ttyACM0","bitrate":83333})");
    EXPECT_EQ(error_of(outcome).pointer, "/buses/0/bitrate");
    EXPECT_NE(error_of(outcome).reason.find("500000"), std::string::npos)
        << error_of(outcome).text();
}

TEST(settings_of_can, the_speed_of_an_interface_is_not_ours_to_set) {
    const auto outcome =
        with_buses(R"({"name":"can","type":"can","device":"can0","bitrate":500000})");
    EXPECT_EQ(error_of(outcome).pointer, "/buses/0/bitrate");
}

TEST(settings_of_can, no_device_stands_on_a_can_bus) {
    for (const char* driver : {"p1", "demo_meter"}) {
        const auto outcome =
            with_buses(R"({"name":"can","type":"can","device":"can0"})",
                       fmt::format(R"({{"name":"grid","driver":"{}","bus":"can"}})", driver));
        const SettingsError error = error_of(outcome);
        EXPECT_EQ(error.pointer, "/devices/0/bus");
        EXPECT_NE(error.reason.find("of type can, which batteries use"), std::string::npos)
            << error.reason;
        EXPECT_NE(error.remedy.find("use a bus of type"), std::string::npos);
    }
}

TEST(settings_of_can, two_buses_on_one_interface_are_refused) {
    const auto outcome = with_buses(R"({"name":"a","type":"can","device":"can0"},
        {"name":"b","type":"can","device":"can0"})");
    EXPECT_EQ(error_of(outcome).pointer, "/buses/1/device");
    EXPECT_EQ(error_of(outcome).remedy, "use one bus for it");
}

}  // namespace
}  // namespace jw
