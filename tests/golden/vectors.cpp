// SPDX-License-Identifier: Apache-2.0
// Reads golden vectors.
#include "tests/golden/vectors.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace jw::golden {
namespace {

std::uint8_t hex_byte(const std::string& digits) {
    std::size_t used = 0;
    const unsigned long value = std::stoul(digits, &used, 16);
    if (used != 2) {
        throw std::invalid_argument(digits);
    }
    return static_cast<std::uint8_t>(value);
}

void add_hex(std::string text, std::vector<std::uint8_t>& out) {
    std::erase(text, ' ');
    if (text.size() % 2 != 0) {
        throw std::invalid_argument("an odd number of hex digits");
    }
    for (std::size_t i = 0; i < text.size(); i += 2) {
        out.push_back(hex_byte(text.substr(i, 2)));
    }
}

void add_text(const std::string& text, std::vector<std::uint8_t>& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out.push_back(static_cast<std::uint8_t>(text[i]));
            continue;
        }
        const char escape = text.at(++i);
        if (escape == 'x') {
            out.push_back(hex_byte(text.substr(i + 1, 2)));
            i += 2;
        } else if (escape == 'r' || escape == 'n') {
            out.push_back(escape == 'r' ? '\r' : '\n');
        } else if (escape == '\\') {
            out.push_back('\\');
        } else {
            throw std::invalid_argument("an unknown escape");
        }
    }
}

void read_file(const std::filesystem::path& path, std::vector<Case>& out) {
    std::ifstream in(path);
    std::string line;
    bool expecting = true;  // an input begins a new case behind expectations
    for (int number = 1; std::getline(in, line); ++number) {
        const std::string place = path.string() + ":" + std::to_string(number);
        try {
            if (line.empty() || line[0] == '#') {
                continue;
            }
            const bool hex = line.starts_with("in ");
            if (hex || line.starts_with("text ")) {
                if (expecting) {
                    out.push_back({place, {}, {}});
                    expecting = false;
                }
                hex ? add_hex(line.substr(3), out.back().in)
                    : add_text(line.substr(5), out.back().in);
            } else if (!out.empty() && (line.starts_with("out ") || line.starts_with("error "))) {
                out.back().expected.push_back(line);
                expecting = true;
            } else {
                throw std::invalid_argument("neither in, text, out, error nor comment");
            }
        } catch (const std::exception& error) {
            throw std::runtime_error(place + ": " + error.what());
        }
    }
}

}  // namespace

std::vector<Case> cases(const std::string& wire) {
    std::vector<std::filesystem::path> files;
    const auto folder = std::filesystem::path(JW_VECTORS) / wire;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".vec") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<Case> out;
    for (const auto& file : files) {
        read_file(file, out);
    }
    if (out.empty()) {
        throw std::runtime_error(folder.string() + ": no vector");
    }
    return out;
}

}  // namespace jw::golden
