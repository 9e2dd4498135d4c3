// SPDX-License-Identifier: Apache-2.0
#pragma once
// The pages: gzipped files that are part of the program, found by their exact name.
#include "host/http/message.h"

namespace jw::http {

/// Answers GET of a page file; "/" is the index. Files under assets/ are named after their content
/// and never change; the others are asked for again each time, by their ETag.
Response static_file(const Request& request);

}  // namespace jw::http
