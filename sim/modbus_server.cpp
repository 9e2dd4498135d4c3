// SPDX-License-Identifier: Apache-2.0
// A simulated Modbus device.
#include "sim/modbus_server.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/crc.h"
#include "core/base/limits.h"

namespace jw::sim {
namespace {

using modbus::Exception;
using modbus::Function;
using modbus::Reply;
using modbus::Request;

constexpr std::size_t addresses = 0x10000;
/// A piece of a serial request that is older than this is forgotten. Much longer than the silence
/// of the standard, because a pty or a network hands bytes on in lumps.
constexpr Duration serial_patience = milliseconds(200);

RegisterTable& table_of(ModbusUnit& unit, Function function) {
    switch (function) {
        case Function::read_coils:
        case Function::write_coil:
        case Function::write_coils:
            return unit.coils;
        case Function::read_discrete_inputs:
            return unit.discrete_inputs;
        case Function::read_input_registers:
            return unit.input;
        default:
            return unit.holding;
    }
}

bool is_bits(Function function) {
    return function == Function::read_coils || function == Function::read_discrete_inputs;
}

void read(const RegisterTable& table, const Request& request, std::vector<std::uint8_t>& data) {
    if (is_bits(request.function)) {
        data.assign((request.count + 7U) / 8U, 0);
    }
    for (std::size_t i = 0; i < request.count; ++i) {
        const std::uint16_t value = table.get(static_cast<std::uint16_t>(request.address + i));
        if (is_bits(request.function)) {
            data[i / 8] = static_cast<std::uint8_t>(data[i / 8] | (value & 1U) << (i % 8));
        } else {
            data.push_back(static_cast<std::uint8_t>(value >> 8));
            data.push_back(static_cast<std::uint8_t>(value));
        }
    }
}

void write(RegisterTable& table, std::uint16_t first, const Request& request) {
    for (std::size_t i = 0; i < request.write_count(); ++i) {
        const auto address = static_cast<std::uint16_t>(first + i);
        if (request.function == Function::write_coils) {
            table.set(address, modbus::coil_at(request.data, i) ? 1 : 0);
        } else if (request.function == Function::write_coil) {
            table.set(address, request.data[0] != 0 ? 1 : 0);
        } else {
            table.set(address, modbus::register_at(request.data, i));
        }
    }
}

/// Basic, regular and extended identification reach to different objects (V1.1b3, 6.21).
std::size_t objects_of(const ModbusUnit& unit, std::uint8_t identification) {
    constexpr std::array<std::size_t, 5> ends{0, 3, 7, 256, 256};
    return std::min(unit.identification.size(), ends[identification]);
}

void identify(const ModbusUnit& unit,
              const Request& request,
              Reply& reply,
              std::vector<std::uint8_t>& data) {
    const bool one = request.identification == 4;
    const std::size_t end = objects_of(unit, request.identification);
    // A stream that is to begin with an object that does not exist begins with the first.
    for (std::size_t id = request.object < end ? request.object : 0; id < end; ++id) {
        const std::string& text = unit.identification[id];
        if (data.size() + 2 + text.size() > limits::modbus_pdu_size_max - 7) {
            reply.more_follows = true;
            reply.next_object = static_cast<std::uint8_t>(id);
            break;
        }
        data.push_back(static_cast<std::uint8_t>(id));
        data.push_back(static_cast<std::uint8_t>(text.size()));
        data.insert(data.end(), text.begin(), text.end());
        ++reply.object_count;
        if (one) {
            break;
        }
    }
    reply.identification = request.identification;
    reply.conformity = 0x82;  // regular, as a stream and one by one
}

bool reads(Function function) {
    return is_bits(function) || function == Function::read_holding_registers ||
           function == Function::read_input_registers || function == Function::read_write_registers;
}

Exception carry_out(ModbusUnit& unit,
                    const Request& request,
                    Reply& reply,
                    std::vector<std::uint8_t>& data) {
    if (request.function == Function::read_identification) {
        if (unit.identification.empty()) {
            return Exception::illegal_function;
        }
        if (request.identification == 4 && request.object >= unit.identification.size()) {
            return Exception::illegal_address;
        }
        identify(unit, request, reply, data);
        return Exception::none;
    }
    RegisterTable& table = table_of(unit, request.function);
    if (!table.holds(request.address, request.count)) {
        return Exception::illegal_address;
    }
    if (!request.data.empty()) {
        const bool exchange = request.function == Function::read_write_registers;
        const std::uint16_t first = exchange ? request.write_address : request.address;
        if (!table.holds(first, request.write_count())) {
            return Exception::illegal_address;
        }
        if (unit.refuse) {
            if (const Exception exception = unit.refuse(request); exception != Exception::none) {
                return exception;
            }
        }
        write(table, first, request);
    }
    if (reads(request.function)) {
        read(table, request, data);
    } else {
        reply.address = request.address;
        reply.count = request.count;
        data.assign(request.data.begin(), request.data.end());
    }
    return Exception::none;
}

void put_exception(std::uint8_t function, Exception exception, Writer& pdu) {
    Reply reply;
    reply.function = static_cast<Function>(function & 0x7F);
    reply.exception = exception;
    (void)modbus::encode_reply(pdu, reply);
}

}  // namespace

void RegisterTable::set(std::uint16_t address, std::uint16_t value) {
    if (values_.empty()) {
        values_.resize(addresses);
        held_.resize(addresses);
    }
    values_[address] = value;
    held_[address] = true;
}

void RegisterTable::set(std::uint16_t first, std::span<const std::uint16_t> values) {
    const std::size_t count = std::min(values.size(), addresses - first);
    for (std::size_t i = 0; i < count; ++i) {
        set(static_cast<std::uint16_t>(first + i), values[i]);
    }
}

std::uint16_t RegisterTable::get(std::uint16_t address) const {
    return values_.empty() ? std::uint16_t{0} : values_[address];
}

bool RegisterTable::holds(std::uint16_t first, std::size_t count) const {
    if (held_.empty() || count > addresses - first) {
        return false;
    }
    const auto begin = held_.begin() + first;
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count), [](bool h) { return h; });
}

