// SPDX-License-Identifier: Apache-2.0
#pragma once
// One golden vector. tools/vectors.py turns each folder of vectors/ into a table of these, so that
// the same bytes are checked on the desk and on bare metal.
#include <string_view>

#include "core/base/bytes.h"

namespace jw {

struct Vector {
    const char* where;          // file and line
    Bytes in;                   // what is on the wire
    std::string_view expected;  // its "out …" or "error …" lines; each wire has its own words
};

}  // namespace jw
