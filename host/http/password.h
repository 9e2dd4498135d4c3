// SPDX-License-Identifier: Apache-2.0
#pragma once
// The owner's password as scrypt (RFC 7914) keeps it: $scrypt$ln=15,r=8,p=1$salt$digest, salt and
// digest in base64 without padding.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jw::http {

struct ScryptPassword {
    std::uint8_t log_n = 15;
    std::uint32_t r = 8;
    std::uint32_t p = 1;
    std::string salt;
    std::string digest;
};

/// Nothing where the text is not of that form, the cost is below N = 2^15, or beyond 256 MiB.
std::optional<ScryptPassword> parse_scrypt(std::string_view text);

/// Takes some 100 ms and 32 MiB: a matter for a worker, not for the loop. The comparison takes the
/// same time wherever the digests differ.
bool verify_password(std::string_view password, const ScryptPassword& expected);

/// What to put into the settings for that password; `salt` is 16 random bytes.
std::string scrypt_text(std::string_view password, std::string_view salt);

}  // namespace jw::http