void answer_request(ModbusUnit& unit, Bytes request_pdu, Writer& reply_pdu) {
    if (request_pdu.empty()) {
        return;
    }
    const auto request = modbus::decode_request(request_pdu);
    if (!request) {
        put_exception(request_pdu[0], modbus::exception_of(request.error()), reply_pdu);
        return;
    }
    Reply reply;
    reply.function = request->function;
    std::vector<std::uint8_t> data;
    reply.exception = carry_out(unit, *request, reply, data);
    reply.data = data;
    if (!modbus::encode_reply(reply_pdu, reply)) {
        put_exception(request_pdu[0], Exception::device_failure, reply_pdu);
    }
}

ModbusServer::ModbusServer(ModbusFraming framing, std::span<ModbusUnit> units, std::uint64_t seed)
    : framing_(framing), units_(units), random_(seed) {}

void ModbusServer::received(Bytes bytes, Instant now) {
    if (serial() && now - heard_at_ > serial_patience) {
        refused_bytes_ += static_cast<std::uint32_t>(in_.size());
        in_.clear();
    }
    heard_at_ = now;
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    while (!in_.empty()) {
        const auto frame = take_request();
        if (frame.code() == Code::truncated) {
            return;
        }
        if (!frame) {
            refused_bytes_ += static_cast<std::uint32_t>(in_.size());
            in_.clear();
            return;
        }
        answer(*frame, now);
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(frame->size));
    }
}

