// SPDX-License-Identifier: Apache-2.0
// Packs in parallel as one battery, in the words that inverters understand.
#include "core/task/battery_state.h"

#include <algorithm>

namespace jw::battery {
namespace {

using can_out::BatteryState;
using can_out::Words;

/// A number that remembers where it was found.
struct Extreme {
    Number number;
    Words id;
};

void put_id(char letter, std::size_t index, std::size_t pack, std::size_t packs, Words& id) {
    std::array<char, 12> buffer{};
    Text text(buffer);
    if (packs > 1) {
        text.put('P').put(static_cast<std::uint32_t>(pack + 1));
    }
    text.put(letter);
    if (letter == 'C' && index + 1 < 10) {
        text.put('0');
    }
    text.put(static_cast<std::uint32_t>(index + 1));
    id = text.view();
}

struct Extremes {
    Extreme lowest;
    Extreme highest;
    void add(std::int64_t number, const Words& id) {
        if (!lowest.number || number < *lowest.number) {
            lowest = {number, id};
        }
        if (!highest.number || number > *highest.number) {
            highest = {number, id};
        }
    }
};

void add(Number& sum, const Number& number) {
    if (number) {
        sum = sum.value_or(0) + *number;
    }
}

/// The mean of what the packs say, each by its weight.
class Mean {
  public:
    void add(const Number& number, std::int64_t weight) {
        if (number) {
            sum_ += *number * weight;
            weight_ += weight;
        }
    }
    [[nodiscard]] Number value() const {
        return weight_ > 0 ? Number(sum_ / weight_) : std::nullopt;
    }

  private:
    std::int64_t sum_ = 0;
    std::int64_t weight_ = 0;
};

/// What is measured, over all packs that are heard.
struct Measured {
    Mean voltage;
    Mean soc;
    Number soh;
    Number current;
    Number capacity;
    Extremes cells;
    Extremes temperatures;

    void add_pack(const Pack& pack, std::size_t index, std::size_t packs) {
        voltage.add(pack.voltage_mv, 1);
        const std::int64_t weight =
            std::clamp<std::int64_t>(pack.capacity_mah.value_or(1), 1, 10'000'000);
        soc.add(pack.soc_permille, weight);
        if (pack.soh_permille) {
            soh = std::min(soh.value_or(*pack.soh_permille), *pack.soh_permille);
        }
        add(current, pack.current_ma);
        add(capacity, pack.capacity_mah);
        Words id;
        for (std::size_t i = 0; i < pack.cells_mv.size(); ++i) {
            if (pack.cells_mv[i]) {
                put_id('C', i, index, packs, id);
                cells.add(*pack.cells_mv[i], id);
            }
        }
        bool has_sensor = false;
        for (std::size_t i = 0; i < pack.temperatures_mc.size(); ++i) {
            if (pack.temperatures_mc[i]) {
                has_sensor = true;
                put_id('T', i, index, packs, id);
                temperatures.add(*pack.temperatures_mc[i], id);
            }
        }
        if (!has_sensor && pack.board_temperature_mc) {
            temperatures.add(*pack.board_temperature_mc, Words("BMS"));
        }
    }
};

/// One number for "the temperature": of a single pack its first sensor, else the hottest.
Number temperature_of(std::span<const Pack> packs, const Measured& measured) {
    if (packs.size() == 1 && packs[0].temperatures_mc[0]) {
        return packs[0].temperatures_mc[0];
    }
    return measured.temperatures.highest.number;
}

void put_modules(const Verdict& verdict, const BatteryLimits& limits, BatteryState& state) {
    const std::int64_t online = verdict.packs_online;
    state.modules_ok = online;
    state.modules_offline = verdict.packs - online;
    state.modules_blocking_charge = limits.charge_current_ma > 0 ? 0 : verdict.packs;
    state.modules_blocking_discharge = limits.discharge_current_ma > 0 ? 0 : verdict.packs;
    state.charge_allowed = limits.charge_current_ma > 0 ? 1 : 0;
    state.discharge_allowed = limits.discharge_current_ma > 0 ? 1 : 0;
    state.force_charge_1 = 0;
    state.force_charge_2 = 0;
    state.full_charge_wanted = 0;
}

}  // namespace

BatteryState state_of(std::span<const Pack> packs,
                      const Verdict& verdict,
                      const Identity& identity,
                      const Energy& energy,
                      Duration fresh_for,
                      Instant now) {
    Measured measured;
    std::size_t heard = 0;
    Number full_capacity;
    for (std::size_t i = 0; i < packs.size(); ++i) {
        add(full_capacity, packs[i].capacity_mah);
        if (packs[i].at.us >= 0 && now - packs[i].at <= fresh_for) {
            ++heard;
            measured.add_pack(packs[i], i, packs.size());
        }
    }
    BatteryState state;
    const BatteryLimits limits = verdict.limits(now);
    state.set(limits);
    put_modules(verdict, limits, state);
    state.alarms = verdict.alarms;
    state.full_capacity_mah = full_capacity;
    state.energy_in_wh = energy.charge_wh;
    state.energy_out_wh = energy.discharge_wh;
    state.manufacturer = identity.manufacturer;
    state.name = identity.name;
    state.serial = identity.serial;
    state.family = identity.family;
    if (heard == 0) {
        return state;
    }
    state.voltage_mv = measured.voltage.value();
    state.current_ma = measured.current;
    state.temperature_mc = temperature_of(packs, measured);
    if (const Number soc = measured.soc.value()) {
        state.soc_permyriad = *soc * 10;
    }
    state.soh_permille = measured.soh;
    state.capacity_mah = measured.capacity;
    state.cell_minimum_mv = measured.cells.lowest.number;
    state.cell_maximum_mv = measured.cells.highest.number;
    state.cell_minimum_id = measured.cells.lowest.id;
    state.cell_maximum_id = measured.cells.highest.id;
    state.temperature_minimum_mc = measured.temperatures.lowest.number;
    state.temperature_maximum_mc = measured.temperatures.highest.number;
    state.temperature_minimum_id = measured.temperatures.lowest.id;
    state.temperature_maximum_id = measured.temperatures.highest.id;
    return state;
}

}  // namespace jw::battery
