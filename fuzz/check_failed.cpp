// SPDX-License-Identifier: Apache-2.0
// A CHECK that fails under a fuzzer is a finding.
#include <cstdio>
#include <cstdlib>

#include "core/base/check.h"

namespace jw {
[[noreturn]] void check_failed(std::uint16_t file, std::uint16_t line) {
    std::printf("CHECK failed: file %04X line %u\n", file, line);
    std::abort();
}
}  // namespace jw
