// SPDX-License-Identifier: Apache-2.0
#pragma once
// BatteryWorld: packs that charge, empty, freeze, fall silent and talk nonsense, from a seed.
#include <array>
#include <cstdint>

#include "core/steer/battery/law.h"
#include "sim/random.h"

namespace jw::battery_campaign {

using battery::Law;
using battery::LawSettings;
using battery::Lowering;
using battery::Pack;

/// Settings that pass check(), with some numbers anywhere in their ranges. `times`: also those of
/// R1 to R4.
LawSettings random_settings(Random& random, bool times);

class BatteryWorld {
  public:
    BatteryWorld(Random& random, const LawSettings& settings);

    /// Some time later; most packs have a new reading.
    void go_on();
    /// A reading of every pack that nobody can object to, near the middle.
    void begin();
    /// So much later, and nobody speaks.
    void wait(Duration time) { now_ = now_ + time; }
    /// What somebody from afar sends now and then.
    [[nodiscard]] std::optional<Lowering> command();

    [[nodiscard]] std::span<const Pack> packs() const { return {packs_.data(), count_}; }
    [[nodiscard]] Instant now() const { return now_; }

  private:
    void set_up(Pack& pack);
    void move(std::size_t index);
    void spoil(Pack& pack);
    std::int64_t around(std::int64_t middle, std::int64_t spread);
    std::int64_t corner(const Pack& pack);
    /// One in n, or rarer in a calm life.
    bool trouble(std::uint64_t n) { return random_.one_in(n * calm_); }

    Random& random_;
    const LawSettings& settings_;
    std::size_t count_;
    std::uint64_t calm_;
    std::int64_t cells_;  // of most packs
    std::int64_t middle_mv_ = 0;
    std::array<Pack, battery::packs_max> packs_{};
    std::array<Pack, battery::packs_max> well_{};  // before the newest reading was spoiled
    std::array<Instant, battery::packs_max> silent_until_{};
    std::array<Instant, battery::packs_max> frozen_until_{};
    Instant now_;
};

}  // namespace jw::battery_campaign
