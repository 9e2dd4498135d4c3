// SPDX-License-Identifier: Apache-2.0
// CAN frames as text on a serial line.
#include "core/bus/slcan.h"

#include <algorithm>

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

/// Hex digits from the front of a line; one that is none, or is not there, is remembered.
class Digits {
  public:
    explicit Digits(Bytes text) : text_(text) {}
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t remaining() const { return text_.size() - at_; }

    std::uint32_t number(std::size_t digits) {
        std::uint32_t value = 0;
        if (digits > remaining()) {
            ok_ = false;
            return 0;
        }
        std::uint8_t seen = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const std::uint8_t digit = digit_values[text_[at_ + i]];
            seen |= digit;
            value = value << 4 | digit;
        }
        at_ += digits;
        ok_ = ok_ && seen < 16;
        return value;
    }

  private:
    Bytes text_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

Result<Message> read_frame(Bytes line) {
    Message message;
    message.kind = Kind::frame;
    CanFrame& frame = message.frame;
    frame.extended = line[0] == 'T';
    Digits digits(line.subspan(1));
    frame.id = digits.number(frame.extended ? 8 : 3);
    const std::uint32_t size = digits.number(1);
    if (!digits.ok()) {
        return JW_FAIL(malformed);
    }
    if (frame.id > (frame.extended ? can_extended_id_max : can_id_max) ||
        size > frame.data.size()) {
        return JW_FAIL(out_of_range);
    }
    frame.size = static_cast<std::uint8_t>(size);
    for (std::size_t i = 0; i < size; ++i) {
        frame.data[i] = static_cast<std::uint8_t>(digits.number(2));
    }
    if (digits.remaining() == timestamp_digits) {
        const std::uint32_t timestamp = digits.number(timestamp_digits);
        if (timestamp > timestamp_max && digits.ok()) {
            return JW_FAIL(out_of_range);
        }
        message.timestamp_ms = static_cast<std::uint16_t>(timestamp);
    }
    if (!digits.ok() || digits.remaining() > 0) {
        return JW_FAIL(malformed);
    }
    return message;
}

Result<Message> read_status(Bytes line) {
    Digits digits(line.subspan(1));
    Message message;
    message.kind = Kind::status;
    message.flags = static_cast<std::uint8_t>(digits.number(2));
    if (!digits.ok() || digits.remaining() > 0) {
        return JW_FAIL(malformed);
    }
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
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::array<std::uint8_t, line_max> line{};
    std::size_t at = 0;
    line[at++] = frame.extended ? 'T' : 't';
    for (unsigned shift = frame.extended ? 32 : 12; shift > 0; shift -= 4) {
        line[at++] = static_cast<std::uint8_t>(digits[(frame.id >> (shift - 4)) & 0xF]);
    }
    const std::size_t size = std::min<std::size_t>(frame.size, frame.data.size());
    line[at++] = static_cast<std::uint8_t>('0' + size);
    for (std::size_t i = 0; i < size; ++i) {
        line[at++] = static_cast<std::uint8_t>(digits[frame.data[i] >> 4]);
        line[at++] = static_cast<std::uint8_t>(digits[frame.data[i] & 0xF]);
    }
    line[at++] = line_end;
    out.put(Bytes(line).first(at));
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
