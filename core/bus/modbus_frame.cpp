// SPDX-License-Identifier: Apache-2.0
// MBAP and RTU frames to and from bytes.
#include "core/bus/modbus_frame.h"

#include "core/base/check.h"
#include "core/base/crc.h"
#include "core/base/limits.h"

namespace jw::modbus {
namespace {

constexpr std::size_t exception_pdu_size = 2;

/// The byte at `at`, behind which that many more bytes stand; the whole size then is
/// `at` + 1 + that count.
Result<std::size_t> counted(Bytes begun, std::size_t at) {
    if (begun.size() <= at) {
        return JW_FAIL(truncated);
    }
    return at + 1 + begun[at];
}

/// Function 43/14 (V1.1b3, 6.21): seven bytes, the last of which counts objects of id, size, text.
Result<std::size_t> identification_size(Bytes begun) {
    Reader in(begun);
    in.skip(6);
    const std::uint8_t objects = in.u8();
    for (unsigned i = 0; i < objects && in.ok(); ++i) {
        in.skip(1);
        in.skip(in.u8());
    }
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    return in.position();
}

}  // namespace

Result<std::size_t> pdu_size(Bytes begun, Side side) {
    if (begun.empty()) {
        return JW_FAIL(truncated);
    }
    const bool request = side == Side::request;
    const std::uint8_t function = begun[0];
    if ((function & 0x80) != 0 && !request) {
        return exception_pdu_size;
    }
    switch (function) {
        case 1:
        case 2:
        case 3:
        case 4:
            return request ? Result<std::size_t>(5) : counted(begun, 1);
        case 5:
        case 6:
            return 5;
        case 15:
        case 16:
            return request ? counted(begun, 5) : Result<std::size_t>(5);
        case 23:
            return counted(begun, request ? 9 : 1);
        case 43:
            return request ? Result<std::size_t>(4) : identification_size(begun);
        default:
            return JW_FAIL(unsupported);
    }
}

std::size_t reply_size(Bytes request_pdu) {
    Reader in(request_pdu);
    const std::uint8_t function = in.u8();
    in.skip(2);
    const std::size_t count = in.u16_be();
    if (!in.ok()) {
        return 0;
    }
    switch (function) {
        case 1:
        case 2:
            return 2 + (count + 7) / 8;
        case 3:
        case 4:
        case 23:
            return 2 + 2 * count;
        case 5:
        case 6:
        case 15:
        case 16:
            return 5;
        default:
            return 0;
    }
}

Result<Frame> take_tcp(Bytes stream) {
    Reader in(stream);
    Frame frame;
    frame.transaction = in.u16_be();
    const std::uint16_t protocol = in.u16_be();
    // A wrong start shows as soon as its first bytes are there.
    if (in.ok() && protocol != 0) {
        return JW_FAIL(malformed);
    }
    const std::size_t length = in.u16_be();
    if (in.ok() && (length < 2 || length > limits::modbus_pdu_size_max + 1)) {
        return JW_FAIL(malformed);
    }
    frame.unit = in.u8();
    frame.pdu = in.ok() ? in.take(length - 1) : Bytes();
    frame.size = in.position();
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    return frame;
}

Result<Frame> take_rtu(Bytes stream, Side side) {
    if (stream.size() < rtu_header_size + 1) {
        return JW_FAIL(truncated);
    }
    const auto size = pdu_size(stream.subspan(rtu_header_size), side);
    if (!size) {
        const std::size_t most = rtu_header_size + limits::modbus_pdu_size_max;
        if (size.code() == Code::truncated && stream.size() >= most) {
            return JW_FAIL(malformed);
        }
        return size.error();
    }
    if (*size > limits::modbus_pdu_size_max) {
        return JW_FAIL(malformed);
    }
    const std::size_t sum_at = rtu_header_size + *size;
    if (stream.size() < sum_at + crc_size) {
        return JW_FAIL(truncated);
    }
    // Over the sum itself the remainder of a correct frame is zero.
    if (crc16_modbus(stream.first(sum_at + crc_size)) != 0) {
        return JW_FAIL(bad_checksum);
    }
    Frame frame;
    frame.unit = stream[0];
    frame.pdu = stream.subspan(rtu_header_size, *size);
    frame.size = sum_at + crc_size;
    return frame;
}

void put_tcp(Writer& out, std::uint16_t transaction, std::uint8_t unit, Bytes pdu) {
    out.u16_be(transaction).u16_be(0).u16_be(static_cast<std::uint16_t>(pdu.size() + 1));
    out.u8(unit).put(pdu);
}

void put_rtu(Writer& out, std::uint8_t unit, Bytes pdu) {
    const std::size_t start = out.size();
    out.u8(unit).put(pdu);
    if (out.ok()) {
        out.u16_le(crc16_modbus(out.written().subspan(start)));
    }
}

Duration rtu_transfer_time(std::size_t bytes, std::uint32_t baud) {
    CHECK(baud > 0);
    const std::int64_t bits = static_cast<std::int64_t>(bytes) * 11;
    return microseconds((bits * 1'000'000 + baud - 1) / baud);
}

Duration rtu_silence(std::uint32_t baud) {
    CHECK(baud > 0);
    constexpr std::int64_t half_bits = 77;  // 3.5 characters of 11 bits
    return baud > 19200 ? microseconds(1750)
                        : microseconds((half_bits * 500'000 + baud - 1) / baud);
}

}  // namespace jw::modbus
