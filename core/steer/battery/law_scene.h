// SPDX-License-Identifier: Apache-2.0
#pragma once
// LawScene: a law, its packs and a clock, for tests. Readings come every 250 ms while they do.
#include <cstdint>

#include "core/steer/battery/law.h"

namespace jw::battery {

/// 16 cells of LFP in the middle of everything: nothing holds anything down.
inline Pack quiet_pack() {
    Pack pack;
    pack.online = true;
    pack.soc_permille = 600;
    pack.soh_permille = 1000;
    pack.current_ma = 5000;
    for (auto& cell : pack.cells_mv) {
        cell = 3300;
    }
    pack.voltage_mv = 16 * 3300;
    pack.temperatures_mc = {20'000, 21'000};
    pack.board_temperature_mc = 30'000;
    pack.activity = static_cast<std::int64_t>(BatteryActivity::charging);
    pack.alarm_bits = 0;
    pack.balancing_bits = 0;
    pack.cell_count = 16;
    pack.cell_full_mv = 3450;
    pack.cell_empty_mv = 2800;
    pack.cell_overvoltage_mv = 3650;
    pack.cell_undervoltage_mv = 2500;
    pack.charge_current_max_ma = 60'000;
    pack.discharge_current_max_ma = 80'000;
    pack.temperature_max_mc = 60'000;
    pack.charge_temperature_min_mc = 0;
    pack.capacity_mah = 280'000;
    pack.settings_at = Instant{0};
    return pack;
}

struct LawScene {
    explicit LawScene(const LawSettings& settings = {}, std::size_t packs_ = 1)
        : law(settings), count(packs_) {
        for (Pack& pack : packs) {
            pack = quiet_pack();
        }
    }

    /// A millisecond later: one reading of every pack that is not silent, and a step.
    const Verdict& read() {
        now = now + milliseconds(1);
        for (std::size_t i = 0; i < count; ++i) {
            if (!silent[i]) {
                packs[i].at = now;
                if (shimmers) {  // real values never stand still
                    packs[i].current_ma = *packs[i].current_ma + (flip ? 1 : -1);
                }
            }
        }
        flip = !flip;
        return step();
    }
    const Verdict& step() { return law.step({packs.data(), count}, now); }
    /// Readings every 250 ms for so long, the last one at its end.
    const Verdict& run(Duration time) {
        const Instant end = now + time;
        while (now < end) {
            now = earlier(end, now + milliseconds(250)) - milliseconds(1);
            read();
        }
        return law.verdict();
    }
    /// So much later, and a step without any reading.
    const Verdict& wait(Duration time) {
        now = now + time;
        return step();
    }
    void set_cells(std::int64_t mv, std::size_t pack = 0) {
        for (auto& cell : packs[pack].cells_mv) {
            cell = mv;
        }
        packs[pack].voltage_mv = 16 * mv;
    }
    /// One cell alone; the pack's voltage follows.
    void set_cell(std::size_t cell, std::int64_t mv, std::size_t pack = 0) {
        *packs[pack].voltage_mv += mv - *packs[pack].cells_mv[cell - 1];
        packs[pack].cells_mv[cell - 1] = mv;
    }
    [[nodiscard]] BatteryLimits limits() const { return law.verdict().limits(now); }
    [[nodiscard]] std::int64_t charge_ma() const { return limits().charge_current_ma; }
    [[nodiscard]] std::int64_t discharge_ma() const { return limits().discharge_current_ma; }
    [[nodiscard]] std::int64_t voltage_mv() const { return limits().charge_voltage_mv; }
    /// The row of a rule, or one of Rule::none.
    [[nodiscard]] RuleLimit row(Rule rule) const {
        for (std::size_t i = 0; i < law.verdict().rule_count; ++i) {
            if (law.verdict().by_rule[i].rule == rule) {
                return law.verdict().by_rule[i];
            }
        }
        return {};
    }

    Law law;
    std::array<Pack, packs_max> packs{};
    std::array<bool, packs_max> silent{};
    std::size_t count;
    Instant now{5'000'000};
    bool shimmers = true;
    bool flip = false;
};

}  // namespace jw::battery
