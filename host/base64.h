// SPDX-License-Identifier: Apache-2.0
#pragma once
// Base64 (RFC 4648, 4) of keys, passwords and signatures.
#include <optional>
#include <string>
#include <string_view>

namespace jw {

/// Without or with padding; nothing where a character does not belong there.
std::optional<std::string> decode_base64(std::string_view text);
/// Without padding.
std::string encode_base64(std::string_view bytes);

}  // namespace jw
