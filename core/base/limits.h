// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bounds of protocols and of names: what a frame, a record or a name may be at most. How much
// memory a program takes is not here; it hands spans to the parts it builds.
#include <cstddef>
#include <cstdint>

namespace jw::limits {

inline constexpr std::size_t name_size_max = 32;  // gateway, site, device, sink, issuer: [a-z0-9-]
inline constexpr std::size_t command_id_size_max = 36;  // a UUID in text fits
inline constexpr std::size_t detail_size_max = 96;      // one sentence for people

inline constexpr std::size_t values_per_reading_max = 64;
inline constexpr std::size_t record_payload_max = 1024;
inline constexpr std::size_t sinks_max = 8;

inline constexpr std::size_t modbus_registers_per_read_max = 125;   // Modbus V1.1b3, 6.3
inline constexpr std::size_t modbus_registers_per_write_max = 123;  // 6.12
inline constexpr std::size_t modbus_bits_per_read_max = 2000;       // 6.1
inline constexpr std::size_t modbus_bits_per_write_max = 1968;      // 6.11
inline constexpr std::size_t modbus_pdu_size_max = 253;             // 4.1
inline constexpr std::size_t modbus_rtu_size_max = modbus_pdu_size_max + 3;
inline constexpr std::size_t modbus_tcp_size_max = modbus_pdu_size_max + 7;

static_assert(modbus_registers_per_read_max * 2 + 2 <= modbus_pdu_size_max);
// A reading of all values, each at its longest (key 3, quantity 3, index 2, value 9 bytes of CBOR).
static_assert(values_per_reading_max * 14 + 2 * name_size_max < record_payload_max);

}  // namespace jw::limits
