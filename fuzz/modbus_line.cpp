// SPDX-License-Identifier: Apache-2.0
// A Modbus line whose peer, bus and connection do whatever the input says: every question ends
// once, and the line never asks to be called again at once.
#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/bus/modbus_frame.h"
#include "core/bus/modbus_line.h"

using namespace jw;

namespace {

struct Wire final : Bus {
    Status send(Bytes bytes) override {
        if (refusal != Code::ok) {
            return Error{refusal, 0, 0};
        }
        CHECK(bytes.size() <= last.size());
        std::copy(bytes.begin(), bytes.end(), last.begin());
        size = bytes.size();
        return done;
    }
    std::array<std::uint8_t, modbus_buffer_size> last{};
    std::size_t size = 0;
    Code refusal = Code::ok;
};

struct Asker final : ModbusClient {
    [[nodiscard]] Instant due() const override { return waiting ? never : due_at; }
    std::uint8_t ask(Writer& pdu, Instant now) override {
        CHECK(connected && !waiting);
        waiting = true;
        due_at = now + milliseconds(unit);
        pdu.u8(function).u16_be(0).u16_be(count);
        return unit;
    }
    void answered(Bytes pdu, Instant) override {
        CHECK(connected && waiting);
        waiting = false;
        const bool exception = pdu.size() == 2 && pdu[0] == (function | 0x80);
        CHECK(exception || (pdu.size() == 2U + count * 2U && pdu[0] == function));
    }
    void failed(Error error, Instant now) override {
        CHECK(waiting || (!connected && error.code == Code::not_found));
        waiting = false;
        due_at = later(due_at, now);
    }
    std::uint8_t unit = 1;
    std::uint8_t function = 3;
    std::uint16_t count = 1;
    Instant due_at;
    bool waiting = false;
    bool connected = false;
};

struct Scene {
    explicit Scene(std::uint8_t options) : settings(settings_of(options)) {
        for (std::size_t i = 0; i < askers.size(); ++i) {
            askers[i].unit = static_cast<std::uint8_t>(i + 1);
            askers[i].count = static_cast<std::uint16_t>(1 + i * 60);
        }
    }
    static ModbusLineSettings settings_of(std::uint8_t options) {
        ModbusLineSettings settings;
        settings.framing = static_cast<ModbusFraming>(options % 3);
        settings.open_requests_max = static_cast<std::uint8_t>(options >> 2 & 7);
        settings.gap = milliseconds(options >> 6 & 1);
        settings.connect_delay = milliseconds(options >> 7 & 1);
        settings.timeout = milliseconds(20);
        return settings;
    }
    void connect(bool on) {
        for (Asker& asker : askers) {
            asker.connected = on;
        }
        on ? line.connected(now) : line.disconnected(now);
    }
    void step() {
        const bool gone = wire.refusal == Code::not_found;
        if (gone) {
            connect(false);
        }
        const Instant next = line.step(now);
        CHECK(now < next);
    }
    /// The beginning of an answer to the last question, with the bytes of the input as values.
    void answer(Bytes values) {
        if (wire.size == 0) {
            return;
        }
        const bool tcp = settings.framing == ModbusFraming::tcp;
        const std::size_t header = tcp ? modbus::tcp_header_size : modbus::rtu_header_size;
        std::array<std::uint8_t, 253> pdu{wire.last[header]};
        const std::size_t size =
            modbus::reply_size(Bytes(wire.last).subspan(header, wire.size - header));
        pdu[1] = static_cast<std::uint8_t>(size - 2);
        std::copy_n(values.begin(), std::min(values.size(), size - 2), pdu.begin() + 2);
        std::array<std::uint8_t, modbus_buffer_size> frame{};
        Writer out(frame);
        if (tcp) {
            modbus::put_tcp(out,
                            static_cast<std::uint16_t>(wire.last[0] << 8 | wire.last[1]),
                            wire.last[6],
                            Bytes(pdu).first(size));
        } else {
            modbus::put_rtu(out, wire.last[0], Bytes(pdu).first(size));
        }
        line.received(out.written().first(std::min(out.size(), out.size() - values.size() % 2)),
                      now);
    }

    ModbusLineSettings settings;
    Wire wire;
    std::array<Asker, 3> askers;
    std::array<ModbusClient*, 3> clients{&askers[0], &askers[1], &askers[2]};
    std::array<ModbusOpenRequest, 4> open;
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> out{};
    Instant now{1'000'000};
    ModbusLine line{wire, settings, clients, {open, in, out}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader input(Bytes(data, size));
    Scene scene(input.u8());
    scene.connect(true);
    // Each turn: what happens and how much of it, then time passes.
    while (input.remaining() > 0) {
        const std::uint8_t act = input.u8();
        const std::size_t count = std::min<std::size_t>(act >> 3, input.remaining());
        switch (act & 7) {
            case 0:
                scene.connect((count & 1) != 0);
                break;
            case 1:
                scene.wire.refusal = count % 3 == 0   ? Code::ok
                                     : count % 3 == 1 ? Code::busy
                                                      : Code::not_found;
                break;
            case 2:
            case 3:
                scene.answer(input.take(count));
                break;
            case 4:
                scene.now = scene.now + milliseconds(static_cast<std::int64_t>(count));
                break;
            default:
                scene.line.received(input.take(count), scene.now);
                break;
        }
        scene.now = scene.now + microseconds(500);
        scene.step();
    }
    // Whatever happened: after the timeout nobody waits.
    scene.connect(false);
    for (const Asker& asker : scene.askers) {
        CHECK(!asker.waiting);
    }
    return 0;
}
