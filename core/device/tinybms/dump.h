// SPDX-License-Identifier: Apache-2.0
#pragma once
// Register dumps as people record them with a Modbus sketch: one line a register, with its words in
// hex and the number that the sketch made of them.
//   Register 36: HEX=1eb8_425f, FLOAT=55.78
//   Error reading register 12
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace jw::tinybms {

struct DumpLine {
    std::uint16_t address = 0;
    bool failed = false;  // the register was not read
    std::uint8_t count = 0;
    std::array<std::uint16_t, 2> words{};  // the one of the lower address first
    std::string_view printed;              // what stands behind the words, as "FLOAT=55.78"

    [[nodiscard]] std::span<const std::uint16_t> all() const { return {words.data(), count}; }
};

/// Reads one line, without its end. Nothing where it is not about a register. Error: malformed.
Result<std::optional<DumpLine>> parse_dump_line(std::string_view line);

}  // namespace jw::tinybms
