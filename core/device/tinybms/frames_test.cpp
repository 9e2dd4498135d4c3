// SPDX-License-Identifier: Apache-2.0
// Golden frames both ways, each damaged and cut; streams that are split, merged and noisy.
#include "core/device/tinybms/frames.h"

#include <algorithm>

#include "core/base/test.h"
#include "core/base/text.h"
#include "core/base/vector.h"
#include "generated/vectors/tinybms.h"

using namespace jw;
using namespace jw::tinybms;

namespace {

using Buffer = std::array<std::uint8_t, frame_size_max>;

/// The bytes at the very end of an array, so that a decoder that reads on is seen by ASan.
Bytes at_end(Buffer& buffer, Bytes bytes) {
    const std::size_t start = buffer.size() - bytes.size();
    std::copy(bytes.begin(), bytes.end(), buffer.begin() + static_cast<std::ptrdiff_t>(start));
    return Bytes(buffer).subspan(start);
}

void describe(Text& out, const Message& message) {
    out.put(message.side == Side::request ? "request " : "reply ").put(name_of(message.command));
    const bool yes_or_no =
        message.command == Command::accepted || message.command == Command::refused;
    if (yes_or_no) {
        out.put(" answers=").put(static_cast<int>(message.answers));
    }
    if (message.option > 0 || message.command == Command::refused) {
        out.put(" option=").put(message.option);
    }
    if (message.address > 0 || message.command == Command::read_block ||
        (message.command == Command::read_modbus && message.count > 0)) {
        if (message.count > 0 || message.command == Command::write_block) {
            out.put(" address=").put(message.address);
        }
    }
    if (message.count > 0) {
        out.put(" count=").put(message.count);
    }
    if (!message.data.empty() && message.data.size() % 2 == 0) {
        out.put(" words=");
        for (std::size_t i = 0; i < message.data.size() / 2; ++i) {
            out.put(i > 0 ? "," : "").put(message.word(i));
        }
    } else if (!message.data.empty()) {
        out.put(" bytes=");
        for (const std::uint8_t byte : message.data) {
            out.hex(byte, 2);
        }
    }
    if (message.length_with_address) {
        out.put(" length_with_address");
    }
    if (const auto number = message.number()) {
        out.put(" number=").put(*number);
    }
}

Side side_of(const Vector& vector) {
    return vector.expected.find("request") != std::string_view::npos ? Side::request : Side::reply;
}

bool holds(const Vector& vector) {
    return vector.expected.starts_with("out ");
}

/// Frames of one side, put one behind the other.
std::size_t all_of(Side side, MutableBytes room, int& frames) {
    Writer out(room);
    for (const Vector& vector : vectors::tinybms) {
        if (holds(vector) && side_of(vector) == side) {
            out.put(vector.in);
            ++frames;
        }
    }
    EXPECT(out.ok());
    return out.size();
}

struct Counted {
    int frames = 0;
    std::size_t bytes = 0;
};

/// What a receiver finds in pieces of that size; each frame must be one of the golden ones.
Counted received(Receiver& receiver, Side side, Bytes stream, std::size_t piece) {
    Counted result;
    while (!stream.empty()) {
        stream = stream.subspan(receiver.put(stream.first(std::min(piece, stream.size()))));
        while (const auto message = receiver.next()) {
            ++result.frames;
            Buffer again{};
            Writer out(again);
            EXPECT(put(out, *message));
            result.bytes += out.size();
            EXPECT(std::any_of(std::begin(vectors::tinybms),
                               std::end(vectors::tinybms),
                               [&](const Vector& vector) {
                                   return side_of(vector) == side &&
                                          equal(vector.in, out.written());
                               }));
        }
    }
    return result;
}

}  // namespace

TEST(tinybms_golden_frames_decode_to_what_they_say_and_encode_to_their_bytes) {
    for (const Vector& vector : vectors::tinybms) {
        Buffer buffer{};
        const auto taken = take(at_end(buffer, vector.in), side_of(vector));
        std::array<char, 200> line{};
        Text text(line);
        if (taken) {
            text.put("out ");
            describe(text, taken->message);
            EXPECT(taken->size == vector.in.size());
            Buffer again{};
            Writer out(again);
            EXPECT(put(out, taken->message));
            EXPECT(equal(out.written(), vector.in));
            Writer tight(MutableBytes(again).first(vector.in.size() - 1));
            EXPECT(put(tight, taken->message).code() == Code::full);
        } else {
            text.put("error ").put(code_name(taken.code()));
            text.put(side_of(vector) == Side::request ? " request" : " reply");
        }
        if (text.view() != vector.expected) {
            std::printf(
                "%s gives %.*s\n", vector.where, static_cast<int>(text.size()), text.view().data());
        }
        EXPECT(text.view() == vector.expected);
    }
}

