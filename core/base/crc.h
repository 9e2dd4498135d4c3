// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checksums of the wires and of the store. All take the running value of an earlier part, so
// that a frame can be checked in pieces.
#include <cstdint>

#include "core/base/bytes.h"

namespace jw {

/// CRC-16/MODBUS (Modbus over Serial Line V1.02, 6.2.2): reflected 0x8005, sent low byte first.
std::uint16_t crc16_modbus(Bytes bytes, std::uint16_t crc = 0xFFFF);

/// CRC-16/ARC, as behind the '!' of a P1 telegram (DSMR P1 5.0.2, 5.2): reflected 0x8005, start 0.
inline std::uint16_t crc16_arc(Bytes bytes, std::uint16_t crc = 0) {
    return crc16_modbus(bytes, crc);
}

/// CRC-16/X-25 of HDLC frames (ISO/IEC 13239): reflected 0x1021, start and final xor 0xFFFF.
/// A running value is passed as it was returned.
std::uint16_t crc16_x25(Bytes bytes, std::uint16_t crc = 0);

/// CRC-32C (RFC 3720, B.4): reflected 0x1EDC6F41. A running value is passed as it was returned.
std::uint32_t crc32c(Bytes bytes, std::uint32_t crc = 0);

/// A faster CRC-32C of this machine; the program registers it once before the first use.
using Crc32c = std::uint32_t (*)(Bytes bytes, std::uint32_t crc);
void use_crc32c(Crc32c faster);
/// The portable one, to compare a faster one with.
std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t crc = 0);

}  // namespace jw
