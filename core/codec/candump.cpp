// SPDX-License-Identifier: Apache-2.0
// Logs of CAN frames as text.
#include "core/codec/candump.h"

#include <algorithm>

namespace jw::candump {
namespace {

constexpr unsigned second_digits_max = 12;

constexpr bool is_space(char c) {
    return c == ' ' || c == '\t';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr int hex_digit(char c) {
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Walks through one line; the first thing that is wrong stays.
class LineReader {
  public:
    explicit LineReader(std::string_view line) : line_(line) {}

    Line read() {
        skip_spaces();
        if (!at_end() && peek() != '#' && !line_.starts_with("Time Stamp,")) {
            if (line_.find(',') != std::string_view::npos) {
                read_savvycan();
            } else {
                read_candump();
            }
            if (result_.code == Code::ok) {
                result_.logged = logged_;
            }
        }
        return result_;
    }

  private:
    [[nodiscard]] bool ok() const { return result_.code == Code::ok; }
    [[nodiscard]] bool at_end() const { return at_ == line_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : line_[at_]; }

    void refuse(Code code, std::size_t at, const char* wrong) {
        if (ok()) {
            result_.code = code;
            result_.at = at;
            result_.wrong = wrong;
        }
    }
    // substr() could throw, which bare metal cannot.
    [[nodiscard]] std::string_view since(std::size_t from) const {
        return {line_.data() + from, at_ - from};
    }
    [[nodiscard]] std::string_view rest() const { return {line_.data() + at_, line_.size() - at_}; }
    void skip_spaces() {
        while (is_space(peek())) {
            ++at_;
        }
    }
    bool take(char c) {
        if (peek() != c) {
            return false;
        }
        ++at_;
        return true;
    }
    void need(char c, const char* wrong) {
        if (!take(c)) {
            refuse(Code::malformed, at_, wrong);
        }
    }
    void need_space(const char* wrong) {
        if (!is_space(peek())) {
            refuse(Code::malformed, at_, wrong);
        }
        skip_spaces();
    }

    std::int64_t number(unsigned digits_max, const char* wrong) {
        std::int64_t value = 0;
        unsigned digits = 0;
        for (; digits < digits_max && is_digit(peek()); ++digits) {
            value = 10 * value + (line_[at_++] - '0');
        }
        if (digits == 0 || is_digit(peek())) {
            refuse(Code::malformed, at_, wrong);
        }
        return value;
    }

    /// Up to eight hex digits; gives how many there were.
    unsigned hex(std::uint32_t& value) {
        unsigned digits = 0;
        value = 0;
        for (; digits < 8 && hex_digit(peek()) >= 0; ++digits) {
            value = (value << 4) | static_cast<std::uint32_t>(hex_digit(line_[at_++]));
        }
        return digits;
    }

    void data_byte() {
        const std::size_t from = at_;
        std::uint32_t value = 0;
        for (unsigned digits = 0; digits < 2 && hex_digit(peek()) >= 0; ++digits) {
            value = (value << 4) | static_cast<std::uint32_t>(hex_digit(line_[at_++]));
        }
        if (at_ - from != 2) {
            refuse(Code::malformed, at_, "two hex digits");
        } else if (logged_.frame.size == logged_.frame.data.size()) {
            refuse(Code::malformed, from, "no more than eight bytes");
        } else {
            logged_.frame.data[logged_.frame.size++] = static_cast<std::uint8_t>(value);
        }
    }

    void set_id(std::uint32_t id, bool extended, std::size_t at) {
        constexpr std::uint32_t error_frame = 0x2000'0000;
        if (extended && (id & error_frame) != 0) {
            refuse(Code::unsupported, at, "a data frame, not an error frame");
        } else if (id > (extended ? can_extended_id_max : can_id_max)) {
            refuse(Code::out_of_range, at, "an id of 11 bits, or of 29 in eight digits");
        }
        logged_.frame.id = id;
        logged_.frame.extended = extended;
    }

    /// "(1436509052.249713)"; digits behind the sixth are cut off.
    void read_time() {
        std::int64_t time_us = 1'000'000 * number(second_digits_max, "seconds");
        if (take('.')) {
            std::int64_t scale = 100'000;
            for (unsigned digits = 0; digits < 9 && is_digit(peek()); ++digits) {
                time_us += scale * (line_[at_++] - '0');
                scale /= 10;
            }
        }
        need(')', "')' behind the time, which has up to nine decimals");
        logged_.time_us = time_us;
        need_space("a space behind the time");
    }

    void read_candump() {
        if (take('(')) {
            read_time();
        }
        const std::size_t bus_at = at_;
        while (!at_end() && !is_space(peek())) {
            ++at_;
        }
        const std::string_view bus = since(bus_at);
        if (bus.empty() || bus.size() > decltype(logged_.bus)::capacity() ||
            bus.find('#') != std::string_view::npos) {
            refuse(Code::malformed, bus_at, "the name of a bus, up to 16 characters");
        }
        logged_.bus = bus;
        need_space("an id behind the name of the bus");
        const std::size_t id_at = at_;
        std::uint32_t id = 0;
        const unsigned digits = hex(id);
        if (digits != 3 && digits != 8) {
            refuse(Code::malformed, at_, "an id of three or eight hex digits");
        }
        set_id(id, digits == 8, id_at);
        if (take('#')) {
            read_packed();
        } else {
            read_spread();
        }
    }

    /// "43020000" and nothing else, but a direction.
    void read_packed() {
        if (peek() == '#' || peek() == 'R' || peek() == 'r') {
            refuse(Code::unsupported, at_, "a classic data frame, not a remote or FD frame");
        }
        while (ok() && !at_end() && !is_space(peek())) {
            data_byte();
        }
        skip_spaces();
        if (!at_end() && (rest() == "T" || rest() == "R")) {
            ++at_;
        }
        if (!at_end()) {
            refuse(Code::malformed, at_, "the end of the line, or T or R");
        }
    }

    /// " [4] 43 02 00 00", with what `candump -a` puts behind.
    void read_spread() {
        need_space("'#' or a space behind the id");
        need('[', "'[' of the size");
        const std::size_t size_at = at_;
        const std::int64_t size = number(2, "the size");
        if (at_ - size_at == 2) {
            refuse(Code::unsupported, size_at, "a classic frame: a size of one digit");
        } else if (size > 8) {
            refuse(Code::out_of_range, size_at, "a size up to 8");
        }
        need(']', "']' of the size");
        for (std::int64_t i = 0; ok() && i < size; ++i) {
            need_space("a byte, as many as the size says");
            if (rest().starts_with("remote")) {
                refuse(Code::unsupported, at_, "a data frame, not a remote frame");
            }
            data_byte();
        }
        skip_spaces();
        if (!at_end() && peek() != '\'') {
            refuse(Code::malformed, at_, "the end of the line, no byte more than the size says");
        }
    }

    /// "1436509052249713,00000351,false,Rx,0,8,3A,02,…"; version 1 has no direction.
    void read_savvycan() {
        logged_.time_us = number(18, "microseconds");
        need(',', "',' behind the time");
        const std::size_t id_at = at_;
        std::uint32_t id = 0;
        if (hex(id) == 0) {
            refuse(Code::malformed, at_, "an id in hex");
        }
        need(',', "',' behind the id");
        const bool extended = word() == "true";
        set_id(id, extended, id_at);
        need(',', "',' behind true or false");
        if (!is_digit(peek())) {
            const std::size_t direction_at = at_;
            const std::string_view direction = word();
            if (direction != "Rx" && direction != "Tx") {
                refuse(Code::malformed, direction_at, "Rx, Tx, or the number of the bus");
            }
            need(',', "',' behind the direction");
        }
        const std::size_t bus_at = at_;
        (void)number(4, "the number of the bus");
        logged_.bus = since(bus_at);
        need(',', "',' behind the bus");
        const std::size_t size_at = at_;
        const std::int64_t size = number(1, "the size, up to 8");
        if (size > 8) {
            refuse(Code::out_of_range, size_at, "a size up to 8");
        }
        for (std::int64_t i = 0; ok() && i < size; ++i) {
            need(',', "',' and a byte, as many as the size says");
            data_byte();
        }
        while (take(',')) {  // SavvyCAN ends its lines with one, others fill up the columns
        }
        if (!at_end()) {
            refuse(Code::malformed, at_, "the end of the line, no byte more than the size says");
        }
    }

    std::string_view word() {
        const std::size_t from = at_;
        while (!at_end() && peek() != ',') {
            ++at_;
        }
        return since(from);
    }

    std::string_view line_;
    std::size_t at_ = 0;
    LoggedFrame logged_;
    Line result_;
};

void put_hex(std::uint32_t value, unsigned count, Text& out) {
    for (unsigned i = count; i > 0; --i) {
        out.put("0123456789ABCDEF"[(value >> (4 * (i - 1))) & 0xF]);
    }
}

/// Up to four digits at the end of a name.
std::uint32_t number_at_end(std::string_view name) {
    std::uint32_t number = 0;
    std::uint32_t scale = 1;
    for (; scale <= 1000 && !name.empty() && is_digit(name.back()); scale *= 10) {
        number += scale * static_cast<std::uint32_t>(name.back() - '0');
        name.remove_suffix(1);
    }
    return number;
}

}  // namespace

Line read_line(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || is_space(line.back()))) {
        line.remove_suffix(1);
    }
    return LineReader(line).read();
}

void put_line(const LoggedFrame& logged, Text& out) {
    const auto time_us = std::max<std::int64_t>(logged.time_us.value_or(0), 0);
    out.put('(').put(time_us / 1'000'000).put('.');
    for (std::int64_t scale = 100'000; scale > 0; scale /= 10) {
        out.put(static_cast<char>('0' + (time_us / scale) % 10));
    }
    out.put(") ").put(logged.bus.empty() ? "can0" : logged.bus.view()).put(' ');
    put_hex(logged.frame.id, logged.frame.extended ? 8 : 3, out);
    out.put('#');
    for (const std::uint8_t byte : logged.frame.bytes()) {
        put_hex(byte, 2, out);
    }
    out.put('\n');
}

void put_savvycan(const LoggedFrame& logged, Text& out) {
    out.put(std::max<std::int64_t>(logged.time_us.value_or(0), 0)).put(',');
    put_hex(logged.frame.id, 8, out);
    out.put(logged.frame.extended ? ",true,Rx," : ",false,Rx,");
    out.put(number_at_end(logged.bus.view())).put(',').put(logged.frame.size).put(',');
    for (const std::uint8_t byte : logged.frame.bytes()) {
        put_hex(byte, 2, out);
        out.put(',');
    }
    out.put('\n');
}

}  // namespace jw::candump
