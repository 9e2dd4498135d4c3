// SPDX-License-Identifier: Apache-2.0
// The invariants I-12, I-13, I-14, I-15, I-18 and I-22.
#include "tests/battery/oracle.h"

#include <algorithm>
#include <cmath>

namespace jw::battery_campaign {
namespace {

using battery::Number;
using battery::Ramp;

constexpr double everything = 1000;

/// Straight between the points of a ramp.
double on_ramp(const Ramp& ramp, double at) {
    double share = everything;
    for (std::size_t i = 0; i < ramp.size; ++i) {
        const auto x = static_cast<double>(ramp.points[i].at);
        const auto y = static_cast<double>(ramp.points[i].permille);
        if (at < x) {
            if (i == 0) {
                return y;
            }
            const auto x0 = static_cast<double>(ramp.points[i - 1].at);
            const auto y0 = static_cast<double>(ramp.points[i - 1].permille);
            return y0 + (y - y0) * (at - x0) / (x - x0);
        }
        share = y;
    }
    return share;
}

bool in(const Number& number, std::int64_t least, std::int64_t most) {
    return number.has_value() && least <= number.value() && number.value() <= most;
}

bool same(const Pack& a, const Pack& b) {
    return a.voltage_mv == b.voltage_mv && a.current_ma == b.current_ma &&
           a.cells_mv == b.cells_mv && a.temperatures_mc == b.temperatures_mc &&
           a.board_temperature_mc == b.board_temperature_mc;
}

double ceiling_of(battery::Chemistry chemistry) {
    switch (chemistry) {
        case battery::Chemistry::lfp:
            return 3650;
        case battery::Chemistry::nmc:
            return 4200;
        case battery::Chemistry::lto:
            return 2800;
    }
    return 0;
}

}  // namespace

bool Oracle::can_be_true(const Pack& p) const {
    const bool there = p.voltage_mv && p.current_ma && p.soc_permille && p.activity &&
                       p.settings_at.us >= 0 && p.cell_full_mv && p.cell_empty_mv;
    if (!there || !in(p.cell_count, 1, 16) || !in(p.soc_permille, 0, 1000) ||
        !in(p.current_ma, -2'000'000, 2'000'000) || !in(p.charge_current_max_ma, 0, 2'000'000) ||
        !in(p.discharge_current_max_ma, 0, 2'000'000) ||
        !in(p.temperature_max_mc, -40'000, 120'000) ||
        !in(p.charge_temperature_min_mc, -40'000, 120'000) ||
        !in(p.cell_undervoltage_mv, 500, 5000) || !in(p.cell_overvoltage_mv, 500, 5000) ||
        !in(p.voltage_mv, 1, 80'000)) {
        return false;
    }
    const bool rises = *p.cell_undervoltage_mv < *p.cell_empty_mv &&
                       *p.cell_empty_mv < *p.cell_full_mv &&
                       *p.cell_full_mv < *p.cell_overvoltage_mv &&
                       *p.cell_empty_mv <= *p.cell_overvoltage_mv - settings_.voltage_margin_mv;
    if (!rises || static_cast<double>(*p.cell_full_mv) > ceiling_of(settings_.chemistry)) {
        return false;
    }
    std::int64_t cells = 0;
    double sum = 0;
    for (const Number& cell : p.cells_mv) {
        if (cell) {
            if (!in(cell, 1, 5000)) {
                return false;
            }
            ++cells;
            sum += static_cast<double>(*cell);
        }
    }
    const auto voltage = static_cast<double>(*p.voltage_mv);
    const double apart = static_cast<double>(settings_.cell_sum_permille) / 1000;
    if (cells != *p.cell_count || std::abs(sum - voltage) > voltage * apart + 1e-6) {
        return false;
    }
    for (const Number& t : {p.temperatures_mc[0], p.temperatures_mc[1], p.board_temperature_mc}) {
        if (t && !in(t, -40'000, 120'000)) {
            return false;
        }
    }
    return true;
}

bool Oracle::stands_still(Memory& memory, const Pack& pack) {
    const bool flows = std::abs(static_cast<double>(*pack.current_ma)) >
                       static_cast<double>(settings_.frozen_current_ma);
    if (memory.still_since.us < 0 || !flows || !same(memory.still, pack)) {
        memory.still = pack;
        memory.still_since = pack.at;
        return false;
    }
    return pack.at - memory.still_since >= settings_.frozen_after;
}

void Oracle::latch(Memory& m) {
    const Pack& p = m.good;
    m.highest = 0;
    m.lowest = 100'000;
    for (const Number& cell : p.cells_mv) {
        m.highest = std::max(m.highest, cell.value_or(0));
        m.lowest = std::min(m.lowest, cell.value_or(100'000));
    }
    m.middle =
        m.lowest >= settings_.middle_band_low_mv && m.highest <= settings_.middle_band_high_mv;
    const std::int64_t high_off = *p.cell_overvoltage_mv - settings_.cell_margin_mv;
    const std::int64_t low_off = *p.cell_undervoltage_mv + settings_.cell_margin_mv;
    if (m.highest >= high_off) {
        m.too_high = true;
    } else if (m.highest <= high_off - settings_.cell_release_mv) {
        m.too_high = false;
    }
    if (m.lowest <= low_off) {
        m.too_low = true;
    } else if (m.lowest >= low_off + settings_.cell_release_mv) {
        m.too_low = false;
    }
    m.critical = m.critical || m.highest >= *p.cell_overvoltage_mv + settings_.cell_critical_mv;
    std::int64_t coldest = INT64_MAX;
    std::int64_t hottest = INT64_MIN;
    for (std::size_t i = 0; i < 2; ++i) {
        if (const Number& t = p.temperatures_mc[i]) {
            m.had_sensor[i] = true;
            coldest = std::min(coldest, *t);
            hottest = std::max(hottest, *t);
        }
    }
    if (coldest != INT64_MAX) {
        if (coldest <= *p.charge_temperature_min_mc) {
            m.too_cold = true;
        } else if (coldest >= *p.charge_temperature_min_mc + settings_.cold_release_mc) {
            m.too_cold = false;
        }
        if (hottest >= *p.temperature_max_mc) {
            m.too_hot = true;
        } else if (hottest <= *p.temperature_max_mc - settings_.hot_release_mc) {
            m.too_hot = false;
        }
    }
    if (*p.activity == static_cast<std::int64_t>(BatteryActivity::fault)) {
        m.fault_at = p.at;
    }
}

void Oracle::take_in(Memory& memory, const Pack& pack, Instant now) {
    if (pack.at.us < 0 || pack.at > now || pack.at == memory.seen_at) {
        return;
    }
    memory.seen_at = pack.at;
    if (can_be_true(pack) && !stands_still(memory, pack)) {
        memory.good = pack;
        memory.good_at = pack.at;
        latch(memory);
    }
}

Duration Oracle::lasts(const Memory& memory) const {
    return settings_.off_grid && memory.middle ? settings_.discharge_zero_after_off_grid
                                               : settings_.discharge_zero_after;
}

/// Lowers the shares (in ‰) by what this pack said. `counts`: it is young enough for discharging.
void Oracle::bound_by(const Memory& m, bool counts, Bounds& shares) const {
    const Pack& p = m.good;
    double charge = on_ramp(settings_.charge_by_cell, static_cast<double>(m.highest));
    double discharge = on_ramp(settings_.discharge_by_cell, static_cast<double>(m.lowest));
    const auto soc = static_cast<double>(*p.soc_permille);
    charge = std::min(charge, on_ramp(settings_.charge_by_soc, soc));
    discharge = std::min(discharge, on_ramp(settings_.discharge_by_soc, soc));
    bool any = false;
    bool gone = false;
    const auto temperature = [&](std::int64_t t) {
        any = true;
        charge = std::min(charge, on_ramp(settings_.charge_by_temperature, static_cast<double>(t)));
        discharge = std::min(discharge,
                             on_ramp(settings_.discharge_by_temperature, static_cast<double>(t)));
    };
    for (std::size_t i = 0; i < 2; ++i) {
        if (const Number& t = p.temperatures_mc[i]) {
            temperature(*t);
        } else {
            gone = gone || m.had_sensor[i];
        }
    }
    if (p.board_temperature_mc) {
        const auto board = static_cast<double>(*p.board_temperature_mc);
        const double share = on_ramp(settings_.by_board_temperature, board);
        charge = std::min(charge, share);
        discharge = std::min(discharge, share);
        if (!any && settings_.board_for_cells) {
            temperature(*p.board_temperature_mc);
        }
    }
    const bool fault = m.fault_at.us >= 0 && p.at - m.fault_at < settings_.fault_release;
    const bool sensors = p.temperatures_mc[0] || p.temperatures_mc[1];
    if (!any || gone || m.too_high || m.critical || fault ||
        (sensors && (m.too_cold || m.too_hot))) {
        charge = 0;
    }
    if (m.too_low || fault || (sensors && m.too_hot)) {
        discharge = 0;
    }
    shares.charge = std::min(shares.charge, charge);
    if (counts) {
        shares.discharge = std::min(shares.discharge, discharge);
    }
}

Oracle::Bounds Oracle::bounds(std::span<const Pack> packs, Instant now) const {
    Bounds sums;
    Bounds shares{everything, everything};
    double charge_parts = 0;
    double discharge_parts = 0;
    sums.voltage_most = 1e9;
    const auto left = [&](Duration age, Duration zero) {
        const auto whole = static_cast<double>((zero - settings_.fresh_for).us);
        return std::clamp(static_cast<double>((zero - age).us) / whole, 0.0, 1.0);
    };
    for (std::size_t i = 0; i < packs.size(); ++i) {
        const Memory& m = memories_[i];
        if (m.good_at.us < 0) {
            continue;
        }
        const Duration age = now - m.good_at;
        const double charge = left(age, settings_.charge_zero_after);
        const double discharge = left(age, lasts(m));
        charge_parts += charge;
        discharge_parts += discharge;
        sums.charge += charge * static_cast<double>(*m.good.charge_current_max_ma);
        sums.discharge += discharge * static_cast<double>(*m.good.discharge_current_max_ma);
        const auto cells = static_cast<double>(*m.good.cell_count);
        const auto cut_off =
            static_cast<double>(*m.good.cell_overvoltage_mv - settings_.voltage_margin_mv);
        sums.voltage_most =
            std::min(sums.voltage_most, cells * std::min(cut_off, ceiling_of(settings_.chemistry)));
        sums.voltage_least =
            std::max(sums.voltage_least, cells * static_cast<double>(*m.good.cell_empty_mv));
        bound_by(m, age < lasts(m), shares);
    }
    const auto all = static_cast<double>(packs.size());
    const auto owner_charge = static_cast<double>(settings_.charge_current_max_ma);
    const auto owner_discharge = static_cast<double>(settings_.discharge_current_max_ma);
    // The law counts in whole permille, this here does not: one of them is no breach.
    const auto slack = [](double share) { return share <= 0 ? 0 : (share + 1) / everything; };
    sums.charge = std::min(sums.charge, owner_charge * charge_parts / all) * slack(shares.charge);
    sums.discharge =
        std::min(sums.discharge, owner_discharge * discharge_parts / all) * slack(shares.discharge);
    return sums;
}

void Oracle::lowered(const Lowering& lowering, Instant now) {
    const Instant until = std::min(lowering.until, now + settings_.lowering_max);
    const std::array<Number, 2> numbers{lowering.charge_current_ma, lowering.discharge_current_ma};
    for (std::size_t i = 0; i < 2; ++i) {
        if (numbers[i] && until > now) {
            remote_[i] = std::max<std::int64_t>(*numbers[i], 0);
            remote_until_[i] = until;
        }
    }
}

void Oracle::released() {
    for (Memory& m : memories_) {
        if (m.good_at.us >= 0) {
            m.critical = m.highest >= *m.good.cell_overvoltage_mv + settings_.cell_critical_mv;
        }
    }
}

Instant Oracle::newest_good() const {
    Instant newest{-1};
    for (std::size_t i = 0; i < count_; ++i) {
        newest = std::max(newest, memories_[i].good_at);
    }
    return newest;
}

std::string Oracle::judge(const BatteryLimits& limits, const Bounds& most, Instant now) const {
    const auto charge = static_cast<double>(limits.charge_current_ma);
    const auto discharge = static_cast<double>(limits.discharge_current_ma);
    const auto voltage = static_cast<double>(limits.charge_voltage_mv);
    if (charge < 0 || discharge < 0) {
        return "I-12: a current below zero";
    }
    if (charge > most.charge + 1e-3) {
        return "I-12: charge " + std::to_string(charge) + " > " + std::to_string(most.charge);
    }
    if (discharge > most.discharge + 1e-3) {
        return "I-12: discharge " + std::to_string(discharge) + " > " +
               std::to_string(most.discharge);
    }
    if (voltage == 0) {
        return "I-13: voltage 0";
    }
    const double least = std::min(most.voltage_least, most.voltage_most);
    if (voltage < least || voltage > most.voltage_most) {
        return "I-13: voltage " + std::to_string(voltage) + " outside " + std::to_string(least) +
               " to " + std::to_string(most.voltage_most);
    }
    bool may_charge = false;
    bool may_discharge = false;
    for (std::size_t i = 0; i < count_; ++i) {
        const Memory& m = memories_[i];
        may_charge |= m.good_at.us >= 0 && now - m.good_at < settings_.charge_zero_after;
        may_discharge |= m.good_at.us >= 0 && now - m.good_at < lasts(m);
    }
    if (charge > 0 && !may_charge) {
        return "I-14: charge on old readings";
    }
    if (discharge > 0 && !may_discharge) {
        return "I-14: discharge on old readings";
    }
    return {};
}

std::string Oracle::judge_steps(const BatteryLimits& limits, const Bounds& most, Instant now) {
    const std::array<std::int64_t, 3> numbers{
        limits.charge_current_ma, limits.discharge_current_ma, limits.charge_voltage_mv};
    std::string broken;
    if (stepped_) {
        const auto passed_us = static_cast<double>((now - last_at_).us);
        const double rise_ma = passed_us * static_cast<double>(settings_.rise_ma_per_s) / 1e6;
        const double rise_mv =
            passed_us * static_cast<double>(settings_.voltage_rise_mv_per_min) / 60e6;
        for (std::size_t i = 0; i < 2; ++i) {
            const auto rise = static_cast<double>(numbers[i] - last_[i]);
            if (rise > rise_ma + 1) {
                broken = "I-18: a current rises too fast";
            }
            if (rise > 0 && now - fell_[i] < settings_.rise_hold) {
                broken = "I-18: a current rises too soon";
            }
        }
        // It may jump to where an empty pack of new settings stands, and no further.
        if (static_cast<double>(numbers[2] - last_[2]) > rise_mv + 1 &&
            static_cast<double>(numbers[2]) > most.voltage_least) {
            broken = "I-18: the voltage rises too fast";
        }
    }
    for (std::size_t i = 0; i < 2; ++i) {
        if (!stepped_ || numbers[i] < last_[i]) {
            fell_[i] = now;
        }
    }
    stepped_ = true;
    last_ = numbers;
    last_at_ = now;
    return broken;
}

std::string Oracle::look(std::span<const Pack> packs,
                         const Verdict& verdict,
                         Instant now,
                         Instant later) {
    count_ = packs.size();
    for (std::size_t i = 0; i < packs.size(); ++i) {
        take_in(memories_[i], packs[i], now);
    }
    const BatteryLimits limits = verdict.limits(now);
    const Duration silent = std::max(settings_.silent_after,
                                     settings_.off_grid ? settings_.discharge_zero_after_off_grid
                                                        : settings_.discharge_zero_after);
    const bool may_send = any_good() && now - newest_good() < silent;
    if (verdict.may_send != may_send) {
        return may_send ? "silent although a reading is young enough" : "speaks without a reading";
    }
    if (!may_send) {
        return limits == BatteryLimits{} ? "" : "I-22: limits although nothing may be sent";
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const std::int64_t current =
            i == 0 ? limits.charge_current_ma : limits.discharge_current_ma;
        if (now < remote_until_[i] && current > remote_[i]) {
            return "I-15: above the limit from afar";
        }
    }
    const Bounds most = bounds(packs, now);
    if (std::string broken = judge(limits, most, now); !broken.empty()) {
        return broken;
    }
    if (std::string broken = judge_steps(limits, most, now); !broken.empty()) {
        return broken;
    }
    const BatteryLimits then = verdict.limits(later);
    if (later - now > seconds(2) &&
        (then.charge_current_ma != 0 || then.discharge_current_ma != 0)) {
        return "I-22: a current although the law has not run for two seconds";
    }
    if (then.charge_current_ma > limits.charge_current_ma ||
        then.discharge_current_ma > limits.discharge_current_ma) {
        return "I-22: a limit rises without the law";
    }
    return judge(then, most, later);  // what was true then, with the ages of now
}

}  // namespace jw::battery_campaign
