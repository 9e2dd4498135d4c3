// SPDX-License-Identifier: Apache-2.0
// Rules in plain English, with units.
#include <array>

#include "core/base/fields.h"
#include "core/steer/battery/charge_voltage.h"
#include "core/steer/battery/rule.h"

namespace jw::battery {
namespace {

/// Thousandths as a decimal with that many places, cut off: 3393 as 3.393.
void put_milli(std::int64_t milli, unsigned places, Text& out) {
    std::int64_t unit = 1000;  // of the last place
    for (unsigned i = 0; i < places; ++i) {
        unit /= 10;
    }
    std::int64_t rest = milli / unit;
    std::int64_t scale = 1000 / unit;
    if (rest < 0) {
        out.put('-');
        rest = -rest;
    }
    out.put(rest / scale);
    rest %= scale;
    if (places > 0) {
        out.put('.');
        while ((scale /= 10) > 0) {
            out.put(static_cast<char>('0' + rest / scale % 10));
        }
    }
}

void put_volts(SmallNumber mv, Text& out) {
    put_milli(mv.value_or(0), 3, out);
    out.put(" V");
}
void put_amperes(SmallNumber ma, Text& out) {
    put_milli(ma.value_or(0), 1, out);
    out.put(" A");
}
void put_degrees(SmallNumber mc, Text& out) {
    put_milli(mc.value_or(0), 1, out);
    out.put(" °C");
}
/// ‰ as per cent.
void put_percent(SmallNumber permille, Text& out) {
    put_milli(permille.value_or(0) * 100, 1, out);
    out.put(" %");
}
void put_seconds(SmallNumber ms, Text& out) {
    put_milli(ms.value_or(0), 1, out);
    out.put(" s");
}
void put_count(SmallNumber number, Text& out) {
    out.put(number.value_or(0));
}

using PutNumber = void (*)(SmallNumber, Text&);

/// What a reading is refused for. $i, $t, $n: input, threshold, index.
struct DoubtText {
    const char* text;
    PutNumber put;
};

constexpr DoubtText doubt_texts[] = {
    {"Everything is well.", put_count},
    {"The BMS does not answer. Check its cable and power.", put_count},
    {"The BMS leaves out voltage, current, charge or state.", put_count},
    {"The BMS has not told what it is set to.", put_count},
    {"The voltages that the BMS is set to contradict each other: under-voltage, empty, full and "
     "over-voltage must rise in this order. Correct its registers.",
     put_count},
    {"There are $i cells where $t are expected. Correct the cell count here or in the BMS.",
     put_count},
    {"The BMS calls a cell full at $i; this chemistry bears $t. Correct the chemistry here or the "
     "register in the BMS.",
     put_volts},
    {"Cell $n is read as $i; that cannot be. Check its sense wire.", put_volts},
    {"The cells add up to $i, the pack has $t. Check the sense wires.", put_volts},
    {"A current of $i cannot be; the most is $t.", put_amperes},
    {"A charge of $i cannot be.", put_percent},
    {"Sensor $n is read as $i; that cannot be. Check it and its wire.", put_degrees},
    {"The reading has a time that is still to come.", put_count},
    {"Nothing changed for $i although a current flows: the BMS repeats an old reading.",
     put_seconds},
    {"The packs are set to voltages that exclude each other; they cannot be wired in parallel. "
     "Compare cell counts and registers.",
     put_count},
};

void put_filled(const char* text, const RuleLimit& limit, PutNumber put, Text& out) {
    for (const char* at = text; *at != 0; ++at) {
        if (*at == '$' && at[1] != 0) {
            ++at;
            if (*at == 'i') {
                put(limit.input, out);
            } else if (*at == 't') {
                put(limit.threshold, out);
            } else {
                out.put(limit.index);
            }
        } else {
            out.put(*at);
        }
    }
}

void put_doubt(const RuleLimit& limit, Text& out) {
    const DoubtText& row = doubt_texts[static_cast<std::size_t>(limit.doubt)];
    put_filled(row.text, limit, row.put, out);
}

/// "Charging", "Discharging" or both, and what becomes of it.
void put_effect(const RuleLimit& limit, Text& out) {
    // A full battery slows charging, an empty one discharging, though one rule looks at both.
    const bool by_soc = limit.rule == Rule::soc;
    const bool charge = limit.charge_current_ma.has_value() && !(by_soc && limit.below);
    const bool discharge = limit.discharge_current_ma.has_value() && !(by_soc && !limit.below);
    out.put(charge && discharge ? "charging and discharging" : charge ? "charging" : "discharging");
    const bool many = charge && discharge;
    const bool stopped = (charge && *limit.charge_current_ma == 0) ||
                         (discharge && *limit.discharge_current_ma == 0);
    out.put(stopped ? (many ? " stop" : " stops") : (many ? " slow down" : " slows")).put('.');
}

/// "Cell 11 is at 3.393 V. From 3.375 V on, charging slows."
void put_input(const char* what, const RuleLimit& limit, PutNumber put, Text& out) {
    out.put(what);
    if (limit.index != 0) {
        out.put(' ').put(limit.index);
    }
    out.put(" is at ");
    put(limit.input, out);
    const std::int64_t input = limit.input.value_or(0);
    const std::int64_t threshold = limit.threshold.value_or(0);
    const bool zero = limit.charge_current_ma == 0 || limit.discharge_current_ma == 0;
    if (zero && (limit.below ? input > threshold : input < threshold)) {
        out.put(". It was at ");
        put(limit.threshold, out);
        out.put(limit.below ? " or below; once it is well above, the limit goes."
                            : " or above; once it is well below, the limit goes.");
        return;
    }
    out.put(limit.below ? ". Below " : ". From ");
    put(limit.threshold, out);
    out.put(limit.below ? ", " : " on, ");
    put_effect(limit, out);
}

void put_cell_high(const RuleLimit& limit, Text& out) {
    if (!limit.latched) {
        put_input("Cell", limit, put_volts, out);
        return;
    }
    out.put("A cell went far beyond its cut-off. Cell ").put(limit.index).put(" is at ");
    put_volts(limit.input, out);
    out.put(". Charging stays off until the owner has looked and releases it.");
}

void put_temperature(const RuleLimit& limit, Text& out) {
    if (limit.input) {
        put_input("Sensor", limit, put_degrees, out);
    } else if (limit.index != 0) {
        out.put("Sensor ")
            .put(limit.index)
            .put(" gives nothing any more; it may freeze there. No charging until it is back.");
    } else {
        out.put("No temperature of the cells is known; it may freeze there. No charging.");
    }
}

void put_stage(const RuleLimit& limit, Text& out) {
    const auto stage = static_cast<ChargeStage>(limit.input.value_or(0));
    switch (stage) {
        case ChargeStage::floating:
            out.put("The battery is full: ");
            break;
        case ChargeStage::float_approach:
            out.put("The battery is nearly full: ");
            break;
        case ChargeStage::imbalance_hold:
            out.put("The cells differ much; the higher ones wait for the lower ones: ");
            break;
        case ChargeStage::sustain:
            out.put("The battery is empty and is kept from harm: ");
            break;
        default:
            out.put("Charging goes on: ");
    }
    put_volts(limit.charge_voltage_mv, out);
    if (limit.charge_current_ma) {
        out.put(", at most ");
        put_amperes(limit.charge_current_ma, out);
    }
    out.put('.');
}

/// "at most 50.0 A of charging and 50.0 A of discharging."
void put_currents(const RuleLimit& limit, Text& out) {
    out.put("at most ");
    if (limit.charge_current_ma) {
        put_amperes(limit.charge_current_ma, out);
        out.put(" of charging");
    }
    if (limit.charge_current_ma && limit.discharge_current_ma) {
        out.put(" and ");
    }
    if (limit.discharge_current_ma) {
        put_amperes(limit.discharge_current_ma, out);
        out.put(" of discharging");
    }
    out.put('.');
}

void put_stale(const RuleLimit& limit, Text& out) {
    out.put("The BMS has been silent for ");
    put_seconds(limit.input, out);
    out.put("; the current falls. Check its cable and power.");
}

void put_bms_fault(const RuleLimit& limit, Text& out) {
    out.put("The BMS reports a fault: ");
    put_effect(limit, out);
}

void put_remote(const RuleLimit& limit, Text& out) {
    out.put("A command allows for another ");
    put_seconds(limit.input, out);
    out.put(' ');
    put_currents(limit, out);
}

void put_introduced(const char* words, const RuleLimit& limit, Text& out) {
    out.put(words);
    put_currents(limit, out);
}

}  // namespace

std::string_view rule_name(Rule rule) {
    return enum_name(rule);
}

void put_why(const RuleLimit& limit, Text& out) {
    if (limit.pack != 0) {
        out.put("Pack ").put(limit.pack).put(": ");
    }
    switch (limit.rule) {
        case Rule::none:
            return;
        case Rule::owner:
            return put_introduced("The owner allows ", limit, out);
        case Rule::bms_rating:
            return put_introduced("The BMS is set to ", limit, out);
        case Rule::remote:
            return put_remote(limit, out);
        case Rule::not_ready:
            out.put("No complete reading yet. ");
            return put_doubt(limit, out);
        case Rule::implausible:
            out.put("The reading does not count. ");
            return put_doubt(limit, out);
        case Rule::stale:
            return put_stale(limit, out);
        case Rule::cell_high:
            return put_cell_high(limit, out);
        case Rule::cell_low:
            return put_input("Cell", limit, put_volts, out);
        case Rule::temperature:
            return put_temperature(limit, out);
        case Rule::board_temperature:
            return put_input("Sensor", limit, put_degrees, out);
        case Rule::soc:
            return put_input("The charge", limit, put_percent, out);
        case Rule::bms_fault:
            return put_bms_fault(limit, out);
        case Rule::charge_voltage:
        case Rule::cell_difference:
            return put_stage(limit, out);
        case Rule::chatter:
            return put_introduced(
                "The limit went to and fro and is held low for a minute: ", limit, out);
        case Rule::recovering:
            return put_introduced("The limit rises slowly again: ", limit, out);
        case Rule::hull:
            return put_introduced(
                "The last gate had to act, which is a fault of ours: ", limit, out);
    }
}

}  // namespace jw::battery
