// SPDX-License-Identifier: Apache-2.0
// Framing: golden vectors in both directions, every length field against every length.
#include "core/bus/modbus_frame.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/crc.h"
#include "core/base/limits.h"
#include "core/base/test.h"
#include "core/base/text.h"
#include "core/base/vector.h"
#include "generated/vectors/modbus_rtu.h"
#include "generated/vectors/modbus_tcp.h"

using namespace jw;
using namespace jw::modbus;

namespace {

using Buffer = std::array<std::uint8_t, 320>;

/// The bytes at the very end of an array, so that a decoder that reads on is seen by ASan.
Bytes at_end(Buffer& buffer, Bytes bytes) {
    const std::size_t start = buffer.size() - bytes.size();
    std::copy(bytes.begin(), bytes.end(), buffer.begin() + static_cast<std::ptrdiff_t>(start));
    return Bytes(buffer).subspan(start);
}

Side side_of(const Vector& vector) {
    const bool request = vector.expected.find(" request") != std::string_view::npos;
    return request ? Side::request : Side::reply;
}

bool is_refused(const Vector& vector) {
    return vector.expected.ends_with(" frame");
}

Result<Frame> take(const Vector& vector, Bytes bytes, bool tcp) {
    return tcp ? take_tcp(bytes) : take_rtu(bytes, side_of(vector));
}

void check_golden(std::span<const Vector> vectors, bool tcp) {
    for (const Vector& vector : vectors) {
        Buffer buffer{};
        const auto frame = take(vector, at_end(buffer, vector.in), tcp);
        std::array<char, 80> line{};
        Text text(line);
        const char* side = side_of(vector) == Side::request ? "request " : "reply ";
        if (!frame) {
            text.put("error ").put(code_name(frame.code())).put(' ').put(side).put("frame");
            EXPECT(vector.expected == text.view());
            continue;
        }
        text.put("out ").put(side);
        if (tcp) {
            text.put("transaction=").put(frame->transaction).put(' ');
        }
        text.put("unit=").put(frame->unit).put(' ');
        EXPECT(vector.expected.starts_with(text.view()) || vector.expected.ends_with(" pdu"));
        EXPECT(frame->size == vector.in.size());
        Buffer again{};
        Writer out(again);
        if (tcp) {
            put_tcp(out, frame->transaction, frame->unit, frame->pdu);
        } else {
            put_rtu(out, frame->unit, frame->pdu);
        }
        EXPECT(equal(out.written(), vector.in));
    }
}

void check_truncated(std::span<const Vector> vectors, bool tcp) {
    for (const Vector& vector : vectors) {
        if (is_refused(vector)) {
            continue;
        }
        for (std::size_t size = 0; size < vector.in.size(); ++size) {
            Buffer buffer{};
            EXPECT(take(vector, at_end(buffer, vector.in.first(size)), tcp).code() ==
                   Code::truncated);
        }
    }
}

}  // namespace

TEST(modbus_frames_of_the_vectors_are_taken_and_put) {
    check_golden(vectors::modbus_rtu, false);
    check_golden(vectors::modbus_tcp, true);
}

TEST(a_modbus_frame_cut_anywhere_wants_more_bytes) {
    check_truncated(vectors::modbus_rtu, false);
    check_truncated(vectors::modbus_tcp, true);
}

TEST(every_single_flipped_bit_of_a_serial_frame_is_noticed) {
    for (const Vector& vector : vectors::modbus_rtu) {
        if (is_refused(vector)) {
            continue;
        }
        for (std::size_t bit = 0; bit < vector.in.size() * 8; ++bit) {
            Buffer buffer{};
            const Bytes bytes = at_end(buffer, vector.in);
            buffer[buffer.size() - bytes.size() + bit / 8] ^=
                static_cast<std::uint8_t>(1U << (bit % 8));
            EXPECT(!take_rtu(bytes, side_of(vector)));
        }
    }
}

