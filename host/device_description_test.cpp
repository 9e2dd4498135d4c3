// SPDX-License-Identifier: Apache-2.0
// Descriptions loaded at run time: those of devices/ come out as they are compiled, and each thing
// that can be wrong is said with file, place, value and reason.
#include "host/device_description.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/arena.h"
#include "core/device/registers/drivers.h"
#include "core/device/registers/fake_device.h"
#include "generated/devices/devices.h"

namespace jw {
namespace {

using Json = nlohmann::json;

Json demo_meter_json() {
    std::ifstream in(std::filesystem::path(JW_SOURCE) / "devices/demo_meter.json");
    return Json::parse(in);
}

/// The errors of the demo meter's description after a change, one line each.
std::vector<std::string> errors_after(const std::function<void(Json&)>& change) {
    Json json = demo_meter_json();
    change(json);
    const DescriptionOutcome outcome = parse_description(json.dump(), "x/demo_meter.json");
    EXPECT_EQ(outcome.description == nullptr, !outcome.errors.empty());
    std::vector<std::string> lines;
    for (const DescriptionError& error : outcome.errors) {
        lines.push_back(error.text());
    }
    return lines;
}

void expect_one(const std::function<void(Json&)>& change, const std::string& line) {
    const std::vector<std::string> lines = errors_after(change);
    ASSERT_EQ(lines.size(), 1U) << line;
    EXPECT_EQ(lines[0], "x/demo_meter.json: " + line);
}

TEST(DeviceDescription, of_every_file_equals_what_was_compiled_in) {
    std::size_t count = 0;
    for (const Driver* compiled : registers::drivers()) {
        const DescriptionOutcome outcome = load_description(
            std::filesystem::path(JW_SOURCE) / "devices" / (std::string(compiled->name) + ".json"));
        ASSERT_TRUE(outcome.errors.empty()) << outcome.errors[0].text();
        const Driver& loaded = outcome.description->driver;
        EXPECT_STREQ(loaded.name, compiled->name);
        EXPECT_EQ(loaded.memory, compiled->memory);
        ASSERT_EQ(loaded.capabilities.size(), compiled->capabilities.size());
        for (std::size_t i = 0; i < loaded.capabilities.size(); ++i) {
            EXPECT_EQ(loaded.capabilities[i].quantity, compiled->capabilities[i].quantity);
            EXPECT_EQ(loaded.capabilities[i].settable, compiled->capabilities[i].settable);
        }
        ++count;
    }
    EXPECT_GE(count, 3U);
}

TEST(DeviceDescription, has_the_same_rows_as_the_compiled_map) {
    const DescriptionOutcome outcome =
        parse_description(demo_meter_json().dump(), "demo_meter.json");
    ASSERT_NE(outcome.description, nullptr);
    const auto& loaded = outcome.description->map.rows;
    const auto& compiled = demo_meter::map.rows;
    ASSERT_EQ(loaded.size(), compiled.size());
    for (std::size_t i = 0; i < loaded.size(); ++i) {
        EXPECT_EQ(loaded[i].address, compiled[i].address);
        EXPECT_EQ(loaded[i].format, compiled[i].format);
        EXPECT_EQ(loaded[i].multiply, compiled[i].multiply);
        EXPECT_EQ(loaded[i].scale_register, compiled[i].scale_register);
        EXPECT_TRUE(std::equal(loaded[i].absent.begin(),
                               loaded[i].absent.end(),
                               compiled[i].absent.begin(),
                               compiled[i].absent.end()));
        EXPECT_EQ(loaded[i].write_function, compiled[i].write_function);
        EXPECT_EQ(loaded[i].most, compiled[i].most);
    }
}

TEST(DeviceDescription, makes_a_device_that_reads) {
    const DescriptionOutcome outcome =
        parse_description(demo_meter_json().dump(), "demo_meter.json");
    ASSERT_NE(outcome.description, nullptr);
    registers::FakeDevice far;
    std::array<std::uint16_t, 18> input{2300};
    std::array<std::uint16_t, 1> relay{1};
    ASSERT_TRUE(far.shelves.push({registers::Table::input, 0, input}));
    ASSERT_TRUE(far.shelves.push({registers::Table::coil, 0, relay}));
    std::vector<std::byte> memory(outcome.description->driver.memory);
    Arena arena{memory};
    registers::Recorder out;
    DeviceSettings settings;
    settings.map = &outcome.description->map;
    Device* device = outcome.description->driver.make(arena, settings, out);
    (void)far.run(*device->modbus(), {}, Instant{500'000});
    ASSERT_NE(out.last.values.find(Quantity::voltage_mv, 1), nullptr);
    EXPECT_EQ(out.last.values.find(Quantity::voltage_mv, 1)->number, 230'000);
    EXPECT_EQ(out.info.driver.view(), "demo_meter");
}

TEST(DeviceDescription, that_is_not_json_is_refused_with_the_place) {
    const DescriptionOutcome outcome = parse_description("{\"name\": }", "a.json");
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_TRUE(outcome.errors[0].text().starts_with(
        "a.json: \"}\" in line 1, column 10: not JSON: syntax error"))
        << outcome.errors[0].text();
    EXPECT_EQ(load_description("/nowhere/b.json").errors[0].text(),
              "/nowhere/b.json: cannot be read");
    EXPECT_EQ(parse_description(std::string((1 << 20) + 1, ' '), "c.json").errors[0].reason,
              "is larger than 1 MiB");
    EXPECT_EQ(parse_description("[]", "d.json").errors[0].text(), "d.json: []: must be an object");
}

TEST(DeviceDescription, of_what_the_parser_cannot_hold_is_refused) {
    const DescriptionOutcome number = parse_description(R"({"name":1e999})", "a.json");
    ASSERT_EQ(number.errors.size(), 1U);
    EXPECT_NE(number.errors[0].reason.find("number overflow"), std::string::npos);
    const std::string deep(description_size_max / 2, '[');
    const std::string closed(deep.size(), ']');
    const DescriptionOutcome nested = parse_description(deep + closed, "b.json");
    ASSERT_EQ(nested.errors.size(), 1U);
    EXPECT_EQ(nested.errors[0].reason, "deeper than 32 levels");
}

TEST(DeviceDescription, with_a_member_twice_is_refused) {
    const DescriptionOutcome outcome = parse_description(R"({"rows":1,"rows":2})", "a.json");
    ASSERT_FALSE(outcome.errors.empty());
    EXPECT_EQ(outcome.errors[0].text(),
              "a.json: /rows: \"rows\": the member stands twice in one object");
}

TEST(DeviceDescription, of_a_wrong_shape_is_refused_with_place_value_and_reason) {
    expect_one([](Json& j) { j["name"] = "other"; },
               "/name: \"other\": must be the name of the file, demo_meter");
    expect_one([](Json& j) { j["name"] = "Demo Meter"; },
               "/name: \"Demo Meter\": must be of a-z, 0-9 and _, beginning with a letter");
    expect_one([](Json& j) { j["rwos"] = 1; }, "/rwos: 1: is not known here");
    expect_one([](Json& j) { j["rows"][3].erase("format"); }, "/rows/3/format: is missing");
    expect_one([](Json& j) { j["rows"][3]["format"] = "u17"; },
               "/rows/3/format: \"u17\": must be one of bit, u16, i16, u32, i32, u64, i64, f32, "
               "f64");
    expect_one([](Json& j) { j["rows"][3]["divide"] = 0; },
               "/rows/3/divide: 0: must be a whole number from 1 to 1000000000");
    expect_one([](Json& j) { j["rows"][3]["address"] = 1.5; },
               "/rows/3/address: 1.5: must be a whole number from 0 to 65535");
    expect_one([](Json& j) { j["rows"][3]["address"] = UINT64_MAX; },
               "/rows/3/address: 18446744073709551615: must be a whole number from 0 to 65535");
    expect_one([](Json& j) { j["rows"][3]["absent"] = Json::array({"FFFF"}); },
               "/rows/3/absent/0: \"FFFF\": must be the bits in hexadecimal: \"0xFFFF\"");
    expect_one([](Json& j) { j["rows"][3]["name"] = "voltage_v"; },
               "/rows/3/name: \"voltage_v\": is no quantity");
    expect_one([](Json& j) { j["blocks"] = Json::array(); },
               "/blocks: []: must be an array of at least one");
    expect_one([](Json& j) { j["identity"]["serial"]["format"] = "hex"; },
               "/identity/serial/format: \"hex\": must be one of text, number");
    EXPECT_EQ(errors_after([](Json& j) {
                  j["rows"][3]["divide"] = 0;
                  j["rows"][4]["divide"] = 0;
              }).size(),
              2U);
}

TEST(DeviceDescription, that_makes_no_sense_is_refused_by_the_row) {
    expect_one([](Json& j) { j["rows"][2]["address"] = 0; },
               "/rows/2: voltage_l2_mv: its registers overlap those of the row above");
    expect_one([](Json& j) { j["rows"][14]["address"] = 17; },
               "/rows/14: energy_export_wh: its value is split: the block ends inside it");
    expect_one([](Json& j) { j["rows"][7]["scale"] = 40; },
               "/rows/7: power_w: its scale register must be a register of the same block");
    expect_one([](Json& j) { j["blocks"][1]["count"] = 126; },
               "/blocks/1: start 0, count 126: its count is more than one question may ask for");
    expect_one([](Json& j) { j["identity"]["serial"]["count"] = 3; },
               "/identity/serial: a text takes 1 to 16 registers, a number 1, 2 or 4");
}

}  // namespace
}  // namespace jw
