// SPDX-License-Identifier: Apache-2.0
#include "core/trust/command_signature.h"

#include "core/base/cbor.h"

namespace jw {

Result<std::size_t> signed_bytes(std::string_view gateway,
                                 const Command& command,
                                 MutableBytes out) {
    Writer writer(out);
    writer.put(std::string_view("jouleway-command-v1"));
    cbor::put_text(writer, gateway);
    to_cbor(command, writer);
    if (!writer.ok()) {
        return JW_FAIL(full);
    }
    return writer.size();
}

Status check_signature(std::string_view gateway,
                       const Command& command,
                       Bytes signature,
                       std::span<const Issuer> issuers,
                       const Cryptography& cryptography) {
    const Issuer* issuer = nullptr;
    for (const Issuer& known : issuers) {
        if (known.name == command.issuer) {
            issuer = &known;
        }
    }
    if (issuer == nullptr || command.issuer.empty()) {
        return JW_FAIL(denied);
    }
    std::array<std::uint8_t, signed_command_size_max> buffer{};
    const auto size = signed_bytes(gateway, command, buffer);
    if (!size) {
        return size.error();
    }
    const Bytes message = Bytes(buffer).first(*size);
    bool right = false;
    switch (issuer->method) {
        case SignatureMethod::none:
            right = true;
            break;
        case SignatureMethod::hmac_sha256:
            right = signature.size() == 32 &&
                    cryptography.hmac_sha256_matches(issuer->key, message, signature);
            break;
        case SignatureMethod::ed25519:
            right = signature.size() == 64 &&
                    cryptography.ed25519_verify(Bytes(issuer->key).first(32), message, signature);
            break;
    }
    return right ? Status(done) : Status(JW_FAIL(denied));
}

}  // namespace jw
