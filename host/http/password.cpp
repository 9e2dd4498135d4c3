// SPDX-License-Identifier: Apache-2.0
// scrypt by OpenSSL.
#include "host/http/password.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>

#include "host/base64.h"

namespace jw::http {
namespace {

constexpr std::size_t digest_size = 32;
constexpr std::uint64_t memory_max = std::uint64_t{256} << 20;

bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool take_number(std::string_view& text, std::uint32_t& number) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
    return end.ec == std::errc{};
}

std::string derive(std::string_view password, const ScryptPassword& cost) {
    std::string digest(digest_size, '\0');
    const int made = EVP_PBE_scrypt(password.data(),
                                    password.size(),
                                    reinterpret_cast<const unsigned char*>(cost.salt.data()),
                                    cost.salt.size(),
                                    std::uint64_t{1} << cost.log_n,
                                    cost.r,
                                    cost.p,
                                    2 * memory_max,
                                    reinterpret_cast<unsigned char*>(digest.data()),
                                    digest.size());
    return made == 1 ? digest : std::string();
}

}  // namespace

std::optional<ScryptPassword> parse_scrypt(std::string_view text) {
    ScryptPassword parsed;
    std::uint32_t log_n = 0;
    if (!take(text, "$scrypt$ln=") || !take_number(text, log_n) || !take(text, ",r=") ||
        !take_number(text, parsed.r) || !take(text, ",p=") || !take_number(text, parsed.p) ||
        !take(text, "$")) {
        return std::nullopt;
    }
    const std::size_t split = text.find('$');
    if (split == std::string_view::npos || log_n < 15 || log_n > 20 || parsed.r < 8 ||
        parsed.r > 64 || parsed.p < 1 || parsed.p > 16 ||
        (std::uint64_t{128} * parsed.r << log_n) > memory_max) {
        return std::nullopt;
    }
    const auto salt = decode_base64(text.substr(0, split));
    const auto digest = decode_base64(text.substr(split + 1));
    if (!salt || salt->size() < 8 || !digest || digest->size() != digest_size) {
        return std::nullopt;
    }
    parsed.log_n = static_cast<std::uint8_t>(log_n);
    parsed.salt = *salt;
    parsed.digest = *digest;
    return parsed;
}

bool verify_password(std::string_view password, const ScryptPassword& expected) {
    const std::string digest = derive(password, expected);
    return digest.size() == expected.digest.size() && !digest.empty() &&
           CRYPTO_memcmp(digest.data(), expected.digest.data(), digest.size()) == 0;
}

std::string scrypt_text(std::string_view password, std::string_view salt) {
    ScryptPassword cost;
    cost.salt = std::string(salt);
    return fmt::format("$scrypt$ln={},r={},p={}${}${}",
                       cost.log_n,
                       cost.r,
                       cost.p,
                       encode_base64(salt),
                       encode_base64(derive(password, cost)));
}

}  // namespace jw::http
