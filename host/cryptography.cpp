// SPDX-License-Identifier: Apache-2.0
// HMAC, Ed25519 and randomness by OpenSSL.
#include "host/cryptography.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

#include "core/base/check.h"

namespace jw {
namespace {

bool hmac_matches(Bytes key, Bytes message, Bytes code) {
    std::array<unsigned char, 32> expected{};
    unsigned size = 0;
    const unsigned char* made = HMAC(EVP_sha256(),
                                     key.data(),
                                     static_cast<int>(key.size()),
                                     message.data(),
                                     message.size(),
                                     expected.data(),
                                     &size);
    return made != nullptr && size == expected.size() && code.size() == expected.size() &&
           CRYPTO_memcmp(expected.data(), code.data(), expected.size()) == 0;
}

bool ed25519_verify(Bytes public_key, Bytes message, Bytes signature) {
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        EVP_PKEY_new_raw_public_key(
            EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()),
        &EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     &EVP_MD_CTX_free);
    return key && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(
               context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
               1;
}

}  // namespace

const Cryptography& openssl_cryptography() {
    static constexpr Cryptography cryptography{&hmac_matches, &ed25519_verify};
    return cryptography;
}

std::uint64_t random_64() {
    std::array<std::uint8_t, 8> bytes{};
    CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    return Reader(bytes).u64_le();
}

}  // namespace jw
