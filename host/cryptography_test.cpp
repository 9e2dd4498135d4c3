// SPDX-License-Identifier: Apache-2.0
#include "host/cryptography.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace jw {
namespace {

std::vector<std::uint8_t> hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

TEST(Cryptography, HmacGivesTheValueOfRfc4231Case2) {
    auto code = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const Cryptography& library = openssl_cryptography();
    const Bytes key = as_bytes("Jefe");
    const Bytes message = as_bytes("what do ya want for nothing?");
    EXPECT_TRUE(library.hmac_sha256_matches(key, message, code));
    code[31] ^= 1;
    EXPECT_FALSE(library.hmac_sha256_matches(key, message, code));
    EXPECT_FALSE(library.hmac_sha256_matches(key, message, Bytes(code).first(16)));
}

TEST(Cryptography, HmacTakesAKeyWithZerosBehindItUpToABlockAsTheSameKey) {
    std::array<std::uint8_t, 64> key{};
    std::ranges::copy(std::string_view("Jefe"), key.begin());
    const auto code = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_TRUE(openssl_cryptography().hmac_sha256_matches(
        key, as_bytes("what do ya want for nothing?"), code));
}

TEST(Cryptography, Ed25519AcceptsTheSignatureOfRfc8032Test2) {
    const auto key = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    auto signature =
        hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    const std::array<std::uint8_t, 1> message{0x72};
    const Cryptography& library = openssl_cryptography();
    EXPECT_TRUE(library.ed25519_verify(key, message, signature));
    signature[0] ^= 1;
    EXPECT_FALSE(library.ed25519_verify(key, message, signature));
    EXPECT_FALSE(library.ed25519_verify(Bytes(key).first(31), message, signature));
}

TEST(Cryptography, RandomNumbersDiffer) {
    EXPECT_NE(random_64(), random_64());
}

}  // namespace
}  // namespace jw
