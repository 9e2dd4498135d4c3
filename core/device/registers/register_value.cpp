// SPDX-License-Identifier: Apache-2.0
// One value: from the bytes of its registers to a number of its quantity, and back.
#include "core/device/registers/register_value.h"

#include "core/base/float_bits.h"

namespace jw::registers {
namespace {

constexpr int scale_most = 10;  // as SunSpec bounds it

std::int64_t sign_extended(std::uint64_t raw, unsigned bits) {
    const unsigned unused = 64 - bits;
    return static_cast<std::int64_t>(raw << unused) >> unused;
}

}  // namespace

std::uint64_t raw_value(Bytes bytes, WordOrder order) {
    const bool low_word_first = order == WordOrder::cdab || order == WordOrder::dcba;
    const bool low_byte_first = order == WordOrder::badc || order == WordOrder::dcba;
    std::uint64_t raw = 0;
    const std::size_t words = bytes.size() / 2;
    if (order == WordOrder::abcd) {  // nearly every device
        for (const std::uint8_t byte : bytes.first(2 * words)) {
            raw = raw << 8 | byte;
        }
        return raw;
    }
    for (std::size_t i = 0; i < words; ++i) {
        const std::size_t at = 2 * (low_word_first ? words - 1 - i : i);
        const unsigned high = bytes[low_byte_first ? at + 1 : at];
        const unsigned low = bytes[low_byte_first ? at : at + 1];
        raw = (raw << 16) | (high << 8) | low;
    }
    return raw;
}

std::optional<std::int64_t> number_of(const Row& row, std::uint64_t raw, std::int16_t scale) {
    for (const std::uint64_t pattern : row.absent) {
        if (raw == pattern) {
            return std::nullopt;
        }
    }
    if (scale > scale_most || scale < -scale_most) {
        return std::nullopt;
    }
    const std::uint64_t multiply =
        row.multiply * (scale > 0 ? power_of_ten(static_cast<unsigned>(scale)) : 1);
    const std::uint64_t divide =
        row.divide * (scale < 0 ? power_of_ten(static_cast<unsigned>(-scale)) : 1);
    switch (row.format) {
        case Format::bit:
        case Format::u16:
        case Format::u32:
        case Format::u64:
            return scaled(raw, 0, false, multiply, divide);
        case Format::i16:
            return scaled(sign_extended(raw, 16), multiply, divide);
        case Format::i32:
            return scaled(sign_extended(raw, 32), multiply, divide);
        case Format::i64:
            return scaled(sign_extended(raw, 64), multiply, divide);
        case Format::f32:
            return scaled_f32(static_cast<std::uint32_t>(raw), multiply, divide);
        case Format::f64:
            return scaled_f64(raw, multiply, divide);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> raw_of(const Row& row, std::int64_t value) {
    const std::optional<std::int64_t> number = scaled(value, row.divide, row.multiply);
    const unsigned bits = check::format_bits(row.format);
    if (!number) {
        return std::nullopt;
    }
    const bool is_signed =
        row.format == Format::i16 || row.format == Format::i32 || row.format == Format::i64;
    const auto raw = static_cast<std::uint64_t>(*number);
    if (is_signed) {
        if (sign_extended(raw, bits) != *number) {
            return std::nullopt;
        }
    } else if (*number < 0 || (bits < 64 && (raw >> bits) != 0)) {
        return std::nullopt;
    }
    return bits < 64 ? raw & ((std::uint64_t{1} << bits) - 1) : raw;
}

void put_raw(const Row& row, std::uint64_t raw, Writer& out) {
    const bool low_word_first = row.order == WordOrder::cdab || row.order == WordOrder::dcba;
    const bool low_byte_first = row.order == WordOrder::badc || row.order == WordOrder::dcba;
    const unsigned words = format_size(row.format);
    for (unsigned i = 0; i < words; ++i) {
        const auto word =
            static_cast<std::uint16_t>(raw >> (16 * (low_word_first ? i : words - 1 - i)));
        if (low_byte_first) {
            out.u16_le(word);
        } else {
            out.u16_be(word);
        }
    }
}

void put_device_text(Bytes bytes, Text& out) {
    std::size_t size = 0;
    while (size < bytes.size() && bytes[size] != 0) {
        ++size;
    }
    while (size > 0 && bytes[size - 1] == ' ') {
        --size;
    }
    for (const std::uint8_t byte : bytes.first(size)) {
        out.put(byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?');
    }
}

}  // namespace jw::registers
