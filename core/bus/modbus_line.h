// SPDX-License-Identifier: Apache-2.0
#pragma once
// ModbusLine: the client side of one Modbus connection (TCP, RTU on a serial line, RTU in TCP).
// Frames, pacing, matching of answers and timeouts are here; what stands in a PDU is codec/modbus.
// Modbus Messaging on TCP/IP V1.0b (MBAP), Modbus over Serial Line V1.02 (RTU).
#include <cstdint>
#include <span>

#include "core/base/bytes.h"
#include "core/base/duration_counts.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/ports.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/bus/line.h"

namespace jw {

enum class ModbusFraming : std::uint8_t { tcp, rtu, rtu_over_tcp };

struct ModbusLineSettings {
    ModbusFraming framing = ModbusFraming::tcp;
    Duration connect_delay;              // wait after connecting, before the first request
    Duration gap;                        // least silence between an answer and the next request
    Duration timeout = seconds(1);       // from the last byte sent to the complete answer
    std::uint8_t open_requests_max = 1;  // TCP only: more where the device allows pipelining
    std::uint32_t baud = 9600;           // RTU: the silence of 3.5 characters follows from it
};

/// Who asks on the line: a device. Every ask() is followed by exactly one answered() or failed().
///
/// While the line is not connected nobody is asked. A client whose due time has passed is told
/// failed(not_found) without an ask(), so that it learns that it cannot be reached: first when the
/// connection has been missing for the line's `timeout` (a short break stays unnoticed), then at
/// most once per `timeout`.
class ModbusClient {
  public:
    /// When ask() will have a question; `never` while it waits for an answer or has none.
    [[nodiscard]] virtual Instant due() const = 0;
    /// Writes the PDU (function code and data), not empty and within the room given, and returns
    /// the unit id (RTU: address, 1…247).
    virtual std::uint8_t ask(Writer& pdu, Instant now) = 0;
    /// The answer's PDU, function code first; also an exception (function | 0x80, code). Function
    /// and size are those that the question implies. The bytes are valid during the call.
    virtual void answered(Bytes pdu, Instant now) = 0;
    /// No usable answer: timeout, bad_checksum, malformed, not_found (not connected).
    virtual void failed(Error error, Instant now) = 0;
    /// The line has come up (again): whoever was thought to be silent may answer now.
    virtual void connected(Instant /*now*/) {}

  protected:
    ~ModbusClient() = default;
};

struct ModbusCounters {
    std::uint32_t requests = 0;
    std::uint32_t answers = 0;
    std::uint32_t timeouts = 0;
    std::uint32_t bad_checksums = 0;
    std::uint32_t strangers = 0;  // answers that belong to no open request
    std::uint32_t malformed = 0;
};

/// A question that waits for its answer; only the line looks inside.
struct ModbusOpenRequest {
    Instant deadline;
    std::uint16_t transaction = 0;
    std::uint16_t client = 0;      // index
    std::uint16_t reply_size = 0;  // 0: not known beforehand
    std::uint8_t unit = 0;
    std::uint8_t function = 0;
};

/// What a line works in; it belongs to the program. A node whose questions and answers are known to
/// be short gives less than the sizes below.
struct ModbusLineMemory {
    std::span<ModbusOpenRequest> open;  // at least one; bounds open_requests_max
    MutableBytes in;                    // at least the longest answer's frame
    MutableBytes out;                   // at least the longest question's frame
    /// Where times from the last byte sent to the complete answer are counted; null: nowhere.
    DurationCounts* answer_times = nullptr;
};
inline constexpr std::size_t modbus_buffer_size = limits::modbus_tcp_size_max;

/// Asks the clients in turn, each when it is due, and hands them their answers.
///
/// TCP: answers are matched by transaction id, so a late one never passes for another. Serial
/// framings have no id: an answer must come from the unit asked, with its function and size;
/// after a timeout the same client is asked again one further `timeout` later at the earliest, so
/// that an answer that much too late is still recognised, while other clients take their turn.
/// Noise before a serial answer is skipped. The line never sends into bytes that are still coming
/// in, but waits for their end no longer than `timeout`.
///
/// step() must also be called after anything that may have changed a client's due().
class ModbusLine final : public Line {
  public:
    /// Everything handed in outlives the line.
    ModbusLine(Bus& bus,
               const ModbusLineSettings& settings,
               std::span<ModbusClient* const> clients,
               const ModbusLineMemory& memory);

    void connected(Instant now) override;
    void disconnected(Instant now) override;
    void received(Bytes bytes, Instant now) override;
    Instant step(Instant now) override;
    [[nodiscard]] const ModbusCounters& counters() const { return counters_; }

  private:
    [[nodiscard]] bool serial() const { return settings_.framing != ModbusFraming::tcp; }
    [[nodiscard]] Instant asks_at(std::size_t client) const;
    [[nodiscard]] Instant next_due() const;
    [[nodiscard]] Instant may_send_at() const;
    [[nodiscard]] Instant next_call(Instant now) const;
    [[nodiscard]] bool may_ask(Instant now) const;
    bool ask_next(Instant now);
    void ask(std::size_t client, Instant now);
    void send_out(Instant now);
    void tell_unreachable(Instant now);
    void end_overdue(Instant now);
    ModbusClient& close(std::size_t open, Instant now);
    void fail(std::size_t open, Error error, Instant now);
    void hold(std::size_t client, Instant now);
    std::size_t take_frames(Bytes stream, Instant now);
    std::size_t take_tcp_frames(Bytes stream, Instant now);
    std::size_t take_rtu_frames(Bytes stream, Instant now);
    void fail_all_malformed(Instant now);
    void accept(std::size_t open, Bytes pdu, Instant now);

    Bus& bus_;
    ModbusLineSettings settings_;  // `gap` also covers the silence between serial frames
    std::span<ModbusClient* const> clients_;
    List<ModbusOpenRequest> open_;
    MutableBytes in_;
    MutableBytes out_;
    DurationCounts* answer_times_;
    std::uint16_t in_size_ = 0;
    std::uint16_t out_size_ = 0;  // of a frame that the bus has not taken yet; the newest question
    Instant ready_at_;            // connect delay over, last exchange ended
    Instant heard_at_;            // last byte
    Instant tell_at_ = never;     // while not connected: when clients are told
    Instant hold_until_;
    std::uint16_t hold_client_ = 0;
    std::uint16_t turn_ = 0;
    std::uint16_t transaction_ = 0;
    bool connected_ = false;
    ModbusCounters counters_;
};

}  // namespace jw
