// SPDX-License-Identifier: Apache-2.0
// Any bytes as a SunSpec register image, and any registers behind our driver.
#include <array>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/text.h"
#include "core/codec/modbus.h"
#include "core/device/sunspec/decode.h"
#include "core/device/sunspec/sunspec.h"

using namespace jw;
using namespace jw::sunspec;

namespace {

class Points final : public DecodeOut {
  public:
    void model(std::uint16_t id,
               std::uint32_t /*address*/,
               std::uint16_t /*length*/,
               const Model* known) override {
        CHECK(known == nullptr || known->id == id);
    }
    void point(const Point& point, std::uint16_t /*module*/, const PointValue& value) override {
        std::array<char, 64> buffer{};
        Text out(buffer);
        put_decimal(value.number, value.exponent, out);
        CHECK(out.ok());
        CHECK(value.kind != PointValue::Kind::absent || !quantity_of(point, value));
    }
};

class Told final : public DeviceOut {
  public:
    void reading(const Reading& /*reading*/, Instant /*now*/) override {}
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override {}
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}
};

/// The registers as a device at base 0 would give them.
void serve(Bytes image, ModbusClient& client) {
    Instant now{};
    for (int questions = 0; questions < 200; ++questions) {
        now = later(now, client.due());
        std::array<std::uint8_t, limits::modbus_pdu_size_max> buffer{};
        Writer pdu(buffer);
        (void)client.ask(pdu, now);
        const auto request = modbus::decode_request(pdu.written());
        CHECK(request.has_value());
        std::array<std::uint8_t, limits::modbus_pdu_size_max> reply_buffer{};
        Writer reply(reply_buffer);
        const std::size_t start = 2U * request->address;
        const std::size_t size = 2U * request->count;
        const bool read = request->function == modbus::Function::read_holding_registers;
        if (read && start <= image.size() && size <= image.size() - start) {
            reply.u8(3).u8(static_cast<std::uint8_t>(size)).put(image.subspan(start, size));
        } else {
            reply.u8(static_cast<std::uint8_t>(pdu.written()[0] | 0x80)).u8(2);
        }
        now = now + milliseconds(5);
        client.answered(reply.written(), now);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes image(data, size);
    Points points;
    (void)decode(image, 0, points);
    alignas(std::max_align_t) std::array<std::byte, 8192> memory{};
    Arena arena{memory};
    Told told;
    DeviceSettings settings;
    settings.base = 0;
    serve(image, *driver.make(arena, settings, told)->modbus());
    return 0;
}
