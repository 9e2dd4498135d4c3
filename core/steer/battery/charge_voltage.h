// SPDX-License-Identifier: Apache-2.0
#pragma once
// ChargeStages: to which voltage a pack may be charged, as a state machine over its charge and its
// cells. A full pack gets a lower voltage, never zero current; and no voltage is ever derived from
// the measured one of the pack, which would discharge it.
#include <cstdint>

#include "core/steer/battery/law_settings.h"
#include "core/steer/battery/rule.h"

namespace jw::battery {

enum class ChargeStage : std::uint8_t {
    bulk,
    transition,
    float_approach,
    floating,
    imbalance_hold,
    sustain,
};
constexpr auto enum_names(ChargeStage) {
    return std::array{
        "bulk", "transition", "float_approach", "floating", "imbalance_hold", "sustain"};
}

/// What the stages look at, of one plausible reading.
struct ChargeInputs {
    std::int64_t cells = 0;
    std::int64_t cell_full_mv = 0;
    std::int64_t cell_empty_mv = 0;
    std::int64_t cell_overvoltage_mv = 0;
    std::int64_t cell_max_mv = 0;
    std::int64_t cell_min_mv = 0;
    std::int64_t current_ma = 0;
    std::int64_t soc_permille = 0;
};

struct ChargeVoltage {
    std::int64_t voltage_mv = 0;         // of the pack
    std::int64_t scale_permille = 1000;  // of the charge current: what protection left of it
    Number charge_current_ma;            // a bound that the stage brings
    Number discharge_current_ma;
    Rule rule = Rule::bms_rating;  // what decided the voltage
};

/// The most that a pack may be charged to, whatever else is said (R9).
std::int64_t voltage_max_mv(std::int64_t cells,
                            std::int64_t cell_overvoltage_mv,
                            const LawSettings& settings);

class ChargeStages {
  public:
    ChargeVoltage step(const ChargeInputs& inputs, const LawSettings& settings);
    [[nodiscard]] ChargeStage stage() const { return stage_; }
    [[nodiscard]] bool protects() const { return protects_; }

  private:
    ChargeStage next(const ChargeInputs& inputs, const LawSettings& settings) const;

    ChargeStage stage_ = ChargeStage::bulk;
    bool protects_ = false;  // a cell is too high
};

}  // namespace jw::battery
