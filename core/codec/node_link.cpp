// SPDX-License-Identifier: Apache-2.0
#include "core/codec/node_link.h"

#include <algorithm>

#include "core/base/crc.h"

namespace jw::node_link {
namespace {

void put_escaped(Bytes bytes, Writer& out) {
    for (const std::uint8_t byte : bytes) {
        if (byte == flag || byte == escape) {
            out.u8(escape).u8(byte ^ 0x20);
        } else {
            out.u8(byte);
        }
    }
}

/// Checksum as it stands behind a frame.
std::array<std::uint8_t, 2> checksum(Bytes type, Bytes head, Bytes body) {
    const std::uint16_t crc = crc16_x25(body, crc16_x25(head, crc16_x25(type)));
    return {static_cast<std::uint8_t>(crc), static_cast<std::uint8_t>(crc >> 8)};
}

}  // namespace

Status encode(FrameType type, Bytes head, Bytes body, Writer& out) {
    const std::array<std::uint8_t, 1> type_byte{static_cast<std::uint8_t>(type)};
    const auto sum = checksum(type_byte, head, body);
    out.u8(flag);
    put_escaped(type_byte, out);
    put_escaped(head, out);
    put_escaped(body, out);
    put_escaped(sum, out);
    out.u8(flag);
    return out.ok() ? Status(done) : Status(JW_FAIL(full));
}

Status send(FrameType type, Bytes head, Bytes body, Bus& bus) {
    constexpr std::size_t piece_max = 32;
    const std::array<std::uint8_t, 1> type_byte{static_cast<std::uint8_t>(type)};
    const auto sum = checksum(type_byte, head, body);
    const std::array<std::uint8_t, 1> flags{flag};
    JW_TRY(bus.send(flags));
    for (Bytes part : {Bytes(type_byte), head, body, Bytes(sum)}) {
        while (!part.empty()) {
            const Bytes piece = part.first(std::min(piece_max, part.size()));
            std::array<std::uint8_t, 2 * piece_max> wire{};
            Writer out(wire);
            put_escaped(piece, out);
            JW_TRY(bus.send(out.written()));
            part = part.subspan(piece.size());
        }
    }
    return bus.send(flags);
}

Status encode(const Acknowledge& acknowledge, Writer& out) {
    std::array<std::uint8_t, 17> body{};
    Writer writer(body);
    writer.u64_be(acknowledge.epoch).u8(acknowledge.record_class).u64_be(acknowledge.seq);
    return encode(FrameType::acknowledge, body, {}, out);
}

Result<Acknowledge> decode_acknowledge(Bytes body) {
    Reader in(body);
    Acknowledge acknowledge;
    acknowledge.epoch = in.u64_be();
    acknowledge.record_class = in.u8();
    acknowledge.seq = in.u64_be();
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    if (in.remaining() != 0 || acknowledge.record_class > 3) {
        return JW_FAIL(malformed);
    }
    return acknowledge;
}

std::optional<Frame> Receiver::take(std::uint8_t byte) {
    if (byte == flag) {
        const std::size_t size = size_;
        const bool whole = !overrun_ && !escaped_;
        size_ = 0;
        escaped_ = false;
        overrun_ = false;
        if (size == 0 && whole) {
            return std::nullopt;  // flags between frames
        }
        if (!whole || size < 3) {
            ++damaged_;
            return std::nullopt;
        }
        const Bytes checked = buffer_.first(size - 2);
        const auto sum = static_cast<std::uint16_t>(buffer_[size - 2] | buffer_[size - 1] << 8);
        const std::uint8_t type = buffer_[0];
        if (crc16_x25(checked) != sum || type < 1 || type > 2) {
            ++damaged_;
            return std::nullopt;
        }
        return Frame{static_cast<FrameType>(type), checked.subspan(1)};
    }
    if (byte == escape) {
        overrun_ = overrun_ || escaped_;
        escaped_ = true;
        return std::nullopt;
    }
    if (size_ == buffer_.size()) {
        overrun_ = true;
        return std::nullopt;
    }
    buffer_[size_++] = escaped_ ? static_cast<std::uint8_t>(byte ^ 0x20) : byte;
    escaped_ = false;
    return std::nullopt;
}

}  // namespace jw::node_link