Result<modbus::Frame> ModbusServer::take_request() const {
    if (!serial()) {
        return modbus::take_tcp(in_);
    }
    const auto frame = modbus::take_rtu(in_, modbus::Side::request);
    // A function of unknown length: what is there counts as the frame if its sum is right.
    if (frame.code() == Code::unsupported) {
        if (in_.size() < 4 ||
            (in_.size() < limits::modbus_rtu_size_max && crc16_modbus(in_) != 0)) {
            return JW_FAIL(truncated);
        }
        modbus::Frame unknown;
        unknown.unit = in_[0];
        unknown.pdu = Bytes(in_).subspan(1, in_.size() - 3);
        unknown.size = in_.size();
        return unknown;
    }
    return frame;
}

ModbusUnit* ModbusServer::unit_of(std::uint8_t id) {
    // On TCP 0 and 255 mean whoever is there.
    if (!serial() && units_.size() == 1 && (id == 0 || id == 255)) {
        return units_.data();
    }
    const auto unit = std::find_if(
        units_.begin(), units_.end(), [id](const ModbusUnit& u) { return u.id == id; });
    return unit == units_.end() ? nullptr : &*unit;
}

void ModbusServer::answer(const modbus::Frame& request, Instant now) {
    ++requests_;
    const bool asleep = faults.asleep_from <= now && now < faults.asleep_to;
    ModbusUnit* unit = unit_of(request.unit);
    const bool broadcast = serial() && request.unit == 0;
    if (asleep || (unit == nullptr && serial() && !broadcast) || hits(faults.drop_percent)) {
        return;
    }
    std::array<std::uint8_t, limits::modbus_pdu_size_max> buffer{};
    Writer pdu(buffer);
    if (broadcast) {  // obeyed by all, answered by none
        for (ModbusUnit& each : units_) {
            pdu.clear();
            answer_request(each, request.pdu, pdu);
        }
        return;
    }
    if (unit == nullptr) {
        put_exception(request.pdu[0], Exception::gateway_target, pdu);
    } else if (hits(faults.exception_percent)) {
        put_exception(request.pdu[0], faults.exception, pdu);
    } else {
        if (unit->live) {
            unit->live(*unit, now);
        }
        answer_request(*unit, request.pdu, pdu);
    }
    send(request.transaction, request.unit, pdu.written(), now);
}

void ModbusServer::send(std::uint16_t transaction, std::uint8_t unit, Bytes pdu, Instant now) {
    std::array<std::uint8_t, limits::modbus_tcp_size_max> buffer{};
    Writer frame(buffer);
    const bool wrong_id = hits(faults.wrong_id_percent);
    if (serial()) {
        modbus::put_rtu(frame, static_cast<std::uint8_t>(unit + (wrong_id ? 1 : 0)), pdu);
    } else {
        const auto id = static_cast<std::uint16_t>(transaction + (wrong_id ? 0x4000 : 0));
        modbus::put_tcp(frame, id, unit, pdu);
    }
    std::vector<std::uint8_t> bytes(frame.written().begin(), frame.written().end());
    if (!wrong_id && hits(faults.half_frame_percent)) {
        bytes.resize(bytes.size() / 2);
    } else if (!wrong_id && hits(faults.garbage_percent)) {
        std::generate(
            bytes.begin(), bytes.end(), [this] { return static_cast<std::uint8_t>(random()); });
    }
    // One connection keeps the order of its bytes, also where the delay has become shorter.
    const Instant before = answers_.empty() ? now : answers_.back().due;
    answers_.push_back({later(before, now + faults.delay), std::move(bytes)});
}

Instant ModbusServer::next() const {
    return answers_.empty() ? never : answers_.front().due;
}

void ModbusServer::take(Instant now, std::vector<std::uint8_t>& out) {
    while (next() <= now) {
        const std::vector<std::uint8_t>& bytes = answers_.front().bytes;
        out.insert(out.end(), bytes.begin(), bytes.end());
        answers_.pop_front();
    }
}

bool ModbusServer::hits(unsigned percent) {
    return percent > 0 && random() % 100 < percent;
}

/// SplitMix64.
std::uint64_t ModbusServer::random() {
    random_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t value = random_;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

}  // namespace jw::sim
