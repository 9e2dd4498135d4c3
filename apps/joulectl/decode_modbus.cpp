// SPDX-License-Identifier: Apache-2.0
// Modbus frames as JSON, both sides of the talk, from TCP and from serial lines. A serial frame
// says neither its length nor its side: both are tried, and the checksum decides.
#include <algorithm>
#include <optional>

#include "apps/joulectl/decode.h"
#include "apps/joulectl/input.h"
#include "core/bus/modbus_frame.h"
#include "core/codec/modbus.h"

namespace joulectl {
namespace {

using namespace jw;
using modbus::Function;
using modbus::Side;

const char* function_name(Function function) {
    switch (function) {
        case Function::read_coils:
            return "read_coils";
        case Function::read_discrete_inputs:
            return "read_discrete_inputs";
        case Function::read_holding_registers:
            return "read_holding_registers";
        case Function::read_input_registers:
            return "read_input_registers";
        case Function::write_coil:
            return "write_coil";
        case Function::write_register:
            return "write_register";
        case Function::write_coils:
            return "write_coils";
        case Function::write_registers:
            return "write_registers";
        case Function::read_write_registers:
            return "read_write_registers";
        case Function::read_identification:
            return "read_identification";
        case Function::none:
            break;
    }
    return "unknown";
}

const char* exception_name(modbus::Exception exception) {
    switch (exception) {
        case modbus::Exception::illegal_function:
            return "illegal_function";
        case modbus::Exception::illegal_address:
            return "illegal_address";
        case modbus::Exception::illegal_value:
            return "illegal_value";
        case modbus::Exception::device_failure:
            return "device_failure";
        case modbus::Exception::acknowledged:
            return "acknowledged";
        case modbus::Exception::device_busy:
            return "device_busy";
        case modbus::Exception::parity_error:
            return "parity_error";
        case modbus::Exception::gateway_path:
            return "gateway_path";
        case modbus::Exception::gateway_target:
            return "gateway_target";
        case modbus::Exception::none:
            break;
    }
    return "unknown";
}

bool of_coils(Function function) {
    return function == Function::read_coils || function == Function::read_discrete_inputs ||
           function == Function::write_coils;
}

/// Registers as numbers, coils as 0 and 1, at most `count` of them.
void put_data(Json& frame, Function function, Bytes data, std::size_t count) {
    if (function == Function::write_coil) {
        frame["on"] = !data.empty() && data[0] != 0;
        return;
    }
    if (data.empty()) {
        return;
    }
    const bool coils = of_coils(function);
    Json list = Json::array();
    const std::size_t held = coils ? data.size() * 8 : data.size() / 2;
    for (std::size_t i = 0; i < std::min(held, count); ++i) {
        if (coils) {
            list.push_back(modbus::coil_at(data, i) ? 1 : 0);
        } else {
            list.push_back(modbus::register_at(data, i));
        }
    }
    frame[coils ? "bits" : "registers"] = std::move(list);
}

void put_request(Json& frame, const modbus::Request& request) {
    if (request.function == Function::read_identification) {
        frame["identification"] = request.identification;
        frame["object"] = request.object;
        return;
    }
    frame["address"] = request.address;
    frame["count"] = request.count;
    if (request.function == Function::read_write_registers) {
        frame["write_address"] = request.write_address;
    }
    put_data(frame, request.function, request.data, request.write_count());
}

void put_reply(Json& frame, const modbus::Reply& reply, std::size_t asked) {
    switch (reply.function) {
        case Function::read_identification: {
            frame["conformity"] = reply.conformity;
            frame["more_follows"] = reply.more_follows;
            Json objects = Json::object();
            Reader in(reply.data);
            for (unsigned i = 0; i < reply.object_count; ++i) {
                if (const auto object = modbus::take_object(in)) {
                    objects[std::to_string(object->id)] = std::string(object->text);
                }
            }
            frame["objects"] = std::move(objects);
            return;
        }
        case Function::write_coils:
        case Function::write_registers:
            frame["address"] = reply.address;
            frame["count"] = reply.count;
            return;
        case Function::write_coil:
        case Function::write_register:
            frame["address"] = reply.address;
            break;
        default:
            break;
    }
    put_data(frame, reply.function, reply.data, asked);
}

const char* reason(Code code) {
    switch (code) {
        case Code::truncated:
            return "the input ends inside the frame";
        case Code::bad_checksum:
            return "the CRC behind the frame does not fit it";
        case Code::unsupported:
            return "a function that is not known, so the length is not either";
        case Code::out_of_range:
            return "a count or address beyond what the standard allows";
        default:
            return "not as a frame is written";
    }
}

/// A frame that holds, and what it says.
struct Found {
    modbus::Frame frame;
    Side side = Side::request;
    Json says;
    std::optional<modbus::Request> request;
};

struct Refusal {
    Code code = Code::malformed;
    std::size_t at = 0;
};

class ModbusDecoder {
  public:
    ModbusDecoder(bool serial, const DecodeInput& input, DecodeOut& out)
        : serial_(serial), input_(input), out_(out) {}

