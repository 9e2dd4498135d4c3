// SPDX-License-Identifier: Apache-2.0
// Settings of batteries.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/settings.h"

namespace jw {
namespace {

Device* make_none(Arena& /*arena*/, const DeviceSettings& /*settings*/, DeviceOut& /*out*/) {
    return nullptr;
}
constexpr Capability of_battery[] = {{Quantity::cell_overvoltage_mv, 0}};
const Driver bms{"bms", LineKind::stream, 0, of_battery, &make_none};
const Driver p1{"p1", LineKind::stream, 0, {}, &make_none};
const Driver* const drivers[] = {&bms, &p1};

SettingsOutcome with_batteries(const std::string& batteries) {
    const std::string text = fmt::format(
        R"({{"gateway":"gw","buses":[{{"name":"a","type":"serial","device":"/dev/a"}},
            {{"name":"b","type":"serial","device":"/dev/b"}},
            {{"name":"c","type":"serial","device":"/dev/c"}},
            {{"name":"can","type":"can","device":"can0"}}],
          "devices":[{{"name":"pack-1","driver":"bms","bus":"a"}},
            {{"name":"pack-2","driver":"bms","bus":"b"}},{{"name":"grid","driver":"p1","bus":"c"}}],
          "batteries":[{}]}})",
        batteries);
    return parse_settings(text, {.drivers = drivers});
}

/// The one error that there is.
SettingsError error_of(const std::string& batteries) {
    const SettingsOutcome outcome = with_batteries(batteries);
    EXPECT_EQ(outcome.errors.size(), 1U) << batteries;
    return outcome.errors.empty() ? SettingsError{} : outcome.errors[0];
}

TEST(settings_of_batteries, packs_and_a_profile_are_enough) {
    const auto outcome = with_batteries(
        R"({"name":"house","packs":["pack-2","pack-1"],"can":{"bus":"can","profile":"sma"}})");
    ASSERT_TRUE(outcome.settings) << outcome.errors[0].text();
    const GatewaySettings::Battery& battery = outcome.settings->batteries[0];
    EXPECT_EQ(battery.title, "house");
    EXPECT_EQ(battery.packs, (std::vector<std::uint8_t>{1, 0}));
    EXPECT_EQ(battery.can, 3U);
    ASSERT_NE(battery.profile, nullptr);
    EXPECT_STREQ(battery.profile->name, "sma");
    EXPECT_EQ(battery.identity.manufacturer, "Jouleway");
    EXPECT_EQ(battery.law.charge_current_max_ma, 50'000);
}

TEST(settings_of_batteries, each_rule_of_the_law_can_be_changed) {
    const auto outcome = with_batteries(R"({"name":"house","packs":["pack-1"],"chemistry":"nmc",
        "off_grid":true,"charge_current_max_a":12.5,
        "law":{"fresh_for_s":1.5,"warn_cell_mv":40,"charge_by_soc":[[850,1000],[980,100]]}})");
    ASSERT_TRUE(outcome.settings) << outcome.errors[0].text();
    const battery::LawSettings& law = outcome.settings->batteries[0].law;
    EXPECT_EQ(law.chemistry, battery::Chemistry::nmc);
    EXPECT_TRUE(law.off_grid);
    EXPECT_EQ(law.charge_current_max_ma, 12'500);
    EXPECT_EQ(law.fresh_for, milliseconds(1500));
    EXPECT_EQ(law.warn_cell_mv, 40);
    EXPECT_EQ(law.charge_by_soc.size, 2);
    EXPECT_EQ(law.charge_by_soc.points[1].at, 980);
}

TEST(settings_of_batteries, the_schema_knows_every_number_of_the_law_with_its_range) {
    const auto schema = nlohmann::json::parse(settings_schema());
    const auto& known = schema["definitions"]["battery"]["properties"]["law"]["properties"];
    std::size_t count = 0;
    for (const battery::LawField& field : battery::law_fields()) {
        const std::string name = field.name;
        if (name == "charge_current_max_ma" || name == "discharge_current_max_ma") {
            continue;  // members of the battery itself, in amperes
        }
        const double unit =
            std::holds_alternative<Duration battery::LawSettings::*>(field.member) ? 1000.0 : 1.0;
        ASSERT_TRUE(known.contains(name)) << name;
        EXPECT_EQ(known[name]["minimum"].get<double>(), static_cast<double>(field.least) / unit);
        EXPECT_EQ(known[name]["maximum"].get<double>(), static_cast<double>(field.most) / unit);
        ++count;
    }
    for (const battery::LawRamp& ramp : battery::law_ramps()) {
        ASSERT_TRUE(known.contains(ramp.name)) << ramp.name;
        ++count;
    }
    EXPECT_EQ(known.size(), count);
}

TEST(settings_of_batteries, what_cannot_be_is_refused_with_its_place) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"name":"h","packs":["pack-3"]})", "/batteries/0/packs/0"},
        {R"({"name":"h","packs":["grid"]})", "/batteries/0/packs/0"},
        {R"({"name":"h","packs":["pack-1","pack-1"]})", "/batteries/0/packs/1"},
        {R"({"name":"h","packs":["pack-1"]},{"name":"i","packs":["pack-1"]})",
         "/batteries/1/packs/0"},
        {R"({"name":"h","packs":["pack-1"],"can":{"bus":"a","profile":"sma"}})",
         "/batteries/0/can/bus"},
        {R"({"name":"h","packs":["pack-1"],"can":{"bus":"x","profile":"sma"}})",
         "/batteries/0/can/bus"},
        {R"({"name":"h","packs":["pack-1"],"can":{"bus":"can","profile":"smart"}})",
         "/batteries/0/can/profile"},
        {R"({"name":"grid","packs":["pack-1"]})", "/batteries/0/name"},
        {R"({"name":"h","packs":["pack-1"],"law":{"fresh_for_s":5,"charge_zero_after_s":3}})",
         "/batteries/0/law/charge_zero_after_s"},
        {R"({"name":"h","packs":["pack-1"],"law":{"charge_by_cell":[[3400,0],[3300,1000]]}})",
         "/batteries/0/law/charge_by_cell"},
        {R"({"name":"h","packs":["pack-1"],"law":{"warn_cell":40}})", "/batteries/0/law"},
    };
    for (const auto& [batteries, place] : cases) {
        const SettingsError error = error_of(batteries);
        EXPECT_TRUE(error.pointer.starts_with(place)) << batteries << ": " << error.pointer;
        EXPECT_FALSE(error.remedy.empty());
    }
}

TEST(settings_of_batteries, two_batteries_do_not_share_a_can_bus) {
    const SettingsError error = error_of(
        R"({"name":"h","packs":["pack-1"],"can":{"bus":"can","profile":"sma"}},
           {"name":"i","packs":["pack-2"],"can":{"bus":"can","profile":"sma"}})");
    EXPECT_EQ(error.pointer, "/batteries/1/can/bus");
}

}  // namespace
}  // namespace jw
