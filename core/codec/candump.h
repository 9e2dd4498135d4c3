// SPDX-License-Identifier: Apache-2.0
#pragma once
// Logs of CAN frames as text, one line a frame: `candump -L` and plain candump of can-utils (lib.h,
// candump.c), with or without time, and SavvyCAN's CSV in both versions (framefileio.cpp).
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/can.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace jw::candump {

struct LoggedFrame {
    CanFrame frame;
    /// Microseconds since the beginning of 1970, or of the log; absent where the log has no times.
    std::optional<std::int64_t> time_us;
    FixedText<16> bus;  // "can0"; SavvyCAN: its number
    bool operator==(const LoggedFrame&) const = default;
};

/// What one line says.
struct Line {
    Code code = Code::ok;  // ok, malformed, out_of_range, unsupported (remote, error and FD frames)
    std::size_t at = 0;    // of an error: offset of the offending character in the line
    const char* wrong = "";             // of an error: what must stand there
    std::optional<LoggedFrame> logged;  // absent on an error, a blank line, a # comment, a CSV head
};

/// Reads a line of any of the forms, with or without its line end.
Line read_line(std::string_view line);

/// Longest line that put_line() writes, with its line end.
inline constexpr std::size_t line_max = 72;

/// Appends "(1436509052.249713) can0 351#43020000\n". A frame without time gets (0.000000), a
/// time before 1970 too.
void put_line(const LoggedFrame& logged, Text& out);

/// The head of SavvyCAN's CSV, version 2.
inline constexpr std::string_view savvycan_head =
    "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n";

/// Appends "1436509052249713,00000351,false,Rx,0,2,43,02,\n"; also at most `line_max` characters.
/// The number of the bus is the one at the end of its name, 0 where there is none. Times as
/// put_line().
void put_savvycan(const LoggedFrame& logged, Text& out);

}  // namespace jw::candump
