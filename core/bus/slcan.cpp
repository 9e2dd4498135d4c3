// SPDX-License-Identifier: Apache-2.0
// CAN frames as text on a serial line.
#include "core/bus/slcan.h"

#include <algorithm>
#include <cstring>

namespace jw::slcan {
namespace {

constexpr std::uint8_t line_end = '\r';
constexpr std::uint8_t bell = '\a';
constexpr std::size_t timestamp_digits = 4;
constexpr std::uint32_t timestamp_max = 59'999;
constexpr std::size_t state_line_size = 8;  // 's', a letter, two counters of three digits
constexpr std::array<std::uint32_t, 9> bitrates{
    10'000, 20'000, 50'000, 100'000, 125'000, 250'000, 500'000, 800'000, 1'000'000};

constexpr std::uint8_t no_digit = 0xFF;
constexpr std::array<std::uint8_t, 256> digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (unsigned i = 0; i < 10; ++i) {
        values['0' + i] = static_cast<std::uint8_t>(i);
    }
    for (unsigned i = 0; i < 6; ++i) {
        values['A' + i] = values['a' + i] = static_cast<std::uint8_t>(10 + i);
    }
    return values;
}();

/// A number of hex digits; nothing where one of them is none. At most eight.
std::optional<std::uint32_t> number_of(Bytes digits) {
    std::uint32_t value = 0;
    std::uint8_t seen = 0;
    for (const std::uint8_t digit : digits) {
        seen |= digit_values[digit];
        value = value << 4 | (digit_values[digit] & 0xFU);
    }
    return seen < 16 ? std::optional(value) : std::nullopt;
}

/// The same for the bytes of a frame, which has two digits for each.
bool read_data(Bytes digits, CanFrame& frame) {
    std::uint8_t seen = 0;
    const std::uint8_t* next = digits.data();
    for (std::size_t i = 0; i < digits.size() / 2; ++i, next += 2) {
        const std::uint8_t upper = digit_values[next[0]];
        const std::uint8_t lower = digit_values[next[1]];
        seen |= upper | lower;
        frame.data[i & 7] = static_cast<std::uint8_t>(upper << 4 | lower);
    }
    return seen < 16;
}

Result<Message> read_frame(Bytes line) {
    Message message;
    message.kind = Kind::frame;
    CanFrame& frame = message.frame;
    frame.extended = line[0] == 'T';
    const std::size_t size_at = frame.extended ? 9 : 4;
    if (line.size() <= size_at) {
        return JW_FAIL(malformed);
    }
    const auto id = number_of(line.subspan(1, size_at - 1));
    const std::uint8_t size = digit_values[line[size_at]];
    if (!id || size == no_digit) {
        return JW_FAIL(malformed);
    }
    if (*id > (frame.extended ? can_extended_id_max : can_id_max) || size > frame.data.size()) {
        return JW_FAIL(out_of_range);
    }
    frame.id = *id;
    frame.size = size;
    const Bytes rest = line.subspan(size_at + 1);
    const std::size_t digits = 2U * size;
    if (rest.size() < digits || !read_data(rest.first(digits), frame)) {
        return JW_FAIL(malformed);
    }
    if (rest.size() == digits) {
        return message;
    }
    const auto timestamp = number_of(rest.subspan(digits));
    if (rest.size() - digits != timestamp_digits || !timestamp) {
        return JW_FAIL(malformed);
    }
    if (*timestamp > timestamp_max) {
        return JW_FAIL(out_of_range);
    }
    message.timestamp_ms = static_cast<std::uint16_t>(*timestamp);
    return message;
}

Result<Message> read_status(Bytes line) {
    const auto flags = number_of(line.subspan(1));
    if (line.size() != 3 || !flags) {
        return JW_FAIL(malformed);
    }
    Message message;
    message.kind = Kind::status;
    message.flags = static_cast<std::uint8_t>(*flags);
    message.state =
        (message.flags & flag_passive) != 0 ? CanBusState::passive : CanBusState::active;
    return message;
}

Result<Message> read_state(Bytes line) {
    Message message;
    message.kind = Kind::state;
    if (line.size() != state_line_size) {
        return JW_FAIL(malformed);
    }
    for (const std::uint8_t digit : line.subspan(2)) {
        if (digit < '0' || digit > '9') {
            return JW_FAIL(malformed);
        }
    }
    switch (line[1]) {
        case 'a':
        case 'w':
            message.state = CanBusState::active;
            return message;
        case 'p':
            message.state = CanBusState::passive;
            return message;
        case 'b':
            message.state = CanBusState::off;
            return message;
        default:
            return JW_FAIL(unsupported);
    }
}

Message plain(Kind kind) {
    Message message;
    message.kind = kind;
    return message;
}

}  // namespace

