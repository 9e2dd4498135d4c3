// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pack: what the laws take of one battery, out of the snapshot of its device.
#include <array>
#include <cstdint>
#include <optional>

#include "core/model/battery.h"
#include "core/model/snapshot.h"

namespace jw::battery {

using Number = std::optional<std::int64_t>;

inline constexpr std::size_t cells_max = 16;

/// One battery as its BMS tells it. A number is absent where the BMS never gave it, or did not give
/// it with its newest reading: an old value is no value.
struct Pack {
    Instant at{-1};       // of the newest reading; negative: none yet
    bool online = false;  // the device answers
    Number voltage_mv;
    Number current_ma;  // into the battery
    Number soc_permille;
    Number soh_permille;
    std::array<Number, cells_max> cells_mv;
    std::array<Number, 2> temperatures_mc;  // of the battery's own sensors
    Number board_temperature_mc;            // of the BMS
    Number activity;                        // a BatteryActivity
    Number alarm_bits;                      // what the BMS itself is alarmed about
    Number balancing_bits;
    // What the BMS is set to. Read rarely: good until the next reading of the settings.
    Number cell_count;
    Number cell_full_mv;
    Number cell_empty_mv;
    Number cell_overvoltage_mv;
    Number cell_undervoltage_mv;
    Number charge_current_max_ma;
    Number discharge_current_max_ma;
    Number temperature_max_mc;
    Number charge_temperature_min_mc;
    Number capacity_mah;
    Instant settings_at{-1};  // of the oldest of them; negative: one was never read
};

/// Temperature indices of battery drivers: 1 and 2 are sensors at the cells, 3 is the board's.
Pack pack_of(const DeviceSnapshot& device);

}  // namespace jw::battery
