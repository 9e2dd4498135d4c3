// SPDX-License-Identifier: Apache-2.0
// Modbus PDUs to and from structs; every count is tied to the bytes that it speaks of.
#include "core/codec/modbus.h"

#include "core/base/limits.h"

namespace jw::modbus {
namespace {

constexpr std::uint8_t exception_flag = 0x80;
constexpr std::uint8_t identification_type = 14;  // the MEI type of 6.21
constexpr std::uint8_t identification_single = 4;
constexpr std::uint16_t coil_on = 0xFF00;
constexpr std::uint16_t registers_per_exchange_write_max = 121;  // 6.17

constexpr std::size_t register_size = 2;

bool is_bits(Function function) {
    return function == Function::read_coils || function == Function::read_discrete_inputs;
}

std::size_t packed_size(std::uint16_t bits) {
    return (bits + 7U) / 8U;
}

Status check_range(std::uint16_t address, std::size_t count, std::size_t most) {
    if (count == 0 || count > most || address + count > 0x10000U) {
        return JW_FAIL(out_of_range);
    }
    return done;
}

Status check_coil(Bytes value) {
    if (value.size() != 2 || (value[0] != 0 && value[0] != coil_on >> 8) || value[1] != 0) {
        return JW_FAIL(malformed);
    }
    return done;
}

std::size_t read_max(Function function) {
    return is_bits(function) ? limits::modbus_bits_per_read_max
                             : limits::modbus_registers_per_read_max;
}

/// Counts, limits and sizes of a request that is written or was read.
Status check_request(const Request& request) {
    const std::size_t size = request.data.size();
    switch (request.function) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
        case Function::read_holding_registers:
        case Function::read_input_registers:
            return check_range(request.address, request.count, read_max(request.function));
        case Function::write_coil:
            return check_coil(request.data);
        case Function::write_register:
            return size == 2 ? Status(done) : Status(JW_FAIL(malformed));
        case Function::write_coils:
            JW_TRY(check_range(request.address, request.count, limits::modbus_bits_per_write_max));
            return size == packed_size(request.count) ? Status(done) : Status(JW_FAIL(malformed));
        case Function::write_registers:
            JW_TRY(check_range(
                request.address, request.count, limits::modbus_registers_per_write_max));
            return size == register_size * request.count ? Status(done)
                                                         : Status(JW_FAIL(malformed));
        case Function::read_write_registers:
            JW_TRY(
                check_range(request.address, request.count, limits::modbus_registers_per_read_max));
            JW_TRY(check_range(request.write_address, size / 2, registers_per_exchange_write_max));
            return size % 2 == 0 ? Status(done) : Status(JW_FAIL(malformed));
        case Function::read_identification:
            if (request.identification == 0 || request.identification > identification_single) {
                return JW_FAIL(out_of_range);
            }
            return done;
        case Function::none:
            break;
    }
    return JW_FAIL(unsupported);
}

/// Steps over the objects; gives how many there are. Error: truncated.
Result<std::size_t> count_objects(Bytes objects) {
    Reader reader(objects);
    std::size_t count = 0;
    while (reader.remaining() > 0) {
        if (const auto object = take_object(reader); !object) {
            return object.error();
        }
        ++count;
    }
    return count;
}

Status check_reply_shape(const Reply& reply) {
    const std::size_t size = reply.data.size();
    switch (reply.function) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
            return size > 0 && size <= limits::modbus_bits_per_read_max / 8
                       ? Status(done)
                       : Status(JW_FAIL(out_of_range));
        case Function::read_holding_registers:
        case Function::read_input_registers:
        case Function::read_write_registers:
            if (size % 2 != 0) {
                return JW_FAIL(malformed);
            }
            return check_range(0, size / 2, limits::modbus_registers_per_read_max);
        case Function::write_coil:
            return check_coil(reply.data);
        case Function::write_register:
            return size == 2 ? Status(done) : Status(JW_FAIL(malformed));
        case Function::write_coils:
            return check_range(reply.address, reply.count, limits::modbus_bits_per_write_max);
        case Function::write_registers:
            return check_range(reply.address, reply.count, limits::modbus_registers_per_write_max);
        case Function::read_identification: {
            const auto count = count_objects(reply.data);
            if (!count) {
                return count.error();
            }
            return *count == reply.object_count ? Status(done) : Status(JW_FAIL(malformed));
        }
        case Function::none:
            break;
    }
    return JW_FAIL(unsupported);
}

