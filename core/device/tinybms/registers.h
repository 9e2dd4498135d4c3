// SPDX-License-Identifier: Apache-2.0
#pragma once
// The registers of a TinyBMS (Enepaq, TinyBMS communication protocols, revision D) as one table,
// and what their words say. A register of several words has its low word at the lower address.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/base/text.h"

namespace jw::tinybms {

enum class Type : std::uint8_t {
    u16,
    i16,  // -32768: nothing is connected
    u32,
    f32,
    u8,       // the low byte
    u8_pair,  // two numbers, the first in the low byte
    i8_pair,
    set_once,  // u16 that is taken over and then reads as 0xFFFF
    status,
    event,   // time in s (24 bits), then the id (8 bits)
    serial,  // 96 bits
};

struct Register {
    std::uint16_t address;
    std::uint8_t count;  // how many of the kind follow each other; more than one are numbered
    Type type;
    const char* name;
    const char* unit = "";
    std::uint8_t multiply = 1;  // the value is number × multiply / 10^decimals
    std::uint8_t decimals = 0;
    bool writable = false;
    /// What may be written, as it stands in the register; 0 and 0 where the document says nothing.
    std::int32_t least = 0;
    std::int32_t most = 0;
};

std::span<const Register> registers();

constexpr std::uint8_t words_of(Type type) {
    switch (type) {
        case Type::u32:
        case Type::f32:
        case Type::event:
            return 2;
        case Type::serial:
            return 6;
        default:
            return 1;
    }
}

inline constexpr std::uint8_t register_words_max = 6;

/// Where an address lies in the table.
struct Place {
    const Register* what = nullptr;
    std::uint8_t item = 0;  // of `count`, from 0
    std::uint8_t word = 0;  // of the item, from 0
};
/// Nothing for an address that is reserved.
std::optional<Place> place_of(std::uint16_t address);

/// The name, with its number where there are several of the kind: cell_voltage_1.
void put_name(const Place& place, Text& out);

struct Value {
    std::int64_t number = 0;           // in units of 10^-decimals
    std::optional<std::int64_t> high;  // of a pair: the number in the high byte
};

/// What the words of one item say; as many as its type has. Nothing where no sensor is connected,
/// a float is no number, a setting was taken over, and for types that are no number.
std::optional<Value> value_of(const Register& what, std::span<const std::uint16_t> words);

struct Event {
    std::uint32_t time_s = 0;  // of the BMS's life
    std::uint8_t id = 0;       // 0: none yet
};
constexpr Event event_of(std::uint16_t low, std::uint16_t high) {
    return {static_cast<std::uint32_t>((high & 0xFF) << 16 | low),
            static_cast<std::uint8_t>(high >> 8)};
}

/// 24 hex digits, in the order of the registers (it is a number, never text).
void put_serial(std::span<const std::uint16_t, 6> words, Text& out);

/// Names as they stand in JSON; nullptr for numbers that the document does not know.
const char* status_name(std::int64_t status);
const char* event_name(std::uint8_t id);

}  // namespace jw::tinybms
