// SPDX-License-Identifier: Apache-2.0
// What may stand on …/durable: one message, and nothing that is only like it.
#include "host/durable_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jw {
namespace {

constexpr std::string_view epoch = "\"0123456789abcdef\"";

std::string message(std::string_view v, std::string_view of_epoch, std::string_view to) {
    std::string text = "{\"v\":";
    text.append(v).append(",\"epoch\":").append(of_epoch).append(",\"to\":").append(to);
    return text + "}";
}

// One of each JSON type, and numbers of every kind.
const std::vector<std::string> values{"null",
                                      "true",
                                      "false",
                                      "\"\"",
                                      "\"1\"",
                                      "[]",
                                      "{}",
                                      "[1]",
                                      "{\"v\":1}",
                                      "0",
                                      "2",
                                      "-1",
                                      "1.0",
                                      "1e300",
                                      "281474976710657",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "-9223372036854775808"};

TEST(DurableMessageTest, is_read_with_its_epoch_and_a_number_for_each_class) {
    const auto read = read_durable(message("1", epoch, "[1,2,3,281474976710656]"));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->epoch, 0x0123'4567'89AB'CDEFU);
    EXPECT_EQ(read->to, (std::array<std::uint64_t, record_classes>{1, 2, 3, durable_seq_max}));
}

TEST(DurableMessageTest, is_refused_where_the_version_is_anything_else) {
    for (const std::string& value : values) {
        EXPECT_FALSE(read_durable(message(value, epoch, "[1,2,3,4]"))) << value;
    }
}

TEST(DurableMessageTest, is_refused_where_the_epoch_is_anything_else) {
    for (const std::string& value : values) {
        EXPECT_FALSE(read_durable(message("1", value, "[1,2,3,4]"))) << value;
    }
    for (const char* value : {"\"123456789abcdef\"",
                              "\"00123456789abcdef\"",
                              "\"0123456789abcdeg\"",
                              "\"+123456789abcdef\"",
                              "\"0x23456789abcdef\"",
                              "\" 123456789abcdef\""}) {
        EXPECT_FALSE(read_durable(message("1", value, "[1,2,3,4]"))) << value;
    }
}

TEST(DurableMessageTest, is_refused_where_the_numbers_are_anything_else) {
    for (const std::string& value : values) {
        EXPECT_FALSE(read_durable(message("1", epoch, value))) << value;
    }
    EXPECT_FALSE(read_durable(message("1", epoch, "[1,2,3]")));
    EXPECT_FALSE(read_durable(message("1", epoch, "[1,2,3,4,5]")));
}

TEST(DurableMessageTest, is_refused_where_one_number_of_any_class_cannot_be) {
    for (const std::string& value : values) {
        if (value == "0" || value == "2") {
            continue;
        }
        for (std::size_t at = 0; at < record_classes; ++at) {
            std::string to = "[";
            for (std::size_t i = 0; i < record_classes; ++i) {
                to += (i == 0 ? "" : ",") + (i == at ? value : std::string("7"));
            }
            EXPECT_FALSE(read_durable(message("1", epoch, to + "]"))) << to;
        }
    }
}

TEST(DurableMessageTest, is_refused_where_a_part_is_missing_or_it_is_no_object) {
    for (const std::string& text : values) {
        EXPECT_FALSE(read_durable(text)) << text;
    }
    for (const char* text : {"",
                             "{",
                             "\xFF",
                             "{\"v\":1}",
                             "{\"v\":1,\"epoch\":\"0123456789abcdef\"}",
                             "{\"v\":1,\"to\":[1,2,3,4]}",
                             "{\"epoch\":\"0123456789abcdef\",\"to\":[1,2,3,4]}"}) {
        EXPECT_FALSE(read_durable(text)) << text;
    }
}

}  // namespace
}  // namespace jw
