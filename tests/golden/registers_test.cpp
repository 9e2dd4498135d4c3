// SPDX-License-Identifier: Apache-2.0
// Golden conversations with the demo meter, and golden SunSpec images: each gives exactly what its
// vector says.
#include <gtest/gtest.h>

#include <bit>
#include <charconv>

#include "core/base/arena.h"
#include "core/device/demo_meter/demo_meter.h"
#include "core/device/sunspec/decode.h"
#include "tests/golden/vectors.h"

namespace {

using namespace jw;

class Lines final : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant /*now*/) override {
        std::string line = "out";
        for (const Value& value : reading.values) {
            std::array<char, 64> room{};
            Text name(room);
            put_name(value.quantity, value.index, name);
            line += " " + std::string(name.view()) + "=" + std::to_string(value.number);
        }
        lines.push_back(line);
    }
    void identified(const DeviceInfo& info, Instant /*now*/) override {
        lines.push_back("out model=" + std::string(info.model.view()) +
                        " version=" + std::string(info.version.view()) +
                        " serial=" + std::string(info.serial.view()));
    }
    void failed(Error error, Instant /*now*/) override {
        lines.push_back(std::string("error ") + code_name(error.code));
    }
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}

    std::vector<std::string> lines;
};

TEST(golden, conversations_with_the_demo_meter_give_what_their_vectors_say) {
    for (const golden::Case& vector : golden::cases("demo_meter")) {
        std::vector<std::byte> memory(demo_meter::driver.memory);
        Arena arena(memory);
        Lines told;
        ModbusClient& client = *demo_meter::driver.make(arena, {}, told)->modbus();
        Instant now{};
        // Answers, each behind its size; 0 is silence.
        Reader in(vector.in);
        while (in.remaining() > 0) {
            const std::uint8_t size = in.u8();
            now = later(now, client.due());
            std::array<std::uint8_t, 253> buffer{};
            Writer pdu(buffer);
            (void)client.ask(pdu, now);
            now = now + milliseconds(10);
            if (size == 0) {
                client.failed(JW_FAIL(timeout), now);
            } else {
                client.answered(in.take(size), now);
            }
        }
        ASSERT_TRUE(in.ok()) << vector.place;
        EXPECT_EQ(told.lines, vector.expected) << vector.place;
    }
}

/// "out 103.W=5002" for each point that is there.
class PointLines final : public sunspec::DecodeOut {
  public:
    void model(std::uint16_t id,
               std::uint32_t address,
               std::uint16_t length,
               const sunspec::Model* known) override {
        id_ = id;
        model_ = known;
        lines.push_back("out model " + std::to_string(id) + " at " + std::to_string(address) +
                        " length " + std::to_string(length) + (known ? "" : " unknown"));
    }
    void point(const sunspec::Point& point,
               std::uint16_t module,
               const sunspec::PointValue& value) override {
        std::array<char, 64> room{};
        Text text(room);
        switch (value.kind) {
            case sunspec::PointValue::Kind::absent:
                return;
            case sunspec::PointValue::Kind::number:
                sunspec::put_decimal(value.number, value.exponent, text);
                break;
            case sunspec::PointValue::Kind::text:
                text.put(as_text(value.text));
                break;
            case sunspec::PointValue::Kind::float32: {
                std::array<char, 32> digits{};
                const auto end = std::to_chars(digits.data(),
                                               digits.data() + digits.size(),
                                               std::bit_cast<float>(value.float_bits));
                text.put(std::string_view(digits.data(), end.ptr));
                break;
            }
        }
        std::string name = std::to_string(id_) + ".";
        if (module != 0) {
            name += std::string(model_->modules.name) + "[" + std::to_string(module) + "].";
        }
        lines.push_back("out " + name + point.name + "=" + std::string(text.view()));
    }
    std::vector<std::string> lines;

  private:
    std::uint16_t id_ = 0;
    const sunspec::Model* model_ = nullptr;
};

TEST(golden, sunspec_images_give_what_their_vectors_say) {
    for (const golden::Case& vector : golden::cases("sunspec")) {
        PointLines told;
        if (const Status decoded = sunspec::decode(vector.in, 40000, told); !decoded) {
            told.lines.push_back(std::string("error ") + code_name(decoded.code()));
        }
        EXPECT_EQ(told.lines, vector.expected) << vector.place;
    }
}

}  // namespace
