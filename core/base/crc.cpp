// SPDX-License-Identifier: Apache-2.0
#include "core/base/crc.h"

#include <array>

#include "core/base/check.h"

namespace jw {
namespace {

template <class Word, std::size_t Slices>
consteval auto tables(Word polynomial) {
    std::array<std::array<Word, 256>, Slices> result{};
    for (unsigned i = 0; i < 256; ++i) {
        auto value = static_cast<Word>(i);
        for (int bit = 0; bit < 8; ++bit) {
            value = static_cast<Word>((value >> 1) ^ ((value & 1U) != 0 ? polynomial : 0U));
        }
        result[0][i] = value;
    }
    for (std::size_t slice = 1; slice < Slices; ++slice) {
        for (unsigned i = 0; i < 256; ++i) {
            const Word before = result[slice - 1][i];
            result[slice][i] = static_cast<Word>((before >> 8) ^ result[0][before & 0xFFU]);
        }
    }
    return result;
}

// The tables stand in flash on a node: 4 KB for each 16-bit sum and 1 KB for CRC-32C there.
constexpr auto modbus_tables = tables<std::uint16_t, 8>(0xA001);
constexpr auto x25_table = tables<std::uint16_t, 1>(0x8408);
#if defined(__riscv) && __riscv_xlen == 32
constexpr std::size_t crc32c_slices = 1;
#else
constexpr std::size_t crc32c_slices = 8;
#endif
constexpr auto crc32c_tables = tables<std::uint32_t, crc32c_slices>(0x82F63B78);

Crc32c registered_crc32c = &crc32c_portable;

}  // namespace

std::uint16_t crc16_modbus(Bytes bytes, std::uint16_t crc) {
    // Slice-by-8: eight independent look-ups a turn instead of a chain of eight.
    const std::uint8_t* data = bytes.data();
    std::size_t left = bytes.size();
    const auto& t = modbus_tables;
    while (left >= 8) {
        const unsigned low = (crc ^ data[0]) & 0xFFU;
        const unsigned high = ((crc >> 8) ^ data[1]) & 0xFFU;
        crc = static_cast<std::uint16_t>(t[7][low] ^ t[6][high] ^ t[5][data[2]] ^ t[4][data[3]] ^
                                         t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^
                                         t[0][data[7]]);
        data += 8;
        left -= 8;
    }
    if (left >= 4) {
        const unsigned low = (crc ^ data[0]) & 0xFFU;
        const unsigned high = ((crc >> 8) ^ data[1]) & 0xFFU;
        crc = static_cast<std::uint16_t>(t[3][low] ^ t[2][high] ^ t[1][data[2]] ^ t[0][data[3]]);
        data += 4;
        left -= 4;
    }
    while (left > 0) {
        crc = static_cast<std::uint16_t>((crc >> 8) ^ t[0][(crc ^ *data++) & 0xFFU]);
        --left;
    }
    return crc;
}

std::uint16_t crc16_x25(Bytes bytes, std::uint16_t crc) {
    crc = static_cast<std::uint16_t>(~crc);
    for (const std::uint8_t byte : bytes) {
        crc = static_cast<std::uint16_t>((crc >> 8) ^ x25_table[0][(crc ^ byte) & 0xFFU]);
    }
    return static_cast<std::uint16_t>(~crc);
}

std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t crc) {
    crc = ~crc;
    const std::uint8_t* data = bytes.data();
    std::size_t left = bytes.size();
    const auto& t = crc32c_tables;
    if constexpr (crc32c_slices == 8) {
        while (left >= 8) {
            const std::uint32_t low = crc ^ (static_cast<std::uint32_t>(data[0]) |
                                             static_cast<std::uint32_t>(data[1]) << 8 |
                                             static_cast<std::uint32_t>(data[2]) << 16 |
                                             static_cast<std::uint32_t>(data[3]) << 24);
            crc = t[7][low & 0xFFU] ^ t[6][(low >> 8) & 0xFFU] ^ t[5][(low >> 16) & 0xFFU] ^
                  t[4][low >> 24] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
            data += 8;
            left -= 8;
        }
    }
    while (left > 0) {
        crc = (crc >> 8) ^ t[0][(crc ^ *data++) & 0xFFU];
        --left;
    }
    return ~crc;
}

std::uint32_t crc32c(Bytes bytes, std::uint32_t crc) {
    return registered_crc32c(bytes, crc);
}

void use_crc32c(Crc32c faster) {
    CHECK(faster != nullptr);
    registered_crc32c = faster;
}

}  // namespace jw