    void run() {
        std::size_t at = 0;
        while (at < input_.bytes.size()) {
            if (const auto found = take(at)) {
                accept(*found);
                at += found->frame.size;
            } else {
                const Refusal refusal = refuse(at);
                out_.refused(refusal.code, refusal.at, at, reason(refusal.code));
                asked_.reset();
                at = next(at);
            }
        }
    }

  private:
    [[nodiscard]] Result<modbus::Frame> frame_at(Bytes bytes, Side side) const {
        return serial_ ? modbus::take_rtu(bytes, side) : modbus::take_tcp(bytes);
    }

    /// The frame at an offset. A reply is expected first where its request is still open.
    [[nodiscard]] std::optional<Found> take(std::size_t at) const {
        const Bytes rest = input_.bytes.subspan(at);
        const bool open = asked_.has_value() && open_fits(rest);
        for (const Side side :
             {open ? Side::reply : Side::request, open ? Side::request : Side::reply}) {
            const auto frame = frame_at(rest, side);
            if (!frame) {
                continue;
            }
            Found found{*frame, side, says(*frame, at), std::nullopt};
            if (side == Side::request) {
                const auto request = modbus::decode_request(frame->pdu);
                if (request) {
                    put_kind(found.says, "request", request->function);
                    put_request(found.says, *request);
                    found.request = *request;
                    return found;
                }
            } else if (const auto reply = modbus::decode_reply(frame->pdu)) {
                put_reply_kind(found.says, *reply, open);
                return found;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] bool open_fits(Bytes rest) const {
        const std::size_t unit_at = serial_ ? 0 : 6;
        if (rest.size() < unit_at + 2 || rest[unit_at] != open_frame_.unit) {
            return false;
        }
        const bool same_function =
            (rest[unit_at + 1] & 0x7F) == static_cast<std::uint8_t>(asked_->function);
        const bool same_transaction =
            serial_ || (rest[0] << 8 | rest[1]) == open_frame_.transaction;
        return same_function && same_transaction;
    }

    [[nodiscard]] Json says(const modbus::Frame& frame, std::size_t at) const {
        Json says{
            {"wire", serial_ ? "modbus-rtu" : "modbus-tcp"}, {"at", at}, {"size", frame.size}};
        if (!serial_) {
            says["transaction"] = frame.transaction;
        }
        says["unit"] = frame.unit;
        return says;
    }

    static void put_kind(Json& says, const char* kind, Function function) {
        says["kind"] = kind;
        says["function"] = static_cast<int>(function);
        says["name"] = function_name(function);
    }

    void put_reply_kind(Json& says, const modbus::Reply& reply, bool open) const {
        if (reply.exception != modbus::Exception::none) {
            put_kind(says, "exception", reply.function);
            says["exception"] = static_cast<int>(reply.exception);
            says["text"] = exception_name(reply.exception);
            return;
        }
        put_kind(says, "reply", reply.function);
        put_reply(says, reply, open ? asked_->count : SIZE_MAX);
    }

    void accept(const Found& found) {
        out_.accepted(found.says);
        asked_ = found.request;
        open_frame_ = found.frame;
    }

    /// The first offset behind `at` at which a line of the text begins, or the end.
    [[nodiscard]] std::size_t next_line(std::size_t at) const {
        const auto& lines = input_.line_starts;
        const auto found = std::upper_bound(lines.begin(), lines.end(), at);
        return found == lines.end() ? input_.bytes.size() : *found;
    }

    /// Why there is no frame at an offset. Looks no further than the line, so that a frame that
    /// lacks a byte is not said to have a wrong checksum with a byte of its successor.
    [[nodiscard]] Refusal refuse(std::size_t at) const {
        const std::size_t end = next_line(at);
        const Bytes line = input_.bytes.subspan(at, end - at);
        const std::size_t pdu_at = at + (serial_ ? 1 : modbus::tcp_header_size);
        std::optional<Refusal> best;
        for (const Side side : {Side::request, Side::reply}) {
            Refusal refusal{Code::malformed, at};
            bool whole = false;  // as long as the line: the likelier side
            if (const auto frame = frame_at(line, side)) {
                const Code code = side == Side::request ? modbus::decode_request(frame->pdu).code()
                                                        : modbus::decode_reply(frame->pdu).code();
                refusal = {code, pdu_at};
                whole = true;
            } else {
                refusal = {frame.code(), place_of(frame.code(), at, line, side)};
                whole = refusal.code == Code::bad_checksum && refusal.at + 2 == end;
            }
            if (!best || whole) {
                best = refusal;
            }
        }
        return *best;
    }

    [[nodiscard]] std::size_t place_of(Code code, std::size_t at, Bytes line, Side side) const {
        switch (code) {
            case Code::truncated:
                return at + line.size();
            case Code::unsupported:
                return at + 1;
            case Code::bad_checksum: {
                const auto size = modbus::pdu_size(line.subspan(1), side);
                return size ? at + 1 + *size : at;
            }
            default: {
                // MBAP: the protocol id, or the length behind it (Messaging on TCP/IP, 3.1.3).
                const bool protocol = line.size() >= 4 && (line[2] != 0 || line[3] != 0);
                return serial_ ? at : at + (protocol ? 2 : 4);
            }
        }
    }

    /// Where to go on behind a refused frame: at its end, if something holds there; at the next
    /// line; or at the next offset at which a frame holds.
    [[nodiscard]] std::size_t next(std::size_t at) const {
        const std::size_t end = next_line(at);
        for (const Side side : {Side::request, Side::reply}) {
            const std::size_t size = said_size(at, side);
            const std::size_t behind = at + size;
            if (size > 0 && behind < end && take(behind)) {
                return behind;
            }
        }
        for (std::size_t behind = at + 1; behind < end; ++behind) {
            if (take(behind)) {
                return behind;
            }
        }
        return end;
    }

    /// The size that the frame says it has, or 0.
    [[nodiscard]] std::size_t said_size(std::size_t at, Side side) const {
        const Bytes rest = input_.bytes.subspan(at);
        if (!serial_) {
            const auto frame = modbus::take_tcp(rest);
            return frame ? frame->size : 0;
        }
        const auto size = rest.empty() ? Result<std::size_t>(JW_FAIL(truncated))
                                       : modbus::pdu_size(rest.subspan(1), side);
        return size ? 1 + *size + modbus::crc_size : 0;
    }

    bool serial_;
    const DecodeInput& input_;
    DecodeOut& out_;
    std::optional<modbus::Request> asked_;  // whose reply has not come yet
    modbus::Frame open_frame_;
};

}  // namespace

void decode_modbus_rtu(const DecodeInput& input, DecodeOut& out) {
    ModbusDecoder(true, input, out).run();
}

void decode_modbus_tcp(const DecodeInput& input, DecodeOut& out) {
    ModbusDecoder(false, input, out).run();
}

}  // namespace joulectl
