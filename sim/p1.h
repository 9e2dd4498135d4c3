// SPDX-License-Identifier: Apache-2.0
#pragma once
// A smart meter's P1 port and the household behind it: what it uses, what its roof gives.
#include <cstdint>

#include "core/base/text.h"
#include "core/base/time.h"

namespace jw::sim {

struct P1Settings {
    std::uint64_t seed = 1;
    std::int64_t local_s = 1'780'315'200;  // the meter's local time at the start, as Unix seconds
    bool old = false;  // DSMR 3: a telegram every 10 s and no CRC, instead of every second
    bool roof = true;  // whether the household has one of its own
};

/// Deterministic: the same seed and the same instants give the same telegrams. Integers only; the
/// energies are the exact sums of the powers that were sent.
class P1Meter {
  public:
    explicit P1Meter(const P1Settings& settings) : settings_(settings), random_(settings.seed) {}

    static constexpr std::size_t telegram_size_max = 1024;

    /// Lives up to `now`; appends the telegram that is due, if one is. Where several are due, only
    /// the latest is sent, as a meter does. Returns when the next one is.
    Instant step(Instant now, Text& out);
    /// What else is connected behind the meter takes from now on; negative: gives.
    void set_others_w(std::int64_t others_w) { others_w_ = others_w; }

    [[nodiscard]] std::int64_t power_w() const { return use_w_ + others_w_ - roof_w_; }
    /// As its registers show it, of both tariffs.
    [[nodiscard]] std::int64_t energy_import_wh() const {
        return night_ws_ / 3600 + day_ws_ / 3600;
    }
    [[nodiscard]] std::int64_t energy_export_wh() const { return export_ws_ / 3600; }

  private:
    void live_one_second();
    void put_telegram(Text& out) const;
    std::uint32_t random(std::uint32_t below);

    P1Settings settings_;
    std::uint64_t random_;
    std::int64_t second_ = 0;  // since the start
    std::int64_t use_w_ = 300;
    std::int64_t roof_w_ = 0;
    std::int64_t others_w_ = 0;
    std::int64_t kettle_s_ = 0;  // seconds that it still boils
    std::int64_t cloud_permille_ = 900;
    // Watt seconds. Each tariff is a counter of its own: the difference of two that are rounded
    // down would fall.
    std::int64_t night_ws_ = 5'000'000LL * 3600;  // tariff 1
    std::int64_t day_ws_ = 7'345'678LL * 3600;    // tariff 2
    std::int64_t export_ws_ = 3'456'789LL * 3600;
    std::int64_t gas_ml_ = 981'443'000;
    std::int64_t gas_sent_ml_ = 981'443'000;  // the gas meter reports every five minutes
    std::int64_t gas_sent_s_ = 0;
    Instant next_{0};
};

}  // namespace jw::sim
