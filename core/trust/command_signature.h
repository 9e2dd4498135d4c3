// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who may command: one function decides whether a command comes from whom it says.
#include <array>
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/model/command.h"

namespace jw {

enum class SignatureMethod : std::uint8_t { none, hmac_sha256, ed25519 };
constexpr auto enum_names(SignatureMethod) {
    return std::array{"none", "hmac", "ed25519"};
}

/// Somebody who may command from afar. With `none` whoever can write to the topic may: only for a
/// broker that the owner alone reaches.
struct Issuer {
    Name name;
    SignatureMethod method = SignatureMethod::ed25519;
    /// Public key in the first 32 bytes, or shared secret of up to a block of SHA-256 with zeros
    /// behind it, which is the same key (RFC 2104, 2).
    std::array<std::uint8_t, 64> key{};
};

/// The two primitives, from a library of the program (Linux: OpenSSL).
struct Cryptography {
    /// Whether `code` is the HMAC-SHA-256 of the message; compares in constant time.
    bool (*hmac_sha256_matches)(Bytes key, Bytes message, Bytes code);
    /// Whether the Ed25519 signature (RFC 8032) is right.
    bool (*ed25519_verify)(Bytes public_key, Bytes message, Bytes signature);
};

/// What is signed: the text "jouleway-command-v1", the gateway's name as CBOR text, and the command
/// as deterministic CBOR. The gateway's name keeps a command from being replayed elsewhere.
inline constexpr std::size_t signed_command_size_max = 256 + 3 * limits::name_size_max;
Result<std::size_t> signed_bytes(std::string_view gateway,
                                 const Command& command,
                                 MutableBytes out);

/// Errors: denied (unknown issuer, wrong or missing signature).
Status check_signature(std::string_view gateway,
                       const Command& command,
                       Bytes signature,
                       std::span<const Issuer> issuers,
                       const Cryptography& cryptography);

}  // namespace jw
