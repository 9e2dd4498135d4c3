// SPDX-License-Identifier: Apache-2.0
#pragma once
// CAN frames as text on a serial line: the commands of LAWICEL's CAN232 manual (V3, chapter 2), and
// the state lines that Linux's slcan driver knows (drivers/net/can/slcan/slcan-core.c).
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/can.h"
#include "core/base/result.h"

namespace jw::slcan {

/// "T1FFFFFFF8", sixteen digits of data, four of time, and the end.
inline constexpr std::size_t line_max = 31;

/// What one line of the adapter says.
enum class Kind : std::uint8_t {
    accepted,  // "\r", also "z\r" and "Z\r" behind a frame
    refused,   // "\a"
    frame,     // "t35180011223344556677\r", or "T" with a 29-bit id
    status,    // "F20\r": flags
    state,     // "sp128000\r": the controller's state
    text,      // "V1013\r", "N1234\r", "e1a\r": of no use here
};

/// Flags of `status`.
inline constexpr std::uint8_t flag_receive_full = 0x01;
inline constexpr std::uint8_t flag_transmit_full = 0x02;
inline constexpr std::uint8_t flag_overrun = 0x08;
inline constexpr std::uint8_t flag_passive = 0x20;
/// Frames were lost.
inline constexpr std::uint8_t flags_lost = flag_receive_full | flag_transmit_full | flag_overrun;

struct Message {
    Kind kind = Kind::accepted;
    std::uint8_t flags = 0;                   // of `status`
    CanBusState state = CanBusState::active;  // of `state` and `status`
    CanFrame frame;                           // of `frame`
    std::optional<std::uint16_t>
        timestamp_ms;  // of `frame`, where the adapter gives it: 0 to 59999
};

/// Appends the command that sends a frame.
void put_frame(const CanFrame& frame, Writer& out);

inline constexpr std::string_view open_command = "O\r";
inline constexpr std::string_view close_command = "C\r";
inline constexpr std::string_view status_command = "F\r";

/// Appends the command that sets the speed: 10, 20, 50, 100, 125, 250, 500, 800 or 1000 kbit/s.
/// Errors: out_of_range (another one).
Status put_bitrate(std::uint32_t bits_per_s, Writer& out);
[[nodiscard]] bool is_bitrate(std::uint32_t bits_per_s);

/// Reads a line, without its end; a "\a" is no line. Errors: malformed, out_of_range (an id or size
/// that cannot be), unsupported (a remote frame, a letter that nobody knows).
Result<Message> read_line(Bytes line);

/// Cuts a stream into lines. Keeps no more than `line_max` bytes: a longer line is dropped whole.
class Receiver {
  public:
    /// Takes bytes from the front until a line is whole or they are used up: then there is nothing.
    /// Errors: as read_line(); the stream goes on behind the line that has one.
    std::optional<Result<Message>> take(Bytes& bytes);
    void clear();

  private:
    std::array<std::uint8_t, line_max> line_{};
    std::uint8_t size_ = 0;
    bool too_long_ = false;
};

}  // namespace jw::slcan
