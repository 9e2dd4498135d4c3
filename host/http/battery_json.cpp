// SPDX-License-Identifier: Apache-2.0
// The bodies of the API's answers about batteries.
#include "host/http/battery_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/fields.h"
#include "core/sink/can_out/describe.h"
#include "host/can_signals.h"

namespace jw::http::api_json {
namespace {

using Json = nlohmann::ordered_json;
using battery::Number;
using battery::Pack;
using battery::Verdict;

Json number_or_null(const Number& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json age_ms(Instant at, Instant now) {
    return at < Instant{} ? Json(nullptr) : Json((now - at).ms());
}

void put_if_known(Json& object, const char* name, const Number& number) {
    if (number) {
        object[name] = *number;
    }
}

template <class T>
std::string name_of(T value) {
    return enum_names(T{})[static_cast<std::size_t>(value)];
}

Json limits_json(const BatteryLimits& limits) {
    return {{"charge_voltage_mv", limits.charge_voltage_mv},
            {"charge_current_ma", limits.charge_current_ma},
            {"discharge_current_ma", limits.discharge_current_ma},
            {"discharge_voltage_mv", limits.discharge_voltage_mv}};
}

Json rules_json(const Verdict& verdict) {
    Json list = Json::array();
    for (std::size_t i = 0; i < verdict.rule_count; ++i) {
        const battery::RuleLimit& limit = verdict.by_rule[i];
        std::array<char, 256> buffer{};
        Text why(buffer);
        battery::put_why(limit, why);
        list.push_back({{"rule", battery::rule_name(limit.rule)},
                        {"why", why.view()},
                        {"charge_current_ma", number_or_null(limit.charge_current_ma)},
                        {"discharge_current_ma", number_or_null(limit.discharge_current_ma)},
                        {"charge_voltage_mv", number_or_null(limit.charge_voltage_mv)},
                        {"input", number_or_null(limit.input)},
                        {"index", limit.index},
                        {"pack", limit.pack}});
    }
    return list;
}

Json ramps_json(const battery::LawSettings& settings) {
    Json ramps = Json::object();
    for (const battery::LawRamp& one : battery::law_ramps()) {
        const battery::Ramp& ramp = settings.*(one.member);
        Json points = Json::array();
        for (std::size_t i = 0; i < ramp.size; ++i) {
            points.push_back({ramp.points[i].at, ramp.points[i].permille});
        }
        if (!points.empty()) {
            ramps[one.name] = std::move(points);
        }
    }
    return ramps;
}

Json alarms_json(const BatteryAlarms& alarms) {
    Json list = Json::array();
    for (std::size_t i = 0; i < alarms.size(); ++i) {
        list.push_back({{"name", can_out::alarm_name(static_cast<BatteryAlarm>(i))},
                        {"level", can_out::level_name(alarms[i])}});
    }
    return list;
}

Json measured_json(const can_out::BatteryState& state) {
    Json measured = Json::object();
    put_if_known(measured, "voltage_mv", state.voltage_mv);
    put_if_known(measured, "current_ma", state.current_ma);
    if (state.voltage_mv && state.current_ma) {
        measured["power_w"] = *state.voltage_mv * *state.current_ma / 1'000'000;
    }
    if (state.soc_permyriad) {
        measured["soc_permille"] = *state.soc_permyriad / 10;
    }
    put_if_known(measured, "soh_permille", state.soh_permille);
    put_if_known(measured, "temperature_mc", state.temperature_mc);
    put_if_known(measured, "capacity_mah", state.capacity_mah);
    put_if_known(measured, "cell_minimum_mv", state.cell_minimum_mv);
    put_if_known(measured, "cell_maximum_mv", state.cell_maximum_mv);
    if (state.cell_minimum_mv) {
        measured["cell_minimum_id"] = state.cell_minimum_id.view();
        measured["cell_maximum_id"] = state.cell_maximum_id.view();
    }
    return measured;
}

Json cells_json(const Pack& pack) {
    std::size_t count = pack.cells_mv.size();
    while (count > 0 && !pack.cells_mv[count - 1]) {
        --count;
    }
    Json cells = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
        cells.push_back(number_or_null(pack.cells_mv[i]));
    }
    return cells;
}

Json pack_json(const Pack& pack, const std::string& device, Instant now) {
    Json json{{"device", device}, {"online", pack.online}, {"age_ms", age_ms(pack.at, now)}};
    put_if_known(json, "voltage_mv", pack.voltage_mv);
    put_if_known(json, "current_ma", pack.current_ma);
    put_if_known(json, "soc_permille", pack.soc_permille);
    put_if_known(json, "soh_permille", pack.soh_permille);
    json["cells_mv"] = cells_json(pack);
    json["balancing"] = Json::array();
    for (std::size_t i = 0; i < json["cells_mv"].size(); ++i) {
        json["balancing"].push_back(((pack.balancing_bits.value_or(0) >> i) & 1) != 0);
    }
    json["temperatures_mc"] = Json::array();
    for (const Number& temperature : pack.temperatures_mc) {
        json["temperatures_mc"].push_back(number_or_null(temperature));
    }
    json["board_temperature_mc"] = number_or_null(pack.board_temperature_mc);
    constexpr auto activities = enum_names(BatteryActivity{});
    const std::int64_t activity = pack.activity.value_or(-1);
    const bool known = activity >= 0 && activity < std::ssize(activities);
    json["activity"] = known ? Json(activities[static_cast<std::size_t>(activity)]) : Json(nullptr);
    put_if_known(json, "cell_overvoltage_mv", pack.cell_overvoltage_mv);
    put_if_known(json, "cell_undervoltage_mv", pack.cell_undervoltage_mv);
    put_if_known(json, "cell_full_mv", pack.cell_full_mv);
    put_if_known(json, "cell_empty_mv", pack.cell_empty_mv);
    return json;
}

Json inverter_json(const BatteryView& view, Instant now) {
    if (view.can == nullptr || view.battery->profile() == nullptr) {
        return nullptr;
    }
    const auto state = view.can->bus_state();
    const CanCounters& counters = view.can->counters();
    return {{"profile", view.battery->profile()->name},
            {"title", view.battery->profile()->title},
            {"bus", view.bus},
            {"bus_state", state ? Json(name_of(*state)) : Json(nullptr)},
            {"heard_age_ms", age_ms(view.battery->inverter_heard(), now)},
            {"sent", counters.sent},
            {"received", counters.received},
            {"dropped", counters.dropped},
            {"bus_offs", counters.bus_offs}};
}

Json battery_json(const BatteryView& view, Instant now) {
    const battery::Battery& battery = *view.battery;
    const Verdict& verdict = battery.verdict();
    const battery::LawSettings& settings = battery.law().settings();
    const std::span<const Pack> packs = battery.packs();
    Json list = Json::array();
    for (std::size_t i = 0; i < packs.size() && i < view.packs.size(); ++i) {
        list.push_back(pack_json(packs[i], view.packs[i], now));
    }
    return {{"name", view.name},
            {"title", view.title},
            {"may_send", verdict.may_send},
            {"stage", name_of(verdict.stage)},
            {"age_ms", verdict.age.ms()},
            {"limits", verdict.may_send ? limits_json(verdict.limits(now)) : Json(nullptr)},
            {"bounds",
             {{"charge_current_ma", settings.charge_current_max_ma},
              {"discharge_current_ma", settings.discharge_current_max_ma}}},
            {"remote_hold_s", battery.remote_hold().us / 1'000'000},
            {"charge_rule", battery::rule_name(verdict.charge_rule)},
            {"discharge_rule", battery::rule_name(verdict.discharge_rule)},
            {"voltage_rule", battery::rule_name(verdict.voltage_rule)},
            {"rules", rules_json(verdict)},
            {"ramps", ramps_json(settings)},
            {"alarms", alarms_json(verdict.alarms)},
            {"measured", measured_json(battery.state(now))},
            {"packs", std::move(list)},
            {"energy",
             {{"charge_wh", battery.energy().charge_wh},
              {"discharge_wh", battery.energy().discharge_wh}}},
            {"inverter", inverter_json(view, now)}};
}

/// How the profile names an id in that direction; null where it does not.
const can_out::Frame* known_frame(const can_out::Profile& profile, const CanTraffic::Seen& seen) {
    return seen.frame.extended ? nullptr : can_out::find(profile, seen.frame.id);
}

Json seen_json(const can_out::Profile& profile, const CanTraffic::Seen& seen, Instant now) {
    const can_out::Frame* const frame = known_frame(profile, seen);
    std::string data;
    for (const std::uint8_t byte : seen.frame.bytes()) {
        data += fmt::format("{:02X}", byte);
    }
    Json signals = Json::array();
    if (frame != nullptr) {
        for (CanSignal& signal : can_signals(*frame, seen.frame)) {
            signals.push_back({{"name", std::move(signal.name)},
                               {"unit", std::move(signal.unit)},
                               {"value", std::move(signal.value)}});
        }
    }
    return {{"id", fmt::format("{:0{}X}", seen.frame.id, seen.frame.extended ? 8 : 3)},
            {"name", frame != nullptr ? Json(frame->name) : Json(nullptr)},
            {"from", seen.sent ? "battery" : "inverter"},
            {"known", frame != nullptr},
            {"count", seen.count},
            {"age_ms", age_ms(seen.at, now)},
            {"interval_ms", seen.interval ? Json(seen.interval->ms()) : Json(nullptr)},
            {"data", data},
            {"signals", std::move(signals)}};
}

std::string text_of(const Json& body) {
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string batteries(std::span<const BatteryView> batteries, Instant now) {
    Json items = Json::array();
    for (const BatteryView& view : batteries) {
        items.push_back(battery_json(view, now));
    }
    return text_of({{"items", std::move(items)}});
}

std::string can_traffic(const BatteryView& battery, Instant now) {
    Json items = Json::array();
    if (battery.traffic != nullptr && battery.battery->profile() != nullptr) {
        for (const CanTraffic::Seen& seen : battery.traffic->seen()) {
            items.push_back(seen_json(*battery.battery->profile(), seen, now));
        }
    }
    return text_of({{"items", std::move(items)}});
}

}  // namespace jw::http::api_json
