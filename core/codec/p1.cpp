// SPDX-License-Identifier: Apache-2.0
// DSMR P1: the telegram receiver and the parser of its rows.
#include "core/codec/p1.h"

#include <array>

#include "core/base/crc.h"

namespace jw::p1 {
namespace {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Upper case only, as the standard has it: in lower case a flipped bit would pass.
constexpr int hex_digit(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

constexpr bool is_printable(char c) {
    return c >= 0x20 && c <= 0x7E;
}

/// Walks "(…)(…)" and gives the text between one pair of parentheses a call.
std::optional<std::string_view> take_group(std::string_view& groups) {
    const std::size_t open = groups.find('(');
    const std::size_t close = groups.find(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return std::nullopt;
    }
    const std::string_view group(groups.data() + open + 1, close - open - 1);
    groups.remove_prefix(close + 1);
    return group;
}

}  // namespace

std::optional<Received> Receiver::put(std::uint8_t byte) {
    if (byte == '/' && !buffer_.empty()) {
        std::optional<Received> interrupted = finish();
        if (interrupted) {
            interrupted->code = Code::malformed;
        }
        buffer_[0] = byte;  // what an interrupted telegram has there too: its view stays true
        size_ = 1;
        state_ = State::body;
        return interrupted;
    }
    switch (state_) {
        case State::idle:
            return std::nullopt;
        case State::body:
            return body(byte);
        case State::checksum:
        case State::end:
            return checksum(byte);
    }
    return std::nullopt;
}

std::optional<Received> Receiver::finish() {
    if (state_ == State::idle) {
        return std::nullopt;
    }
    return ended(Code::truncated, state_ == State::body ? size_ : size_ + behind_);
}

std::optional<Received> Receiver::body(std::uint8_t byte) {
    if (size_ == buffer_.size()) {
        return ended(Code::full, size_);
    }
    buffer_[size_++] = byte;
    if (byte != '!') {
        return std::nullopt;
    }
    // Only at the start of a line: otherwise a flipped ')' would end an unchecked telegram.
    if (size_ < 2 || buffer_[size_ - 2] != '\n') {
        return ended(Code::malformed, size_ - 1);
    }
    behind_ = 0;
    sum_ = 0;
    digits_ = 0;
    state_ = State::checksum;
    return std::nullopt;
}

std::optional<Received> Receiver::checksum(std::uint8_t byte) {
    const std::size_t at = size_ + behind_++;
    if (state_ == State::end) {
        if (byte != '\n') {
            return ended(Code::malformed, at);
        }
        const bool holds = digits_ == 0 || sum_ == crc16_arc(Bytes(buffer_).first(size_));
        return ended(holds ? Code::ok : Code::bad_checksum, holds ? 0 : size_);
    }
    const int digit = hex_digit(static_cast<char>(byte));
    if (digit >= 0 && digits_ < 4) {  // some meters leave leading zeros out
        sum_ = static_cast<std::uint16_t>((sum_ << 4) | digit);
        ++digits_;
        return std::nullopt;
    }
    if (byte != '\r') {
        return ended(Code::malformed, at);
    }
    state_ = State::end;
    return std::nullopt;
}

std::optional<Received> Receiver::ended(Code code, std::size_t at) {
    state_ = State::idle;
    return Received{
        code, at, digits_ > 0 && code == Code::ok, as_text(Bytes(buffer_).first(size_))};
}

std::size_t Row::count() const {
    std::string_view rest = groups;
    std::size_t count = 0;
    while (take_group(rest)) {
        ++count;
    }
    return count;
}

std::string_view Row::group(std::size_t index) const {
    std::string_view rest = groups;
    for (std::size_t i = 0; i < index; ++i) {
        if (!take_group(rest)) {
            return {};
        }
    }
    return take_group(rest).value_or(std::string_view());
}

std::string_view Row::last() const {
    const std::size_t groups_count = count();
    return groups_count == 0 ? std::string_view() : group(groups_count - 1);
}

Rows::Rows(std::string_view telegram) : text_(telegram) {
    const std::size_t header_end = telegram.find('\r');
    at_ = 0;
    if (!expect("/") || header_end == std::string_view::npos || header_end < 5) {
        code_ = Code::malformed;
        return;
    }
    while (at_ < header_end) {
        if (!is_printable(text_[at_])) {
            code_ = Code::malformed;
            return;
        }
        ++at_;
    }
    identification_ = std::string_view(telegram.data() + 1, header_end - 1);
    if (!expect("\r\n\r\n")) {
        code_ = Code::malformed;
    }
}

std::optional<Row> Rows::next() {
    if (code_ != Code::ok || (peek() == '!' && at_ + 1 == text_.size())) {
        return std::nullopt;
    }
    Row row;
    if (name(row.obis) && parentheses(row) && expect("\r\n")) {
        return row;
    }
    code_ = Code::malformed;
    return std::nullopt;
}

bool Rows::expect(std::string_view text) {
    for (const char c : text) {
        if (peek() != c || at_ == text_.size()) {
            return false;
        }
        ++at_;
    }
    return true;
}

bool Rows::number(std::uint8_t& out) {
    unsigned value = 0;
    const std::size_t begin = at_;
    while (is_digit(peek())) {
        value = value * 10 + static_cast<unsigned>(peek() - '0');
        if (value > 255) {
            return false;
        }
        ++at_;
    }
    out = static_cast<std::uint8_t>(value);
    return at_ > begin;
}

bool Rows::name(Obis& out) {
    const bool named = number(out.a) && expect("-") && number(out.b) && expect(":") &&
                       number(out.c) && expect(".") && number(out.d) && expect(".") &&
                       number(out.e);
    if (!named || peek() != '*') {
        return named;
    }
    std::uint8_t f = 0;  // the billing period; 255, the running one, on a P1 port
    return expect("*") && number(f);
}

bool Rows::parentheses(Row& row) {
    const std::size_t begin = at_;
    while (true) {
        const std::size_t row_end = at_;
        if (peek() == '\r') {
            // A gas row of DSMR 2.2 and 3.0 goes on in the next line.
            const bool goes_on =
                text_.size() - at_ >= 3 && text_[at_ + 1] == '\n' && text_[at_ + 2] == '(';
            if (!goes_on) {
                row.groups = std::string_view(text_.data() + begin, row_end - begin);
                return true;
            }
            at_ += 2;
        }
        if (!expect("(")) {
            return false;
        }
        while (peek() != ')') {
            if (!is_printable(peek()) || peek() == '(') {
                return false;
            }
            ++at_;
        }
        ++at_;
    }
}

std::optional<std::int64_t> Decimal::scaled(unsigned exponent) const {
    std::int64_t value = digits;
    for (unsigned i = decimals; i < exponent; ++i) {
        if (__builtin_mul_overflow(value, std::int64_t{10}, &value)) {
            return std::nullopt;
        }
    }
    std::int64_t divisor = 1;
    for (unsigned i = exponent; i < decimals; ++i) {
        divisor *= 10;  // at most 10^9: see parse_decimal
    }
    const std::int64_t half = value < 0 ? -(divisor / 2) : divisor / 2;
    return (value + half) / divisor;
}

std::optional<Decimal> parse_decimal(std::string_view group) {
    Decimal result;
    std::size_t at = 0;
    const bool negative = group.starts_with('-');
    at += negative ? 1 : 0;
    std::size_t digits = 0;
    bool fraction = false;
    for (; at < group.size() && (is_digit(group[at]) || (group[at] == '.' && !fraction)); ++at) {
        if (group[at] == '.') {
            fraction = true;
            continue;
        }
        result.digits = result.digits * 10 + (group[at] - '0');
        result.decimals = static_cast<std::uint8_t>(result.decimals + (fraction ? 1 : 0));
        if (++digits > 17 || result.decimals > 9) {
            return std::nullopt;
        }
    }
    if (digits == 0 || (at < group.size() && group[at] != '*')) {
        return std::nullopt;
    }
    if (at < group.size()) {
        result.unit = std::string_view(group.data() + at + 1, group.size() - at - 1);
    }
    result.digits = negative ? -result.digits : result.digits;
    return result;
}

std::optional<Timestamp> parse_timestamp(std::string_view group) {
    if (group.size() < 12 || group.size() > 13) {
        return std::nullopt;
    }
    std::array<std::uint8_t, 6> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const char tens = group[2 * i];
        const char ones = group[2 * i + 1];
        if (!is_digit(tens) || !is_digit(ones)) {
            return std::nullopt;
        }
        parts[i] = static_cast<std::uint8_t>((tens - '0') * 10 + (ones - '0'));
    }
    Timestamp time{static_cast<std::uint16_t>(2000 + parts[0]),
                   parts[1],
                   parts[2],
                   parts[3],
                   parts[4],
                   parts[5],
                   group.size() == 13 ? group[12] : ' '};
    const bool date = time.month >= 1 && time.month <= 12 && time.day >= 1 && time.day <= 31;
    const bool clock = time.hour < 24 && time.minute < 60 && time.second < 60;
    const bool season = group.size() == 12 || time.season == 'S' || time.season == 'W';
    return date && clock && season ? std::optional(time) : std::nullopt;
}

std::string_view parse_equipment_id(std::string_view group, std::span<char> out) {
    if (group.size() % 2 != 0 || group.size() / 2 > out.size()) {
        return group;
    }
    for (std::size_t i = 0; i < group.size() / 2; ++i) {
        const int high = hex_digit(group[2 * i]);
        const int low = hex_digit(group[2 * i + 1]);
        const char c = static_cast<char>(high * 16 + low);
        if (high < 0 || low < 0 || !is_printable(c)) {
            return group;
        }
        out[i] = c;
    }
    return {out.data(), group.size() / 2};
}

}  // namespace jw::p1
