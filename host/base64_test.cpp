// SPDX-License-Identifier: Apache-2.0
#include "host/base64.h"

#include <gtest/gtest.h>

namespace jw {
namespace {

TEST(Base64Test, base64_is_read_with_and_without_padding) {
    EXPECT_EQ(decode_base64("YWI="), "ab");
    EXPECT_EQ(decode_base64("YWI"), "ab");
    EXPECT_EQ(decode_base64("YQ=="), "a");
    EXPECT_EQ(decode_base64("YWJj"), "abc");
    EXPECT_EQ(decode_base64("A"), std::nullopt);
    EXPECT_EQ(decode_base64("YW I"), std::nullopt);
    EXPECT_EQ(decode_base64("YQ=b"), std::nullopt);
    EXPECT_EQ(encode_base64("ab"), "YWI");
}

}  // namespace
}  // namespace jw
