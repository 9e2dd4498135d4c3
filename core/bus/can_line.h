// SPDX-License-Identifier: Apache-2.0
#pragma once
// CanLine: frames out to a CAN bus and in from it, through a raw CAN socket of Linux or through an
// adapter that speaks slcan on a serial line.
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/bytes.h"
#include "core/base/can.h"
#include "core/base/list.h"
#include "core/base/ports.h"
#include "core/base/time.h"
#include "core/bus/line.h"
#include "core/bus/slcan.h"

namespace jw {

enum class CanFraming : std::uint8_t { socketcan, slcan };

struct CanLineSettings {
    CanFraming framing = CanFraming::socketcan;
    std::uint32_t bitrate = 500'000;  // slcan only: an interface has its own
    /// 11-bit ids that nobody else may send. They outlive the line.
    std::span<const std::uint16_t> own_ids;
    /// A frame that could not leave within this time is too old to be true and never leaves.
    Duration wait_max = seconds(1);
};

/// Who talks on a CAN bus.
class CanClient {
  public:
    virtual void received(const CanFrame& frame, Instant now) = 0;
    /// Somebody else sends an id of ours: two batteries on one bus, or two gateways. The frame is
    /// not given to received().
    virtual void rivalled(const CanFrame& frame, Instant now) = 0;
    /// Absent: nothing is known of the bus, as the interface is down or the adapter is silent.
    virtual void bus_changed(std::optional<CanBusState> state, Instant now) = 0;

    /// The bus has taken a frame of ours.
    virtual void sent(const CanFrame& /*frame*/, Instant /*now*/) {}

  protected:
    ~CanClient() = default;
};

struct CanCounters {
    std::uint32_t sent = 0;      // taken by the bus port
    std::uint32_t received = 0;  // data frames, with those of rivals
    std::uint32_t dropped = 0;   // replaced by a newer one, pushed out, or too old
    std::uint32_t errors = 0;  // refusals of the adapter, lost frames that the controller tells of
    std::uint32_t malformed = 0;
    std::uint32_t rivals = 0;
    std::uint32_t bus_offs = 0;
    std::uint32_t restarts = 0;
    std::uint32_t openings = 0;  // of the adapter
};

/// A frame that has not left yet; only the line looks inside.
struct WaitingCanFrame {
    CanFrame frame;
    Instant since;
};

/// Sends frames in the order in which their ids came. A newer frame of an id takes the place of one
/// that has not left yet; where there is no room the first in the line is dropped.
///
/// The adapter is closed, set to its speed and opened after every connect, when it refuses a frame
/// or has gone `off` (at most once a second), and after three seconds of silence, although its
/// flags were asked for. One that answers nothing at all is talked to all the same.
class CanLine final : public Line {
  public:
    /// `waiting`: room for at least one frame; best as many as there are own ids. Everything handed
    /// in outlives the line.
    CanLine(Bus& bus,
            const CanLineSettings& settings,
            CanClient& client,
            std::span<WaitingCanFrame> waiting);

    /// Sends at once where the bus takes it. Where waiting() > 0 afterwards, step() sends the rest
    /// and must be called.
    void send(const CanFrame& frame, Instant now);
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    [[nodiscard]] const CanCounters& counters() const { return counters_; }
    /// As the client was told last.
    [[nodiscard]] std::optional<CanBusState> bus_state() const { return state_; }

    void connected(Instant now) override;
    void disconnected(Instant now) override;
    void received(Bytes bytes, Instant now) override;
    Instant step(Instant now) override;

  private:
    /// What the adapter was told last.
    enum class Stage : std::uint8_t { closed, closing, setting, opening, open };

    [[nodiscard]] bool slcan() const { return settings_.framing == CanFraming::slcan; }
    [[nodiscard]] bool is_own(const CanFrame& frame) const;
    Status put_out(const CanFrame& frame);
    void send_waiting(Instant now);
    void drop_old(Instant now);
    void take_message(const slcan::Message& message, Instant now);
    void take_frame(const CanFrame& frame, Instant now);
    void take_state(CanBusState state, Instant now);
    void tell(std::optional<CanBusState> state, Instant now);
    void accepted(Instant now);
    void refused(Instant now);
    void reopen_soon(Instant now);
    void enter(Stage stage, Duration wait, Instant now);
    void command(std::string_view text, Stage next, Duration wait, Instant now);
    void drive_adapter(Instant now);
    void opened(Instant now);
    void watch_adapter(Instant now);
    [[nodiscard]] Instant next_call() const;

    Bus& bus_;
    CanLineSettings settings_;
    CanClient& client_;
    List<WaitingCanFrame> waiting_;
    slcan::Receiver receiver_;
    std::optional<CanBusState> state_;
    Instant retry_at_;  // the bus was busy
    Duration retry_wait_;
    Instant stage_due_;  // of the adapter's next stage; open: when it is opened again
    Instant opened_at_;
    Instant heard_at_;
    Instant status_due_;
    Stage stage_ = Stage::closed;
    bool connected_ = false;
    bool status_asked_ = false;
    CanCounters counters_;
};

}  // namespace jw
