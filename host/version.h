// SPDX-License-Identifier: Apache-2.0
#pragma once
// What this build is.

namespace jw {

/// "0.1.0", from the project's CMakeLists.txt.
const char* version();

}  // namespace jw
