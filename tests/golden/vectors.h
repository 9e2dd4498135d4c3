// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads golden vectors: vectors/<wire>/*.vec, the same files that seed the fuzzers.
#include <cstdint>
#include <string>
#include <vector>

namespace jw::golden {

/// One case of a file: its bytes and the lines that must come of them.
struct Case {
    std::string place;  // "vectors/p1/dsmr5.vec:3", for messages
    std::vector<std::uint8_t> in;
    std::vector<std::string> expected;  // the lines behind it, "out …" or "error …"
};

/// All cases of a wire, in order of file and line. `in` lines are hex, `text` lines characters with
/// \r \n \\ \xNN escapes; several of them before the expectations make up one input. `#` begins a
/// comment. Throws std::runtime_error, naming the place, on a line that is none of these and where
/// there is no case at all.
std::vector<Case> cases(const std::string& wire);

}  // namespace jw::golden
