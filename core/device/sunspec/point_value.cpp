// SPDX-License-Identifier: Apache-2.0
// What a point of a SunSpec model says.
#include "core/device/sunspec/point_value.h"

#include <charconv>

#include "core/base/float_bits.h"
#include "core/codec/modbus.h"

namespace jw::sunspec {
namespace {

constexpr int scale_most = 10;
constexpr std::uint16_t no_scale = 0x8000;

std::uint64_t unsigned_of(Bytes bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = (value << 8) | byte;
    }
    return value;
}

/// The integer, unless it is the pattern that its type has for "not implemented".
std::optional<std::int64_t> integer_of(Type type, std::uint64_t raw) {
    switch (type) {
        case Type::int16:
            return raw == 0x8000 ? std::nullopt
                                 : std::optional<std::int64_t>(static_cast<std::int16_t>(raw));
        case Type::int32:
            return raw == 0x8000'0000 ? std::nullopt
                                      : std::optional<std::int64_t>(static_cast<std::int32_t>(raw));
        case Type::bitfield16:
            return (raw & 0x8000) != 0 ? std::nullopt
                                       : std::optional(static_cast<std::int64_t>(raw));
        case Type::uint16:
        case Type::enum16:
        case Type::count:
            return raw == 0xFFFF ? std::nullopt : std::optional(static_cast<std::int64_t>(raw));
        case Type::uint32:
        case Type::bitfield32:
            return raw == 0xFFFF'FFFF ? std::nullopt
                                      : std::optional(static_cast<std::int64_t>(raw));
        case Type::acc32:
            return static_cast<std::int64_t>(raw);
        case Type::uint64:
            // 2^63 and above is beyond any counter, all ones is "not implemented".
            return raw > INT64_MAX ? std::nullopt : std::optional(static_cast<std::int64_t>(raw));
        case Type::float32:
        case Type::string:
            break;
    }
    return std::nullopt;
}

Bytes text_of(Bytes bytes) {
    std::size_t size = 0;
    while (size < bytes.size() && bytes[size] != 0) {
        ++size;
    }
    return bytes.first(size);
}

}  // namespace

Bytes Window::at(std::uint32_t offset, std::uint32_t registers) const {
    if (offset < first || 2 * (offset - first + registers) > bytes.size()) {
        return {};
    }
    return bytes.subspan(2 * (offset - first), 2 * registers);
}

PointValue value_of(const Point& point,
                    std::uint32_t offset,
                    const Window& values,
                    const Window& scales) {
    PointValue value;
    const Bytes bytes = values.at(offset, point.size);
    if (bytes.empty()) {
        return value;
    }
    if (point.type == Type::string) {
        value.text = text_of(bytes);
        value.kind = value.text.empty() ? PointValue::Kind::absent : PointValue::Kind::text;
        return value;
    }
    if (point.type == Type::float32) {
        value.float_bits = static_cast<std::uint32_t>(unsigned_of(bytes));
        value.kind =
            finite_f32(value.float_bits) ? PointValue::Kind::float32 : PointValue::Kind::absent;
        return value;
    }
    bool scaled_by_nothing = point.scale == 0;
    if (point.scale != 0) {
        const Bytes scale = scales.at(point.scale, 1);
        if (scale.empty()) {
            return value;
        }
        const std::uint16_t power = modbus::register_at(scale, 0);
        scaled_by_nothing = power == no_scale;
        const int exponent = scaled_by_nothing ? 0 : static_cast<std::int16_t>(power);
        if (exponent > scale_most || exponent < -scale_most) {
            return value;
        }
        value.exponent = static_cast<std::int8_t>(exponent);
    }
    const std::optional<std::int64_t> number = integer_of(point.type, unsigned_of(bytes));
    // An accumulator of 0 is not implemented, or a new meter: its scale factor tells which.
    if (!number || (point.type == Type::acc32 && *number == 0 && scaled_by_nothing)) {
        return value;
    }
    value.number = *number;
    value.kind = PointValue::Kind::number;
    return value;
}

std::optional<std::int64_t> quantity_of(const Point& point, const PointValue& value) {
    if (value.kind == PointValue::Kind::absent || value.kind == PointValue::Kind::text) {
        return std::nullopt;
    }
    const int power = point.power + value.exponent;
    const std::uint64_t multiply = power > 0 ? power_of_ten(static_cast<unsigned>(power)) : 1;
    const std::uint64_t divide = power < 0 ? power_of_ten(static_cast<unsigned>(-power)) : 1;
    const std::optional<std::int64_t> number = value.kind == PointValue::Kind::float32
                                                   ? scaled_f32(value.float_bits, multiply, divide)
                                                   : scaled(value.number, multiply, divide);
    return number ? std::optional(*number * point.sign) : std::nullopt;
}

void put_decimal(std::int64_t number, int exponent, Text& out) {
    std::array<char, 24> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    if (digits.front() == '-') {
        out.put('-');
        digits.remove_prefix(1);
    }
    if (exponent >= 0) {
        out.put(digits);
        for (int i = 0; i < exponent && number != 0; ++i) {
            out.put('0');
        }
        return;
    }
    auto places = static_cast<std::size_t>(-exponent);
    while (places > 0 && digits.size() > 1 && digits.back() == '0') {
        digits.remove_suffix(1);
        --places;
    }
    if (places == 0 || number == 0) {
        out.put(digits);
        return;
    }
    const std::size_t whole = digits.size() > places ? digits.size() - places : 0;
    std::string_view fraction = digits;
    fraction.remove_prefix(whole);
    digits.remove_suffix(digits.size() - whole);
    out.put(whole == 0 ? "0" : digits).put('.');
    for (std::size_t i = fraction.size(); i < places; ++i) {
        out.put('0');
    }
    out.put(fraction);
}

}  // namespace jw::sunspec
