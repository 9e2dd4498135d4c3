// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are part of the program: schema, API description and pages (tools/embed.py).
#include <span>
#include <string_view>

#include "core/base/bytes.h"

namespace jw {

struct EmbeddedFile {
    std::string_view name;    // "settings.schema.json", "web/index.html"; without ".gz"
    std::string_view sha256;  // of `bytes`, 64 hex digits
    bool gzipped = false;
    Bytes bytes;
};

/// All of them, rising by name.
std::span<const EmbeddedFile> embedded_files();

/// The file of exactly that name, or null.
const EmbeddedFile* embedded_file(std::string_view name);

}  // namespace jw