void put_frame(const CanFrame& frame, Writer& out) {
    constexpr std::array<std::uint8_t, 16> digits{
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'};
    // "T", eight digits, the size, sixteen digits and the end: four less than there is room.
    std::array<std::uint8_t, line_max> line;
    std::uint8_t* next = line.data();
    *next++ = frame.extended ? 'T' : 't';
    for (unsigned shift = frame.extended ? 32 : 12; shift > 0; shift -= 4) {
        *next++ = digits[(frame.id >> (shift - 4)) & 0xF];
    }
    const std::size_t size = std::min<std::size_t>(frame.size, frame.data.size());
    *next++ = static_cast<std::uint8_t>('0' + size);
    for (const std::uint8_t byte : Bytes(frame.data).first(size)) {
        *next++ = digits[byte >> 4];
        *next++ = digits[byte & 0xF];
    }
    *next++ = line_end;
    out.put(Bytes(line.data(), next));
}

Status put_bitrate(std::uint32_t bits_per_s, Writer& out) {
    const auto* const found = std::find(bitrates.begin(), bitrates.end(), bits_per_s);
    if (found == bitrates.end()) {
        return JW_FAIL(out_of_range);
    }
    out.u8('S').u8(static_cast<std::uint8_t>('0' + (found - bitrates.begin()))).u8(line_end);
    return done;
}

bool is_bitrate(std::uint32_t bits_per_s) {
    return std::find(bitrates.begin(), bitrates.end(), bits_per_s) != bitrates.end();
}

Result<Message> read_line(Bytes line) {
    if (line.empty()) {
        return plain(Kind::accepted);
    }
    switch (line[0]) {
        case 't':
        case 'T':
            return read_frame(line);
        case 'z':
        case 'Z':
            if (line.size() > 1) {
                return JW_FAIL(malformed);
            }
            return plain(Kind::accepted);
        case 'F':
            return read_status(line);
        case 's':
            return read_state(line);
        case 'V':
        case 'v':
        case 'N':
        case 'e':
            return plain(Kind::text);
        default:
            return JW_FAIL(unsupported);
    }
}

std::optional<Result<Message>> Receiver::take(Bytes& bytes) {
    if (size_ == 0 && !too_long_ && !bytes.empty() && (bytes[0] | 0x20) == 't') {
        // The usual case: a whole frame, looked at where it is.
        const Bytes near = bytes.first(std::min(bytes.size(), line_max + 1));
        const void* const end = std::memchr(near.data(), line_end, near.size());
        if (end != nullptr) {
            const auto size =
                static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - near.data());
            if (auto message = read_frame(bytes.first(size))) {
                bytes = bytes.subspan(size + 1);
                return message;
            }
        }
    }
    while (!bytes.empty()) {
        const std::uint8_t byte = bytes[0];
        if (byte == bell && size_ == 0 && !too_long_) {
            bytes = bytes.subspan(1);
            return plain(Kind::refused);
        }
        if (byte == line_end || byte == bell) {
            // A bell inside a line spoils it and is looked at once more, alone.
            const bool spoilt = too_long_ || byte == bell;
            bytes = byte == bell ? bytes : bytes.subspan(1);
            const Bytes line = Bytes(line_).first(size_);
            clear();
            return spoilt ? Result<Message>(JW_FAIL(malformed)) : read_line(line);
        }
        bytes = bytes.subspan(1);
        if (byte == '\n') {
            continue;  // some adapters end their lines with both
        }
        if (size_ == line_.size()) {
            too_long_ = true;
        } else {
            line_[size_++] = byte;
        }
    }
    return std::nullopt;
}

void Receiver::clear() {
    size_ = 0;
    too_long_ = false;
}

}  // namespace jw::slcan
