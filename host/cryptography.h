// SPDX-License-Identifier: Apache-2.0
#pragma once
// What core/trust asks of a library, from OpenSSL.
#include <cstdint>

#include "core/trust/command_signature.h"

namespace jw {

/// HMAC-SHA-256 and Ed25519 for signed commands.
const Cryptography& openssl_cryptography();
/// 64 bits fit for ids.
std::uint64_t random_64();

}  // namespace jw
