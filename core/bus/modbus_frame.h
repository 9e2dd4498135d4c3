// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a Modbus PDU travels: behind an MBAP header (Modbus Messaging on TCP/IP V1.0b, 3.1.3) or
// between address and CRC (Modbus over Serial Line V1.02, 2.5.1). Pure functions; who talks when
// is modbus_line.
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace jw::modbus {

inline constexpr std::size_t tcp_header_size = 7;
inline constexpr std::size_t rtu_header_size = 1;
inline constexpr std::size_t crc_size = 2;

struct Frame {
    std::uint16_t transaction = 0;  // TCP only
    std::uint8_t unit = 0;
    Bytes pdu;             // points into the bytes that were looked at
    std::size_t size = 0;  // of the whole frame on the wire
};

/// Looks at the front of a stream. Errors: truncated (more bytes are needed), malformed (no MBAP
/// header; the stream is out of step).
Result<Frame> take_tcp(Bytes stream);

/// Which side wrote the frame: a serial frame does not say its length, only the function implies
/// it, and differently for both sides.
enum class Side : std::uint8_t { request, reply };

/// Looks at the front of what came over a serial line. Errors: truncated, unsupported (the length
/// of the function is not known), malformed (longer than a frame can be), bad_checksum.
Result<Frame> take_rtu(Bytes stream, Side side);

/// Size of the PDU of which `begun` is the front. Errors: truncated, unsupported, malformed.
Result<std::size_t> pdu_size(Bytes begun, Side side);
/// Size of the reply that is due to a request; 0 where the request does not imply it. Exceptions
/// have 2 bytes always.
std::size_t reply_size(Bytes request_pdu);

void put_tcp(Writer& out, std::uint16_t transaction, std::uint8_t unit, Bytes pdu);
void put_rtu(Writer& out, std::uint8_t unit, Bytes pdu);

/// The time that so many bytes take on the wire; a byte has 11 bits (2.5.1).
Duration rtu_transfer_time(std::size_t bytes, std::uint32_t baud);
/// The silence between two frames: 3.5 characters; above 19200 baud 1750 us (2.5.1.1).
Duration rtu_silence(std::uint32_t baud);

}  // namespace jw::modbus
