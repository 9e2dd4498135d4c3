// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is polled: a driver of the product, the questions it asks in a poll, and where the values
// stand in the answers, for a loop that knows nothing else.
#include <cstdint>
#include <string>
#include <vector>

namespace jw::bench {

enum class RawType : std::uint8_t { i16, u16, u32, f32 };

/// One value of an answer; offsets in bytes.
struct RawValue {
    std::size_t at = 0;
    RawType type = RawType::f32;
    int scale_at = -1;  // of the power of ten that goes with it; -1: none
    double multiply = 1;
};

struct Question {
    std::uint8_t function = 3;
    std::uint16_t start = 0;
    std::uint16_t count = 0;
    std::vector<RawValue> values;
};

struct Mix {
    std::string name;
    std::string driver;
    std::vector<Question> questions;
    [[nodiscard]] std::size_t tags() const;
};

/// Three-phase meters whose map needs three questions for its 35 floats.
Mix meters();
/// SunSpec inverters with three strings (models 103 and 160), 37 scaled integers in one question.
Mix inverters();

/// Where the inverter's registers begin, and where its models stand behind that.
inline constexpr std::uint16_t sunspec_base = 40000;
inline constexpr std::uint16_t inverter_at = 2 + 68;           // marker and model 1
inline constexpr std::uint16_t strings_at = inverter_at + 52;  // model 160
inline constexpr std::uint16_t strings = 3;
inline constexpr std::uint16_t string_size = 20;
inline constexpr std::uint16_t strings_size = 10 + strings * string_size;

}  // namespace jw::bench
