// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a TinyBMS answers, and any registers in answers whose checksums are right: the
// driver gives possible values or none, asks readable questions, and never spins.
#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/device/tinybms/tinybms.h"

using namespace jw;

namespace {

class Told final : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant /*now*/) override {
        CHECK(reading.values.left_out() == 0);
        for (const Value& value : reading.values) {
            CHECK(possible(value.number));
        }
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error error, Instant /*now*/) override { CHECK(error.code != Code::ok); }
    void acted(ResultCode, std::optional<std::int64_t>, Instant) override { ++acts; }
    void event(std::string_view sentence, Instant /*now*/) override { CHECK(!sentence.empty()); }
    int acts = 0;
};

/// Keeps the question that waits for its answer.
class Wire final : public Bus {
  public:
    Status send(Bytes bytes) override {
        const auto taken = tinybms::take(bytes, tinybms::Side::request);
        CHECK(taken && taken->size == bytes.size());
        asked = taken->message;
        asked.data = {};
        ++questions;
        return done;
    }
    tinybms::Message asked;
    int questions = 0;
};

/// The answer to a question, with registers of the input.
void answer(const tinybms::Message& asked, Reader& in, tinybms::TinyBms& device, Instant now) {
    std::array<std::uint8_t, tinybms::frame_size_max> data{};
    const std::size_t size = std::size_t{asked.count} * 2;
    for (std::size_t i = 0; i < size && i < data.size(); ++i) {
        data[i] = in.remaining() > 0 ? in.u8() : std::uint8_t{0};
    }
    tinybms::Message reply = asked;
    reply.side = tinybms::Side::reply;
    if (asked.command == tinybms::Command::read_modbus) {
        reply.data = Bytes(data).first(size);
    } else if (asked.command == tinybms::Command::reset) {
        reply.command = tinybms::Command::accepted;
        reply.answers = asked.command;
    }
    std::array<std::uint8_t, tinybms::frame_size_max> room{};
    Writer out(room);
    CHECK(tinybms::put(out, reply).has_value());
    device.received(out.written(), now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Told told;
    Wire wire;
    tinybms::TinyBms device({}, told);
    device.use_bus(wire);
    Instant now{1'000'000};
    device.connected(now);
    Reader in(Bytes(data, size));
    for (int turn = 0; turn < 300 && in.remaining() > 0; ++turn) {
        const Instant next = device.step(now);
        CHECK(now < next);
        const std::uint8_t what = in.u8();
        if (what < 0xA0) {
            answer(wire.asked, in, device, now + milliseconds(1));
        } else if (what < 0xE0) {
            device.received(in.take(std::min<std::size_t>(what - 0x9FU, in.remaining())), now);
        } else if (what < 0xF8 && device.parameter_count() > what - 0xE0U) {
            const Parameter parameter = device.parameter(what - 0xE0U);
            const std::int64_t value = in.remaining() > 0 ? parameter.least + in.u8() : 0;
            (void)device.write_parameter(parameter.name, value, now);
        }
        now = later(now + milliseconds(1), what % 3 == 0 ? next : now);
    }
    device.disconnected(now);
    CHECK(device.step(now) == never);
    return 0;
}
