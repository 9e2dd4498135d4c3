// SPDX-License-Identifier: Apache-2.0
#pragma once
// ModbusLine: the client side of one Modbus connection (TCP, RTU on a serial line, RTU in TCP).
// Frames, pacing, matching of answers and timeouts are here; what stands in a PDU is codec/modbus.
// Modbus Messaging on TCP/IP V1.0b (MBAP), Modbus over Serial Line V1.02 (RTU).
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/ports.h"
#include "core/base/time.h"
#include "core/bus/line.h"

namespace jw {

enum class ModbusFraming : std::uint8_t { tcp, rtu, rtu_over_tcp };

struct ModbusLineSettings {
    ModbusFraming framing = ModbusFraming::tcp;
    Duration connect_delay;              // wait after connecting, before the first request
    Duration gap;                        // least silence between an answer and the next request
    Duration timeout = seconds(1);       // from the last byte sent to the complete answer
    std::uint8_t open_requests_max = 1;  // TCP only: more where the device allows pipelining
    std::uint32_t baud = 9600;           // RTU: the silence of 3.5 characters follows from it
};

/// Who asks on the line: a device. Every ask() is followed by exactly one answered() or failed().
class ModbusClient {
  public:
    /// When ask() will have a question; `never` while it waits for an answer or has none.
    [[nodiscard]] virtual Instant due() const = 0;
    /// Writes the PDU (function code and data) and returns the unit id (RTU: address, 1…247).
    virtual std::uint8_t ask(Writer& pdu, Instant now) = 0;
    /// The answer's PDU, function code first; also an exception (function | 0x80, code).
    virtual void answered(Bytes pdu, Instant now) = 0;
    /// No usable answer: timeout, bad_checksum, malformed, not_found (not connected).
    virtual void failed(Error error, Instant now) = 0;

  protected:
    ~ModbusClient() = default;
};

struct ModbusCounters {
    std::uint32_t requests = 0;
    std::uint32_t answers = 0;
    std::uint32_t timeouts = 0;
    std::uint32_t bad_checksums = 0;
    std::uint32_t strangers = 0;  // answers that belong to no open request
    std::uint32_t malformed = 0;
};

}  // namespace jw
