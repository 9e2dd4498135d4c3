// SPDX-License-Identifier: Apache-2.0
// A CAN line whose peer, bus and connection do whatever the input says: no crash, every frame is
// sent, dropped or waiting, none is older than it may be, and the line never asks to be called
// again at once for ever.
#include <array>

#include "core/base/check.h"
#include "core/bus/can_line.h"

using namespace jw;

namespace {

struct Wire final : Bus {
    Status send(Bytes bytes) override {
        CHECK(!bytes.empty() && bytes.size() <= slcan::line_max);
        if (refusal != Code::ok) {
            return Error{refusal, 0, 0};
        }
        return done;
    }
    Code refusal = Code::ok;
};

struct Client final : CanClient {
    void received(const CanFrame& frame, Instant /*now*/) override { CHECK(frame.size <= 8); }
    void rivalled(const CanFrame& frame, Instant now) override {
        CHECK(frame.id == 0x351 && !frame.extended);
        line->send(frame, now);  // whoever answers at once is no trouble
        ++sent;
    }
    void bus_changed(std::optional<CanBusState> state, Instant /*now*/) override {
        CHECK(state != known);
        known = state;
    }
    std::optional<CanBusState> known;
    CanLine* line = nullptr;
    std::uint32_t sent = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<std::uint16_t, 1> own{0x351};
    Reader input(Bytes(data, size));
    const std::uint8_t options = input.u8();
    CanLineSettings settings;
    settings.framing = (options & 1) != 0 ? CanFraming::socketcan : CanFraming::slcan;
    settings.own_ids = own;
    Wire wire;
    Client client;
    std::array<WaitingCanFrame, 3> waiting;
    Instant now{1'000'000};
    CanLine line(wire, settings, client, waiting);
    client.line = &line;
    line.connected(now);
    // Each turn: what happens and how much of it, then time passes.
    while (input.remaining() > 0) {
        const std::uint8_t act = input.u8();
        const std::size_t count = std::min<std::size_t>(act >> 3, input.remaining());
        switch (act & 7) {
            case 0:
                (count & 1) != 0 ? line.connected(now) : line.disconnected(now);
                break;
            case 1:
                wire.refusal = count % 3 == 0   ? Code::ok
                               : count % 3 == 1 ? Code::busy
                                                : Code::not_found;
                break;
            case 2:
                line.send({0x350 + static_cast<std::uint32_t>(count % 6), false, 8, {}}, now);
                ++client.sent;
                break;
            case 3:
                now = now + milliseconds(static_cast<std::int64_t>(count * count));
                break;
            default:
                line.received(input.take(count), now);
                break;
        }
        now = now + microseconds(500);
        Instant next = line.step(now);
        for (int calls = 0; next <= now; ++calls) {
            CHECK(calls < 4);  // a stage of the opening each
            next = line.step(now);
        }
        const CanCounters& counters = line.counters();
        CHECK(counters.sent + counters.dropped + line.waiting() == client.sent);
        CHECK(client.known == line.bus_state());
    }
    line.disconnected(now);
    now = now + settings.wait_max;
    (void)line.step(now);
    CHECK(line.waiting() == 0 && line.step(now) == never);
    return 0;
}
