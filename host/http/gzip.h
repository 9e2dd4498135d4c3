// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gzip (RFC 1952) of what the server sends.
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace jw::http {

/// Nothing where zlib has no memory.
std::optional<std::string> gzip(std::string_view plain);
/// The bytes are ours, so what they grow to is known to be harmless; empty where they are broken.
std::string gunzip(Bytes zipped);

}  // namespace jw::http
