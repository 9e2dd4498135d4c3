// SPDX-License-Identifier: Apache-2.0
// FileVault: files, and OpenSSL for randomness and signatures.
#include "host/file_vault.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

#include "core/base/check.h"
#include "host/secret.h"

namespace jw {
namespace {

bool is_secret_name(std::string_view name) {
    return !name.empty() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
           });
}

}  // namespace

void FileVault::random(MutableBytes out) {
    // Without randomness no key and no id may be made.
    CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

Result<std::size_t> FileVault::secret(std::string_view name, MutableBytes out) {
    if (!is_secret_name(name)) {
        return JW_FAIL(malformed);
    }
    const Result<Secret> found = read_secret(folder_ + "/" + std::string(name));
    if (!found) {
        return found.error();
    }
    const Bytes bytes = as_bytes((*found).reveal());
    if (bytes.size() > out.size()) {
        return JW_FAIL(full);
    }
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return bytes.size();
}

Result<std::size_t> FileVault::sign(Bytes message, MutableBytes signature) {
    const Result<Secret> text = read_secret(folder_ + "/device.key");
    if (!text) {
        return text.error();
    }
    const std::string_view pem = (*text).reveal();
    const std::unique_ptr<BIO, decltype(&BIO_free)> source(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(source.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
        return JW_FAIL(malformed);
    }
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1) {
        return JW_FAIL(internal);
    }
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
        1) {
        return JW_FAIL(full);
    }
    return size;
}

}  // namespace jw
