// SPDX-License-Identifier: Apache-2.0
// Rules R6 to R8 for one pack: its cells, its temperatures, its charge, its BMS.
#include "core/steer/battery/pack_law.h"

#include <algorithm>

namespace jw::battery {
namespace {

constexpr std::uint8_t board_sensor = 3;

std::int16_t share(std::int64_t permille) {
    return static_cast<std::int16_t>(permille);
}

void put_input(Finding& finding, std::int64_t input, std::int64_t threshold) {
    finding.has_input = true;
    finding.input = static_cast<std::int32_t>(input);
    finding.threshold = static_cast<std::int32_t>(threshold);
}

/// Where the ramp begins to act on the side on which `at` lies, or where it is at its end if it is
/// there. `below`: on the low side.
std::int64_t knee(const Ramp& ramp, std::int64_t at, bool& below) {
    if (ramp.size == 0) {
        return 0;
    }
    std::size_t first = 0;  // of the points that allow most
    std::size_t last = 0;
    for (std::size_t i = 1; i < ramp.size; ++i) {
        if (ramp.points[i].permille > ramp.points[first].permille) {
            first = last = i;
        } else if (ramp.points[i].permille == ramp.points[first].permille) {
            last = i;
        }
    }
    const std::size_t end = ramp.size - 1U;
    // A ramp that allows most at its first point has no low side.
    below =
        first > 0 && (at < ramp.points[first].at || (at <= ramp.points[last].at && last == end));
    if (below) {
        return at <= ramp.points[0].at ? ramp.points[0].at : ramp.points[first].at;
    }
    return at >= ramp.points[end].at ? ramp.points[end].at : ramp.points[last].at;
}

/// Ramps of both directions over one input.
Finding by_ramps(Rule rule, const Ramp& charge, const Ramp& discharge, std::int64_t at) {
    Finding found;
    if (charge.size == 0 && discharge.size == 0) {
        return found;
    }
    found.rule = rule;
    const std::int64_t charging = permille_at(charge, at);
    const std::int64_t discharging = permille_at(discharge, at);
    if (charge.size != 0) {
        found.charge_permille = share(charging);
    }
    if (discharge.size != 0) {
        found.discharge_permille = share(discharging);
    }
    const bool by_charge = discharge.size == 0 || (charge.size != 0 && charging <= discharging);
    const std::int64_t threshold = knee(by_charge ? charge : discharge, at, found.below);
    put_input(found, at, threshold);
    return found;
}

void latch(bool& on, bool set, bool keep) {
    on = set || (on && keep);
}

constexpr std::uint16_t bit(BatteryAlarm alarm) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(alarm));
}
// What the BMS itself is alarmed about, by the direction that it ends.
constexpr std::int64_t ends_both = bit(BatteryAlarm::contactor) | bit(BatteryAlarm::short_circuit) |
                                   bit(BatteryAlarm::bms_internal) |
                                   bit(BatteryAlarm::high_temperature);
constexpr std::int64_t ends_charge =
    ends_both | bit(BatteryAlarm::high_voltage) | bit(BatteryAlarm::high_charge_temperature) |
    bit(BatteryAlarm::low_charge_temperature) | bit(BatteryAlarm::high_charge_current);
constexpr std::int64_t ends_discharge = ends_both | bit(BatteryAlarm::low_voltage) |
                                        bit(BatteryAlarm::low_temperature) |
                                        bit(BatteryAlarm::high_current);

}  // namespace

void PackLaw::read(const Pack& pack, const LawSettings& settings, Instant now) {
    if (pack.at.us < 0 || pack.at == at_) {
        return;
    }
    if (pack.at > now) {
        objection_ = {Doubt::from_the_future};
        return;
    }
    at_ = pack.at;
    objection_ = objection_to(pack, settings);
    if (objection_.doubt == Doubt::none && freeze_.frozen(pack, settings)) {
        objection_ = {Doubt::frozen, settings.frozen_after.ms(), settings.frozen_after.ms()};
    }
    if (objection_.doubt == Doubt::none) {
        good_at_ = pack.at;
        judge(pack, settings);
    }
}

void PackLaw::release() {
    critical_ = critical_now_;
}

AlarmBits PackLaw::alarms() const {
    AlarmBits bits = alarms_;
    bits.warning &= alarms_before_.warning;
    bits.alarm &= alarms_before_.alarm;
    return bits;
}

void PackLaw::judge(const Pack& pack, const LawSettings& settings) {
    cell_max_mv_ = 0;
    cell_min_mv_ = INT64_MAX;
    for (std::size_t i = 0; i < cells_max; ++i) {
        if (const Number& cell = pack.cells_mv[i]) {
            if (*cell > cell_max_mv_) {
                cell_max_mv_ = *cell;
                cell_max_ = static_cast<std::uint8_t>(i + 1);
            }
            if (*cell < cell_min_mv_) {
                cell_min_mv_ = *cell;
                cell_min_ = static_cast<std::uint8_t>(i + 1);
            }
        }
    }
    middle_ =
        cell_min_mv_ >= settings.middle_band_low_mv && cell_max_mv_ <= settings.middle_band_high_mv;
    const std::int64_t cells = *pack.cell_count;
    ratings_ = {cells,
                *pack.charge_current_max_ma,
                *pack.discharge_current_max_ma,
                cells * *pack.cell_empty_mv,
                battery::voltage_max_mv(cells, *pack.cell_overvoltage_mv, settings)};
    findings_ = {
        cell_high(pack, settings),
        cell_low(pack, settings),
        temperature(pack, settings),
        pack.board_temperature_mc ? by_ramps(Rule::board_temperature,
                                             settings.by_board_temperature,
                                             settings.by_board_temperature,
                                             *pack.board_temperature_mc)
                                  : Finding{},
        by_ramps(Rule::soc, settings.charge_by_soc, settings.discharge_by_soc, *pack.soc_permille),
        bms_fault(pack, settings)};
    findings_[3].index = pack.board_temperature_mc ? board_sensor : 0;
    voltage_ = stages_.step({cells,
                             *pack.cell_full_mv,
                             *pack.cell_empty_mv,
                             *pack.cell_overvoltage_mv,
                             cell_max_mv_,
                             cell_min_mv_,
                             *pack.current_ma,
                             *pack.soc_permille},
                            settings);
    alarms_before_ = alarms_;
    alarms_ = alarm_bits_of(pack, cell_max_mv_, cell_min_mv_, settings);
}

