// SPDX-License-Identifier: Apache-2.0
#pragma once
// A simulated Modbus device: an image of its registers, the answers to requests, and the faults
// that real ones show. Bytes and `now` go in, bytes with a due time come out; deterministic.
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/bus/modbus_frame.h"
#include "core/bus/modbus_line.h"
#include "core/codec/modbus.h"

namespace jw::sim {

/// Registers, or coils as 0 and 1, at the addresses that were set; all others do not exist.
class RegisterTable {
  public:
    void set(std::uint16_t address, std::uint16_t value);
    /// From `first` on, one address each. Beyond the last address nothing is set.
    void set(std::uint16_t first, std::span<const std::uint16_t> values);
    /// 0 where nothing was set.
    [[nodiscard]] std::uint16_t get(std::uint16_t address) const;
    [[nodiscard]] bool holds(std::uint16_t first, std::size_t count) const;

  private:
    std::vector<std::uint16_t> values_;  // of all addresses, once there is one
    std::vector<bool> held_;
};

/// One device behind a unit id. Several connections may share it.
struct ModbusUnit {
    std::uint8_t id = 1;
    RegisterTable holding;
    RegisterTable input;
    RegisterTable coils;
    RegisterTable discrete_inputs;
    std::vector<std::string> identification;  // by object id: maker, product code, revision …
    std::int64_t power_w = 0;  // what it takes just now, negative: what it gives; by live()
    /// Lets time pass inside the device; called before each request is answered.
    std::function<void(ModbusUnit& unit, Instant now)> live;
    /// May refuse a write; called before it is carried out.
    std::function<modbus::Exception(const modbus::Request& request)> refuse;
};

/// Percentages are of requests; one request suffers one fault at most, the first that hits.
struct ModbusFaults {
    Duration delay;                 // of every answer
    Instant asleep_from = never;    // from here on it does not answer,
    Instant asleep_to = never;      // until here
    unsigned drop_percent = 0;      // no answer
    unsigned wrong_id_percent = 0;  // another transaction id (serial: another unit) in the answer
    unsigned half_frame_percent = 0;
    unsigned garbage_percent = 0;  // other bytes in place of the answer
    unsigned exception_percent = 0;
    modbus::Exception exception = modbus::Exception::device_failure;
};

/// The server's end of one connection.
class ModbusServer {
  public:
    ModbusServer(ModbusFraming framing, std::span<ModbusUnit> units, std::uint64_t seed = 1);

    /// May be changed at any time.
    ModbusFaults faults;

    void received(Bytes bytes, Instant now);
    /// When the next answer is due; `never` where none waits.
    [[nodiscard]] Instant next() const;
    /// Appends the answers that are due by now.
    void take(Instant now, std::vector<std::uint8_t>& out);

    [[nodiscard]] std::uint32_t requests() const { return requests_; }
    [[nodiscard]] std::uint32_t refused_bytes() const { return refused_bytes_; }

  private:
    struct Answer {
        Instant due;
        std::vector<std::uint8_t> bytes;
    };

    [[nodiscard]] bool serial() const { return framing_ != ModbusFraming::tcp; }
    Result<modbus::Frame> take_request() const;
    void answer(const modbus::Frame& request, Instant now);
    void send(std::uint16_t transaction, std::uint8_t unit, Bytes pdu, Instant now);
    ModbusUnit* unit_of(std::uint8_t id);
    bool hits(unsigned percent);
    std::uint64_t random();

    ModbusFraming framing_;
    std::span<ModbusUnit> units_;
    std::uint64_t random_;
    std::vector<std::uint8_t> in_;
    Instant heard_at_;
    std::deque<Answer> answers_;
    std::uint32_t requests_ = 0;
    std::uint32_t refused_bytes_ = 0;
};

/// The reply of a device to one request, without faults; carries out writes.
void answer_request(ModbusUnit& unit, Bytes request_pdu, Writer& reply_pdu);

}  // namespace jw::sim
