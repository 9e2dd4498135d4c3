// SPDX-License-Identifier: Apache-2.0
#pragma once
// What subcommands read: files, and bytes written as hex.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace joulectl {

/// The whole file; "-" is standard input. Throws UsageError naming the file and the reason.
std::string read_all(const std::string& file);

/// Bytes out of hex text.
struct HexText {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> line_starts;  // offsets in `bytes` at which a line of the text begins
    /// Where the text is no hex: its offset in the text, and why; empty: all of it is hex.
    std::size_t wrong_at = 0;
    std::string wrong;
};

/// Takes white space between bytes and # comments to the end of a line.
HexText parse_hex(std::string_view text);

/// Registers as a device holds them: {"base":N,"registers":[…]}.
struct RegisterImage {
    std::uint16_t base = 0;
    std::vector<std::uint16_t> registers;
};

/// Throws UsageError naming the file, the member and what it must be.
RegisterImage read_image(const std::string& text, const std::string& file);

std::string to_hex(std::string_view bytes);

}  // namespace joulectl
