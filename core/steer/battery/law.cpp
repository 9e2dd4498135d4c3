// SPDX-License-Identifier: Apache-2.0
// The order of the rules: everything begins at the owner's maximum and is only ever lowered.
#include "core/steer/battery/law.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/steer/battery/hull.h"
#include "core/steer/battery/staleness.h"

namespace jw::battery {
namespace {

/// In which pack a row looked; 0 where there is only one.
std::uint8_t pack_of_row(const Merged& merged, std::uint8_t pack) {
    return merged.packs > 1 ? static_cast<std::uint8_t>(pack + 1U) : std::uint8_t{0};
}

SmallNumber share_of(std::int64_t current_ma, std::int16_t permille) {
    return permille == Finding::no_say ? SmallNumber() : SmallNumber(current_ma * permille / 1000);
}

void bound(Ceiling& ceiling, SmallNumber number, Rule rule) {
    if (number) {
        ceiling.at_most(*number, rule);
    }
}

}  // namespace

BatteryLimits Verdict::limits(Instant now) const {
    if (!may_send) {
        return {};
    }
    BatteryLimits limits = limits_;
    const bool live = now >= at_ && now - at_ <= liveness;
    if (!live || now >= charge_until_) {
        limits.charge_current_ma = 0;
    }
    if (!live || now >= discharge_until_) {
        limits.discharge_current_ma = 0;
    }
    return limits;
}

Law::Law(const LawSettings& settings) : settings_(settings) {
    CHECK(!check(settings));
}

const Verdict& Law::step(std::span<const Pack> packs, Instant now) {
    CHECK(packs.size() <= packs_.size());
    for (std::size_t i = 0; i < packs.size(); ++i) {
        packs_[i].read(packs[i], settings_, now);
    }
    const std::span<const PackLaw> laws(packs_.data(), packs.size());
    const Merged merged = merge(laws, settings_, now);
    verdict_.rule_count = 0;
    Ceiling charge(settings_.charge_current_max_ma, Rule::owner);
    Ceiling discharge(settings_.discharge_current_max_ma, Rule::owner);
    bound_by_settings(charge, discharge, merged);
    bound_by_age(charge, discharge, merged);
    bound_by_packs(charge, discharge, merged);
    bound_by_remote(charge, discharge, now);
    BatteryLimits limits;
    if (merged.known > 0) {
        calm(charge, discharge, merged, now);
        limits = {
            charge_voltage(merged, now), charge.value(), discharge.value(), merged.voltage_min_mv};
    }
    verdict_.charge_rule = charge.rule();
    verdict_.discharge_rule = discharge.rule();
    if (merged.known > 0 && clamp(limits, hull_of(laws, settings_, now))) {
        ++verdict_.hull_clamps;
        verdict_.charge_rule = verdict_.discharge_rule = verdict_.voltage_rule = Rule::hull;
        add_row({.rule = Rule::hull,
                 .charge_current_ma = limits.charge_current_ma,
                 .discharge_current_ma = limits.discharge_current_ma,
                 .charge_voltage_mv = limits.charge_voltage_mv});
    }
    close(limits, merged, now);
    return verdict_;
}

void Law::lower(const Lowering& lowering, Instant now) {
    const Instant until = earlier(lowering.until, now + settings_.lowering_max);
    const auto put = [&](Direction& direction, const Number& current_ma) {
        if (current_ma && until > now) {
            direction.remote_ma = std::max<std::int64_t>(0, *current_ma);
            direction.remote_until = until;
        }
    };
    put(charge_, lowering.charge_current_ma);
    put(discharge_, lowering.discharge_current_ma);
}

void Law::release() {
    for (PackLaw& pack : packs_) {
        pack.release();
    }
}

void Law::add_row(const RuleLimit& row) {
    CHECK(verdict_.rule_count < verdict_.by_rule.size());
    verdict_.by_rule[verdict_.rule_count++] = row;
}

void Law::sort_rows() {
    const auto key = [](const RuleLimit& row) { return row.charge_current_ma.value_or(INT64_MAX); };
    for (std::size_t i = 1; i < verdict_.rule_count; ++i) {
        const RuleLimit row = verdict_.by_rule[i];
        std::size_t to = i;
        for (; to > 0 && key(row) < key(verdict_.by_rule[to - 1]); --to) {
            verdict_.by_rule[to] = verdict_.by_rule[to - 1];
        }
        verdict_.by_rule[to] = row;
    }
}

void Law::bound_by_settings(Ceiling& charge, Ceiling& discharge, const Merged& merged) {
    add_row({.rule = Rule::owner,
             .charge_current_ma = settings_.charge_current_max_ma,
             .discharge_current_ma = settings_.discharge_current_max_ma});
    if (merged.known > 0) {
        charge.at_most(merged.charge_rating_ma, Rule::bms_rating);
        discharge.at_most(merged.discharge_rating_ma, Rule::bms_rating);
        add_row({.rule = Rule::bms_rating,
                 .charge_current_ma = merged.charge_rating_ma,
                 .discharge_current_ma = merged.discharge_rating_ma});
    }
}

void Law::bound_by_age(Ceiling& charge, Ceiling& discharge, const Merged& merged) {
    if (merged.packs == 0) {
        charge.at_most(0, Rule::not_ready);
        discharge.at_most(0, Rule::not_ready);
        add_row({.rule = Rule::not_ready, .charge_current_ma = 0, .discharge_current_ma = 0});
        return;
    }
    if (merged.unlike) {
        charge.at_most(0, Rule::implausible);
        discharge.at_most(0, Rule::implausible);
        add_row({.rule = Rule::implausible,
                 .charge_current_ma = 0,
                 .discharge_current_ma = 0,
                 .doubt = Doubt::unlike});
        return;
    }
    const PackLaw& oldest = packs_[merged.aged_pack];
    const Objection& objection = oldest.objection();
    if (!merged.aged && objection.doubt == Doubt::none) {
        return;
    }
    const Rule rule = !oldest.known()                  ? Rule::not_ready
                      : objection.doubt != Doubt::none ? Rule::implausible
                                                       : Rule::stale;
    charge.at_most(merged.charge_share_ma, rule);
    discharge.at_most(merged.discharge_share_ma, rule);
    RuleLimit row{.rule = rule,
                  .charge_current_ma = merged.charge_share_ma,
                  .discharge_current_ma = merged.discharge_share_ma,
                  .pack = pack_of_row(merged, merged.aged_pack),
                  .doubt = objection.doubt};
    if (objection.doubt != Doubt::none) {
        row.input = objection.input;
        row.threshold = objection.threshold;
        row.index = objection.index;
    } else if (oldest.known()) {
        row.input = merged.oldest.ms();
        row.threshold = settings_.fresh_for.ms();
        row.doubt = Doubt::silent;
    }
    add_row(row);
}

void Law::bound_by_packs(Ceiling& charge, Ceiling& discharge, const Merged& merged) {
    if (merged.known == 0) {
        return;
    }
    const std::int64_t charge_ma = charge.value();
    const std::int64_t discharge_ma = discharge.value();
    for (const MergedFinding& merged_finding : merged.findings) {
        const Finding& finding = merged_finding.finding;
        if (finding.rule == Rule::none) {
            continue;
        }
        RuleLimit row{.rule = finding.rule,
                      .charge_current_ma = share_of(charge_ma, finding.charge_permille),
                      .discharge_current_ma = share_of(discharge_ma, finding.discharge_permille),
                      .index = finding.index,
                      .pack = pack_of_row(merged, merged_finding.pack),
                      .latched = finding.latched,
                      .below = finding.below};
        if (finding.has_input) {
            row.input = finding.input;
            row.threshold = finding.threshold;
        }
        bound(charge, row.charge_current_ma, finding.rule);
        bound(discharge, row.discharge_current_ma, finding.rule);
        add_row(row);
    }
    const ChargeVoltage& voltage = merged.voltage;
    RuleLimit row{.rule = Rule::charge_voltage,
                  .charge_current_ma = voltage.charge_current_ma,
                  .discharge_current_ma = voltage.discharge_current_ma,
                  .charge_voltage_mv = voltage.voltage_mv,
                  .input = static_cast<std::int64_t>(merged.stage)};
    if (voltage.scale_permille < 1000) {
        const std::int64_t scaled_ma = charge_ma * voltage.scale_permille / 1000;
        row.charge_current_ma = std::min(row.charge_current_ma.value_or(scaled_ma), scaled_ma);
    }
    bound(charge, row.charge_current_ma, Rule::charge_voltage);
    bound(discharge, row.discharge_current_ma, Rule::charge_voltage);
    add_row(row);
}

void Law::bound_by_remote(Ceiling& charge, Ceiling& discharge, Instant now) {
    RuleLimit row{.rule = Rule::remote};
    const auto look = [&](const Direction& direction, Ceiling& ceiling, SmallNumber& told) {
        if (now < direction.remote_until) {
            told = direction.remote_ma;
            ceiling.at_most(direction.remote_ma, Rule::remote);
            row.input = std::max(row.input.value_or(0), (direction.remote_until - now).ms());
        }
    };
    look(charge_, charge, row.charge_current_ma);
    look(discharge_, discharge, row.discharge_current_ma);
    if (row.input) {
        add_row(row);
    }
}

void Law::calm(Ceiling& charge, Ceiling& discharge, const Merged& merged, Instant now) {
    RuleLimit chatter{.rule = Rule::chatter};
    RuleLimit recovering{.rule = Rule::recovering};
    const auto one = [&](Direction& direction,
                         Ceiling& ceiling,
                         std::int64_t maximum,
                         SmallNumber& held,
                         SmallNumber& risen) {
        const std::int64_t calmed =
            direction.chatter.calm(ceiling.value(), maximum, settings_, now);
        if (direction.chatter.holds(now)) {
            held = calmed;
            ceiling.at_most(calmed, Rule::chatter);
        }
        // Once at zero, a little more than zero does not open it again.
        if (direction.rise.value() == 0 &&
            ceiling.value() < maximum * settings_.reopen_permille / 1000) {
            ceiling.at_most(0, ceiling.rule());
        }
        const Pace pace{settings_.rise_hold, settings_.rise_ma_per_s * 60};
        const std::int64_t followed = direction.rise.follow(ceiling.value(), pace, now);
        if (followed < ceiling.value()) {
            risen = followed;
            ceiling.at_most(followed, Rule::recovering);
        }
    };
    const std::int64_t charge_max =
        std::min(settings_.charge_current_max_ma, merged.charge_rating_ma);
    const std::int64_t discharge_max =
        std::min(settings_.discharge_current_max_ma, merged.discharge_rating_ma);
    one(charge_, charge, charge_max, chatter.charge_current_ma, recovering.charge_current_ma);
    one(discharge_,
        discharge,
        discharge_max,
        chatter.discharge_current_ma,
        recovering.discharge_current_ma);
    if (chatter.charge_current_ma || chatter.discharge_current_ma) {
        add_row(chatter);
    }
    if (recovering.charge_current_ma || recovering.discharge_current_ma) {
        add_row(recovering);
    }
}

std::int64_t Law::charge_voltage(const Merged& merged, Instant now) {
    std::int64_t target_mv = merged.voltage.voltage_mv;
    verdict_.voltage_rule = merged.voltage.rule;
    if (merged.all_silent) {
        // Never above what it was, and never below what an empty pack has.
        const std::int64_t before_mv = voltage_.value().value_or(target_mv);
        target_mv = std::min({target_mv, merged.silent_voltage_mv, before_mv});
        verdict_.voltage_rule = Rule::stale;
    }
    const std::int64_t voltage_mv =
        voltage_.follow(target_mv, {{}, settings_.voltage_rise_mv_per_min}, now);
    if (voltage_mv < target_mv) {
        verdict_.voltage_rule = Rule::recovering;
    }
    return std::min(std::max(voltage_mv, merged.voltage_min_mv), merged.voltage_max_mv);
}

void Law::close(BatteryLimits limits, const Merged& merged, Instant now) {
    sort_rows();
    verdict_.may_send = merged.known > 0 && merged.newest < silent_after(settings_);
    verdict_.stage = merged.stage;
    verdict_.age = merged.oldest;
    verdict_.packs = merged.packs;
    verdict_.packs_online = merged.online;
    if (merged.known > 0) {
        const AlarmLevel silence = merged.oldest >= settings_.charge_zero_after ? AlarmLevel::alarm
                                   : merged.oldest > settings_.fresh_for ? AlarmLevel::warning
                                                                         : AlarmLevel::ok;
        verdict_.alarms = alarms_.step(merged.alarms, silence, settings_, now);
    }
    verdict_.limits_ = limits;
    verdict_.at_ = now;
    verdict_.charge_until_ = merged.charge_until;
    verdict_.discharge_until_ = merged.discharge_until;
}

}  // namespace jw::battery
