// SPDX-License-Identifier: Apache-2.0
// Sums and minima over the packs (H-50).
#include "core/steer/battery/merge.h"

#include <algorithm>

#include "core/steer/battery/staleness.h"

namespace jw::battery {
namespace {

std::int16_t lower_share(std::int16_t a, std::int16_t b) {
    if (a == Finding::no_say || b == Finding::no_say) {
        return std::max(a, b);
    }
    return std::min(a, b);
}

std::int16_t lowest_of(const Finding& finding) {
    const std::int16_t lowest = lower_share(finding.charge_permille, finding.discharge_permille);
    return lowest == Finding::no_say ? std::int16_t{1000} : lowest;
}

/// What an old reading said still holds charging down, since nobody knows better. Discharging is
/// held down only by packs that still count: one dead pack must not be a blackout.
void add_finding(MergedFinding& merged, Finding one, std::uint8_t pack, bool discharges) {
    if (!discharges) {
        one.discharge_permille = Finding::no_say;
    }
    if (one.rule == Rule::none) {
        return;
    }
    const Finding before = merged.finding;
    if (before.rule == Rule::none || lowest_of(one) < lowest_of(before)) {
        merged = {one, pack};
    }
    if (before.rule != Rule::none) {
        merged.finding.charge_permille = lower_share(one.charge_permille, before.charge_permille);
        merged.finding.discharge_permille =
            lower_share(one.discharge_permille, before.discharge_permille);
    }
}

void lower(Number& number, const Number& other) {
    if (other && (!number || *other < *number)) {
        number = other;
    }
}

void add_voltage(Merged& merged,
                 const PackLaw& pack,
                 const LawSettings& settings,
                 bool discharges) {
    ChargeVoltage one = pack.voltage();
    if (!discharges) {
        one.discharge_current_ma = std::nullopt;
    }
    const std::int64_t silent_mv = pack.ratings().cells * settings.silent_cell_mv;
    if (merged.known == 1) {
        merged.voltage = one;
        merged.stage = pack.stage();
        merged.silent_voltage_mv = silent_mv;
        merged.voltage_min_mv = pack.ratings().voltage_min_mv;
        merged.voltage_max_mv = pack.ratings().voltage_max_mv;
        return;
    }
    merged.voltage_max_mv = std::min(merged.voltage_max_mv, pack.ratings().voltage_max_mv);
    merged.silent_voltage_mv = std::min(merged.silent_voltage_mv, silent_mv);
    merged.voltage_min_mv = std::max(merged.voltage_min_mv, pack.ratings().voltage_min_mv);
    if (one.voltage_mv < merged.voltage.voltage_mv) {
        merged.voltage.voltage_mv = one.voltage_mv;
        merged.voltage.rule = one.rule;
        merged.stage = pack.stage();
    }
    merged.voltage.scale_permille = std::min(merged.voltage.scale_permille, one.scale_permille);
    lower(merged.voltage.charge_current_ma, one.charge_current_ma);
    lower(merged.voltage.discharge_current_ma, one.discharge_current_ma);
}

void add_alarms(AlarmBits& merged, const AlarmBits& one, bool first) {
    if (first) {
        merged = one;
        return;
    }
    merged.warning |= one.warning;
    merged.alarm |= one.alarm;
    merged.warning_clear &= one.warning_clear;
    merged.alarm_clear &= one.alarm_clear;
}

/// Adds one known pack; gives its share of charging and of discharging, in ‰.
std::array<std::int64_t, 2> add_pack(Merged& merged,
                                     const PackLaw& pack,
                                     std::uint8_t index,
                                     const LawSettings& settings,
                                     Instant now) {
    ++merged.known;
    const Duration age = now - pack.good_at();
    const Duration discharge_zero = discharge_zero_after(settings, pack.middle());
    const std::int64_t charges =
        fresh_permille(age, settings.fresh_for, settings.charge_zero_after);
    const std::int64_t discharges = fresh_permille(age, settings.fresh_for, discharge_zero);
    merged.oldest = std::max(merged.oldest, age);
    merged.newest = merged.known == 1 ? age : std::min(merged.newest, age);
    const PackRatings& ratings = pack.ratings();
    merged.charge_rating_ma += ratings.charge_current_ma;
    merged.discharge_rating_ma += ratings.discharge_current_ma;
    merged.charge_share_ma += ratings.charge_current_ma * charges / 1000;
    merged.discharge_share_ma += ratings.discharge_current_ma * discharges / 1000;
    const bool counts = age < discharge_zero;
    if (age < settings.charge_zero_after) {
        ++merged.online;
        merged.all_silent = false;
        merged.charge_until =
            earlier(merged.charge_until, pack.good_at() + settings.charge_zero_after);
    }
    if (counts) {
        merged.discharge_until = earlier(merged.discharge_until, pack.good_at() + discharge_zero);
    }
    for (std::size_t i = 0; i < findings_max; ++i) {
        add_finding(merged.findings[i], pack.findings()[i], index, counts);
    }
    add_voltage(merged, pack, settings, counts);
    add_alarms(merged.alarms, pack.alarms(), merged.known == 1);
    return {charges, discharges};
}

}  // namespace

Merged merge(std::span<const PackLaw> packs, const LawSettings& settings, Instant now) {
    Merged merged;
    merged.packs = static_cast<std::uint8_t>(packs.size());
    std::int64_t charges = 0;
    std::int64_t discharges = 0;
    std::int64_t least = 1000;
    for (std::size_t i = 0; i < packs.size(); ++i) {
        std::array<std::int64_t, 2> shares{};
        if (packs[i].known()) {
            shares = add_pack(merged, packs[i], static_cast<std::uint8_t>(i), settings, now);
        }
        charges += shares[0];
        discharges += shares[1];
        if (shares[0] < least) {
            least = shares[0];
            merged.aged_pack = static_cast<std::uint8_t>(i);
        }
    }
    merged.aged = least < 1000;
    merged.unlike = merged.voltage_min_mv > merged.voltage_max_mv;
    // The owner's limit is that of the whole: each pack carries an equal part of it.
    const auto all = 1000 * std::max<std::int64_t>(1, merged.packs);
    merged.charge_share_ma =
        std::min(merged.charge_share_ma, settings.charge_current_max_ma * charges / all);
    merged.discharge_share_ma =
        std::min(merged.discharge_share_ma, settings.discharge_current_max_ma * discharges / all);
    return merged;
}

}  // namespace jw::battery
