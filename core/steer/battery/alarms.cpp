// SPDX-License-Identifier: Apache-2.0
// Rule R15: thresholds, hysteresis, and two readings in a row.
#include "core/steer/battery/alarms.h"

#include <algorithm>

namespace jw::battery {
namespace {

constexpr std::uint16_t bit(BatteryAlarm alarm) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(alarm));
}

constexpr std::uint16_t all_bits = (1U << battery_alarms) - 1U;
// What only the BMS itself can tell: no row where it never told one.
constexpr std::uint16_t told_by_bms_only =
    bit(BatteryAlarm::general) | bit(BatteryAlarm::contactor) | bit(BatteryAlarm::short_circuit);

/// How far a value is beyond each of its two thresholds, in the unit of its hysteresis.
void judge(AlarmBits& bits,
           BatteryAlarm alarm,
           std::int64_t beyond_warning,
           std::int64_t beyond_alarm,
           std::int64_t hysteresis) {
    const auto put = [&](std::uint16_t& set, std::uint16_t& clear, std::int64_t beyond) {
        if (beyond >= 0) {
            set |= bit(alarm);
        } else if (beyond < -hysteresis) {
            clear |= bit(alarm);
        }
    };
    put(bits.warning, bits.warning_clear, beyond_warning);
    put(bits.alarm, bits.alarm_clear, beyond_alarm);
}

void judge_temperatures(AlarmBits& bits, const Pack& pack, const LawSettings& s) {
    constexpr std::int64_t far = 1'000'000;  // no sensor: neither hot nor cold
    std::int64_t hottest = -far;
    std::int64_t coldest = far;
    const auto look = [&](const Number& temperature) {
        hottest = std::max(hottest, temperature.value_or(hottest));
        coldest = std::min(coldest, temperature.value_or(coldest));
    };
    look(pack.temperatures_mc[0]);
    look(pack.temperatures_mc[1]);
    if (!pack.temperatures_mc[0] && !pack.temperatures_mc[1] && s.board_for_cells) {
        look(pack.board_temperature_mc);
    }
    const auto hot = [&](BatteryAlarm alarm, std::int64_t from) {
        judge(bits,
              alarm,
              hottest - (from - s.warn_temperature_mc),
              hottest - from,
              s.clear_temperature_mc);
    };
    const auto cold = [&](BatteryAlarm alarm, std::int64_t from) {
        judge(bits,
              alarm,
              from + s.warn_temperature_mc - coldest,
              from - coldest,
              s.clear_temperature_mc);
    };
    const Ramp& charge = s.charge_by_temperature;
    const Ramp& discharge = s.discharge_by_temperature;
    const std::int64_t hot_mc = *pack.temperature_max_mc;
    const std::int64_t charge_end_mc =
        charge.size == 0 ? hot_mc : std::int64_t{charge.points[charge.size - 1U].at};
    hot(BatteryAlarm::high_temperature, hot_mc);
    hot(BatteryAlarm::high_charge_temperature, std::min(hot_mc, charge_end_mc));
    cold(BatteryAlarm::low_charge_temperature, *pack.charge_temperature_min_mc);
    cold(BatteryAlarm::low_temperature,
         discharge.size == 0 ? -2 * far : std::int64_t{discharge.points[0].at});
}

}  // namespace

AlarmBits alarm_bits_of(const Pack& pack,
                        std::int64_t cell_max_mv,
                        std::int64_t cell_min_mv,
                        const LawSettings& s) {
    AlarmBits bits;
    const std::int64_t over_mv = *pack.cell_overvoltage_mv;
    const std::int64_t under_mv = *pack.cell_undervoltage_mv;
    judge(bits,
          BatteryAlarm::high_voltage,
          cell_max_mv - (over_mv - s.warn_cell_mv),
          cell_max_mv - over_mv,
          s.clear_cell_mv);
    judge(bits,
          BatteryAlarm::low_voltage,
          under_mv + s.warn_cell_mv - cell_min_mv,
          under_mv - cell_min_mv,
          s.clear_cell_mv);
    const auto current = [&](BatteryAlarm alarm, std::int64_t flows_ma, std::int64_t rating_ma) {
        const std::int64_t share =
            std::max<std::int64_t>(0, flows_ma) * 1000 / std::max<std::int64_t>(1, rating_ma);
        judge(bits, alarm, share - s.warn_current_permille, share - 1000, s.clear_current_permille);
    };
    current(BatteryAlarm::high_charge_current, *pack.current_ma, *pack.charge_current_max_ma);
    current(BatteryAlarm::high_current, -*pack.current_ma, *pack.discharge_current_max_ma);
    const std::int64_t apart_mv = cell_max_mv - cell_min_mv;
    judge(bits,
          BatteryAlarm::cell_imbalance,
          apart_mv - s.warn_imbalance_mv,
          apart_mv - s.alarm_imbalance_mv,
          s.clear_imbalance_mv);
    judge_temperatures(bits, pack, s);

    // What the BMS is alarmed about needs no threshold of ours.
    const auto own = static_cast<std::uint16_t>(pack.alarm_bits.value_or(0) & all_bits);
    const bool fault = *pack.activity == static_cast<std::int64_t>(BatteryActivity::fault);
    const std::uint16_t internal = fault ? bit(BatteryAlarm::bms_internal) : 0;
    const auto told = static_cast<std::uint16_t>(own | internal);
    bits.warning |= told;
    bits.alarm |= told;
    const auto quiet =
        static_cast<std::uint16_t>(told_by_bms_only | bit(BatteryAlarm::bms_internal));
    bits.warning_clear = static_cast<std::uint16_t>((bits.warning_clear | quiet) & ~told);
    bits.alarm_clear = static_cast<std::uint16_t>((bits.alarm_clear | quiet) & ~told);
    return bits;
}

void Alarms::advance(
    Level& level, std::uint16_t set, std::uint16_t clear, Duration clear_after, Instant now) {
    for (std::size_t i = 0; i < battery_alarms; ++i) {
        const auto one = static_cast<std::uint16_t>(1U << i);
        if ((set & one) != 0) {
            level.set |= one;
        }
        if ((clear & one) == 0 || (set & one) != 0) {
            level.clearing &= static_cast<std::uint16_t>(~one);
        } else if ((level.clearing & one) == 0) {
            level.clearing |= one;
            level.since[i] = now;
        } else if (now - level.since[i] >= clear_after) {
            level.set &= static_cast<std::uint16_t>(~one);
        }
    }
}

const BatteryAlarms& Alarms::step(const AlarmBits& bits,
                                  AlarmLevel silence,
                                  const LawSettings& settings,
                                  Instant now) {
    advance(warning_, bits.warning, bits.warning_clear, settings.clear_after, now);
    advance(alarm_, bits.alarm, bits.alarm_clear, settings.clear_after, now);
    for (std::size_t i = 0; i < battery_alarms; ++i) {
        const auto one = static_cast<std::uint16_t>(1U << i);
        const AlarmLevel calm =
            (told_by_bms_only & one) != 0 ? AlarmLevel::unsupported : AlarmLevel::ok;
        told_[i] = (alarm_.set & one) != 0     ? AlarmLevel::alarm
                   : (warning_.set & one) != 0 ? AlarmLevel::warning
                                               : calm;
    }
    AlarmLevel& internal = told_[static_cast<std::size_t>(BatteryAlarm::bms_internal)];
    internal = std::max(internal, silence);
    return told_;
}

}  // namespace jw::battery
