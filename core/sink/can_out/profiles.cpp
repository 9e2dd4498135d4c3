// SPDX-License-Identifier: Apache-2.0
// The inverters' dialects as tables: Victron, Pylontech, SMA.
#include "core/sink/can_out/profiles.h"

namespace jw::can_out {
namespace {

constexpr NumberField numbers[] = {
    {"charge_voltage_mv", "mV", &BatteryState::charge_voltage_mv},
    {"charge_current_ma", "mA", &BatteryState::charge_current_ma},
    {"discharge_current_ma", "mA", &BatteryState::discharge_current_ma},
    {"discharge_voltage_mv", "mV", &BatteryState::discharge_voltage_mv},
    {"soc_permyriad", "0.01 %", &BatteryState::soc_permyriad},
    {"soh_permille", "0.1 %", &BatteryState::soh_permille},
    {"voltage_mv", "mV", &BatteryState::voltage_mv},
    {"current_ma", "mA", &BatteryState::current_ma},
    {"temperature_mc", "mdegC", &BatteryState::temperature_mc},
    {"cell_minimum_mv", "mV", &BatteryState::cell_minimum_mv},
    {"cell_maximum_mv", "mV", &BatteryState::cell_maximum_mv},
    {"temperature_minimum_mc", "mdegC", &BatteryState::temperature_minimum_mc},
    {"temperature_maximum_mc", "mdegC", &BatteryState::temperature_maximum_mc},
    {"capacity_mah", "mAh", &BatteryState::capacity_mah},
    {"full_capacity_mah", "mAh", &BatteryState::full_capacity_mah},
    {"energy_in_wh", "Wh", &BatteryState::energy_in_wh},
    {"energy_out_wh", "Wh", &BatteryState::energy_out_wh},
    {"modules_ok", "", &BatteryState::modules_ok},
    {"modules_blocking_charge", "", &BatteryState::modules_blocking_charge},
    {"modules_blocking_discharge", "", &BatteryState::modules_blocking_discharge},
    {"modules_offline", "", &BatteryState::modules_offline},
    {"charge_allowed", "", &BatteryState::charge_allowed},
    {"discharge_allowed", "", &BatteryState::discharge_allowed},
    {"force_charge_1", "", &BatteryState::force_charge_1},
    {"force_charge_2", "", &BatteryState::force_charge_2},
    {"full_charge_wanted", "", &BatteryState::full_charge_wanted},
    {"model", "", &BatteryState::model},
    {"firmware", "", &BatteryState::firmware},
    {"hardware", "", &BatteryState::hardware},
    {"events", "", &BatteryState::events},
};
constexpr TextField texts[] = {
    {"manufacturer", &BatteryState::manufacturer},
    {"name", &BatteryState::name},
    {"serial", &BatteryState::serial},
    {"family", &BatteryState::family},
    {"cell_minimum_id", &BatteryState::cell_minimum_id},
    {"cell_maximum_id", &BatteryState::cell_maximum_id},
    {"temperature_minimum_id", &BatteryState::temperature_minimum_id},
    {"temperature_maximum_id", &BatteryState::temperature_maximum_id},
};

consteval const NumberField* field_of(Number BatteryState::*member) {
    for (const NumberField& field : numbers) {
        if (field.member == member) {
            return &field;
        }
    }
    return nullptr;
}

consteval const TextField* text_of(Words BatteryState::*member) {
    for (const TextField& text : texts) {
        if (text.member == member) {
            return &text;
        }
    }
    return nullptr;
}

/// A number of 16 bits from `byte` on; the functions below refine it.
consteval Signal u16(unsigned byte, Number BatteryState::*member, unsigned divisor = 1) {
    Signal signal;
    signal.first_bit = static_cast<std::uint8_t>(8 * byte);
    signal.divisor = static_cast<std::uint16_t>(divisor);
    signal.field = field_of(member);
    return signal;
}
consteval Signal i16(unsigned byte, Number BatteryState::*member, unsigned divisor = 1) {
    Signal signal = u16(byte, member, divisor);
    signal.is_signed = true;
    return signal;
}
consteval Signal bits(unsigned first, unsigned count, Number BatteryState::*member) {
    Signal signal = u16(0, member);
    signal.first_bit = static_cast<std::uint8_t>(first);
    signal.bits = static_cast<std::uint8_t>(count);
    return signal;
}
/// A counter of 32 bits, which begins again at 0.
consteval Signal count32(unsigned byte, Number BatteryState::*member, unsigned divisor) {
    Signal signal = u16(byte, member, divisor);
    signal.bits = 32;
    signal.wraps = true;
    signal.round = Round::down;
    return signal;
}
consteval Signal text(Words BatteryState::*member, unsigned part = 0, char pad = '\0') {
    Signal signal;
    signal.kind = Kind::text;
    signal.bits = 64;
    signal.text = text_of(member);
    signal.part = static_cast<std::uint8_t>(part);
    signal.pad = pad;
    return signal;
}
consteval Signal pairs(unsigned byte, AlarmLevel level) {
    Signal signal;
    signal.kind = Kind::pairs;
    signal.first_bit = static_cast<std::uint8_t>(8 * byte);
    signal.bits = 32;
    signal.level = level;
    return signal;
}
consteval Signal alarm(unsigned bit, BatteryAlarm which, AlarmLevel level) {
    Signal signal;
    signal.kind = Kind::alarm;
    signal.first_bit = static_cast<std::uint8_t>(bit);
    signal.bits = 1;
    signal.alarm = which;
    signal.level = level;
    return signal;
}
consteval Signal constant(unsigned byte, unsigned size, std::uint32_t value) {
    Signal signal;
    signal.kind = Kind::constant;
    signal.first_bit = static_cast<std::uint8_t>(8 * byte);
    signal.bits = static_cast<std::uint8_t>(8 * size);
    signal.absent_raw = value;
    return signal;
}
consteval Signal absent_as(std::uint32_t raw, Signal signal) {
    signal.absent = Absent::raw;
    signal.absent_raw = raw;
    return signal;
}
consteval Signal or_shorter(Signal signal) {
    signal.absent = Absent::shorten;
    return signal;
}
consteval Signal rounded(Round round, Signal signal) {
    signal.round = round;
    return signal;
}
/// Stays inside; raw numbers.
consteval Signal within(std::int64_t least, std::int64_t most, Signal signal) {
    signal.least = least;
    signal.most = most;
    return signal;
}
/// Is refused below `least`: nearer to 0 the inverter would empty the battery.
consteval Signal refused_below(std::int64_t least, Signal signal) {
    signal.refuse_below = true;
    signal.least = least;
    return signal;
}
consteval Signal upper_first(Signal signal) {
    signal.big_endian = true;
    return signal;
}
consteval Signal turned(Signal signal) {
    signal.negated = true;
    return signal;
}
/// Kelvin, 0 and `absent_raw` for "none".
consteval Signal kelvin(Signal signal) {
    signal.divisor = 1000;
    signal.offset = 273;
    signal.zero_is_absent = true;
    return signal;
}
consteval Signal or_zero(Signal signal) {
    signal.zero_is_absent = true;
    return signal;
}
/// Many batteries leave it at 0.
consteval Signal refining(Signal signal) {
    signal.refines = true;
    signal.zero_is_absent = true;
    return signal;
}

using S = BatteryState;
using A = BatteryAlarm;
using enum From;
constexpr AlarmLevel is_alarm = AlarmLevel::alarm;
constexpr AlarmLevel is_warning = AlarmLevel::warning;
constexpr std::uint32_t none = 0xFFFF;
constexpr std::uint32_t none_signed = 0x8000;

// Limits never leave larger than they are: rounded down, the end of discharging up.
constexpr Signal charge_voltage =
    refused_below(1, rounded(Round::down, u16(0, &S::charge_voltage_mv, 100)));
constexpr Signal charge_current =
    within(0, 32'767, rounded(Round::down, i16(2, &S::charge_current_ma, 100)));
constexpr Signal discharge_current =
    within(0, 32'767, rounded(Round::down, i16(4, &S::discharge_current_ma, 100)));
constexpr Signal discharge_voltage =
    or_shorter(rounded(Round::up, u16(6, &S::discharge_voltage_mv, 100)));
constexpr Signal limits[] = {charge_voltage, charge_current, discharge_current, discharge_voltage};
constexpr Signal soc = rounded(Round::down, u16(0, &S::soc_permyriad, 100));
constexpr Signal finer_soc = refining(u16(4, &S::soc_permyriad));
constexpr Signal charge[] = {soc, or_shorter(u16(2, &S::soh_permille, 10)), or_shorter(finer_soc)};
constexpr Signal measured[] = {i16(0, &S::voltage_mv, 10),
                               i16(2, &S::current_ma, 100),
                               or_shorter(i16(4, &S::temperature_mc, 100))};
constexpr Signal alarms[] = {pairs(0, is_alarm), pairs(4, is_warning)};
constexpr Signal manufacturer[] = {text(&S::manufacturer)};
constexpr Signal device[] = {absent_as(0, u16(0, &S::model)),
                             absent_as(0, upper_first(u16(2, &S::firmware))),
                             absent_as(0, u16(4, &S::capacity_mah, 1000)),
                             absent_as(0, u16(6, &S::hardware))};
constexpr Signal name_1[] = {text(&S::name)};
constexpr Signal name_2[] = {text(&S::name, 1)};
constexpr Signal modules[] = {absent_as(none, u16(0, &S::modules_ok)),
                              absent_as(none, u16(2, &S::modules_blocking_charge)),
                              absent_as(none, u16(4, &S::modules_blocking_discharge)),
                              absent_as(none, u16(6, &S::modules_offline))};
constexpr Signal extremes[] = {
    or_zero(absent_as(none, u16(0, &S::cell_minimum_mv))),
    or_zero(absent_as(none, u16(2, &S::cell_maximum_mv))),
    kelvin(absent_as(none, u16(4, &S::temperature_minimum_mc))),
    kelvin(absent_as(none, u16(6, &S::temperature_maximum_mc))),
};
constexpr Signal cell_minimum[] = {text(&S::cell_minimum_id)};
constexpr Signal cell_maximum[] = {text(&S::cell_maximum_id)};
constexpr Signal temperature_minimum[] = {text(&S::temperature_minimum_id)};
constexpr Signal temperature_maximum[] = {text(&S::temperature_maximum_id)};
constexpr Signal energies[] = {count32(0, &S::energy_in_wh, 100),
                               count32(4, &S::energy_out_wh, 100)};
constexpr Signal full_capacity[] = {u16(0, &S::full_capacity_mah, 1000)};
constexpr Signal serial_1[] = {text(&S::serial)};
constexpr Signal serial_2[] = {absent_as(0, text(&S::serial, 1))};
constexpr Signal family[] = {text(&S::family)};
constexpr Signal victron_greeting[] = {constant(0, 4, 0x7856'3412), constant(4, 4, 0x0043'4956)};

constexpr Frame victron_sent[] = {
    {"limits", 0x351, 8, 1000, true, battery, limits},
    {"charge", 0x355, 8, 1000, true, battery, charge},
    {"measured", 0x356, 8, 1000, true, battery, measured},
    {"alarms", 0x35A, 8, 1000, true, battery, alarms},
    {"manufacturer", 0x35E, 8, 2000, false, battery, manufacturer},
    {"device", 0x35F, 8, 2000, false, battery, device},
    {"name_1", 0x370, 8, 2000, false, battery, name_1},
    {"name_2", 0x371, 8, 2000, false, battery, name_2},
    {"modules", 0x372, 8, 1000, false, battery, modules},
    {"extremes", 0x373, 8, 1000, false, battery, extremes},
    {"cell_minimum", 0x374, 8, 1000, false, battery, cell_minimum},
    {"cell_maximum", 0x375, 8, 1000, false, battery, cell_maximum},
    {"temperature_minimum", 0x376, 8, 1000, false, battery, temperature_minimum},
    {"temperature_maximum", 0x377, 8, 1000, false, battery, temperature_maximum},
    {"energies", 0x378, 8, 1000, false, battery, energies},
    {"full_capacity", 0x379, 8, 5000, false, battery, full_capacity},
    {"serial_1", 0x380, 8, 5000, false, battery, serial_1},
    {"serial_2", 0x381, 8, 5000, false, battery, serial_2},
    {"family", 0x382, 8, 5000, false, battery, family},
};
constexpr Frame victron_heard[] = {
    {"keep_alive", 0x305, 8, 1000, false, inverter, {}},
    {"greeting", 0x307, 8, 1000, false, inverter, victron_greeting},
};

// Its name is filled up with spaces.
constexpr Signal pylontech_manufacturer[] = {text(&S::manufacturer, 0, ' ')};
constexpr Signal pylontech_charge[] = {soc, or_shorter(u16(2, &S::soh_permille, 10))};
constexpr Signal pylontech_troubles[] = {
    alarm(1, A::high_voltage, is_alarm),
    alarm(2, A::low_voltage, is_alarm),
    alarm(3, A::high_temperature, is_alarm),
    alarm(4, A::low_temperature, is_alarm),
    alarm(7, A::high_current, is_alarm),
    alarm(8, A::high_charge_current, is_alarm),
    alarm(11, A::bms_internal, is_alarm),
    alarm(17, A::high_voltage, is_warning),
    alarm(18, A::low_voltage, is_warning),
    alarm(19, A::high_temperature, is_warning),
    alarm(20, A::low_temperature, is_warning),
    alarm(23, A::high_current, is_warning),
    alarm(24, A::high_charge_current, is_warning),
    alarm(27, A::bms_internal, is_warning),
    absent_as(0, bits(32, 8, &S::modules_ok)),
    constant(5, 2, 0x4E50),  // "PN"
};
constexpr Signal pylontech_permissions[] = {
    absent_as(0, bits(3, 1, &S::full_charge_wanted)),
    absent_as(0, bits(4, 1, &S::force_charge_2)),
    absent_as(0, bits(5, 1, &S::force_charge_1)),
    bits(6, 1, &S::discharge_allowed),
    bits(7, 1, &S::charge_allowed),
};
constexpr Frame keep_alive{"keep_alive", 0x305, 8, 1000, false, inverter, {}};
constexpr Frame pylontech_old_sent[] = {
    {"limits", 0x351, 8, 1000, true, battery, limits},
    {"charge", 0x355, 4, 1000, true, battery, pylontech_charge},
    {"measured", 0x356, 6, 1000, true, battery, measured},
    {"troubles", 0x359, 7, 1000, true, battery, pylontech_troubles},
    {"permissions", 0x35C, 2, 1000, true, battery, pylontech_permissions},
    {"manufacturer", 0x35E, 8, 1000, true, battery, pylontech_manufacturer},
};
constexpr Frame pylontech_old_heard[] = {
    keep_alive,
    {"alarms", 0x35A, 8, 1000, false, battery, alarms},
    {"device", 0x35F, 8, 1000, false, battery, device},
};
constexpr Frame pylontech_sent[] = {
    {"limits", 0x351, 8, 1000, true, battery, limits},
    {"charge", 0x355, 6, 1000, true, battery, pylontech_charge},
    {"measured", 0x356, 6, 1000, true, battery, measured},
    {"alarms", 0x35A, 8, 1000, true, battery, alarms},
    {"manufacturer", 0x35E, 8, 1000, true, battery, pylontech_manufacturer},
    {"device", 0x35F, 8, 1000, false, battery, device},
};
// What older ones send, and batteries of other makers that speak this dialect.
constexpr Frame pylontech_heard[] = {
    keep_alive,
    {"troubles", 0x359, 7, 1000, false, battery, pylontech_troubles},
    {"permissions", 0x35C, 2, 1000, false, battery, pylontech_permissions},
    {"modules", 0x372, 8, 1000, false, battery, modules},
    {"extremes", 0x373, 8, 1000, false, battery, extremes},
    {"cell_minimum", 0x374, 8, 1000, false, battery, cell_minimum},
    {"cell_maximum", 0x375, 8, 1000, false, battery, cell_maximum},
    {"temperature_minimum", 0x376, 8, 1000, false, battery, temperature_minimum},
    {"temperature_maximum", 0x377, 8, 1000, false, battery, temperature_maximum},
    {"full_capacity", 0x379, 8, 5000, false, battery, full_capacity},
};

// Values outside of these ranges are dropped without a word, so they are held inside of them; only
// a charge voltage below is refused, since raising it is nothing to decide here.
constexpr Signal sma_charge_voltage = within(410, 630, charge_voltage);
constexpr Signal sma_limits[] = {
    sma_charge_voltage,
    within(0, 1200, charge_current),
    within(0, 1200, discharge_current),
    absent_as(none, within(410, 480, discharge_voltage)),
};
constexpr Signal sma_charge[] = {
    soc, absent_as(none, u16(2, &S::soh_permille, 10)), absent_as(none, finer_soc)};
constexpr Signal sma_measured[] = {
    absent_as(none_signed, i16(0, &S::voltage_mv, 10)),
    absent_as(none_signed, turned(i16(2, &S::current_ma, 100))),
    absent_as(none_signed, i16(4, &S::temperature_mc, 100)),
};
constexpr Signal sma_events[] = {bits(0, 8, &S::events)};
constexpr Frame sma_sent[] = {
    {"limits", 0x351, 8, 500, true, battery, sma_limits},
    {"charge", 0x355, 8, 500, true, battery, sma_charge},
    {"measured", 0x356, 8, 500, true, battery, sma_measured},
    {"alarms", 0x35A, 8, 500, true, battery, alarms},
    {"events", 0x35B, 8, 500, false, battery, sma_events},
    {"manufacturer", 0x35E, 8, 500, false, battery, manufacturer},
    {"device", 0x35F, 8, 500, false, battery, device},
};
constexpr Frame sma_heard[] = {
    {"inverter_measured", 0x305, 8, 1000, false, inverter, {}},
    {"inverter_state", 0x306, 8, 1000, false, inverter, {}},
};

constexpr Profile table[] = {
    {"victron", "Victron GX and whoever speaks CAN-bus BMS", victron_sent, victron_heard},
    {"pylontech", "Inverters for Pylontech, protocol 1.3", pylontech_sent, pylontech_heard},
    {"pylontech-old",
     "Inverters for Pylontech, protocol 1.2",
     pylontech_old_sent,
     pylontech_old_heard},
    {"sma", "SMA Sunny Island; its current counts out of the battery", sma_sent, sma_heard},
};

}  // namespace

const std::span<const Profile> profiles = table;
const std::span<const NumberField> number_fields = numbers;
const std::span<const TextField> text_fields = texts;

const Profile* profile_named(std::string_view name) {
    for (const Profile& profile : profiles) {
        if (name == profile.name) {
            return &profile;
        }
    }
    return nullptr;
}

}  // namespace jw::can_out
