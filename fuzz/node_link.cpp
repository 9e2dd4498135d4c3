// SPDX-License-Identifier: Apache-2.0
// Any bytes from a node's serial line, and any body in a frame whose checksum is right.
#include <array>

#include "core/base/check.h"
#include "core/device/node/node.h"

using namespace jw;

namespace {

/// Takes every reading; all of them are at once on the medium.
class Stored final : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant /*now*/) override {
        for (const Value& value : reading.values) {
            CHECK(possible(value.number));
        }
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override {}
    void acted(ResultCode, std::optional<std::int64_t>, Instant) override {}
    Result<std::uint64_t> store(const Reading& /*reading*/, Instant taken_at) override {
        CHECK(taken_at <= now);  // I-08: nothing is from the future
        return ++stored_;
    }
    [[nodiscard]] std::uint64_t stored_to() const override { return stored_; }
    Instant now;

  private:
    std::uint64_t stored_ = 0;
};

/// Every acknowledgement that is sent can be read.
class Acknowledged final : public Bus {
  public:
    Status send(Bytes bytes) override {
        std::array<std::uint8_t, 64> buffer{};
        node_link::Receiver receiver(buffer);
        for (const std::uint8_t byte : bytes) {
            if (const auto frame = receiver.take(byte)) {
                CHECK(node_link::decode_acknowledge(frame->body).has_value());
            }
        }
        CHECK(receiver.damaged() == 0);
        return done;
    }
};

void play(Bytes bytes) {
    std::array<std::uint8_t, 4096> buffer{};
    Stored out;
    out.now = Instant{} + seconds(1000);
    Acknowledged bus;
    node::NodeDevice device({}, out, buffer);
    device.use_bus(bus);
    device.connected(out.now);
    device.received(bytes, out.now);
    (void)device.step(out.now);
    device.disconnected(out.now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    play(bytes);
    static std::array<std::uint8_t, 16384> frame;
    Writer out(frame);
    if (node_link::encode(node_link::FrameType::batch, {}, bytes, out)) {
        play(out.written());
    }
    return 0;
}
