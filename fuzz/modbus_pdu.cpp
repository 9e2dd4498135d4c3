// SPDX-License-Identifier: Apache-2.0
// Any bytes as Modbus frames and PDUs: what is accepted is written back as it was.
#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/bus/modbus_frame.h"
#include "core/codec/modbus.h"

using namespace jw;
using namespace jw::modbus;

namespace {

void check_pdu(Bytes pdu) {
    std::array<std::uint8_t, limits::modbus_pdu_size_max> buffer{};
    if (const auto request = decode_request(pdu)) {
        Writer out(buffer);
        CHECK(encode_request(out, *request));
        CHECK(equal(out.written(), pdu));
        CHECK(pdu_size(pdu, Side::request).code() == Code::ok);
    }
    if (const auto reply = decode_reply(pdu)) {
        Writer out(buffer);
        CHECK(encode_reply(out, *reply));
        CHECK(equal(out.written(), pdu));
        const auto size = pdu_size(pdu, Side::reply);
        CHECK(reply->exception != Exception::none || (size && *size == pdu.size()));
    }
    for (const Function function : {Function::read_holding_registers, Function::write_register}) {
        for (const std::size_t count : {1U, 2U, 125U, 1000U}) {
            const auto registers = registers_of(pdu, function, static_cast<std::uint16_t>(count));
            if (registers) {
                CHECK(registers->size() == count * 2);
            }
        }
    }
}

void check_frame(Bytes stream, const Result<Frame>& frame, bool serial) {
    if (!frame) {
        return;
    }
    CHECK(frame->size <= stream.size() && frame->pdu.size() < frame->size);
    std::array<std::uint8_t, limits::modbus_tcp_size_max> buffer{};
    Writer out(buffer);
    if (serial) {
        put_rtu(out, frame->unit, frame->pdu);
    } else {
        put_tcp(out, frame->transaction, frame->unit, frame->pdu);
    }
    CHECK(equal(out.written(), stream.first(frame->size)));
    check_pdu(frame->pdu);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes stream(data, size);
    // Longer ones never get to a decoder: no frame holds them.
    check_pdu(stream.first(std::min(size, limits::modbus_pdu_size_max)));
    check_frame(stream, take_tcp(stream), false);
    check_frame(stream, take_rtu(stream, Side::request), true);
    check_frame(stream, take_rtu(stream, Side::reply), true);
    return 0;
}
