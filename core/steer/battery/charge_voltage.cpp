// SPDX-License-Identifier: Apache-2.0
// The stages of battery-can.md 1.6, with the inputs of its defect D2 put right: cells times a
// cell's voltage, never a cell's voltage for the pack.
#include "core/steer/battery/charge_voltage.h"

#include <algorithm>

namespace jw::battery {

std::int64_t voltage_max_mv(std::int64_t cells,
                            std::int64_t cell_overvoltage_mv,
                            const LawSettings& settings) {
    return cells * std::min(cell_overvoltage_mv - settings.voltage_margin_mv,
                            cell_ceiling_mv(settings.chemistry));
}

ChargeStage ChargeStages::next(const ChargeInputs& in, const LawSettings& s) const {
    const bool was_sustain = stage_ == ChargeStage::sustain;
    if (in.soc_permille <= s.sustain_enter_permille ||
        (was_sustain && in.soc_permille < s.sustain_exit_permille)) {
        return ChargeStage::sustain;
    }
    const std::int64_t apart_mv = in.cell_max_mv - in.cell_min_mv;
    const bool was_hold = stage_ == ChargeStage::imbalance_hold;
    if (apart_mv > s.imbalance_hold_mv || (was_hold && apart_mv > s.imbalance_release_mv)) {
        return ChargeStage::imbalance_hold;
    }
    const bool was_floating = stage_ == ChargeStage::floating;
    if (in.soc_permille >= s.float_from_permille ||
        (was_floating && in.soc_permille >= s.float_exit_permille)) {
        return ChargeStage::floating;
    }
    if (in.soc_permille >= s.transition_to_permille) {
        return ChargeStage::float_approach;
    }
    return in.soc_permille >= s.bulk_to_permille ? ChargeStage::transition : ChargeStage::bulk;
}

ChargeVoltage ChargeStages::step(const ChargeInputs& in, const LawSettings& s) {
    stage_ = next(in, s);
    const std::int64_t cell_mv =
        s.cell_target_mv == 0 ? in.cell_full_mv : std::min(s.cell_target_mv, in.cell_full_mv);
    const std::int64_t target_mv =
        std::min(in.cells * cell_mv, voltage_max_mv(in.cells, in.cell_overvoltage_mv, s));
    const std::int64_t floor_mv = in.cells * s.protect_floor_mv;
    ChargeVoltage out;
    out.voltage_mv = target_mv;
    out.rule = Rule::charge_voltage;
    switch (stage_) {
        case ChargeStage::bulk:
        case ChargeStage::transition:
            out.rule = Rule::bms_rating;
            break;
        case ChargeStage::float_approach:
            out.voltage_mv -= s.float_approach_drop_mv;
            break;
        case ChargeStage::floating:
            out.voltage_mv -= s.float_drop_mv;
            out.charge_current_ma = s.float_current_ma;
            break;
        case ChargeStage::imbalance_hold: {
            const std::int64_t apart_mv = in.cell_max_mv - in.cell_min_mv;
            const std::int64_t beyond_mv =
                std::max<std::int64_t>(0, apart_mv - s.imbalance_hold_mv);
            const std::int64_t drop_mv =
                std::min(beyond_mv * s.imbalance_drop_permille / 1000, s.imbalance_drop_max_mv);
            out.voltage_mv = std::max(target_mv - drop_mv, std::min(floor_mv, target_mv));
            out.rule = Rule::cell_difference;
            break;
        }
        case ChargeStage::sustain:
            out.voltage_mv = std::min(target_mv, in.cells * s.sustain_cell_mv);
            out.charge_current_ma = s.sustain_current_ma;
            out.discharge_current_ma = s.sustain_current_ma;
            break;
    }
    protects_ =
        in.cell_max_mv >= s.protect_from_mv || (protects_ && in.cell_max_mv > s.protect_to_mv);
    if (protects_) {
        const std::int64_t charge_ma = std::max<std::int64_t>(0, in.current_ma);
        const std::int64_t over_mv = std::max<std::int64_t>(0, in.cell_max_mv - s.protect_from_mv);
        const std::int64_t fall_mv =
            s.protect_gain * over_mv * (s.protect_current_ma + charge_ma) / s.protect_current_ma;
        const std::int64_t limit_mv = std::max(in.cells * s.protect_top_mv - fall_mv, floor_mv);
        if (limit_mv < out.voltage_mv) {
            out.scale_permille = limit_mv * 1000 / out.voltage_mv;
            out.voltage_mv = limit_mv;
            out.rule = Rule::cell_high;
        }
    }
    // R9: never below an empty pack, whatever the stage wants.
    out.voltage_mv = std::max(out.voltage_mv, in.cells * in.cell_empty_mv);
    return out;
}

}  // namespace jw::battery
