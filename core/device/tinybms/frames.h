// SPDX-License-Identifier: Apache-2.0
#pragma once
// What travels on the UART of a TinyBMS, both ways (Enepaq, TinyBMS communication protocols,
// revision D): its own commands, little-endian, and the Modbus form of two of them, big-endian.
// Pure functions and a receiver that finds its feet again after noise.
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/bus/modbus_frame.h"

namespace jw::tinybms {

using modbus::Side;

enum class Command : std::uint8_t {
    refused = 0x00,   // replies only: the BMS says no
    accepted = 0x01,  // replies only: the BMS says yes
    reset = 0x02,
    read_modbus = 0x03,
    read_block = 0x07,
    read_list = 0x09,
    write_block = 0x0B,
    write_list = 0x0D,
    write_modbus = 0x10,
    newest_events = 0x11,
    all_events = 0x12,
    pack_voltage = 0x14,
    pack_current = 0x15,
    cell_voltage_max = 0x16,
    cell_voltage_min = 0x17,
    status = 0x18,
    lifetime = 0x19,
    state_of_charge = 0x1A,
    temperatures = 0x1B,
    cells = 0x1C,
    settings = 0x1D,
    version = 0x1E,
    extended_version = 0x1F,
    speed = 0x20,
};

/// The command's name as it stands in JSON; nullptr for a number that is none.
const char* name_of(Command command);

/// Why a request was refused. Other numbers are possible on the wire and are kept as they are.
enum class Refusal : std::uint8_t { wrong_command = 0, wrong_checksum = 1 };

/// What may be reset, and which settings may be asked for.
enum class Reset : std::uint8_t { events = 1, statistics = 2, bms = 5 };
enum class Settings : std::uint8_t { least = 1, most = 2, factory = 3, current = 4 };

inline constexpr std::size_t frame_size_max = 259;  // 127 registers in the Modbus form

/// One frame and what it says. A field that the command does not have is 0.
struct Message {
    Side side = Side::request;
    Command command = Command::refused;
    Command answers = Command::refused;  // of `accepted` and `refused`: to which command
    std::uint8_t option = 0;             // a Reset, a Settings, or of `refused` a Refusal
    std::uint16_t address = 0;           // the first register
    std::uint16_t count = 0;             // of registers
    /// Points into the bytes that were looked at, or to memory of the caller. Registers in the byte
    /// order of the command (see word()), of the list commands behind their address; of the events
    /// the BMS's time (u32) and then time (u24) and id (u8) of each; otherwise the values.
    Bytes data;
    /// write_block: the document does not say what its length byte counts; both are read.
    bool length_with_address = false;

    /// The 16-bit word at an index, which must be below data.size() / 2.
    [[nodiscard]] std::uint16_t word(std::size_t index) const;
    /// The number that a reply to pack_voltage … state_of_charge holds: mV, mA, mV, mV, a Status,
    /// s, 10⁻⁶ %. Absent in other messages, and where the float is none.
    [[nodiscard]] std::optional<std::int64_t> number() const;
};

struct Taken {
    Message message;
    std::size_t size = 0;  // of the frame on the wire
};

/// Looks at the front of a stream. Errors: truncated (more bytes are needed), malformed (no frame
/// begins here, or its length does not fit its command), unsupported (no command of this side, or
/// an answer in several packets), bad_checksum, out_of_range (a count or option beyond its limit).
Result<Taken> take(Bytes stream, Side side);

/// Appends the frame. Errors: as take(), and full.
Status put(Writer& out, const Message& message);

/// Cuts what comes from one side into frames. Noise costs a byte at a time, so that a frame that
/// stands behind or inside something that only began like one is found.
class Receiver {
  public:
    explicit Receiver(Side side) : side_(side) {}
    /// Takes what there is room for and says how much; when next() gave nothing more there is room.
    std::size_t put(Bytes bytes);
    /// The next frame, valid until the next call of put(); nothing where more bytes are needed.
    std::optional<Message> next();
    /// The line has fallen silent: what has begun is not going to be completed. next() then looks
    /// for frames inside it.
    void silent() { silent_ = true; }
    /// Bytes that belonged to no frame.
    [[nodiscard]] std::uint32_t dropped() const { return dropped_; }
    [[nodiscard]] std::uint32_t wrong_checksums() const { return wrong_checksums_; }

  private:
    Side side_;
    bool silent_ = false;
    std::uint32_t dropped_ = 0;
    std::uint32_t wrong_checksums_ = 0;
    std::size_t from_ = 0;
    std::size_t size_ = 0;
    std::array<std::uint8_t, frame_size_max> buffer_{};
};

}  // namespace jw::tinybms
