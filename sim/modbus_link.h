// SPDX-License-Identifier: Apache-2.0
#pragma once
// A wire without delay between a ModbusLine and a simulated server, in simulated time.
#include "core/base/check.h"
#include "core/base/ports.h"
#include "core/bus/modbus_line.h"
#include "sim/modbus_server.h"

namespace jw::sim {

/// The bus of the line under test. `run` advances `now` from event to event.
class ModbusLink final : public Bus {
  public:
    ModbusLink(ModbusFraming framing, std::span<ModbusUnit> units, std::uint64_t seed = 1)
        : server(framing, units, seed) {}

    Status send(Bytes bytes) override {
        server.received(bytes, now);
        return done;
    }

    /// Lets line and server talk until nothing is left to do before `end`; `now` is `end` then.
    void run(Line& line, Instant end) {
        while (now <= end) {
            std::vector<std::uint8_t> bytes;
            server.take(now, bytes);
            if (!bytes.empty()) {
                line.received(bytes, now);
            }
            const Instant line_next = line.step(now);
            CHECK(now < line_next);  // else the line spins
            now = earlier(line_next, later(server.next(), now + microseconds(1)));
        }
        now = end;
    }

    ModbusServer server;
    Instant now{1'000'000};
};

}  // namespace jw::sim
