// SPDX-License-Identifier: Apache-2.0
#pragma once
// A simulated TinyBMS with a pack of 16 cells: its registers, its answers, its sleep, and a line
// that is noisy or dead. Bytes and `now` go in, bytes with a due time come out; deterministic.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/device/tinybms/frames.h"
#include "sim/random.h"

namespace jw::sim {

enum class TinybmsScene : std::uint8_t {
    nominal,
    under_voltage,
    hot,
    cold,
    silent,
    noisy,   // three answers in four are cut, changed, or behind noise
    asleep,  // at the start, and 10 s after the last command: the first one only wakes it
};

inline constexpr std::array tinybms_scene_names{
    "nominal", "under-voltage", "hot", "cold", "silent", "noisy", "asleep"};
/// Nothing where no scene is called so.
std::optional<TinybmsScene> tinybms_scene(std::string_view name);

/// What goes wrong while it runs.
struct TinybmsFaults {
    bool silent = false;
    Duration late{0};             // that much later than a real one answers
    int refuse = 0;               // so many requests get the answer "no"
    bool ignores_writes = false;  // it says yes and does nothing
    int lose_answers = 0;         // so many are never sent
};

class Tinybms {
  public:
    TinybmsFaults faults;
    bool lives = false;  // its current changes a little every second, as real ones do

    Tinybms(TinybmsScene scene, std::uint64_t seed);

    /// Registers from 0 to 511; elsewhere nothing is kept and 0 is read, as of reserved ones.
    void set(std::uint16_t address, std::uint16_t word);
    [[nodiscard]] std::uint16_t get(std::uint16_t address) const;
    /// Behind the events that the log has, with the present time; the oldest makes room.
    void add_event(std::uint8_t id);
    /// All registers become 0.
    void clear() { words_.fill(0); }

    void received(Bytes bytes, Instant now);
    /// Its seconds go on; also with every request.
    void tick(Instant now);
    /// When the answer is due; `never` where none waits.
    [[nodiscard]] Instant next() const { return out_.empty() ? never : out_.front().due; }
    /// Appends what is due by now.
    void take(Instant now, std::vector<std::uint8_t>& out);

  private:
    void answer(const tinybms::Message& request, Instant now);
    void refuse(tinybms::Command command, tinybms::Refusal why, Instant now);
    /// The data of the answer to what reads; false for what does not.
    bool read(const tinybms::Message& request, Writer& data) const;
    /// The same for what has a command of its own.
    bool read_values(tinybms::Command command, Writer& data) const;
    void read_settings(const tinybms::Message& request, Writer& data) const;
    /// False where the BMS refuses it: it then has written nothing.
    bool write(const tinybms::Message& request);
    void send(const tinybms::Message& reply, Instant now);
    void spoil(std::vector<std::uint8_t>& frame);

    TinybmsScene scene_;
    Random random_;
    std::array<std::uint16_t, 512> words_{};
    std::vector<std::uint8_t> heard_;  // of a request that is not complete
    bool awake_;
    Instant heard_at_{0};
    Instant ticked_at_{-1};
    Instant restarts_until_{-1};
    struct Answer {
        Instant due;
        std::vector<std::uint8_t> bytes;
    };
    std::vector<Answer> out_;  // in the order in which they leave
};

}  // namespace jw::sim
