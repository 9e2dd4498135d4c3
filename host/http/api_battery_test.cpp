// SPDX-License-Identifier: Apache-2.0
// What the API tells of batteries.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/http/battery_json.h"
#include "host/http/fake_battery.h"

namespace jw::http {
namespace {

using Json = nlohmann::json;

constexpr Instant start{1'000'000'000};

Json told(const FakeBattery& battery, Instant now) {
    const BatteryView view = battery.view();
    return Json::parse(api_json::batteries({&view, 1}, now))["items"][0];
}

/// The row of that rule.
Json rule(const Json& battery, const std::string& name) {
    for (const Json& row : battery["rules"]) {
        if (row["rule"] == name) {
            return row;
        }
    }
    return {};
}

TEST(ApiBatteryTest, before_the_first_reading_no_limit_is_told) {
    FakeBattery battery;
    (void)battery.one.run(start);
    const Json json = told(battery, start);
    EXPECT_EQ(json["may_send"], false);
    EXPECT_TRUE(json["limits"].is_null());
    EXPECT_TRUE(json["measured"].empty());
    EXPECT_EQ(json["charge_rule"], "not_ready");
}

TEST(ApiBatteryTest, limits_cells_and_the_inverter_stand_in_one_body) {
    FakeBattery battery;
    battery.read(3300, start);
    const Json json = told(battery, start + milliseconds(300));
    EXPECT_EQ(json["limits"]["charge_current_ma"].get<std::int64_t>(),
              battery.one.verdict().limits(start).charge_current_ma);
    EXPECT_EQ(json["packs"][0]["age_ms"], 300);
    EXPECT_EQ(json["packs"][0]["cells_mv"].size(), 16U);
    EXPECT_EQ(json["packs"][0]["balancing"][1], true);
    EXPECT_EQ(json["packs"][0]["balancing"][0], false);
    EXPECT_EQ(json["measured"]["voltage_mv"], 52'800);
    EXPECT_EQ(json["inverter"]["profile"], "victron");
    EXPECT_TRUE(json["inverter"]["heard_age_ms"].is_null());
    EXPECT_FALSE(json["ramps"]["charge_by_cell"].empty());
}

TEST(ApiBatteryTest, the_rule_that_limits_says_why) {
    FakeBattery battery;
    battery.read(3300, start);
    battery.read(3640, start + milliseconds(250));
    const Json json = told(battery, start + milliseconds(250));
    EXPECT_EQ(json["charge_rule"], "cell_high");
    EXPECT_EQ(json["limits"]["charge_current_ma"], 0);
    EXPECT_EQ(rule(json, "cell_high")["input"], 3640);
    EXPECT_NE(rule(json, "cell_high")["why"], "");
}

TEST(ApiBatteryTest, what_was_said_on_the_bus_stands_with_its_meaning) {
    FakeBattery battery;
    battery.read(3300, start);
    battery.traffic.received({.id = 0x305, .size = 8}, start);
    battery.traffic.received({.id = 0x123, .size = 2, .data = {0xAB, 0xCD}}, start);
    const Json items = Json::parse(api_json::can_traffic(battery.view(), start))["items"];
    std::map<std::string, Json> by_id;
    for (const Json& item : items) {
        by_id[item["id"]] = item;
    }
    EXPECT_EQ(by_id["356"]["signals"][0]["name"], "voltage_mv");
    EXPECT_EQ(by_id["356"]["signals"][0]["value"], 52'800);
    EXPECT_EQ(by_id["356"]["from"], "battery");
    EXPECT_EQ(by_id["305"]["from"], "inverter");
    EXPECT_EQ(by_id["123"]["known"], false);
    EXPECT_EQ(by_id["123"]["data"], "ABCD");
}

}  // namespace
}  // namespace jw::http
