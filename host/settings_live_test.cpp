// SPDX-License-Identifier: Apache-2.0
// Settings of those who hear the latest values: what is understood, and what cannot be.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/settings.h"

namespace jw {
namespace {

using Json = nlohmann::json;

constexpr Capability pack_gives[] = {{Quantity::soc_permille}, {Quantity::cell_voltage_mv, 1}};
constexpr Driver pack{"pack", LineKind::modbus, 0, pack_gives, nullptr};
constexpr Capability meter_gives[] = {{Quantity::power_w}};
constexpr Driver meter{"meter", LineKind::modbus, 0, meter_gives, nullptr};

Json good() {
    return Json::parse(R"({
        "gateway":"gw-1",
        "buses":[{"name":"lan","type":"modbus_tcp","host":"192.0.2.1"}],
        "devices":[{"name":"pack-1","driver":"pack","bus":"lan"},
                   {"name":"grid","driver":"meter","bus":"lan"}],
        "sinks":[{"name":"broker","type":"mqtt","host":"192.0.2.2"}],
        "live":[{"name":"ha","type":"homeassistant","host":"192.0.2.3"},
                {"name":"panel","type":"bms","host":"192.0.2.3","device":"pack-1"}]})");
}

SettingsOutcome parse(const Json& document) {
    static const Driver* const drivers[] = {&pack, &meter};
    return parse_settings(document.dump(), {.drivers = drivers});
}

/// Changes one entry; gives the pointer and the reason of the one error.
std::string wrong(std::size_t entry, const char* change) {
    Json document = good();
    document["live"][entry].merge_patch(Json::parse(change));
    const SettingsOutcome outcome = parse(document);
    EXPECT_FALSE(outcome.settings.has_value());
    EXPECT_EQ(outcome.errors.size(), 1U);
    return outcome.errors.empty() ? ""
                                  : outcome.errors[0].pointer + ": " + outcome.errors[0].reason;
}

TEST(SettingsLive, what_is_left_out_has_its_default) {
    const SettingsOutcome outcome = parse(good());
    ASSERT_TRUE(outcome.settings.has_value()) << outcome.errors[0].text();
    ASSERT_EQ(outcome.settings->live.size(), 2U);
    const GatewaySettings::Live& ha = outcome.settings->live[0];
    EXPECT_EQ(ha.type, LiveType::homeassistant);
    EXPECT_EQ(ha.prefix, "homeassistant");
    EXPECT_EQ(ha.client_id, "gw-1-ha");
    EXPECT_EQ(ha.port, 1883);
    EXPECT_EQ(ha.version, 5);
    EXPECT_EQ(ha.every, seconds(1));
    EXPECT_TRUE(ha.enabled);
    EXPECT_FALSE(ha.commands);
    const GatewaySettings::Live& panel = outcome.settings->live[1];
    EXPECT_EQ(panel.type, LiveType::bms);
    EXPECT_EQ(panel.prefix, "bms");
    EXPECT_EQ(panel.device, "pack-1");
}

TEST(SettingsLive, everything_can_be_given) {
    Json document = good();
    document["live"][0].merge_patch(Json::parse(
        R"({"port":8884,"version":4,"user":"ha","client_id":"me","tls":{},"prefix":"ha/house",
            "enabled":false,"every_s":0.5,"commands":true})"));
    const SettingsOutcome outcome = parse(document);
    ASSERT_TRUE(outcome.settings.has_value()) << outcome.errors[0].text();
    const GatewaySettings::Live& ha = outcome.settings->live[0];
    EXPECT_EQ(ha.port, 8884);
    EXPECT_EQ(ha.version, 4);
    EXPECT_EQ(ha.client_id, "me");
    EXPECT_TRUE(ha.tls.has_value());
    EXPECT_EQ(ha.prefix, "ha/house");
    EXPECT_EQ(ha.every, milliseconds(500));
    EXPECT_TRUE(ha.commands);
    EXPECT_FALSE(ha.enabled);
}

TEST(SettingsLive, bms_names_a_battery) {
    EXPECT_EQ(wrong(1, R"({"device":"grid"})"), "/live/1/device: there is no battery of this name");
    EXPECT_EQ(wrong(1, R"({"device":null})"), "/live/1/device: there is no battery of this name");
    EXPECT_EQ(wrong(1, R"({"commands":true})"), "/live/1/commands: the topics of bms have none");
}

TEST(SettingsLive, home_assistant_hears_of_every_device) {
    EXPECT_EQ(wrong(0, R"({"device":"grid"})"),
              "/live/0/device: Home Assistant hears of every device");
}

TEST(SettingsLive, a_prefix_is_no_filter_and_has_no_slash_at_its_end) {
    for (const char* change :
         {R"({"prefix":"a/+"})", R"({"prefix":"a/"})", R"({"prefix":"#"})", R"({"prefix":""})"}) {
        EXPECT_TRUE(wrong(0, change).starts_with("/live/0/prefix: must be a string")) << change;
    }
}

TEST(SettingsLive, names_and_clients_are_its_own) {
    EXPECT_EQ(wrong(0, R"({"name":"broker"})"),
              "/live/0/name: the name is already taken by /sinks/0/name");
    EXPECT_EQ(wrong(0, R"({"host":"192.0.2.2","client_id":"gw-1"})"),
              "/live/0/client_id: /sinks/0 has the same at this broker, and a broker closes the "
              "older of two connections of one client");
}

TEST(SettingsLive, nobody_is_told_twice) {
    Json document = good();
    document["live"].push_back(document["live"][0]);
    document["live"][2]["name"] = "ha2";
    const SettingsOutcome outcome = parse(document);
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].pointer, "/live/2/host");
}

TEST(SettingsLive, a_gateway_that_is_called_like_the_topics_of_sinks_is_refused) {
    Json document = good();
    document["gateway"] = "v1";
    const SettingsOutcome outcome = parse(document);
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].pointer, "/gateway");
}

}  // namespace
}  // namespace jw