TEST(every_mbap_length_against_every_stream_length) {
    for (unsigned length = 0; length <= 300; ++length) {
        for (std::size_t size = 0; size <= 300; ++size) {
            Buffer buffer{};
            const std::array<std::uint8_t, 7> header{0,
                                                     1,
                                                     0,
                                                     0,
                                                     static_cast<std::uint8_t>(length >> 8),
                                                     static_cast<std::uint8_t>(length),
                                                     9};
            const MutableBytes stream = MutableBytes(buffer).last(size);
            std::copy_n(header.begin(), std::min(header.size(), size), stream.begin());
            const auto frame = take_tcp(stream);
            const bool possible = length >= 2 && length <= 254;
            Code wanted = Code::ok;
            if (size >= 6 && !possible) {
                wanted = Code::malformed;
            } else if (size < 7 || size < 6 + length) {
                wanted = Code::truncated;
            }
            if (frame.code() != wanted ||
                (frame && (frame->pdu.size() != length - 1 || frame->size != length + 6))) {
                EXPECT(false);
                return;
            }
        }
    }
    EXPECT(true);
}

namespace {

struct Kind {
    std::uint8_t function;
    Side side;
    std::size_t count_at;  // where in the frame the byte count stands
};

/// One stream of `size` bytes whose byte count says `count`; whether it was judged rightly.
bool judged_rightly(const Kind& kind, unsigned count, std::size_t size) {
    Buffer buffer{};
    const MutableBytes stream = MutableBytes(buffer).last(size);
    if (size > 1) {
        stream[1] = kind.function;
    }
    if (size > kind.count_at) {
        stream[kind.count_at] = static_cast<std::uint8_t>(count);
    }
    const std::size_t pdu = kind.count_at + count;
    Code wanted = Code::truncated;
    if (size > kind.count_at && pdu > limits::modbus_pdu_size_max) {
        wanted = Code::malformed;
    } else if (size >= pdu + 3) {
        wanted = Code::ok;
        const std::uint16_t sum = crc16_modbus(Bytes(stream).first(pdu + 1));
        stream[pdu + 1] = static_cast<std::uint8_t>(sum);
        stream[pdu + 2] = static_cast<std::uint8_t>(sum >> 8);
    }
    const auto frame = take_rtu(stream, kind.side);
    return frame.code() == wanted && (!frame || frame->pdu.size() == pdu);
}

}  // namespace

TEST(every_serial_byte_count_against_every_stream_length) {
    for (const Kind& kind : {Kind{3, Side::reply, 2},
                             Kind{1, Side::reply, 2},
                             Kind{23, Side::reply, 2},
                             Kind{16, Side::request, 6},
                             Kind{15, Side::request, 6},
                             Kind{23, Side::request, 10}}) {
        for (unsigned count = 0; count < 256; ++count) {
            for (std::size_t size = 0; size <= 300; ++size) {
                if (!judged_rightly(kind, count, size)) {
                    EXPECT(false);
                    return;
                }
            }
        }
    }
    EXPECT(true);
}

TEST(an_identification_of_endless_objects_is_refused) {
    Buffer buffer{};
    const std::array<std::uint8_t, 9> front{1, 43, 14, 1, 1, 0, 0, 255, 0};
    std::copy(front.begin(), front.end(), buffer.begin());
    EXPECT(take_rtu(Bytes(buffer).first(200), Side::reply).code() == Code::truncated);
    EXPECT(take_rtu(Bytes(buffer).first(256), Side::reply).code() == Code::malformed);
}

TEST(the_size_of_a_reply_follows_from_the_request) {
    for (const Vector& vector : vectors::modbus_rtu) {
        if (vector.expected.starts_with("out request unit=17 function=1 ")) {
            EXPECT(reply_size(vector.in.subspan(1)) == 2 + 3);
        }
    }
    const std::array<std::uint8_t, 5> registers{3, 0, 0, 0, 125};
    EXPECT(reply_size(registers) == 252);
    const std::array<std::uint8_t, 5> write{6, 0, 0, 0, 125};
    EXPECT(reply_size(write) == 5);
    const std::array<std::uint8_t, 4> identification{43, 14, 1, 0};
    EXPECT(reply_size(identification) == 0);
    const std::array<std::uint8_t, 5> unknown{0x44, 0, 0, 0, 1};
    EXPECT(reply_size(unknown) == 0);
    EXPECT(reply_size({}) == 0);
    EXPECT(pdu_size({}, Side::reply).code() == Code::truncated);
}

TEST(the_silence_between_serial_frames_follows_the_standard) {
    EXPECT(rtu_silence(9600) == microseconds(4011));  // 38.5 bits, rounded up
    EXPECT(rtu_silence(19200) == microseconds(2006));
    EXPECT(rtu_silence(38400) == microseconds(1750));
    EXPECT(rtu_silence(921600) == microseconds(1750));
    EXPECT(rtu_transfer_time(8, 9600) == microseconds(9167));
}
