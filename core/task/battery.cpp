// SPDX-License-Identifier: Apache-2.0
// A battery in the loop: packs to verdict, verdict to frames and readings.
#include "core/task/battery.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace jw::battery {
namespace {

// How often the law is asked where no reading asks it: what ages must fall smoothly.
constexpr Duration law_interval = milliseconds(200);
// A break of the readings that is longer was no charging that we know of.
constexpr Duration energy_gap_max = seconds(60);
constexpr std::int64_t energy_voltage_least_mv = 100;
constexpr std::int64_t mw_ms_per_wh = 3'600'000'000;
// The inverter and the bus are missed after this (R11, R12).
constexpr Duration inverter_silent_after = seconds(10);
constexpr Duration bus_missed_after = seconds(3);
// After a rival was heard we are silent so long, and listen.
constexpr Duration rival_pause = seconds(10);
constexpr std::int64_t current_most_ma = 1'000'000;
constexpr const char* release_name = "release";

constexpr Capability capabilities[] = {
    {Quantity::power_w, 0},
    {Quantity::voltage_mv, 0},
    {Quantity::current_ma, 0},
    {Quantity::soc_permille, 0},
    {Quantity::soh_permille, 0},
    {Quantity::temperature_mc, 0},
    {Quantity::cell_voltage_min_mv, 0},
    {Quantity::cell_voltage_max_mv, 0},
    {Quantity::capacity_mah, 0},
    {Quantity::energy_charge_wh, 0},
    {Quantity::energy_discharge_wh, 0},
    {Quantity::battery_alarm_bits, 0},
    {Quantity::battery_warning_bits, 0},
    {Quantity::charge_voltage_limit_mv, 0},
    {Quantity::charge_current_limit_ma, 0, true, 0, current_most_ma},
    {Quantity::discharge_current_limit_ma, 0, true, 0, current_most_ma},
    {Quantity::discharge_voltage_limit_mv, 0},
};

Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    return &arena.make<Battery>(settings, out);
}

std::int64_t bits_of(const BatteryAlarms& alarms, AlarmLevel from) {
    std::int64_t bits = 0;
    for (std::size_t i = 0; i < alarms.size(); ++i) {
        bits |= std::int64_t{alarms[i] >= from ? 1 : 0} << i;
    }
    return bits;
}

Number power_mw(const Pack& pack) {
    if (!pack.voltage_mv || !pack.current_ma || *pack.voltage_mv <= energy_voltage_least_mv) {
        return std::nullopt;
    }
    return *pack.voltage_mv * *pack.current_ma / 1000;
}

}  // namespace

const Driver driver{
    "battery", LineKind::none, sizeof(Battery) + alignof(Battery), capabilities, &make};

Battery::Battery(const DeviceSettings& settings, DeviceOut& out)
    : name_(settings.name), poll_(settings.poll), out_(out) {}

void Battery::wire(const BatteryWiring& wiring) {
    CHECK(wiring.snapshot != nullptr && wiring.faults != nullptr);
    CHECK(wiring.packs.size() <= packs_max);
    wiring_ = wiring;
    pack_count_ = wiring.packs.size();
    law_.emplace(wiring.settings.law);
    if (wiring.can != nullptr && wiring.settings.profile != nullptr) {
        talk_.emplace(*wiring.settings.profile);
    }
}

Instant Battery::run(Instant now) {
    const std::span<const DeviceSnapshot> devices = wiring_.snapshot->devices();
    for (std::size_t i = 0; i < pack_count_; ++i) {
        const Pack pack = pack_of(devices[wiring_.packs[i]]);
        if (pack.at > packs_[i].at) {
            count_energy(packs_[i], pack);
        }
        packs_[i] = pack;
    }
    law_->step(packs(), now);
    Instant next = now + law_interval;
    if (talk_) {
        next = earlier(next, tell_inverter(now));
        watch_bus(now);
    }
    watch_packs(now);
    if (now >= reading_due_) {
        reading_due_ = now + poll_;
        give_reading(now);
    }
    return next;
}

Instant Battery::tell_inverter(Instant now) {
    const bool rivalled = rival_heard_.us >= 0 && now - rival_heard_ < rival_pause;
    if (!verdict().may_send || rivalled) {
        talk_->pause();
        return never;
    }
    const can_out::BatteryState told = state(now);
    while (const auto frame = talk_->next(told, now)) {
        wiring_.can->send(*frame, now);
    }
    const Instant due = talk_->due();
    return wiring_.can->waiting() > 0 ? earlier(due, wiring_.can->step(now)) : due;
}

void Battery::count_energy(const Pack& before, const Pack& pack) {
    const Number from = power_mw(before);
    const Number to = power_mw(pack);
    if (before.at.us < 0 || !from || !to || pack.at - before.at > energy_gap_max) {
        return;
    }
    const std::int64_t mw_ms = (*from + *to) / 2 * (pack.at - before.at).ms();
    std::int64_t& rest = mw_ms >= 0 ? charge_mw_ms_ : discharge_mw_ms_;
    std::int64_t& whole = mw_ms >= 0 ? energy_.charge_wh : energy_.discharge_wh;
    rest += mw_ms >= 0 ? mw_ms : -mw_ms;
    whole += rest / mw_ms_per_wh;
    rest %= mw_ms_per_wh;
}

can_out::BatteryState Battery::state(Instant now) const {
    const BatterySettings& settings = wiring_.settings;
    return state_of(
        packs(), verdict(), settings.identity, energy_, settings.law.charge_zero_after, now);
}