TEST(tinybms_every_beginning_of_a_frame_asks_for_more) {
    for (const Vector& vector : vectors::tinybms) {
        for (std::size_t size = 0; holds(vector) && size < vector.in.size(); ++size) {
            Buffer buffer{};
            const auto cut = take(at_end(buffer, vector.in.first(size)), side_of(vector));
            EXPECT(cut.code() == Code::truncated);
        }
    }
}

TEST(tinybms_every_changed_bit_is_noticed) {
    for (const Vector& vector : vectors::tinybms) {
        for (std::size_t bit = 0; holds(vector) && bit < vector.in.size() * 8; ++bit) {
            Buffer buffer{};
            std::copy(vector.in.begin(), vector.in.end(), buffer.begin());
            buffer[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            EXPECT(!take(Bytes(buffer).first(vector.in.size()), side_of(vector)));
        }
    }
}

TEST(tinybms_frames_come_out_of_a_stream_however_it_is_cut) {
    for (const Side side : {Side::request, Side::reply}) {
        std::array<std::uint8_t, 1024> room{};
        int frames = 0;
        const std::size_t size = all_of(side, room, frames);
        EXPECT(frames > 20);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, size}) {
            Receiver receiver(side);
            const Counted counted = received(receiver, side, Bytes(room).first(size), piece);
            EXPECT(counted.frames == frames && counted.bytes == size);
            EXPECT(receiver.dropped() == 0 && receiver.wrong_checksums() == 0);
        }
    }
}

TEST(tinybms_noise_costs_its_own_bytes_and_no_frame) {
    // Among the noise: a start without a command, and one with a checksum that is wrong.
    constexpr std::array<std::uint8_t, 11> noise{
        0x00, 0xFF, 0xAA, 0xAA, 0x13, 0xAA, 0x14, 0x01, 0xAA, 0x7E, 0x55};
    std::array<std::uint8_t, 2048> room{};
    Writer out(room);
    int frames = 0;
    for (const Vector& vector : vectors::tinybms) {
        if (holds(vector) && side_of(vector) == Side::request) {
            out.put(noise).put(vector.in);
            ++frames;
        }
    }
    EXPECT(out.ok());
    for (const std::size_t piece : {std::size_t{1}, std::size_t{16}, out.size()}) {
        Receiver receiver(Side::request);
        const Counted counted = received(receiver, Side::request, out.written(), piece);
        EXPECT(counted.frames == frames);
        EXPECT(receiver.dropped() == noise.size() * static_cast<std::size_t>(frames));
        EXPECT(receiver.wrong_checksums() == static_cast<std::size_t>(frames));
    }
}

TEST(tinybms_the_start_byte_inside_data_begins_no_frame) {
    // Two registers that look like the request for the pack voltage.
    const std::array<std::uint8_t, 4> data{0xAA, 0x14, 0x7F, 0x1F};
    Message message;
    message.side = Side::reply;
    message.command = Command::read_modbus;
    message.data = data;
    Buffer frame{};
    Writer out(frame);
    EXPECT(put(out, message));
    Receiver receiver(Side::reply);
    int frames = 0;
    for (const std::uint8_t byte : out.written()) {
        EXPECT(receiver.put(Bytes(&byte, 1)) == 1);
        while (const auto got = receiver.next()) {
            ++frames;
            EXPECT(equal(got->data, data));
        }
    }
    EXPECT(frames == 1 && receiver.dropped() == 0);
}

TEST(tinybms_a_frame_behind_a_false_start_is_found_when_the_line_falls_silent) {
    // A reply of 254 bytes seems to begin; the true one is 8 bytes.
    constexpr std::array<std::uint8_t, 11> stream{
        0xAA, 0x03, 0xFE, 0xAA, 0x14, 0x85, 0xEB, 0x51, 0x42, 0xCC, 0x8B};
    Receiver receiver(Side::reply);
    EXPECT(receiver.put(stream) == stream.size());
    EXPECT(!receiver.next());
    receiver.silent();
    const auto message = receiver.next();
    EXPECT(message && message->number() == 52480);
    EXPECT(receiver.dropped() == 3 && !receiver.next());
}

TEST(tinybms_a_float_that_is_no_number_gives_none) {
    const std::array<std::uint8_t, 4> nan{0x00, 0x00, 0xC0, 0x7F};
    Message message;
    message.side = Side::reply;
    message.command = Command::pack_voltage;
    message.data = nan;
    EXPECT(!message.number());
}

TEST(tinybms_every_command_has_a_name_and_other_numbers_have_none) {
    int named = 0;
    for (int number = 0; number < 256; ++number) {
        named += name_of(static_cast<Command>(number)) != nullptr ? 1 : 0;
    }
    EXPECT(named == 24);
}
