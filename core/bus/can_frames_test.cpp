// SPDX-License-Identifier: Apache-2.0
// Both framings of a CAN line against their golden vectors, in both directions.
#include <algorithm>
#include <array>

#include "core/base/test.h"
#include "core/base/text.h"
#include "core/base/vector.h"
#include "core/bus/linux_can.h"
#include "core/bus/slcan.h"
#include "generated/vectors/linux_can.h"
#include "generated/vectors/slcan.h"

namespace {

using namespace jw;

struct Words {
    std::array<char, 256> room{};
    Text text{room};
};

void put_upper(std::uint32_t value, unsigned digits, Text& out) {
    for (unsigned i = digits; i > 0; --i) {
        out.put("0123456789ABCDEF"[(value >> (4 * (i - 1))) & 0xF]);
    }
}

void put_frame_words(const CanFrame& frame, Text& out) {
    out.put("out frame ");
    put_upper(frame.id, frame.id > can_id_max ? 8 : 3, out);
    out.put(frame.size > 0 ? " " : "");
    for (const std::uint8_t byte : frame.bytes()) {
        put_upper(byte, 2, out);
    }
    out.put(frame.extended ? " extended" : "");
}

const char* state_name(CanBusState state) {
    constexpr const char* names[] = {"active", "passive", "off"};
    return names[static_cast<std::size_t>(state)];
}

void put_words(const Result<slcan::Message>& message, Text& out) {
    if (!message) {
        out.put("error ").put(code_name(message.code()));
        return;
    }
    switch (message->kind) {
        case slcan::Kind::accepted:
            out.put("out accepted");
            break;
        case slcan::Kind::refused:
            out.put("out refused");
            break;
        case slcan::Kind::frame:
            put_frame_words(message->frame, out);
            if (message->timestamp_ms) {
                out.put(" time=").put(*message->timestamp_ms);
            }
            break;
        case slcan::Kind::status:
            out.put("out status ");
            put_upper(message->flags, 2, out);
            out.put(message->state == CanBusState::passive ? " passive" : "");
            break;
        case slcan::Kind::state:
            out.put("out state ").put(state_name(message->state));
            break;
        case slcan::Kind::text:
            out.put("out text");
            break;
    }
}

/// What a stream says that comes in pieces of that size.
void put_words(Bytes stream, std::size_t piece, Text& out) {
    slcan::Receiver receiver;
    while (!stream.empty()) {
        Bytes next = stream.first(std::min(piece, stream.size()));
        stream = stream.subspan(next.size());
        while (const auto message = receiver.take(next)) {
            out.put(out.size() > 0 ? "\n" : "");
            put_words(*message, out);
        }
    }
}

TEST(every_line_of_an_adapter_says_what_its_vector_says_in_pieces_of_any_size) {
    for (const Vector& vector : vectors::slcan) {
        for (std::size_t piece = 1; piece <= vector.in.size(); ++piece) {
            Words words;
            put_words(vector.in, piece, words.text);
            EXPECT(words.text.view() == vector.expected);
            if (words.text.view() != vector.expected) {
                std::printf("%s: %.*s\n",
                            vector.where,
                            static_cast<int>(words.text.size()),
                            words.text.view().data());
            }
        }
    }
}

TEST(a_frame_is_written_as_an_adapter_writes_it) {
    for (const Vector& vector : vectors::slcan) {
        Bytes rest = vector.in;
        slcan::Receiver receiver;
        const auto message = receiver.take(rest);
        if (!rest.empty() || !message || !*message || (*message)->kind != slcan::Kind::frame ||
            (*message)->timestamp_ms) {
            continue;
        }
        std::array<std::uint8_t, slcan::line_max> room{};
        Writer out(room);
        slcan::put_frame((*message)->frame, out);
        slcan::Receiver again;
        Bytes written = out.written();
        EXPECT(out.ok() && (*again.take(written))->frame == (*message)->frame && written.empty());
    }
    std::array<std::uint8_t, slcan::line_max> room{};
    Writer out(room);
    slcan::put_frame({0x351, false, 4, {0x43, 2, 0xE8, 3}}, out);
    EXPECT(as_text(out.written()) == "t35144302E803\r");
    out.clear();
    slcan::put_frame({0x1ABCDEF0, true, 0, {}}, out);
    EXPECT(as_text(out.written()) == "T1ABCDEF00\r");
    out.clear();
    slcan::put_frame({0x1ABCDEF0, true, 8, {}}, out);
    EXPECT(out.ok() && out.size() == slcan::line_max - 4);
}

TEST(a_speed_has_its_command_or_none) {
    std::array<std::uint8_t, 8> room{};
    Writer out(room);
    EXPECT(slcan::put_bitrate(500'000, out) && as_text(out.written()) == "S6\r");
    out.clear();
    EXPECT(slcan::put_bitrate(10'000, out) && as_text(out.written()) == "S0\r");
    out.clear();
    EXPECT(slcan::put_bitrate(1'000'000, out) && as_text(out.written()) == "S8\r");
    EXPECT(slcan::put_bitrate(83'000, out).code() == Code::out_of_range);
    EXPECT(slcan::is_bitrate(250'000) && !slcan::is_bitrate(0));
}

TEST(every_frame_of_a_socket_says_what_its_vector_says) {
    for (const Vector& vector : vectors::linux_can) {
        const auto message = linux_can::read_frame(vector.in);
        Words words;
        if (!message) {
            words.text.put("error ").put(code_name(message.code()));
        } else if (!message->trouble) {
            put_frame_words(message->frame, words.text);
        } else {
            const linux_can::Trouble& trouble = *message->trouble;
            words.text.put("out trouble");
            if (trouble.state) {
                words.text.put(' ').put(state_name(*trouble.state));
            }
            words.text.put(trouble.restarted ? " restarted" : "");
            words.text.put(trouble.transmit_timeout ? " transmit_timeout" : "");
            words.text.put(trouble.overflow ? " overflow" : "");
        }
        EXPECT(words.text.view() == vector.expected);
    }
}

TEST(a_frame_is_written_as_a_socket_takes_it) {
    for (const Vector& vector : vectors::linux_can) {
        const auto message = linux_can::read_frame(vector.in);
        if (!message || message->trouble) {
            continue;
        }
        std::array<std::uint8_t, linux_can::frame_size> room{};
        Writer out(room);
        linux_can::put_frame(message->frame, out);
        const auto again = linux_can::read_frame(out.written());
        EXPECT(out.ok() && again && again->frame == message->frame && !again->trouble);
        EXPECT(message->frame.size < 8 || equal(out.written(), vector.in));
    }
}

}  // namespace
