// SPDX-License-Identifier: Apache-2.0
// From the snapshot of a BMS to what the laws take of it, in one pass.
#include "core/steer/battery/pack.h"

#include "core/base/time.h"

namespace jw::battery {
namespace {

constexpr std::size_t settings_needed = 9;

/// Where a value of the newest reading belongs; null: the laws do not take it.
Number* live_place(Pack& pack, const Value& value) {
    switch (value.quantity) {
        case Quantity::voltage_mv:
            return value.index == 0 ? &pack.voltage_mv : nullptr;
        case Quantity::current_ma:
            return value.index == 0 ? &pack.current_ma : nullptr;
        case Quantity::soc_permille:
            return &pack.soc_permille;
        case Quantity::soh_permille:
            return &pack.soh_permille;
        case Quantity::cell_voltage_mv:
            return value.index >= 1 && value.index <= cells_max ? &pack.cells_mv[value.index - 1U]
                                                                : nullptr;
        case Quantity::temperature_mc:
            if (value.index == 3) {
                return &pack.board_temperature_mc;
            }
            return value.index == 1 || value.index == 2 ? &pack.temperatures_mc[value.index - 1U]
                                                        : nullptr;
        case Quantity::battery_state:
            return &pack.activity;
        case Quantity::battery_alarm_bits:
            return &pack.alarm_bits;
        case Quantity::balancing_bits:
            return &pack.balancing_bits;
        default:
            return nullptr;
    }
}

/// Where a setting of the BMS belongs. `needed`: no law without it.
Number* setting_place(Pack& pack, Quantity quantity, bool& needed) {
    needed = true;
    switch (quantity) {
        case Quantity::cell_count:
            return &pack.cell_count;
        case Quantity::cell_full_mv:
            return &pack.cell_full_mv;
        case Quantity::cell_empty_mv:
            return &pack.cell_empty_mv;
        case Quantity::cell_overvoltage_mv:
            return &pack.cell_overvoltage_mv;
        case Quantity::cell_undervoltage_mv:
            return &pack.cell_undervoltage_mv;
        case Quantity::charge_current_max_ma:
            return &pack.charge_current_max_ma;
        case Quantity::discharge_current_max_ma:
            return &pack.discharge_current_max_ma;
        case Quantity::temperature_max_mc:
            return &pack.temperature_max_mc;
        case Quantity::charge_temperature_min_mc:
            return &pack.charge_temperature_min_mc;
        case Quantity::capacity_mah:
            needed = false;
            return &pack.capacity_mah;
        default:
            return nullptr;
    }
}

void forget_live(Pack& pack) {
    pack.voltage_mv = pack.current_ma = pack.soc_permille = pack.soh_permille = std::nullopt;
    pack.cells_mv = {};
    pack.temperatures_mc = {};
    pack.board_temperature_mc = pack.activity = std::nullopt;
    pack.alarm_bits = pack.balancing_bits = std::nullopt;
}

}  // namespace

Pack pack_of(const DeviceSnapshot& device) {
    Pack pack;
    pack.online = device.state == DeviceState::online;
    std::size_t settings = 0;
    Instant settings_at = never;
    for (const LatestValue& latest : device.values) {
        bool needed = false;
        if (Number* const live = live_place(pack, latest.value)) {
            if (latest.at > pack.at) {  // what was found so far is of an older reading
                forget_live(pack);
                pack.at = latest.at;
            }
            if (latest.at == pack.at) {
                *live = latest.value.number;
            }
        } else if (Number* const place = setting_place(pack, latest.value.quantity, needed)) {
            *place = latest.value.number;
            if (needed) {
                ++settings;
                settings_at = earlier(settings_at, latest.at);
            }
        }
    }
    if (settings == settings_needed) {
        pack.settings_at = settings_at;
    }
    return pack;
}

}  // namespace jw::battery