/// What a decoder returns once it has taken everything that it knows of.
Status all_taken(const Reader& in) {
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    return in.remaining() == 0 ? Status(done) : Status(JW_FAIL(malformed));
}

bool known(Function function) {
    switch (function) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
        case Function::read_holding_registers:
        case Function::read_input_registers:
        case Function::write_coil:
        case Function::write_register:
        case Function::write_coils:
        case Function::write_registers:
        case Function::read_write_registers:
        case Function::read_identification:
            return true;
        case Function::none:
            break;
    }
    return false;
}

}  // namespace

Status encode_request(Writer& pdu, const Request& request) {
    JW_TRY(check_request(request));
    pdu.u8(static_cast<std::uint8_t>(request.function));
    switch (request.function) {
        case Function::read_identification:
            pdu.u8(identification_type).u8(request.identification).u8(request.object);
            break;
        case Function::write_coil:
        case Function::write_register:
            pdu.u16_be(request.address).put(request.data);
            break;
        case Function::read_write_registers:
            pdu.u16_be(request.address).u16_be(request.count).u16_be(request.write_address);
            pdu.u16_be(request.write_count());
            pdu.u8(static_cast<std::uint8_t>(request.data.size())).put(request.data);
            break;
        case Function::write_coils:
        case Function::write_registers:
            pdu.u16_be(request.address).u16_be(request.count);
            pdu.u8(static_cast<std::uint8_t>(request.data.size())).put(request.data);
            break;
        default:
            pdu.u16_be(request.address).u16_be(request.count);
            break;
    }
    return pdu.ok() ? Status(done) : Status(JW_FAIL(full));
}

Result<Request> decode_request(Bytes pdu) {
    Reader in(pdu);
    Request request;
    request.function = static_cast<Function>(in.u8());
    switch (request.function) {
        case Function::read_identification:
            if (in.u8() != identification_type && in.ok()) {
                return JW_FAIL(unsupported);
            }
            request.identification = in.u8();
            request.object = in.u8();
            break;
        case Function::write_coil:
        case Function::write_register:
            request.address = in.u16_be();
            request.count = 1;
            request.data = in.take(2);
            break;
        case Function::read_write_registers: {
            request.address = in.u16_be();
            request.count = in.u16_be();
            request.write_address = in.u16_be();
            const std::uint16_t write_count = in.u16_be();
            request.data = in.take(in.u8());
            if (in.ok() && request.data.size() != register_size * write_count) {
                return JW_FAIL(malformed);
            }
            break;
        }
        case Function::write_coils:
        case Function::write_registers:
            request.address = in.u16_be();
            request.count = in.u16_be();
            request.data = in.take(in.u8());
            break;
        default:
            if (in.ok() && !known(request.function)) {
                return JW_FAIL(unsupported);
            }
            request.address = in.u16_be();
            request.count = in.u16_be();
            break;
    }
    JW_TRY(all_taken(in));
    JW_TRY(check_request(request));
    return request;
}

Exception exception_of(const Error& error) {
    return error.code == Code::unsupported ? Exception::illegal_function : Exception::illegal_value;
}

Status encode_read(Writer& pdu, Function function, std::uint16_t address, std::uint16_t count) {
    Request request;
    request.function = function;
    request.address = address;
    request.count = count;
    return encode_request(pdu, request);
}

Status encode_write_register(Writer& pdu, std::uint16_t address, std::uint16_t value) {
    const std::array<std::uint8_t, 2> data{static_cast<std::uint8_t>(value >> 8),
                                           static_cast<std::uint8_t>(value)};
    Request request;
    request.function = Function::write_register;
    request.address = address;
    request.count = 1;
    request.data = data;
    return encode_request(pdu, request);
}

Status encode_write_coil(Writer& pdu, std::uint16_t address, bool on) {
    const std::array<std::uint8_t, 2> data{static_cast<std::uint8_t>(on ? coil_on >> 8 : 0), 0};
    Request request;
    request.function = Function::write_coil;
    request.address = address;
    request.count = 1;
    request.data = data;
    return encode_request(pdu, request);
}

