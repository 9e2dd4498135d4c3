// SPDX-License-Identifier: Apache-2.0
#pragma once
// What all parts of a simulated world share: its time, its dice, what is going to happen, which
// faults this seed has, and the trace of everything that happened.
#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "sim/random.h"

namespace jw::sim {

/// Each seed switches on some of them, so that rare ones rule some runs.
enum class WorldFault : std::uint8_t {
    drop,          // devices leave questions unanswered
    delay,         // or answer late
    sleep,         // or are away for minutes
    exception,     // or answer with an exception
    wrong_id,      // or under another id
    half_frame,    // or with half a frame
    garbage,       // or with other bytes
    line_break,    // connections to devices break
    broker_break,  // the connection to the broker breaks; what was under way is lost
    late_ack,      // acknowledgements come late and in another order
    refusal,       // the broker refuses some records for good
    power_cut,     // of the gateway
    failing_sync,  // the storage cannot make durable what it was given
    late_clock,    // the clock is set minutes after the start
    command,       // (no fault) somebody switches relays; requests are delivered repeatedly
    forgetful,     // two-stage release behind a broker that forgets what it acknowledged
    fresh_first,   // (no fault) fresh telemetry overtakes a backlog
    small_store,   // the storage is too small for long outages
    flash,         // (no fault) the storage is flash, not a file
    thin_out,      // (no fault) readings are kept less often the fuller the store is
};
constexpr auto enum_names(WorldFault) {
    return std::array{"drop",       "delay",       "sleep",        "exception",    "wrong_id",
                      "half_frame", "garbage",     "line_break",   "broker_break", "late_ack",
                      "refusal",    "power_cut",   "failing_sync", "late_clock",   "command",
                      "forgetful",  "fresh_first", "small_store",  "flash",        "thin_out"};
}
inline constexpr std::size_t world_faults = enum_names(WorldFault{}).size();

/// A checksum over everything that happened, in its order.
class Trace {
  public:
    void add(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) {
            mix(static_cast<std::uint8_t>(value >> 8 * i));
        }
    }
    void add(Bytes bytes) {
        for (const std::uint8_t byte : bytes) {
            mix(byte);
        }
    }
    [[nodiscard]] std::uint64_t value() const { return state_; }

  private:
    void mix(std::uint8_t byte) { state_ = (state_ ^ byte) * 0x100'0000'01B3U; }
    std::uint64_t state_ = 0xCBF2'9CE4'8422'2325U;
};

class WorldStage {
  public:
    explicit WorldStage(std::uint64_t seed) : random(seed) {}

    Instant now{1'000'000};
    Random random;
    Trace trace;
    std::uint32_t faults = 0;  // bits by WorldFault
    bool healing = false;      // faults are off

    [[nodiscard]] bool has(WorldFault fault) const {
        return (faults >> static_cast<unsigned>(fault) & 1U) != 0;
    }
    /// Whether the fault is at work now.
    [[nodiscard]] bool on(WorldFault fault) const { return !healing && has(fault); }

    void after(Duration delay, std::function<void()> what) {
        events_.push({now + delay, ++order_, std::move(what)});
    }
    [[nodiscard]] Instant next() const { return events_.empty() ? never : events_.top().at; }
    /// Runs what is due by now.
    void run() {
        while (next() <= now) {
            const auto what = events_.top().what;
            trace.add(events_.top().order);
            events_.pop();
            what();
        }
    }
    /// least … most, both included.
    Duration between(Duration least, Duration most) {
        const auto span = static_cast<std::uint64_t>((most - least).us) + 1;
        return least + microseconds(static_cast<std::int64_t>(random.below(span)));
    }

  private:
    struct Event {
        Instant at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Event& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };
    std::priority_queue<Event> events_;
    std::uint64_t order_ = 0;
};

}  // namespace jw::sim
