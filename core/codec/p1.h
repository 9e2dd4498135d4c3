// SPDX-License-Identifier: Apache-2.0
#pragma once
// DSMR P1: what a smart meter says by itself on its customer port, from bytes to rows.
// DSMR P1 companion standard 5.0.2 (5.2: frame and CRC, 6.12: rows), 2.2 and 3.0 (no CRC),
// IEC 62056-21 mode D (the frame), e-MUCS-P1 1.7 (Belgium).
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace jw::p1 {

/// How one telegram ended.
struct Received {
    Code code = Code::ok;  // ok, bad_checksum, malformed, full (longer than the buffer), truncated
    std::size_t at = 0;    // of an error: offset of the offending byte, counted from '/'
    bool checked = false;  // it carried a CRC; old meters (before DSMR 4) send none
    std::string_view telegram;  // from '/' to '!', both included; valid until the next put()
};

/// Cuts telegrams out of a stream. The buffer belongs to the caller and bounds a telegram; a v5
/// meter with messages takes up to 4 KB, most stay below 1 KB. Bytes between telegrams are skipped.
class Receiver {
  public:
    explicit Receiver(MutableBytes buffer) : buffer_(buffer) {}

    /// Takes the next byte; gives a telegram, or why it was refused, where one ends with it. A '/'
    /// always begins a telegram (the format allows it nowhere else), so the one that it interrupts
    /// ends as malformed.
    std::optional<Received> put(std::uint8_t byte);
    /// The stream ended: gives a telegram that was begun as truncated.
    std::optional<Received> finish();
    /// Forgets a telegram that was begun: the line was lost.
    void reset() { state_ = State::idle; }

  private:
    enum class State : std::uint8_t { idle, body, checksum, end };

    std::optional<Received> body(std::uint8_t byte);
    std::optional<Received> checksum(std::uint8_t byte);
    std::optional<Received> ended(Code code, std::size_t at);

    MutableBytes buffer_;
    std::size_t size_ = 0;    // bytes of the telegram in the buffer
    std::size_t behind_ = 0;  // bytes behind its '!'
    std::uint16_t sum_ = 0;
    std::uint8_t digits_ = 0;
    State state_ = State::idle;
};

/// Names a row, as A-B:C.D.E (IEC 62056-61).
struct Obis {
    std::uint8_t a = 0;
    std::uint8_t b = 0;
    std::uint8_t c = 0;
    std::uint8_t d = 0;
    std::uint8_t e = 0;
    friend constexpr bool operator==(const Obis&, const Obis&) = default;
};

/// A row: its name and its groups in parentheses; a group may be empty, a row may have none.
struct Row {
    Obis obis;
    std::string_view groups;  // "(200512134558S)(00112.384*m3)"; old gas rows hold a line end

    [[nodiscard]] std::size_t count() const;
    /// The text inside the index-th parentheses; empty where there is none.
    [[nodiscard]] std::string_view group(std::size_t index) const;
    [[nodiscard]] std::string_view last() const;
};

/// Walks the rows of a telegram that Receiver gave. Pure; views point into the telegram.
class Rows {
  public:
    explicit Rows(std::string_view telegram);

    /// The next row; nothing at the end or where the telegram breaks the format: code() tells.
    std::optional<Row> next();
    /// The header without '/': maker (3 letters), baud rate character, model: "ISk5\2MT382-1000".
    [[nodiscard]] std::string_view identification() const { return identification_; }
    [[nodiscard]] Code code() const { return code_; }
    /// Offset of what breaks the format, counted from '/'.
    [[nodiscard]] std::size_t position() const { return at_; }

  private:
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool expect(std::string_view text);
    bool number(std::uint8_t& out);
    bool name(Obis& out);
    bool parentheses(Row& row);

    std::string_view text_;
    std::string_view identification_;
    std::size_t at_ = 0;
    Code code_ = Code::ok;
};

/// A decimal number as it was written: "00112.384*m3" is 112384 with 3 decimals, unit m3.
struct Decimal {
    std::int64_t digits = 0;
    std::uint8_t decimals = 0;  // at most 9
    std::string_view unit;      // empty where none was written

    /// The number times 10^exponent, rounded half away from zero; nothing where it does not fit.
    [[nodiscard]] std::optional<std::int64_t> scaled(unsigned exponent) const;
};

/// Reads a group as a number; nothing where it is none or has more than 17 digits or 9 decimals.
std::optional<Decimal> parse_decimal(std::string_view group);

/// A meter's local time. 'S' and 'W' (summer, winter) are missing from old meters.
struct Timestamp {
    std::uint16_t year = 0;
    std::uint8_t month = 0;
    std::uint8_t day = 0;
    std::uint8_t hour = 0;
    std::uint8_t minute = 0;
    std::uint8_t second = 0;
    char season = ' ';
};

/// Reads YYMMDDhhmmssX; nothing where it is no date (meters write 632525252525W for "never").
std::optional<Timestamp> parse_timestamp(std::string_view group);

/// An equipment id: pairs of hex digits are turned into the characters that they stand for where
/// all of them are printable; otherwise the text is the id itself. `out` must hold half of `group`.
std::string_view parse_equipment_id(std::string_view group, std::span<char> out);

}  // namespace jw::p1