Status encode_reply(Writer& pdu, const Reply& reply) {
    const auto function = static_cast<std::uint8_t>(reply.function);
    if (reply.exception != Exception::none) {
        // Also of functions that this codec does not know: a server must refuse those too.
        pdu.u8(function | exception_flag).u8(static_cast<std::uint8_t>(reply.exception));
        return pdu.ok() ? Status(done) : Status(JW_FAIL(full));
    }
    JW_TRY(check_reply_shape(reply));
    pdu.u8(function);
    switch (reply.function) {
        case Function::write_coil:
        case Function::write_register:
            pdu.u16_be(reply.address).put(reply.data);
            break;
        case Function::write_coils:
        case Function::write_registers:
            pdu.u16_be(reply.address).u16_be(reply.count);
            break;
        case Function::read_identification:
            pdu.u8(identification_type).u8(reply.identification).u8(reply.conformity);
            pdu.u8(reply.more_follows ? 0xFF : 0).u8(reply.next_object).u8(reply.object_count);
            pdu.put(reply.data);
            break;
        default:
            pdu.u8(static_cast<std::uint8_t>(reply.data.size())).put(reply.data);
            break;
    }
    return pdu.ok() ? Status(done) : Status(JW_FAIL(full));
}

Result<Reply> decode_reply(Bytes pdu) {
    Reader in(pdu);
    Reply reply;
    const std::uint8_t function = in.u8();
    reply.function = static_cast<Function>(function & ~exception_flag);
    if ((function & exception_flag) != 0) {
        reply.exception = static_cast<Exception>(in.u8());
        JW_TRY(all_taken(in));
        if (reply.exception == Exception::none) {
            return JW_FAIL(malformed);
        }
        return reply;
    }
    switch (reply.function) {
        case Function::write_coil:
        case Function::write_register:
            reply.address = in.u16_be();
            reply.count = 1;
            reply.data = in.take(2);
            break;
        case Function::write_coils:
        case Function::write_registers:
            reply.address = in.u16_be();
            reply.count = in.u16_be();
            break;
        case Function::read_identification: {
            const std::uint8_t type = in.u8();
            reply.identification = in.u8();
            reply.conformity = in.u8();
            const std::uint8_t more = in.u8();
            reply.next_object = in.u8();
            reply.object_count = in.u8();
            reply.data = in.rest();
            reply.more_follows = more == 0xFF;
            if (in.ok() && (type != identification_type || (more != 0 && more != 0xFF))) {
                return JW_FAIL(malformed);
            }
            break;
        }
        default:
            if (in.ok() && !known(reply.function)) {
                return JW_FAIL(unsupported);
            }
            reply.data = in.take(in.u8());
            break;
    }
    JW_TRY(all_taken(in));
    JW_TRY(check_reply_shape(reply));
    return reply;
}

Status check_reply(const Reply& reply, const Request& request) {
    bool fits = reply.function == request.function;
    if (reply.exception != Exception::none) {
        return fits ? Status(done) : Status(JW_FAIL(malformed));
    }
    switch (request.function) {
        case Function::read_coils:
        case Function::read_discrete_inputs:
            fits = fits && reply.data.size() == packed_size(request.count);
            break;
        case Function::write_coil:
        case Function::write_register:
            fits = fits && reply.address == request.address && equal(reply.data, request.data);
            break;
        case Function::write_coils:
        case Function::write_registers:
            fits = fits && reply.address == request.address && reply.count == request.count;
            break;
        case Function::read_identification:
            fits = fits && reply.identification == request.identification;
            break;
        default:
            fits = fits && reply.data.size() == register_size * request.count;
            break;
    }
    return fits ? Status(done) : Status(JW_FAIL(malformed));
}

Result<Bytes> registers_of(Bytes pdu, Function function, std::uint16_t count) {
    if (is_exception(pdu)) {
        return JW_FAIL(denied);
    }
    const std::size_t size = register_size * count;
    if (pdu.size() != size + 2 || pdu[0] != static_cast<std::uint8_t>(function) || pdu[1] != size) {
        return JW_FAIL(malformed);
    }
    return pdu.subspan(2);
}

Result<Object> take_object(Reader& objects) {
    Object object;
    object.id = objects.u8();
    object.text = as_text(objects.take(objects.u8()));
    if (!objects.ok()) {
        return JW_FAIL(truncated);
    }
    return object;
}

}  // namespace jw::modbus
