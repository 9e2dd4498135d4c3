// SPDX-License-Identifier: Apache-2.0
// Messages from JSON: what the field list says is taken, everything else is refused by name.
#include "host/json_message.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "core/model/command.h"
#include "core/model/reading.h"

namespace jw {
namespace {

using Json = nlohmann::json;

MessageError only_error(const char* text) {
    Command command;
    const MessageErrors errors = from_json(Json::parse(text), command);
    EXPECT_EQ(errors.size(), 1U) << text;
    return errors.empty() ? MessageError{} : errors[0];
}

TEST(JsonMessage, a_command_is_read) {
    Command command;
    const Json document = Json::parse(
        R"({"id":"c-1","target":"relay","action":"read","quantity":"relay_closed","value":-5,
            "counter":18446744073709551615,"expiry":1790000000123})");
    EXPECT_TRUE(from_json(document, command).empty());
    EXPECT_EQ(command.id, "c-1");
    EXPECT_EQ(command.action, Action::read);
    EXPECT_EQ(command.value, -5);
    EXPECT_EQ(command.counter, UINT64_MAX);
    EXPECT_EQ(command.expiry_ms, 1'790'000'000'123);
}

TEST(JsonMessage, what_is_absent_keeps_its_default) {
    Command command;
    EXPECT_TRUE(from_json(Json::object(), command).empty());
    EXPECT_EQ(command.action, Action::set);
}

TEST(JsonMessage, an_unknown_member_is_refused_with_the_nearest) {
    const MessageError error = only_error(R"({"quantitiy":"x"})");
    EXPECT_EQ(error.pointer, "/quantitiy");
    EXPECT_NE(error.reason.find("\"quantity\""), std::string::npos);
}

TEST(JsonMessage, a_text_too_long_is_refused_not_cut) {
    EXPECT_EQ(only_error(R"({"target":"123456789012345678901234567890123"})").pointer, "/target");
}

TEST(JsonMessage, numbers_are_integers_in_the_range_of_their_member) {
    for (const char* text : {R"({"value":1.5})",
                             R"({"value":"1"})",
                             R"({"value":true})",
                             R"({"value":9223372036854775808})",
                             R"({"counter":-1})",
                             R"({"value":1e400})"}) {
        Json document;
        try {
            document = Json::parse(text);
        } catch (const Json::exception&) {
            continue;  // 1e400 is no number to the parser
        }
        Command command;
        EXPECT_EQ(from_json(document, command).size(), 1U) << text;
    }
}

TEST(JsonMessage, an_enum_has_only_its_names) {
    EXPECT_EQ(only_error(R"({"action":"destroy"})").reason, "\"destroy\" is none of set, read");
    EXPECT_EQ(only_error(R"({"action":1})").pointer, "/action");
}

TEST(JsonMessage, all_errors_are_told) {
    Command command;
    EXPECT_EQ(from_json(Json::parse(R"({"value":"a","action":7,"nonsense":1})"), command).size(),
              3U);
}

TEST(JsonMessage, something_else_than_an_object_is_refused) {
    EXPECT_EQ(only_error("[]").pointer, "");
}

TEST(JsonMessage, a_reading_comes_back_as_it_went_out) {
    Reading reading;
    reading.device = "battery";
    reading.from_seq = 7;
    reading.values.put(Quantity::power_w, 0, -1520);
    reading.values.put(Quantity::voltage_mv, 2, 230'100);
    reading.values.put(Quantity::cell_voltage_mv, 1, 3300);
    reading.values.put(Quantity::cell_voltage_mv, 3, 3301);
    std::array<char, 512> buffer{};
    Text text(buffer);
    to_json(reading, text);
    Reading back;
    const MessageErrors errors = from_json(Json::parse(text.view()), back);
    EXPECT_TRUE(errors.empty()) << (errors.empty() ? "" : errors[0].pointer + errors[0].reason);
    EXPECT_EQ(back.device, "battery");
    EXPECT_EQ(back.from_seq, 7U);
    ASSERT_EQ(back.values.size(), 4U);
    for (const Value& value : reading.values) {
        const Value* found = back.values.find(value.quantity, value.index);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->number, value.number);
    }
}

TEST(JsonMessage, values_are_bounded) {
    Json document = {{"device", "d"}, {"cell_voltage_mv", Json::array()}};
    for (int i = 0; i < 65; ++i) {
        document["cell_voltage_mv"].push_back(i);
    }
    Reading reading;
    EXPECT_EQ(from_json(document, reading).size(), 1U);
    EXPECT_EQ(from_json(Json{{"power_w", 1.5}}, reading).size(), 1U);
    EXPECT_EQ(from_json(Json{{"powers_w", 1}}, reading).size(), 1U);
}

}  // namespace
}  // namespace jw
