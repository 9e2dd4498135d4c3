// SPDX-License-Identifier: Apache-2.0
#include "core/task/alerts.h"

#include <algorithm>

namespace jw {
namespace {

constexpr Duration look_every = seconds(1);

constexpr AlertRule battery_rules[] = {
    {"", Quantity::temperature_mc, Quantity::none, true, 50'000, 2'000},
    {"", Quantity::temperature_mc, Quantity::none, false, 0, 2'000},
    {"", Quantity::cell_voltage_max_mv, Quantity::none, true, 3'650, 20},
    {"", Quantity::cell_voltage_min_mv, Quantity::none, false, 2'500, 20},
    {"", Quantity::current_ma, Quantity::none, false, -100'000, 2'000},
    {"", Quantity::current_ma, Quantity::none, true, 50'000, 2'000},
    {"", Quantity::soc_permille, Quantity::none, false, 100, 20},
    {"", Quantity::cell_voltage_max_mv, Quantity::cell_voltage_min_mv, true, 100, 10},
};

/// How people read a unit: digits behind the point of which `shown` are written.
struct UnitWords {
    std::string_view unit;
    std::string_view words;
    int digits = 0;
    int shown = 0;
    std::int64_t hysteresis = 1;
};
constexpr UnitWords unit_words[] = {
    {"mc", " °C", 3, 1, 2'000},
    {"mv", " V", 3, 3, 20},
    {"ma", " A", 3, 1, 2'000},
    {"mhz", " Hz", 3, 2, 50},
    {"permille", " %", 1, 1, 20},
    {"w", " W", 0, 0, 20},
};

const UnitWords* words_of(Quantity quantity) {
    const auto* const found = std::ranges::find(unit_words, info(quantity).unit, &UnitWords::unit);
    return found == std::end(unit_words) ? nullptr : found;
}

/// "cell_voltage_max" as the beginning of a sentence.
void put_words(Text& text, std::string_view name) {
    for (const char c : name) {
        const bool capital = text.size() == 0 && c >= 'a' && c <= 'z';
        text.put(capital ? static_cast<char>(c - 'a' + 'A') : c == '_' ? ' ' : c);
    }
}

/// 3655 mV as "3.655 V"; what is behind the digits that are shown is cut off.
void put_value(Text& text, Quantity quantity, std::int64_t value) {
    const UnitWords* const words = words_of(quantity);
    if (words == nullptr) {
        text.put(value);
        if (!info(quantity).unit.empty()) {
            text.put(' ').put(info(quantity).unit);
        }
        return;
    }
    std::int64_t scale = 1;
    for (int i = 0; i < words->digits; ++i) {
        scale *= 10;
    }
    if (value < 0) {
        text.put('-');
    }
    const std::int64_t whole = value / scale;
    std::int64_t rest = value % scale;
    text.put(whole < 0 ? -whole : whole);
    rest = rest < 0 ? -rest : rest;
    if (words->shown > 0) {
        text.put('.');
    }
    for (int i = 0; i < words->shown; ++i) {
        scale /= 10;
        text.put(static_cast<char>('0' + rest / scale % 10));
    }
    text.put(words->words);
}

struct Advice {
    Quantity quantity;
    bool above;
    std::string_view text;
};
constexpr Advice advices[] = {
    {Quantity::temperature_mc, true, "let it cool, lower the load"},
    {Quantity::temperature_mc, false, "warm it before charging"},
    {Quantity::cell_voltage_max_mv, true, "check the charger's voltage"},
    {Quantity::cell_voltage_min_mv, false, "charge it, lower the load"},
    {Quantity::current_ma, true, "lower the current"},
    {Quantity::current_ma, false, "lower the load"},
    {Quantity::soc_permille, false, "charge it, lower the load"},
};

std::string_view advice_for(const AlertRule& rule) {
    if (rule.minus != Quantity::none) {
        return "let the cells balance";
    }
    for (const Advice& advice : advices) {
        if (advice.quantity == rule.quantity && advice.above == rule.above) {
            return advice.text;
        }
    }
    return "look at the device";
}

/// By BatteryAlarm: what is wrong and what to do.
constexpr std::string_view battery_words[battery_alarms] = {
    "The battery reports trouble: look at its BMS.",
    "The voltage is too high: check the charger's settings.",
    "The voltage is too low: charge it, lower the load.",
    "It is too hot: let it cool, lower the load.",
    "It is too cold: warm it.",
    "It is too hot to be charged: let it cool.",
    "It is too cold to be charged: warm it.",
    "The discharge current is too high: lower the load.",
    "The charge current is too high: lower it at the inverter.",
    "The contactor does not do what it should: have it looked at.",
    "A short circuit was found: switch off and look for it.",
    "The BMS reports a fault in itself: have it looked at.",
    "The cells differ too much: let them balance, then have them looked at.",
};
constexpr std::string_view battery_names[battery_alarms] = {
    "general",
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
    "cell_imbalance",
};

FaultKind kind_of(const AlertRule& rule) {
    return rule.above ? FaultKind::value_high : FaultKind::value_low;
}

/// What tells two rules of one device apart.
std::string_view put_about(const AlertRule& rule, Text& text) {
    if (rule.minus != Quantity::none) {
        text.put("difference_");
    }
    text.put(info(rule.quantity).stem);
    return text.view();
}

/// What a rule looks at, and when it was read.
struct Seen {
    std::int64_t value = 0;
    Instant at;
};

/// The value of a rule that is worst: highest above, lowest below. Nothing where it is stale or
/// absent.
std::optional<Seen> worst(const AlertRule& rule, const DeviceSnapshot& device, Instant now) {
    std::optional<Seen> found;
    std::optional<std::int64_t> taken;
    for (const LatestValue& latest : device.values) {
        if (device.stale(latest, now)) {
            continue;
        }
        const std::int64_t number = latest.value.number;
        if (latest.value.quantity == rule.quantity) {
            const bool worse =
                !found || (rule.above ? number > found->value : number < found->value);
            found = worse ? Seen{number, latest.at} : *found;
        } else if (latest.value.quantity == rule.minus && rule.minus != Quantity::none) {
            taken = number;
        }
    }
    if (found && rule.minus != Quantity::none) {
        return taken ? std::optional(Seen{found->value - *taken, found->at}) : std::nullopt;
    }
    return found;
}

}  // namespace

std::int64_t default_hysteresis(Quantity quantity) {
    const UnitWords* const words = words_of(quantity);
    return words == nullptr ? 1 : words->hysteresis;
}

std::span<const AlertRule> battery_alert_rules() {
    return battery_rules;
}

Alerts::Alerts(const AlertMemory& memory, std::uint64_t first_id)
    : ring_(memory.ring),
      watches_(memory.watches),
      batteries_(memory.batteries),
      next_id_(first_id) {}

void Alerts::changed(const Fault& fault, Instant now) {
    ++revision_;
    if (!fault.raised) {
        for (Alert& alert : ring_) {
            if (alert.status != AlertStatus::cleared && is_same(alert.fault, fault)) {
                alert.status = AlertStatus::cleared;
                alert.cleared = now;
            }
        }
        return;
    }
    if (ring_.full()) {
        std::size_t oldest = 0;
        for (std::size_t i = 0; i < ring_.size(); ++i) {
            if (ring_[i].status == AlertStatus::cleared) {
                oldest = i;
                break;
            }
        }
        ring_.remove(oldest);
    }
    Alert alert;
    alert.id = next_id_++;
    alert.fault = fault;
    alert.since = now;
    if (raising_ != nullptr) {
        alert.quantity = raising_->quantity;
        alert.value = raising_value_;
        alert.threshold = raising_->threshold;
    }
    (void)ring_.push(alert);
}

Instant Alerts::step(const Snapshot& snapshot, Faults& faults, Instant now) {
    for (const DeviceSnapshot& device : snapshot.devices()) {
        for (AlertWatch& watch : watches_) {
            if (watch.rule.device == device.name.view()) {
                look(watch, device, faults, now);
            }
        }
        for (AlertBattery& battery : batteries_) {
            if (battery.device == device.name.view()) {
                look(battery, device, faults, now);
            }
        }
    }
    return now + look_every;
}

void Alerts::look(AlertWatch& watch, const DeviceSnapshot& device, Faults& faults, Instant now) {
    const AlertRule& rule = watch.rule;
    const std::optional<Seen> seen = worst(rule, device, now);
    if (!seen) {
        watch.since = Instant{-1};
        return;
    }
    const std::int64_t value = seen->value;
    const bool beyond = rule.above ? value > rule.threshold : value < rule.threshold;
    const bool back = rule.above ? value <= rule.threshold - rule.hysteresis
                                 : value >= rule.threshold + rule.hysteresis;
    if (watch.raised ? !back : !beyond) {
        watch.since = Instant{-1};
        return;
    }
    if (watch.since.us < 0) {
        watch.since = seen->at;
    }
    // One reading alone, with silence behind it, does not last.
    if (seen->at - watch.since < rule.hold) {
        return;
    }
    watch.since = Instant{-1};
    watch.raised = !watch.raised;
    if (watch.raised) {
        raise(watch, value, faults, now);
        return;
    }
    std::array<char, limits::name_size_max> buffer{};
    Text about(buffer);
    faults.clear(rule.device.view(), kind_of(rule), now, put_about(rule, about));
}

void Alerts::raise(const AlertWatch& watch, std::int64_t value, Faults& faults, Instant now) {
    const AlertRule& rule = watch.rule;
    std::array<char, limits::detail_size_max> buffer{};
    Text text(buffer);
    text.put(rule.minus == Quantity::none ? "" : "Difference of ");
    put_words(text, info(rule.quantity).stem);
    text.put(' ');
    put_value(text, rule.quantity, value);
    text.put(rule.above ? " is above " : " is below ");
    put_value(text, rule.quantity, rule.threshold);
    text.put(": ").put(advice_for(rule)).put('.');
    std::array<char, limits::name_size_max> name{};
    Text about(name);
    raising_ = &rule;
    raising_value_ = value;
    faults.raise(rule.device.view(),
                 kind_of(rule),
                 rule.severity,
                 text.view(),
                 now,
                 never,
                 put_about(rule, about));
    raising_ = nullptr;
}

void Alerts::look(AlertBattery& battery,
                  const DeviceSnapshot& device,
                  Faults& faults,
                  Instant now) {
    std::optional<std::int64_t> alarms;
    std::optional<std::int64_t> warnings;
    for (const LatestValue& latest : device.values) {
        if (latest.value.quantity == Quantity::battery_alarm_bits) {
            alarms = latest.value.number;
        } else if (latest.value.quantity == Quantity::battery_warning_bits) {
            warnings = latest.value.number;
        }
    }
    if (!alarms && !warnings) {
        return;
    }
    for (std::size_t i = 0; i < battery_alarms; ++i) {
        const auto is_set = [&](const std::optional<std::int64_t>& bits) {
            return bits && ((static_cast<std::uint64_t>(*bits) >> i) & 1) != 0;
        };
        const AlarmLevel level = is_set(alarms)     ? AlarmLevel::alarm
                                 : is_set(warnings) ? AlarmLevel::warning
                                                    : AlarmLevel::ok;
        if (level == battery.levels[i] ||
            (level == AlarmLevel::ok && battery.levels[i] == AlarmLevel::unsupported)) {
            continue;
        }
        faults.clear(battery.device.view(), FaultKind::battery_alarm, now, battery_names[i]);
        if (level != AlarmLevel::ok) {
            faults.raise(battery.device.view(),
                         FaultKind::battery_alarm,
                         level == AlarmLevel::alarm ? Severity::alarm : Severity::warning,
                         battery_words[i],
                         now,
                         never,
                         battery_names[i]);
        }
        battery.levels[i] = level;
    }
}

Status Alerts::acknowledge(std::uint64_t id, std::string_view who) {
    for (Alert& alert : ring_) {
        if (alert.id != id) {
            continue;
        }
        if (alert.status == AlertStatus::cleared) {
            return JW_FAIL(out_of_range);
        }
        if (alert.status == AlertStatus::active) {
            alert.status = AlertStatus::acknowledged;
            alert.acknowledged_by = who;
            ++revision_;
        }
        return done;
    }
    return JW_FAIL(not_found);
}

void Alerts::forget_cleared() {
    for (std::size_t i = ring_.size(); i > 0; --i) {
        if (ring_[i - 1].status == AlertStatus::cleared) {
            ring_.remove(i - 1);
            ++revision_;
        }
    }
}

void Alerts::inherit(std::span<const Alert> before) {
    const std::size_t own = ring_.size();
    const std::size_t room = ring_.capacity() - own;
    for (const Alert& alert : before.last(std::min(room, before.size()))) {
        (void)ring_.push(alert);
        next_id_ = std::max(next_id_, alert.id + 1);
    }
    std::rotate(ring_.begin(), ring_.begin() + own, ring_.end());
    ++revision_;
}

}  // namespace jw
