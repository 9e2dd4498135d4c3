// SPDX-License-Identifier: Apache-2.0
#pragma once
// What stands in a Modbus PDU, both directions and both sides: requests and replies of functions
// 1-6, 15, 16, 23 and 43/14 (Modbus Application Protocol V1.1b3, chapter 6). How a PDU travels
// (MBAP, RTU) is bus/modbus_frame.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace jw::modbus {

enum class Function : std::uint8_t {
    none = 0,
    read_coils = 1,
    read_discrete_inputs = 2,
    read_holding_registers = 3,
    read_input_registers = 4,
    write_coil = 5,
    write_register = 6,
    write_coils = 15,
    write_registers = 16,
    read_write_registers = 23,
    read_identification = 43,
};

/// V1.1b3, chapter 7. Other numbers are possible on the wire and are kept as they are.
enum class Exception : std::uint8_t {
    none = 0,
    illegal_function = 1,
    illegal_address = 2,
    illegal_value = 3,
    device_failure = 4,
    acknowledged = 5,  // accepted, takes long
    device_busy = 6,
    parity_error = 8,
    gateway_path = 10,
    gateway_target = 11,  // the device behind the gateway does not answer
};

/// What one asks for. `data` points into the bytes that were decoded, or to memory of the caller.
struct Request {
    Function function = Function::none;
    std::uint16_t address = 0;        // first coil or register, from 0, as on the wire
    std::uint16_t count = 0;          // how many are read, or written (functions 5, 6: 1)
    std::uint16_t write_address = 0;  // function 23: where `data` goes
    /// What is written: registers high byte first; coils packed, lowest bit first; function 5:
    /// FF 00 (on) or 00 00 (off). Reads have none.
    Bytes data;
    std::uint8_t identification = 1;  // function 43: 1 basic, 2 regular, 3 extended, 4 one object
    std::uint8_t object = 0;          // function 43: the first object wanted

    [[nodiscard]] std::uint16_t write_count() const {
        return static_cast<std::uint16_t>(function == Function::write_coils ? count
                                                                            : data.size() / 2);
    }
};

/// Writes the PDU. Errors: unsupported (function), out_of_range (count or last address beyond its
/// limit), malformed (`data` is not of the size that the count asks for), full.
Status encode_request(Writer& pdu, const Request& request);
/// Errors: unsupported, truncated, malformed (longer than said, or a count that does not fit its
/// bytes), out_of_range (a count beyond its limit).
Result<Request> decode_request(Bytes pdu);
/// What a server answers to a request that decode_request() refused.
Exception exception_of(const Error& error);

/// Functions 1-4 in one call.
Status encode_read(Writer& pdu, Function function, std::uint16_t address, std::uint16_t count);
Status encode_write_register(Writer& pdu, std::uint16_t address, std::uint16_t value);
Status encode_write_coil(Writer& pdu, std::uint16_t address, bool on);

/// What came back; an exception is data like any other answer.
struct Reply {
    Function function = Function::none;
    Exception exception = Exception::none;  // not none: nothing else is set
    std::uint16_t address = 0;              // functions 5, 6, 15, 16: repeated from the request
    std::uint16_t count = 0;                // functions 15, 16: repeated from the request
    /// Functions 1-4, 23: the values read, packed as in a request; 5, 6: the value written;
    /// 43: the objects, see take_object().
    Bytes data;
    std::uint8_t identification = 0;  // function 43
    std::uint8_t conformity = 0;      // which identification the device knows
    bool more_follows = false;        // another request brings the rest,
    std::uint8_t next_object = 0;     // beginning with this one
    std::uint8_t object_count = 0;
};

/// Errors as encode_request().
Status encode_reply(Writer& pdu, const Reply& reply);
/// Errors as decode_request().
Result<Reply> decode_reply(Bytes pdu);
/// Whether the reply answers the request: function, counts and repeated values. An exception of
/// the function does. Error: malformed.
Status check_reply(const Reply& reply, const Request& request);

constexpr bool is_exception(Bytes pdu) {
    return pdu.size() == 2 && (pdu[0] & 0x80) != 0;
}
/// none where the PDU is no exception.
constexpr Exception exception_code(Bytes pdu) {
    return is_exception(pdu) ? static_cast<Exception>(pdu[1]) : Exception::none;
}

/// The shortest way from a reply to registers: two bytes each, high byte first.
/// Errors: denied (an exception), malformed (another function, or not `count` registers).
Result<Bytes> registers_of(Bytes pdu, Function function, std::uint16_t count);
/// The register at `index` of such bytes. `index` must be below their count.
constexpr std::uint16_t register_at(Bytes registers, std::size_t index) {
    return static_cast<std::uint16_t>(registers[2 * index] << 8 | registers[2 * index + 1]);
}
/// Whether the coil at `index` is set. `index` must be below 8 times the size.
constexpr bool coil_at(Bytes coils, std::size_t index) {
    return (coils[index / 8] >> (index % 8) & 1) != 0;
}

/// One text of a device about itself (6.21): 0 maker, 1 product code, 2 revision, 4 product name,
/// 5 model name.
struct Object {
    std::uint8_t id = 0;
    std::string_view text;
};
/// Takes the next object from the data of a function 43 reply. Error: truncated.
Result<Object> take_object(Reader& objects);

}  // namespace jw::modbus
