// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a battery tells its inverter: everything that a profile can put into a frame.
#include <cstdint>
#include <optional>

#include "core/base/text.h"
#include "core/model/battery.h"

namespace jw::can_out {

using Number = std::optional<std::int64_t>;
using Words = FixedText<16>;

/// Absent is what nobody measured; it leaves as the profile's "unsupported", never as 0.
struct BatteryState {
    Number charge_voltage_mv;  // 0 is refused
    Number charge_current_ma;
    Number discharge_current_ma;
    Number discharge_voltage_mv;
    Number soc_permyriad;  // hundredths of a percent
    Number soh_permille;
    Number voltage_mv;
    Number current_ma;  // into the battery
    Number temperature_mc;
    Number cell_minimum_mv;
    Number cell_maximum_mv;
    Number temperature_minimum_mc;
    Number temperature_maximum_mc;
    Number capacity_mah;       // that is online
    Number full_capacity_mah;  // as on the nameplate
    Number energy_in_wh;
    Number energy_out_wh;
    Number modules_ok;
    Number modules_blocking_charge;
    Number modules_blocking_discharge;
    Number modules_offline;
    Number charge_allowed;  // 1 or 0
    Number discharge_allowed;
    Number force_charge_1;
    Number force_charge_2;
    Number full_charge_wanted;
    Number model;
    Number firmware;  // main version in the upper byte
    Number hardware;
    Number events;

    Words manufacturer;  // empty is absent
    Words name;
    Words serial;
    Words family;
    Words cell_minimum_id;  // which cell it is
    Words cell_maximum_id;
    Words temperature_minimum_id;
    Words temperature_maximum_id;

    BatteryAlarms alarms{};

    void set(const BatteryLimits& limits) {
        charge_voltage_mv = limits.charge_voltage_mv;
        charge_current_ma = limits.charge_current_ma;
        discharge_current_ma = limits.discharge_current_ma;
        discharge_voltage_mv = limits.discharge_voltage_mv;
    }
    bool operator==(const BatteryState&) const = default;
};

struct NumberField {
    const char* name;  // as in BatteryState and in JSON
    const char* unit;
    Number BatteryState::*member;
};
struct TextField {
    const char* name;
    Words BatteryState::*member;
};

}  // namespace jw::can_out
