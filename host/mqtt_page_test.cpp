// SPDX-License-Identifier: Apache-2.0
// The worked example of docs/formats/mqtt.md is true: its bytes, its keys and its signatures.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/trust/command_signature.h"
#include "host/base64.h"
#include "host/cryptography.h"
#include "host/durable_message.h"
#include "host/json_message.h"

namespace jw {
namespace {

constexpr std::string_view gateway = "gw-lindenweg";

const std::string& page() {
    static const std::string text = [] {
        std::ifstream in(JW_SOURCE "/docs/formats/mqtt.md");
        return std::string(std::istreambuf_iterator<char>(in), {});
    }();
    return text;
}

/// The n-th fenced block of that language.
std::string block(const std::string& language, int n = 0) {
    const std::string fence = "```" + language + "\n";
    std::size_t at = page().find(fence);
    for (int i = 0; i < n && at != std::string::npos; ++i) {
        at = page().find(fence, at + 1);
    }
    if (at == std::string::npos) {
        return {};
    }
    at += fence.size();
    return page().substr(at, page().find("```", at) - at);
}

/// What stands in the row of the table that begins so, from base64.
std::vector<std::uint8_t> row(const std::string& name) {
    const std::string begin = "| " + name + " | `";
    const std::size_t at = page().find(begin);
    if (at == std::string::npos) {
        return {};
    }
    const std::string text =
        page().substr(at + begin.size(), page().find('`', at + begin.size()) - at - begin.size());
    const std::string bytes = decode_base64(text).value_or("");
    return {bytes.begin(), bytes.end()};
}

Command command(std::string* signature = nullptr) {
    auto document = nlohmann::json::parse(block("json"), nullptr, false);
    if (signature != nullptr) {
        *signature = document.value("signature", "");
    }
    document.erase("signature");
    Command command;
    for (const MessageError& error : from_json(document, command)) {
        ADD_FAILURE() << error.pointer << ": " << error.reason;
    }
    return command;
}

bool accepts(SignatureMethod method, const std::string& key, Bytes signature) {
    Issuer issuer{"operator", method};
    const auto bytes = row(key);
    std::copy_n(bytes.begin(), std::min(bytes.size(), issuer.key.size()), issuer.key.begin());
    return check_signature(gateway, command(), signature, {&issuer, 1}, openssl_cryptography())
        .has_value();
}

TEST(MqttPage, showsTheBytesThatAreSigned) {
    std::array<std::uint8_t, signed_command_size_max> buffer{};
    const auto size = signed_bytes(gateway, command(), buffer);
    ASSERT_TRUE(size);
    std::string shown = block("hex");
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    std::string expected;
    for (const std::uint8_t byte : Bytes(buffer).first(*size)) {
        constexpr const char* digits = "0123456789ABCDEF";
        expected += {digits[byte >> 4], digits[byte & 15], ' '};
    }
    EXPECT_EQ(shown, expected);
}

TEST(MqttPage, showsAnHmacThatHoldsAndStandsInTheCommand) {
    const auto code = row("HMAC");
    EXPECT_TRUE(accepts(SignatureMethod::hmac_sha256, "shared secret", code));
    std::string signature;
    (void)command(&signature);
    EXPECT_NE(page().find("| HMAC | `" + signature + "` |"), std::string::npos);
}

TEST(MqttPage, showsAnEd25519SignatureThatHolds) {
    auto code = row("Ed25519, signature");
    EXPECT_TRUE(accepts(SignatureMethod::ed25519, "Ed25519, public", code));
    ASSERT_FALSE(code.empty());
    code[0] ^= 1;
    EXPECT_FALSE(accepts(SignatureMethod::ed25519, "Ed25519, public", code));
}

TEST(MqttPage, showsADurableMessageThatIsTaken) {
    const auto message = read_durable(block("json", 1));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->to[3], 184'223U);
}

TEST(MqttPage, namesEveryResultCode) {
    for (const char* name : enum_names(ResultCode{})) {
        EXPECT_NE(page().find("`" + std::string(name) + "`"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace jw
