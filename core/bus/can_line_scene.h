// SPDX-License-Identifier: Apache-2.0
#pragma once
// A CAN line on a bus that a test fills, breaks and looks at.
#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/text.h"
#include "core/bus/can_line.h"
#include "core/bus/linux_can.h"

namespace jw::can_scene {

inline CanFrame frame_of(std::uint32_t id, std::uint8_t first_byte) {
    return {id, false, 8, {first_byte}};
}

/// What was sent stands in `text`, or in `frames` where it is a socket's.
struct FakeBus final : Bus {
    Status send(Bytes bytes) override {
        if (refusal != Code::ok) {
            return Error{refusal, 0, 0};
        }
        if (socket) {
            const auto message = linux_can::read_frame(bytes);
            CHECK(message && !message->trouble);
            (void)frames.push(message->frame);
        } else {
            text.put(as_text(bytes));
        }
        return done;
    }
    bool socket = true;
    Code refusal = Code::ok;
    FixedList<CanFrame, 64> frames;
    std::array<char, 4096> room{};
    Text text{room};
};

struct FakeClient final : CanClient {
    void received(const CanFrame& frame, Instant /*now*/) override { (void)heard.push(frame); }
    void rivalled(const CanFrame& frame, Instant /*now*/) override { (void)rivals.push(frame); }
    void bus_changed(std::optional<CanBusState> state, Instant /*now*/) override {
        (void)states.push(state);
    }
    FixedList<CanFrame, 64> heard;
    FixedList<CanFrame, 64> rivals;
    FixedList<std::optional<CanBusState>, 64> states;
};

struct Scene {
    explicit Scene(CanFraming framing) : line(bus, settings_of(framing), client, waiting) {
        bus.socket = framing == CanFraming::socketcan;
    }
    static CanLineSettings settings_of(CanFraming framing) {
        CanLineSettings settings;
        settings.framing = framing;
        static constexpr std::array<std::uint16_t, 2> own{0x351, 0x355};
        settings.own_ids = own;
        return settings;
    }
    /// Steps whenever the line wants to, until so much time has passed.
    void run(Duration time) {
        const Instant end = now + time;
        for (int calls = 0; calls < 10'000; ++calls) {
            const Instant next = line.step(now);
            CHECK(next > now);
            if (next > end) {
                break;
            }
            now = next;
        }
        now = end;
    }
    void hear(const CanFrame& frame) {
        std::array<std::uint8_t, linux_can::frame_size> room{};
        Writer out(room);
        linux_can::put_frame(frame, out);
        line.received(out.written(), now);
    }
    /// An error frame with a class in its id and byte 1 of its data.
    void hear_trouble(std::uint32_t kind, std::uint8_t controller = 0) {
        std::array<std::uint8_t, linux_can::frame_size> bytes{};
        const std::uint32_t id = 0x2000'0000 | kind;
        std::memcpy(bytes.data(), &id, sizeof(id));
        bytes[4] = 8;
        bytes[9] = controller;
        line.received(bytes, now);
    }
    void hear_text(std::string_view text) { line.received(as_bytes(text), now); }
    /// What was told to the adapter since the last call.
    std::string_view told() {
        const std::size_t from = seen_;
        seen_ = bus.text.size();
        return {bus.room.data() + from, seen_ - from};
    }
    /// Connects, and answers as an adapter does, until it is open.
    void open_adapter() {
        line.connected(now);
        (void)line.step(now);
        now = now + milliseconds(50);
        (void)line.step(now);
        hear_text("\r");
        (void)line.step(now);
        hear_text("\r");
        (void)told();
    }

    Instant now{1'000'000};
    FakeBus bus;
    FakeClient client;
    std::array<WaitingCanFrame, 4> waiting;
    CanLine line;

  private:
    std::size_t seen_ = 0;
};

}  // namespace jw::can_scene
