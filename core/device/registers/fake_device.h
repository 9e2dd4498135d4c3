// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of register devices: a Modbus device made of register images, and a recorder of what a
// driver tells.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/bus/modbus_line.h"
#include "core/codec/modbus.h"
#include "core/device/device.h"
#include "core/device/registers/self_test.h"

namespace jw::registers {

/// What a driver told, the last of each kind, and how often.
struct Recorder final : DeviceOut {
    void reading(const Reading& told, Instant /*now*/) override {
        last = told;
        ++readings;
    }
    void identified(const DeviceInfo& told, Instant /*now*/) override {
        info = told;
        ++identities;
    }
    void failed(Error told, Instant /*now*/) override {
        error = told.code;
        ++failures;
    }
    void acted(ResultCode told, std::optional<std::int64_t> told_value, Instant /*now*/) override {
        code = told;
        value = told_value;
        ++acts;
    }

    Reading last;
    DeviceInfo info;
    Code error = Code::ok;
    ResultCode code = ResultCode::malformed;
    std::optional<std::int64_t> value;
    int readings = 0;
    int identities = 0;
    int failures = 0;
    int acts = 0;
};

/// A table of registers (or bits) that can be written, in memory of its owner.
struct Shelf {
    Table table = Table::holding;
    std::uint16_t start = 0;
    std::span<std::uint16_t> values;
};

/// Answers as a device would whose registers are the shelves, and misbehaves on demand.
class FakeDevice {
  public:
    FixedList<Shelf, 8> shelves;
    bool silent = false;
    std::uint8_t exception = 0;                // instead of the next answers,
    int exceptions_left = 0;                   // that many
    bool silent_where_empty = false;           // instead of exception 2
    bool writes_ignored = false;               // it says yes and does nothing
    std::size_t count_max = 125;               // more is answered with exception 3
    FixedList<modbus::Request, 64> questions;  // without their data

    /// Lets `client` ask until it has no question before `until`. Returns when it stopped.
    Instant run(ModbusClient& client, Instant now, Instant until) {
        for (int i = 0; i < 10'000; ++i) {
            if (client.due() > until) {
                return until;
            }
            now = later(now, client.due());
            std::array<std::uint8_t, limits::modbus_pdu_size_max> buffer{};
            Writer pdu{buffer};
            (void)client.ask(pdu, now);
            if (silent) {
                now = now + seconds(1);
                client.failed(JW_FAIL(timeout), now);
                continue;
            }
            now = now + milliseconds(10);
            std::array<std::uint8_t, limits::modbus_pdu_size_max> reply_buffer{};
            Writer reply{reply_buffer};
            answer(pdu.written(), reply);
            if (silent_where_empty &&
                modbus::exception_code(reply.written()) == modbus::Exception::illegal_address) {
                now = now + seconds(1);
                client.failed(JW_FAIL(timeout), now);
                continue;
            }
            client.answered(reply.written(), now);
        }
        return until;
    }

  private:
    std::uint16_t* at(Table table, std::uint32_t address) {
        for (Shelf& shelf : shelves) {
            if (shelf.table == table && address >= shelf.start &&
                address - shelf.start < shelf.values.size()) {
                return &shelf.values[address - shelf.start];
            }
        }
        return nullptr;
    }

    void refuse(std::uint8_t function, std::uint8_t code, Writer& reply) {
        reply.u8(static_cast<std::uint8_t>(function | 0x80)).u8(code);
    }

    void answer(Bytes pdu, Writer& reply) {
        const Result<modbus::Request> request = modbus::decode_request(pdu);
        if (!request) {
            refuse(pdu[0], 1, reply);
            return;
        }
        (void)questions.push(*request);
        if (exceptions_left > 0) {
            --exceptions_left;
            refuse(pdu[0], exception, reply);
            return;
        }
        const auto function = static_cast<std::uint8_t>(request->function);
        if (function <= 4) {
            read(*request, reply);
        } else {
            write(*request, reply);
        }
    }

    void read(const modbus::Request& request, Writer& reply) {
        const auto table = static_cast<Table>(request.function);
        if (!of_bits(table) && request.count > count_max) {
            refuse(static_cast<std::uint8_t>(request.function), 3, reply);
            return;
        }
        std::array<std::uint8_t, 250> data{};
        Writer out{data};
        for (std::uint32_t i = 0; i < request.count; ++i) {
            const std::uint16_t* word = at(table, request.address + i);
            if (word == nullptr) {
                refuse(static_cast<std::uint8_t>(request.function), 2, reply);
                return;
            }
            if (!of_bits(table)) {
                out.u16_be(*word);
            } else if (*word != 0) {
                data[i / 8] = static_cast<std::uint8_t>(data[i / 8] | (1U << (i % 8)));
            }
        }
        modbus::Reply made;
        made.function = request.function;
        made.data =
            Bytes(data).first(of_bits(table) ? (request.count + 7U) / 8U : request.count * 2U);
        (void)modbus::encode_reply(reply, made);
    }

    void write(const modbus::Request& request, Writer& reply) {
        const bool coil = request.function == modbus::Function::write_coil;
        for (std::uint32_t i = 0; i < request.count; ++i) {
            std::uint16_t* word = at(coil ? Table::coil : Table::holding, request.address + i);
            if (word == nullptr) {
                refuse(static_cast<std::uint8_t>(request.function), 2, reply);
                return;
            }
            if (!writes_ignored) {
                const std::uint16_t value = modbus::register_at(request.data, i);
                *word = coil ? (value != 0 ? 1 : 0) : value;
            }
        }
        modbus::Reply made;
        made.function = request.function;
        made.address = request.address;
        made.count = request.count;
        made.data = request.data;
        (void)modbus::encode_reply(reply, made);
    }
};

}  // namespace jw::registers
