// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scene of the ModbusLine tests: a wire of ours and clients that ask for registers.
#include <algorithm>
#include <array>
#include <span>

#include "core/base/test.h"
#include "core/bus/modbus_frame.h"
#include "core/bus/modbus_line.h"

namespace jw::test {

struct Wire final : Bus {
    Status send(Bytes bytes) override {
        if (refusal != Code::ok) {
            return Error{refusal, 0, 0};
        }
        std::copy(bytes.begin(), bytes.end(), frame.begin());
        size = bytes.size();
        ++sent;
        return done;
    }
    [[nodiscard]] Bytes last() const { return Bytes(frame).first(size); }
    [[nodiscard]] std::uint16_t transaction() const { return Reader(last()).u16_be(); }

    std::array<std::uint8_t, 260> frame{};
    std::size_t size = 0;
    int sent = 0;
    Code refusal = Code::ok;
};

/// Asks for `count` holding registers of its unit each `every`, as a device does.
struct Asker final : ModbusClient {
    [[nodiscard]] Instant due() const override { return waiting ? never : due_at; }
    std::uint8_t ask(Writer& pdu, Instant now) override {
        EXPECT(!waiting);
        waiting = true;
        ++asked;
        due_at = now + every;
        pdu.u8(function).u16_be(0).u16_be(count);
        return unit;
    }
    void answered(Bytes pdu, Instant) override {
        EXPECT(waiting);
        waiting = false;
        ++answers;
        last_byte = pdu[pdu.size() - 1];
        size = pdu.size();
    }
    void failed(Error error, Instant now) override {
        EXPECT(waiting || error.code == Code::not_found);
        unasked += waiting ? 0 : 1;
        waiting = false;
        ++failures;
        failure = error.code;
        due_at = later(due_at, now + every);
    }

    std::uint8_t unit = 1;
    std::uint8_t function = 3;
    std::uint16_t count = 1;
    Duration every = seconds(10);
    Instant due_at;
    bool waiting = false;
    int asked = 0;
    int answers = 0;
    int failures = 0;
    int unasked = 0;  // told of a failure without having been asked
    Code failure = Code::ok;
    std::uint8_t last_byte = 0;
    std::size_t size = 0;
};

inline ModbusLineSettings settings_of(ModbusFraming framing) {
    ModbusLineSettings settings;
    settings.framing = framing;
    return settings;
}

/// A line with its memory, wire and three clients of units 1 to 3, of which `clients` take part.
struct Scene {
    explicit Scene(const ModbusLineSettings& settings, std::size_t clients = 1)
        : line(wire,
               settings,
               std::span<ModbusClient* const>(list).first(clients),
               {open, in, out, &answer_times}) {
        for (std::size_t i = 0; i < 3; ++i) {
            askers[i].unit = static_cast<std::uint8_t>(i + 1);
        }
    }
    explicit Scene(ModbusFraming framing, std::size_t clients = 1)
        : Scene(settings_of(framing), clients) {}

    Asker& a() { return askers[0]; }
    /// Answers with registers that hold `value` in their last byte.
    void tcp(std::uint16_t transaction, std::uint8_t unit, std::uint8_t value, Instant now) {
        const std::array<std::uint8_t, 4> pdu{3, 2, 0, value};
        tcp(transaction, unit, Bytes(pdu), now);
    }
    void tcp(std::uint16_t transaction, std::uint8_t unit, Bytes pdu, Instant now) {
        std::array<std::uint8_t, 260> frame{};
        Writer out_frame(frame);
        modbus::put_tcp(out_frame, transaction, unit, pdu);
        line.received(out_frame.written(), now);
    }
    void rtu(std::uint8_t unit, Bytes pdu, Instant now) {
        std::array<std::uint8_t, 260> frame{};
        Writer out_frame(frame);
        modbus::put_rtu(out_frame, unit, pdu);
        line.received(out_frame.written(), now);
    }
    void rtu(std::uint8_t unit, std::uint8_t value, Instant now) {
        const std::array<std::uint8_t, 4> pdu{3, 2, 0, value};
        rtu(unit, Bytes(pdu), now);
    }

    Wire wire;
    std::array<Asker, 3> askers;
    std::array<ModbusClient*, 3> list{&askers[0], &askers[1], &askers[2]};
    std::array<ModbusOpenRequest, 4> open;
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> out{};
    DurationCounts answer_times;
    ModbusLine line;
};

inline constexpr Instant t0{1'000'000};

constexpr Instant after_ms(std::int64_t ms) {
    return t0 + milliseconds(ms);
}

}  // namespace jw::test