void Battery::watch_packs(Instant now) {
    const Verdict& said = verdict();
    if (said.hull_clamps > 0) {  // I-12, I-13
        wiring_.faults->raise(
            name_.view(),
            FaultKind::broken_invariant,
            Severity::alarm,
            "The last gate had to lower a limit: a mistake of ours, please report.",
            now);
    }
    const bool lost = said.may_send && said.age >= law_->settings().charge_zero_after;
    if (lost) {
        wiring_.faults->raise(
            name_.view(),
            FaultKind::battery_stale,
            Severity::alarm,
            "The BMS gives nothing usable: no charging. Check its cable and power.",
            now);
    } else if (said.may_send) {
        wiring_.faults->clear(name_.view(), FaultKind::battery_stale, now);
    }
}

void Battery::watch_bus(Instant now) {
    Faults& faults = *wiring_.faults;
    const bool well = wiring_.can->bus_state().value_or(CanBusState::off) != CanBusState::off;
    if (well || bus_well_at_.us < 0) {
        bus_well_at_ = now;
    }
    if (now - bus_well_at_ >= bus_missed_after) {
        faults.raise(name_.view(),
                     FaultKind::can_trouble,
                     Severity::alarm,
                     "The CAN bus is off or missing. Check adapter, wiring, 120 ohms at both ends.",
                     now);
    } else if (well) {
        faults.clear(name_.view(), FaultKind::can_trouble, now);
    }
    if (inverter_heard_.us >= 0 && now - inverter_heard_ >= inverter_silent_after) {
        faults.raise(name_.view(),
                     FaultKind::inverter_silent,
                     Severity::warning,
                     "The inverter is not heard on the CAN bus any more; check it and the cable.",
                     now);
    } else {
        faults.clear(name_.view(), FaultKind::inverter_silent, now);
    }
    if (rival_heard_.us < 0 || now - rival_heard_ >= rival_pause) {
        faults.clear(name_.view(), FaultKind::can_rival, now);
    }
}

void Battery::give_reading(Instant now) {
    if (!verdict().may_send) {
        out_.failed(JW_FAIL(timeout), now);
        return;
    }
    const can_out::BatteryState told = state(now);
    Reading reading;
    reading.device = name_;
    const auto put = [&reading](Quantity quantity, const Number& number) {
        if (number) {
            reading.values.put(quantity, 0, *number);
        }
    };
    if (told.voltage_mv && told.current_ma) {
        put(Quantity::power_w, *told.voltage_mv * *told.current_ma / 1'000'000);
    }
    put(Quantity::voltage_mv, told.voltage_mv);
    put(Quantity::current_ma, told.current_ma);
    if (told.soc_permyriad) {
        put(Quantity::soc_permille, *told.soc_permyriad / 10);
    }
    put(Quantity::soh_permille, told.soh_permille);
    put(Quantity::temperature_mc, told.temperature_mc);
    put(Quantity::cell_voltage_min_mv, told.cell_minimum_mv);
    put(Quantity::cell_voltage_max_mv, told.cell_maximum_mv);
    put(Quantity::capacity_mah, told.capacity_mah);
    put(Quantity::energy_charge_wh, energy_.charge_wh);
    put(Quantity::energy_discharge_wh, energy_.discharge_wh);
    put(Quantity::battery_alarm_bits, bits_of(told.alarms, AlarmLevel::alarm));
    put(Quantity::battery_warning_bits, bits_of(told.alarms, AlarmLevel::warning));
    put(Quantity::charge_voltage_limit_mv, told.charge_voltage_mv);
    put(Quantity::charge_current_limit_ma, told.charge_current_ma);
    put(Quantity::discharge_current_limit_ma, told.discharge_current_ma);
    put(Quantity::discharge_voltage_limit_mv, told.discharge_voltage_mv);
    out_.reading(reading, now);
}

Status Battery::act(Quantity quantity, std::int64_t value, Instant now) {
    Lowering lowering;
    lowering.until = now + wiring_.settings.remote_hold;
    if (value < 0 || value > current_most_ma) {
        return JW_FAIL(out_of_range);
    }
    if (quantity == Quantity::charge_current_limit_ma) {
        lowering.charge_current_ma = value;
    } else if (quantity == Quantity::discharge_current_limit_ma) {
        lowering.discharge_current_ma = value;
    } else {
        return JW_FAIL(unsupported);
    }
    law_->lower(lowering, now);
    out_.acted(ResultCode::executed, value, now);
    return done;
}

Status Battery::poll_now(Instant now) {
    reading_due_ = now;
    return done;
}

Parameter Battery::parameter(std::size_t /*index*/) const {
    Parameter release;
    release.name = release_name;
    release.writable = true;
    release.least = 1;
    release.most = 1;
    return release;
}

Status Battery::write_parameter(std::string_view name, std::int64_t value, Instant now) {
    if (name != release_name) {
        return JW_FAIL(not_found);
    }
    if (value != 1) {
        return JW_FAIL(out_of_range);
    }
    law_->release();
    out_.acted(ResultCode::executed, value, now);
    return done;
}

void Battery::received(const CanFrame& frame, Instant now) {
    const can_out::Profile* const profile = wiring_.settings.profile;
    const can_out::Frame* const known =
        profile == nullptr || frame.extended ? nullptr : can_out::find(*profile, frame.id);
    if (known != nullptr && known->from == can_out::From::inverter) {
        inverter_heard_ = now;
    }
}

void Battery::rivalled(const CanFrame& /*frame*/, Instant now) {
    rival_heard_ = now;
    wiring_.faults->raise(name_.view(),
                          FaultKind::can_rival,
                          Severity::alarm,
                          "Another battery or gateway sends on this CAN bus: sending is stopped.",
                          now);
}

void Battery::bus_changed(std::optional<CanBusState> state, Instant /*now*/) {
    if (state == CanBusState::active && talk_) {
        talk_->pause();  // whoever is back hears everything at once
    }
}

}  // namespace jw::battery
