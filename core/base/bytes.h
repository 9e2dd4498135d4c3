// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reading and writing bytes inside given bounds. Both classes remember an overrun instead of
// committing it, so that a codec may read a whole frame and ask once whether all was there.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace jw {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

constexpr bool equal(Bytes a, Bytes b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Takes values from the front of a view. After an overrun every read gives 0 or an empty view and
/// ok() stays false. Does not own the bytes.
class Reader {
  public:
    constexpr explicit Reader(Bytes bytes) : bytes_(bytes) {}
    [[nodiscard]] constexpr bool ok() const { return ok_; }
    [[nodiscard]] constexpr std::size_t remaining() const { return bytes_.size() - at_; }
    [[nodiscard]] constexpr std::size_t position() const { return at_; }

    constexpr Bytes take(std::size_t count) {
        if (!ok_ || count > remaining()) {
            ok_ = false;
            return {};
        }
        const Bytes taken = bytes_.subspan(at_, count);
        at_ += count;
        return taken;
    }
    constexpr Bytes rest() { return take(remaining()); }
    constexpr void skip(std::size_t count) { (void)take(count); }
    constexpr std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
    constexpr std::uint16_t u16_be() { return static_cast<std::uint16_t>(big_endian(2)); }
    constexpr std::uint32_t u32_be() { return static_cast<std::uint32_t>(big_endian(4)); }
    constexpr std::uint64_t u64_be() { return big_endian(8); }
    constexpr std::uint16_t u16_le() { return static_cast<std::uint16_t>(little_endian(2)); }
    constexpr std::uint32_t u32_le() { return static_cast<std::uint32_t>(little_endian(4)); }
    constexpr std::uint64_t u64_le() { return little_endian(8); }

    /// LEB128, at most ten bytes; a longer or overflowing one is an overrun.
    constexpr std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t byte = u8();
            if (!ok_ || (shift == 63 && byte > 1)) {
                break;
            }
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        ok_ = false;
        return 0;
    }

  private:
    constexpr std::uint64_t big_endian(std::size_t count) {
        std::uint64_t value = 0;
        for (const std::uint8_t byte : take(count)) {
            value = (value << 8) | byte;
        }
        return value;
    }
    constexpr std::uint64_t little_endian(std::size_t count) {
        std::uint64_t value = 0;
        unsigned shift = 0;
        for (const std::uint8_t byte : take(count)) {
            value |= static_cast<std::uint64_t>(byte) << shift;
            shift += 8;
        }
        return value;
    }

    Bytes bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

/// Appends values to a buffer that the caller owns. After an overflow nothing more is written and
/// ok() stays false.
class Writer {
  public:
    constexpr explicit Writer(MutableBytes buffer) : buffer_(buffer) {}
    [[nodiscard]] constexpr bool ok() const { return ok_; }
    [[nodiscard]] constexpr std::size_t size() const { return at_; }
    [[nodiscard]] constexpr std::size_t room() const { return buffer_.size() - at_; }
    [[nodiscard]] constexpr Bytes written() const { return buffer_.first(at_); }
    constexpr void clear() {
        at_ = 0;
        ok_ = true;
    }

    constexpr Writer& put(Bytes bytes) {
        if (!ok_ || bytes.size() > room()) {
            ok_ = false;
            return *this;
        }
        for (const std::uint8_t byte : bytes) {
            buffer_[at_++] = byte;
        }
        return *this;
    }
    Writer& put(std::string_view text) { return put(as_bytes(text)); }
    constexpr Writer& u8(std::uint8_t value) { return big_endian(value, 1); }
    constexpr Writer& u16_be(std::uint16_t value) { return big_endian(value, 2); }
    constexpr Writer& u32_be(std::uint32_t value) { return big_endian(value, 4); }
    constexpr Writer& u64_be(std::uint64_t value) { return big_endian(value, 8); }
    constexpr Writer& u16_le(std::uint16_t value) { return little_endian(value, 2); }
    constexpr Writer& u32_le(std::uint32_t value) { return little_endian(value, 4); }
    constexpr Writer& u64_le(std::uint64_t value) { return little_endian(value, 8); }
    constexpr Writer& varint(std::uint64_t value) {
        while (value >= 0x80) {
            u8(static_cast<std::uint8_t>((value & 0x7F) | 0x80));
            value >>= 7;
        }
        return u8(static_cast<std::uint8_t>(value));
    }

  private:
    constexpr Writer& big_endian(std::uint64_t value, unsigned count) {
        std::array<std::uint8_t, 8> bytes{};
        for (unsigned i = 0; i < count; ++i) {
            bytes[i] = static_cast<std::uint8_t>(value >> (8 * (count - 1 - i)));
        }
        return put(Bytes(bytes).first(count));
    }
    constexpr Writer& little_endian(std::uint64_t value, unsigned count) {
        std::array<std::uint8_t, 8> bytes{};
        for (unsigned i = 0; i < count; ++i) {
            bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
        }
        return put(Bytes(bytes).first(count));
    }

    MutableBytes buffer_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace jw
