// SPDX-License-Identifier: Apache-2.0
// What a failed CHECK does on Linux: says where and aborts; the supervisor starts the program anew.
#include <cstdio>
#include <cstdlib>

#include "core/base/check.h"

namespace jw {

void check_failed(std::uint16_t file, std::uint16_t line) {
    std::fprintf(stderr, "<2>a check failed at file id %04x line %u\n", file, line);
    std::abort();
}

}  // namespace jw
