// SPDX-License-Identifier: Apache-2.0
// The tables as text for people and their tools.
#include "core/sink/can_out/describe.h"

namespace jw::can_out {
namespace {

constexpr std::string_view alarm_names[] = {"general",
                                            "high_voltage",
                                            "low_voltage",
                                            "high_temperature",
                                            "low_temperature",
                                            "high_charge_temperature",
                                            "low_charge_temperature",
                                            "high_current",
                                            "high_charge_current",
                                            "contactor",
                                            "short_circuit",
                                            "bms_internal",
                                            "cell_imbalance"};
static_assert(std::size(alarm_names) == battery_alarms);

std::string_view level_suffix(AlarmLevel level) {
    return level == AlarmLevel::alarm ? "_alarm" : "_warning";
}

/// DBC counts a big endian signal from its highest bit, bytes from the first.
unsigned dbc_start(const Signal& signal) {
    return signal.big_endian ? signal.first_bit + 7U : signal.first_bit;
}

void put_dbc_signal(const Signal& signal, std::string_view receiver, Text& out) {
    out.put(" SG_ ");
    put_name(signal, out);
    out.put(" : ").put(dbc_start(signal)).put('|').put(unsigned{signal.bits}).put('@');
    out.put(signal.big_endian ? '0' : '1').put(signal.is_signed ? '-' : '+');
    const std::int64_t factor = (signal.negated ? -1 : 1) * std::int64_t{signal.divisor};
    out.put(" (").put(factor).put(',').put(-factor * signal.offset).put(") [0|0] \"");
    out.put(signal.field != nullptr ? signal.field->unit : "").put("\" ").put(receiver).put('\n');
}

void put_dbc_pairs(const Signal& signal, std::string_view receiver, Text& out) {
    for (unsigned i = 0; i < battery_alarms; ++i) {
        out.put(" SG_ ").put(alarm_names[i]).put(level_suffix(signal.level)).put(" : ");
        out.put(signal.first_bit + 2 * i).put("|2@1+ (1,0) [0|3] \"\" ").put(receiver).put('\n');
    }
}

void put_values(const Frame& frame, Text& out) {
    for (const Signal& signal : frame.signals) {
        for (unsigned i = 0; signal.kind == Kind::pairs && i < battery_alarms; ++i) {
            out.put("VAL_ ").put(unsigned{frame.id}).put(' ').put(alarm_names[i]);
            out.put(level_suffix(signal.level));
            out.put(" 0 \"unsupported\" 1 \"active\" 2 \"ok\" 3 \"unsupported\" ;\n");
        }
    }
}

void put_row_name(const Signal& signal, Text& out) {
    if (signal.kind == Kind::pairs) {
        out.put("13 pairs of bits, ").put(level_name(signal.level)).put("s");
    } else {
        out.put('`');
        put_name(signal, out);
        out.put('`');
    }
}

void put_type(const Signal& signal, Text& out) {
    switch (signal.kind) {
        case Kind::number:
            out.put(signal.is_signed ? 'i' : 'u').put(unsigned{signal.bits});
            out.put(signal.big_endian ? ", upper byte first" : "");
            break;
        case Kind::text:
            out.put("text, filled up with ").put(signal.pad == ' ' ? "spaces" : "zeros");
            break;
        case Kind::pairs:
            out.put("1 active, 2 not, 0 and 3 not supported");
            break;
        case Kind::alarm:
            out.put("bit, 1 active");
            break;
        case Kind::constant:
            out.put("always 0x").hex(signal.absent_raw, signal.bits / 4U);
            break;
    }
}

void put_conversion(const Signal& signal, Text& out) {
    if (signal.kind != Kind::number) {
        return;
    }
    out.put(signal.negated ? "-" : "");
    if (signal.offset != 0) {
        out.put("(raw - ").put(signal.offset).put(')');
    } else {
        out.put("raw");
    }
    if (signal.divisor != 1) {
        out.put(" × ").put(signal.divisor);
    }
    out.put(*signal.field->unit != 0 ? " " : "").put(signal.field->unit);
    out.put(signal.round == Round::down ? ", rounded down" : "");
    out.put(signal.round == Round::up ? ", rounded up" : "");
    out.put(signal.wraps ? ", begins again at 0" : "");
    if (signal.refuse_below) {
        out.put(", refused below ").put(signal.least);
        out.put(signal.most != INT64_MAX ? ", at most " : "");
        if (signal.most != INT64_MAX) {
            out.put(signal.most);
        }
    } else if (signal.least != INT64_MIN) {
        out.put(", kept within ").put(signal.least).put(" to ").put(signal.most);
    }
}

void put_absent(const Signal& signal, Text& out) {
    if (signal.kind != Kind::number && signal.kind != Kind::text) {
        return;
    }
    switch (signal.absent) {
        case Absent::skip:
            out.put("frame is not sent");
            break;
        case Absent::shorten:
            out.put("frame ends before it");
            break;
        case Absent::raw:
            out.put("0x").hex(signal.absent_raw, signal.bits < 8 ? 1 : 4);
            break;
    }
}

}  // namespace

std::string_view alarm_name(BatteryAlarm alarm) {
    const auto index = static_cast<std::size_t>(alarm);
    return index < battery_alarms ? alarm_names[index] : "unknown";
}

std::string_view level_name(AlarmLevel level) {
    constexpr std::string_view names[] = {"unsupported", "ok", "warning", "alarm"};
    const auto index = static_cast<std::size_t>(level);
    return index < std::size(names) ? names[index] : "unknown";
}

void put_name(const Signal& signal, Text& out) {
    switch (signal.kind) {
        case Kind::number:
            out.put(signal.field->name).put(signal.refines ? "_fine" : "");
            break;
        case Kind::text:
            out.put(signal.text->name).put(signal.part != 0 ? "_2" : "");
            break;
        case Kind::pairs:
            out.put("pairs").put(level_suffix(signal.level));
            break;
        case Kind::alarm:
            out.put(alarm_name(signal.alarm)).put(level_suffix(signal.level));
            break;
        case Kind::constant:
            out.put("constant_").put(signal.first_bit / 8U);
            break;
    }
}

void put_dbc_head(Text& out) {
    out.put("VERSION \"\"\n\nNS_ :\n\nBS_:\n\nBU_: Battery Inverter\n\n");
}

void put_dbc_frame(const Frame& frame, Text& out) {
    const bool ours = frame.from == From::battery;
    out.put("BO_ ").put(unsigned{frame.id}).put(' ').put(frame.name).put(": ");
    out.put(unsigned{frame.size}).put(ours ? " Battery\n" : " Inverter\n");
    for (const Signal& signal : frame.signals) {
        if (signal.kind == Kind::pairs) {
            put_dbc_pairs(signal, ours ? "Inverter" : "Battery", out);
        } else {
            put_dbc_signal(signal, ours ? "Inverter" : "Battery", out);
        }
    }
    out.put('\n');
}

void put_dbc_tail(const Profile& profile, Text& out) {
    out.put("BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 65535;\n");
    out.put("BA_DEF_DEF_ \"GenMsgCycleTime\" 0;\n");
    for (const std::span<const Frame> frames : {profile.sent, profile.heard}) {
        for (const Frame& frame : frames) {
            out.put("BA_ \"GenMsgCycleTime\" BO_ ").put(unsigned{frame.id}).put(' ');
            out.put(frame.period_ms).put(";\n");
        }
    }
    for (const std::span<const Frame> frames : {profile.sent, profile.heard}) {
        for (const Frame& frame : frames) {
            put_values(frame, out);
        }
    }
}

void put_markdown(const Frame& frame, Text& out) {
    for (const Signal& signal : frame.signals) {
        out.put("| ").hex(frame.id, 3).put(" | ");
        put_row_name(signal, out);
        out.put(" | ").put(unsigned{signal.first_bit}).put(" | ");
        put_type(signal, out);
        out.put(" | ");
        put_conversion(signal, out);
        out.put(" | ");
        put_absent(signal, out);
        out.put(" |\n");
    }
}

}  // namespace jw::can_out
