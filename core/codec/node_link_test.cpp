// SPDX-License-Identifier: Apache-2.0
#include "core/codec/node_link.h"

#include <array>

#include "core/base/test.h"

using namespace jw;
using namespace jw::node_link;

namespace {

std::optional<Frame> feed(Receiver& receiver, Bytes bytes, int& frames) {
    std::optional<Frame> last;
    for (const std::uint8_t byte : bytes) {
        if (auto frame = receiver.take(byte)) {
            last = frame;
            ++frames;
        }
    }
    return last;
}

}  // namespace

TEST(a_frame_with_flags_and_escapes_in_its_body_comes_back_whole) {
    const std::array<std::uint8_t, 2> head{0x7E, 0x01};
    const std::array<std::uint8_t, 4> body{0x7D, 0x7E, 0x00, 0x7D};
    std::array<std::uint8_t, 64> wire{};
    Writer out(wire);
    EXPECT(encode(FrameType::batch, head, body, out).has_value());
    std::array<std::uint8_t, 64> buffer{};
    Receiver receiver(buffer);
    int frames = 0;
    const auto frame = feed(receiver, out.written(), frames);
    EXPECT(frames == 1 && frame->type == FrameType::batch && frame->body.size() == 6);
    EXPECT(equal(frame->body.first(2), head) && equal(frame->body.subspan(2), body));
    EXPECT(receiver.damaged() == 0);
}

TEST(a_frame_sent_piece_by_piece_is_the_same) {
    struct Wire : Bus {
        std::array<std::uint8_t, 512> bytes{};
        Writer out{bytes};
        Status send(Bytes piece) override {
            out.put(piece);
            return done;
        }
    };
    std::array<std::uint8_t, 100> body{};
    body.fill(0x7D);  // the worst: every byte is escaped
    const std::array<std::uint8_t, 2> head{0x7E, 0x01};
    std::array<std::uint8_t, 512> whole{};
    Writer out(whole);
    EXPECT(encode(FrameType::batch, head, body, out).has_value());
    Wire wire;
    EXPECT(send(FrameType::batch, head, body, wire).has_value());
    EXPECT(equal(wire.out.written(), out.written()));
}

TEST(an_acknowledge_round_trips_and_every_flipped_bit_is_refused) {
    std::array<std::uint8_t, 64> wire{};
    Writer out(wire);
    EXPECT(encode(Acknowledge{0x1122334455667788, 3, 4711}, out).has_value());
    std::array<std::uint8_t, 64> buffer{};
    Receiver receiver(buffer);
    int frames = 0;
    const auto frame = feed(receiver, out.written(), frames);
    const auto back = decode_acknowledge(frame->body);
    EXPECT(back && back->epoch == 0x1122334455667788 && back->record_class == 3);
    EXPECT(back->seq == 4711);
    for (std::size_t bit = 8; bit < (out.size() - 1) * 8; ++bit) {
        auto damaged = wire;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        Receiver fresh(buffer);
        int accepted = 0;
        (void)feed(fresh, Bytes(damaged).first(out.size()), accepted);
        EXPECT(accepted == 0);
    }
}

TEST(a_frame_longer_than_the_buffer_is_dropped_and_the_next_one_is_read) {
    const std::array<std::uint8_t, 40> body{};
    std::array<std::uint8_t, 128> wire{};
    Writer out(wire);
    EXPECT(encode(FrameType::batch, {}, body, out).has_value());
    EXPECT(encode(Acknowledge{1, 2, 3}, out).has_value());
    std::array<std::uint8_t, 24> buffer{};
    Receiver receiver(buffer);
    int frames = 0;
    const auto frame = feed(receiver, out.written(), frames);
    EXPECT(frames == 1 && frame->type == FrameType::acknowledge && receiver.damaged() == 1);
}

TEST(a_bus_that_refuses_any_piece_ends_the_sending_with_its_error) {
    struct Refusing : Bus {
        int left = 0;
        Status send(Bytes) override { return left-- > 0 ? Status(done) : Status(JW_FAIL(busy)); }
    };
    const std::array<std::uint8_t, 3> head{1, 2, 3};
    const std::array<std::uint8_t, 40> body{};
    // flag, type, head, body in two pieces, checksum, flag
    for (int pieces = 0; pieces < 7; ++pieces) {
        Refusing bus;
        bus.left = pieces;
        EXPECT(send(FrameType::batch, head, body, bus).code() == Code::busy);
    }
    Refusing bus;
    bus.left = 7;
    EXPECT(send(FrameType::batch, head, body, bus).has_value());
}

TEST(a_frame_that_does_not_fit_is_called_full) {
    std::array<std::uint8_t, 32> wire{};
    for (std::size_t room = 0; room < 21; ++room) {
        Writer out(MutableBytes(wire).first(room));
        EXPECT(encode(Acknowledge{1, 3, 7}, out).code() == Code::full);
    }
}

TEST(an_acknowledge_of_a_wrong_size_or_class_is_refused) {
    std::array<std::uint8_t, 18> body{};
    for (std::size_t size = 0; size < 17; ++size) {
        EXPECT(decode_acknowledge(Bytes(body).first(size)).code() == Code::truncated);
    }
    EXPECT(decode_acknowledge(Bytes(body).first(17)).has_value());
    EXPECT(decode_acknowledge(body).code() == Code::malformed);
    body[8] = 4;
    EXPECT(decode_acknowledge(Bytes(body).first(17)).code() == Code::malformed);
}

TEST(short_frames_double_escapes_and_cut_escapes_count_as_damaged) {
    std::array<std::uint8_t, 16> buffer{};
    const std::array<std::uint8_t, 4> short_frame{flag, 1, 2, flag};
    const std::array<std::uint8_t, 7> two_escapes{flag, 1, escape, escape, 0x5D, 2, flag};
    const std::array<std::uint8_t, 6> cut_escape{flag, 1, 2, 3, escape, flag};
    const std::array<std::uint8_t, 3> only_escape{flag, escape, flag};
    for (const Bytes wire :
         {Bytes(short_frame), Bytes(two_escapes), Bytes(cut_escape), Bytes(only_escape)}) {
        Receiver receiver(buffer);
        int frames = 0;
        (void)feed(receiver, wire, frames);
        EXPECT(frames == 0 && receiver.damaged() == 1);
    }
}

TEST(a_frame_of_an_unknown_type_is_damaged_though_its_checksum_holds) {
    for (const unsigned type : {0U, 3U, 255U}) {
        std::array<std::uint8_t, 32> wire{};
        Writer out(wire);
        EXPECT(encode(static_cast<FrameType>(type), {}, {}, out).has_value());
        std::array<std::uint8_t, 16> buffer{};
        Receiver receiver(buffer);
        int frames = 0;
        (void)feed(receiver, out.written(), frames);
        EXPECT(frames == 0 && receiver.damaged() == 1);
    }
}
