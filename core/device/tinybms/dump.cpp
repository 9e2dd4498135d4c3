// SPDX-License-Identifier: Apache-2.0
// Lines of register dumps to words.
#include "core/device/tinybms/dump.h"

#include <charconv>

namespace jw::tinybms {
namespace {

/// Takes what stands in front; false where something else does.
bool take_text(std::string_view& text, std::string_view front) {
    if (!text.starts_with(front)) {
        return false;
    }
    text.remove_prefix(front.size());
    return true;
}

template <class T>
bool take_number(std::string_view& text, int base, T& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (read.ec != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

constexpr bool begins_with_digit(std::string_view text) {
    return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

/// Sketches print a negative 16-bit number with the sign stretched to 32 bits: FFFF8000.
bool take_first_word(std::string_view& text, std::uint16_t& word) {
    std::uint32_t number = 0;
    if (!take_number(text, 16, number)) {
        return false;
    }
    word = static_cast<std::uint16_t>(number & 0xFFFF);
    return number <= 0xFFFF || number >= 0xFFFF8000;
}

bool take_words(std::string_view& text, DumpLine& line) {
    if (!take_first_word(text, line.words[0])) {
        return false;
    }
    line.count = 1;
    if (take_text(text, "_") || take_text(text, " ")) {
        line.count = 2;
        return take_number(text, 16, line.words[1]);
    }
    return true;
}

}  // namespace

Result<std::optional<DumpLine>> parse_dump_line(std::string_view line) {
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    DumpLine result;
    result.failed = take_text(line, "Error reading register ");
    if (!result.failed && !take_text(line, "Register ")) {
        return std::optional<DumpLine>();
    }
    if (!begins_with_digit(line)) {
        return std::optional<DumpLine>();
    }
    if (!take_number(line, 10, result.address)) {
        return JW_FAIL(malformed);
    }
    if (result.failed) {
        return line.empty() ? Result<std::optional<DumpLine>>(std::optional(result))
                            : JW_FAIL(malformed);
    }
    if (!take_text(line, ": HEX=") || !take_words(line, result)) {
        return JW_FAIL(malformed);
    }
    if (!line.empty() && !take_text(line, ", ")) {
        return JW_FAIL(malformed);
    }
    result.printed = line;
    return std::optional(result);
}

}  // namespace jw::tinybms
