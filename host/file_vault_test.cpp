// SPDX-License-Identifier: Apache-2.0
// FileVault, and the severities of the journal.
#include "host/file_vault.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <string>

#include "host/cryptography.h"
#include "host/fakes.h"
#include "host/service.h"

namespace jw {
namespace {

class FileVaultTest : public ::testing::Test {
  protected:
    void put(const std::string& name, const std::string& text, mode_t mode = 0600) {
        const std::string path = folder_.path() + "/" + name;
        std::ofstream(path) << text;
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }
    test::TempFolder folder_;
    FileVault vault_{folder_.path()};
    std::array<std::uint8_t, 64> out_{};
};

TEST_F(FileVaultTest, gives_a_secret_without_the_line_break_at_its_end) {
    put("broker-password", "s3cret\n");
    const auto size = vault_.secret("broker-password", out_);
    ASSERT_TRUE(size);
    EXPECT_EQ(as_text(Bytes(out_).first(*size)), "s3cret");
}

TEST_F(FileVaultTest, refuses_a_secret_that_others_may_read) {
    put("open", "s3cret", 0644);
    EXPECT_EQ(vault_.secret("open", out_).code(), Code::denied);
}

TEST_F(FileVaultTest, names_what_is_wrong_with_a_request) {
    put("long", std::string(65, 'x'));
    EXPECT_EQ(vault_.secret("long", out_).code(), Code::full);
    EXPECT_EQ(vault_.secret("absent", out_).code(), Code::not_found);
    EXPECT_EQ(vault_.secret("../etc/shadow", out_).code(), Code::malformed);
    EXPECT_EQ(vault_.secret("..", out_).code(), Code::malformed);
    EXPECT_EQ(vault_.secret("", out_).code(), Code::malformed);
}

TEST_F(FileVaultTest, signs_with_the_key_of_the_device) {
    EXPECT_EQ(vault_.sign(as_bytes("x"), out_).code(), Code::not_found);
    // RFC 8032, 7.1, test 2: the seed behind the fixed beginning of PKCS #8 (RFC 8410).
    put("device.key",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
        "-----END PRIVATE KEY-----\n");
    std::array<std::uint8_t, 1> message{0x72};
    const auto size = vault_.sign(message, out_);
    ASSERT_TRUE(size) << code_name(size.code());
    EXPECT_EQ(*size, 64U);
    const std::string public_key(
        "\x3d\x40\x17\xc3\xe8\x43\x89\x5a\x92\xb7\x0a\xa7\x4d\x1b\x7e\xbc"
        "\x9c\x98\x2c\xcf\x2e\xc4\x96\x8c\xc0\xcd\x55\xf1\x2a\xf4\x66\x0c",
        32);
    EXPECT_TRUE(openssl_cryptography().ed25519_verify(as_bytes(public_key), message, Bytes(out_)));
    out_[0] ^= 1;
    EXPECT_FALSE(openssl_cryptography().ed25519_verify(as_bytes(public_key), message, Bytes(out_)));
}

TEST_F(FileVaultTest, refuses_what_is_no_key_of_the_right_kind) {
    put("device.key", "not a key");
    EXPECT_EQ(vault_.sign(as_bytes("x"), out_).code(), Code::malformed);
}

TEST_F(FileVaultTest, gives_different_random_bytes_each_time) {
    std::array<std::uint8_t, 32> first{};
    std::array<std::uint8_t, 32> second{};
    vault_.random(first);
    vault_.random(second);
    EXPECT_NE(first, second);
}

TEST(service, gives_each_level_the_severity_of_the_journal) {
    EXPECT_EQ(journal_prefix(0), "<7>");
    EXPECT_EQ(journal_prefix(2), "<6>");
    EXPECT_EQ(journal_prefix(3), "<4>");
    EXPECT_EQ(journal_prefix(4), "<3>");
    EXPECT_EQ(journal_prefix(5), "<2>");
}

}  // namespace
}  // namespace jw