Finding PackLaw::cell_high(const Pack& pack, const LawSettings& s) {
    const std::int64_t off_mv = *pack.cell_overvoltage_mv - s.cell_margin_mv;
    latch(high_, cell_max_mv_ >= off_mv, cell_max_mv_ > off_mv - s.cell_release_mv);
    critical_now_ = cell_max_mv_ >= *pack.cell_overvoltage_mv + s.cell_critical_mv;
    critical_ = critical_ || critical_now_;
    Finding found;
    found.rule = Rule::cell_high;
    found.index = cell_max_;
    found.latched = critical_;
    const bool off = high_ || critical_;
    found.charge_permille = share(off ? 0 : permille_at(s.charge_by_cell, cell_max_mv_));
    bool below = false;
    put_input(found, cell_max_mv_, off ? off_mv : knee(s.charge_by_cell, cell_max_mv_, below));
    return found;
}

Finding PackLaw::cell_low(const Pack& pack, const LawSettings& s) {
    const std::int64_t off_mv = *pack.cell_undervoltage_mv + s.cell_margin_mv;
    latch(low_, cell_min_mv_ <= off_mv, cell_min_mv_ < off_mv + s.cell_release_mv);
    Finding found;
    found.rule = Rule::cell_low;
    found.index = cell_min_;
    found.below = true;
    found.discharge_permille = share(low_ ? 0 : permille_at(s.discharge_by_cell, cell_min_mv_));
    bool below = false;
    put_input(found, cell_min_mv_, low_ ? off_mv : knee(s.discharge_by_cell, cell_min_mv_, below));
    return found;
}

Finding PackLaw::temperature(const Pack& pack, const LawSettings& s) {
    Finding found;
    found.rule = Rule::temperature;
    found.charge_permille = 0;  // unknown is cold (H-49)
    found.discharge_permille = 1000;
    std::uint8_t missing = 0;
    bool any = false;
    std::int64_t coldest = INT64_MAX;
    std::int64_t hottest = INT64_MIN;
    const auto look = [&](std::int64_t mc, std::uint8_t index) {
        Finding one =
            by_ramps(Rule::temperature, s.charge_by_temperature, s.discharge_by_temperature, mc);
        one.rule = Rule::temperature;
        one.index = index;
        one.has_input = true;
        one.input = static_cast<std::int32_t>(mc);
        if (one.charge_permille == Finding::no_say) {
            one.charge_permille = 1000;
        }
        if (one.discharge_permille == Finding::no_say) {
            one.discharge_permille = 1000;
        }
        const auto discharge = any ? std::min(found.discharge_permille, one.discharge_permille)
                                   : one.discharge_permille;
        if (!any || one.charge_permille < found.charge_permille) {
            found = one;
        }
        found.discharge_permille = discharge;
        any = true;
        coldest = std::min(coldest, mc);
        hottest = std::max(hottest, mc);
    };
    for (std::size_t i = 0; i < sensor_seen_.size(); ++i) {
        if (const Number& sensor = pack.temperatures_mc[i]) {
            sensor_seen_[i] = true;
            look(*sensor, static_cast<std::uint8_t>(i + 1));
        } else if (sensor_seen_[i]) {
            missing = static_cast<std::uint8_t>(i + 1);
        }
    }
    if (!any && s.board_for_cells && pack.board_temperature_mc) {
        look(*pack.board_temperature_mc, board_sensor);
    }
    if (any) {
        const std::int64_t cold_mc = *pack.charge_temperature_min_mc;
        const std::int64_t hot_mc = *pack.temperature_max_mc;
        latch(cold_, coldest <= cold_mc, coldest < cold_mc + s.cold_release_mc);
        latch(hot_, hottest >= hot_mc, hottest > hot_mc - s.hot_release_mc);
        if (cold_) {
            found.charge_permille = 0;
            found.below = true;
            put_input(found, coldest, cold_mc);
        }
        if (hot_) {
            found.charge_permille = found.discharge_permille = 0;
            found.below = false;
            put_input(found, hottest, hot_mc);
        }
    }
    if (missing != 0) {
        found.charge_permille = 0;
        found.has_input = false;
        found.index = missing;
    }
    return found;
}

Finding PackLaw::bms_fault(const Pack& pack, const LawSettings& s) {
    const bool fault = *pack.activity == static_cast<std::int64_t>(BatteryActivity::fault);
    const std::int64_t bits = pack.alarm_bits.value_or(0);
    if (fault || (bits & ends_charge) != 0) {
        charge_fault_at_ = pack.at;
    }
    if (fault || (bits & ends_discharge) != 0) {
        discharge_fault_at_ = pack.at;
    }
    Finding found;
    if (charge_fault_at_.us >= 0 && pack.at - charge_fault_at_ < s.fault_release) {
        found.rule = Rule::bms_fault;
        found.charge_permille = 0;
    }
    if (discharge_fault_at_.us >= 0 && pack.at - discharge_fault_at_ < s.fault_release) {
        found.rule = Rule::bms_fault;
        found.discharge_permille = 0;
    }
    return found;
}

}  // namespace jw::battery
