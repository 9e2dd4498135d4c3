// SPDX-License-Identifier: Apache-2.0
// Files and hex text.
#include "apps/joulectl/input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string read_all(const std::string& file) {
    if (file == "-") {
        return {std::istreambuf_iterator<char>(std::cin), {}};
    }
    std::error_code error;
    const bool folder = std::filesystem::is_directory(file, error);
    std::ifstream in(file, std::ios::binary);
    if (!in || folder) {
        throw UsageError(file + ": " + std::strerror(folder ? EISDIR : errno) +
                         "; name a file that can be read, or - for standard input");
    }
    std::string all{std::istreambuf_iterator<char>(in), {}};
    return all;
}

HexText parse_hex(std::string_view text) {
    HexText result;
    bool line_begins = true;
    int high = -1;
    std::size_t high_at = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '#' && high < 0) {
            i = std::min(text.find('\n', i), text.size());
            line_begins = true;
            continue;
        }
        if (std::strchr(" \t\r\n\f\v", c) != nullptr && c != '\0' && high < 0) {
            line_begins = line_begins || c == '\n';
            continue;
        }
        const int digit = digit_of(c);
        if (digit < 0) {
            result.wrong_at = i;
            result.wrong = high < 0 ? "not a hex digit" : "half a byte: two hex digits make one";
            return result;
        }
        if (high < 0) {
            high = digit;
            high_at = i;
            continue;
        }
        if (line_begins) {
            result.line_starts.push_back(result.bytes.size());
            line_begins = false;
        }
        result.bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
        high = -1;
    }
    if (high >= 0) {
        result.wrong_at = high_at;
        result.wrong = "half a byte: two hex digits make one";
    }
    return result;
}

RegisterImage read_image(const std::string& text, const std::string& file) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto wrong = [&](const std::string& what) {
        return UsageError(file + ": " + what +
                          "; an image is {\"base\":40000,\"registers\":[21365,28243,…]}");
    };
    if (!json.is_object()) {
        throw wrong("not a JSON object");
    }
    const auto is_register = [](const nlohmann::json& value) {
        return value.is_number_unsigned() && value.get<std::uint64_t>() <= 0xFFFF;
    };
    if (!json.contains("base") || !is_register(json["base"])) {
        throw wrong("`base` must be an address from 0 to 65535");
    }
    if (!json.contains("registers") || !json["registers"].is_array()) {
        throw wrong("`registers` must be an array");
    }
    RegisterImage image;
    image.base = json["base"].get<std::uint16_t>();
    for (const auto& value : json["registers"]) {
        if (!is_register(value)) {
            throw wrong("registers[" + std::to_string(image.registers.size()) +
                        "] must be a number from 0 to 65535");
        }
        image.registers.push_back(value.get<std::uint16_t>());
    }
    if (image.registers.size() > 0x10000U - image.base) {
        throw wrong("`registers` reach beyond address 65535");
    }
    return image;
}

std::string to_hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        text += "0123456789ABCDEF"[byte >> 4];
        text += "0123456789ABCDEF"[byte & 0xF];
    }
    return text;
}

}  // namespace joulectl
