// SPDX-License-Identifier: Apache-2.0
// What the settings say of history and alerts.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/settings.h"

namespace jw {
namespace {

using Json = nlohmann::json;

Device* make_none(Arena&, const DeviceSettings&, DeviceOut&) {
    return nullptr;
}
const Driver meter{"meter", LineKind::modbus, 0, {}, &make_none};
const Driver* const drivers[] = {&meter};

SettingsOutcome parse(const char* change) {
    Json document = Json::parse(R"({"gateway":"gw",
        "buses":[{"name":"lan","type":"modbus_tcp","host":"192.0.2.1"}],
        "devices":[{"name":"grid","driver":"meter","bus":"lan"}]})");
    document.update(Json::parse(change));
    return parse_settings(document.dump(), {.drivers = drivers});
}

/// The one error; its place has to be that.
SettingsError wrong(const char* change, const char* pointer) {
    const SettingsOutcome outcome = parse(change);
    EXPECT_EQ(outcome.errors.size(), 1U) << change;
    const SettingsError error = outcome.errors.empty() ? SettingsError{} : outcome.errors[0];
    EXPECT_EQ(error.pointer, pointer) << error.text();
    return error;
}

TEST(SettingsHistoryTest, a_history_is_off_or_has_room) {
    wrong(R"({"history":{"size_mb":3}})", "/history/size_mb");
    wrong(R"({"history":{"days":0}})", "/history/days");
    EXPECT_EQ(parse("{}").settings->history.size_mb, 64U);
    const SettingsOutcome outcome = parse(R"({"history":{"size_mb":0,"days":7}})");
    ASSERT_TRUE(outcome.settings);
    EXPECT_EQ(outcome.settings->history.size_mb, 0U);
    EXPECT_EQ(outcome.settings->history.days, 7U);
}

TEST(SettingsHistoryTest, alerts_are_bounds_of_values) {
    EXPECT_FALSE(parse("{}").settings->alerts);
    const SettingsOutcome outcome = parse(R"({"alerts":[
        {"device":"grid","quantity":"power_w","below":-5000,"for_s":0.5,"severity":"alarm"},
        {"device":"grid","quantity":"temperature_mc","above":60000},
        {"device":"grid","quantity":"cell_voltage_max_mv","minus":"cell_voltage_min_mv",
         "above":90,"hysteresis":7}]})");
    ASSERT_TRUE(outcome.settings);
    const std::vector<AlertRule>& rules = *outcome.settings->alerts;
    ASSERT_EQ(rules.size(), 3U);
    EXPECT_EQ(rules[0].device, "grid");
    EXPECT_EQ(rules[0].quantity, Quantity::power_w);
    EXPECT_FALSE(rules[0].above);
    EXPECT_EQ(rules[0].threshold, -5000);
    EXPECT_EQ(rules[0].hold, milliseconds(500));
    EXPECT_EQ(rules[0].severity, Severity::alarm);
    EXPECT_TRUE(rules[1].above);
    EXPECT_EQ(rules[1].threshold, 60'000);
    EXPECT_EQ(rules[1].hysteresis, 2000);
    EXPECT_EQ(rules[1].hold, seconds(10));
    EXPECT_EQ(rules[2].minus, Quantity::cell_voltage_min_mv);
    EXPECT_EQ(rules[2].hysteresis, 7);
}

TEST(SettingsHistoryTest, an_alert_needs_a_device_a_quantity_and_one_bound) {
    wrong(R"({"alerts":[{"device":"gird","quantity":"power_w","above":1}]})", "/alerts/0/device");
    EXPECT_EQ(wrong(R"({"alerts":[{"device":"grid","quantity":"powr_w","above":1}]})",
                    "/alerts/0/quantity")
                  .remedy,
              "did you mean \"power_w\"?");
    wrong(R"({"alerts":[{"device":"grid","quantity":"power_w"}]})", "/alerts/0");
    wrong(R"({"alerts":[{"device":"grid","quantity":"power_w","above":1,"below":0}]})",
          "/alerts/0");
}

}  // namespace
}  // namespace jw
