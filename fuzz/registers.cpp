// SPDX-License-Identifier: Apache-2.0
// Any answers to a register device and to a SunSpec device: what they ask is always a valid
// request, and what they tell is among what their driver says it can give.
#include <algorithm>
#include <array>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/codec/modbus.h"
#include "core/device/demo_meter/demo_meter.h"
#include "core/device/sunspec/sunspec.h"

using namespace jw;

namespace {

class Told final : public DeviceOut {
  public:
    explicit Told(const Driver& driver) : driver_(driver) {}
    void reading(const Reading& reading, Instant /*now*/) override {
        for (const Value& value : reading.values) {
            CHECK(possible(value.number));
            // Of inputs and ports the driver lists six, and gives more.
            CHECK(std::any_of(driver_.capabilities.begin(),
                              driver_.capabilities.end(),
                              [&](const Capability& known) {
                                  return known.quantity == value.quantity &&
                                         (known.index == value.index || value.index > 6);
                              }));
        }
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override {}
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {
        CHECK(acting);
        acting = false;
    }
    bool acting = false;

  private:
    const Driver& driver_;
};

/// `in` is a row of answers: a size, then so many bytes; 0 is silence, 255 a command.
void play(const Driver& driver, Quantity quantity, Reader in) {
    alignas(std::max_align_t) std::array<std::byte, 8192> memory{};
    Arena arena{memory};
    Told told(driver);
    Device* device = driver.make(arena, {}, told);
    ModbusClient& client = *device->modbus();
    Instant now{};
    while (in.remaining() > 0) {
        const std::uint8_t size = in.u8();
        if (size == 255) {
            if (device->act(quantity, in.u8(), now)) {
                CHECK(!told.acting);
                told.acting = true;
            }
            continue;
        }
        now = later(now, client.due());
        CHECK(now < never);
        std::array<std::uint8_t, limits::modbus_pdu_size_max> buffer{};
        Writer pdu(buffer);
        (void)client.ask(pdu, now);
        CHECK(modbus::decode_request(pdu.written()).has_value());
        CHECK(client.due() == never);
        now = now + milliseconds(10);
        if (size == 0) {
            client.failed(JW_FAIL(timeout), now);
        } else {
            const Bytes answer = in.take(std::min<std::size_t>(size, in.remaining()));
            client.answered(answer, now);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    play(demo_meter::driver, Quantity::relay_closed, Reader({data, size}));
    play(sunspec::driver, Quantity::power_limit_permille, Reader({data, size}));
    return 0;
}
