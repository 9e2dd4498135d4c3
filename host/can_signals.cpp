// SPDX-License-Identifier: Apache-2.0
// Signals of a frame by name.
#include "host/can_signals.h"

#include <array>

#include "core/sink/can_out/describe.h"

namespace jw {
namespace {

using can_out::Kind;
using Json = nlohmann::ordered_json;

std::string name_of(const can_out::Signal& signal) {
    std::array<char, 64> room{};
    Text name(room);
    can_out::put_name(signal, name);
    return std::string(name.view());
}

Json level_of(const can_out::BatteryState& state, std::size_t alarm) {
    return can_out::level_name(state.alarms[alarm]);
}

void add(const can_out::Signal& signal,
         const can_out::BatteryState& state,
         std::vector<CanSignal>& signals) {
    switch (signal.kind) {
        case Kind::number:
            if (!signal.refines) {
                const auto& number = state.*(signal.field->member);
                signals.push_back({signal.field->name,
                                   signal.field->unit,
                                   number ? Json(*number) : Json(nullptr)});
            }
            break;
        case Kind::text: {
            const std::string_view text = (state.*(signal.text->member)).view();
            const std::size_t from = std::min(text.size(), std::size_t{8} * signal.part);
            signals.push_back({name_of(signal), "", std::string(text.substr(from))});
            break;
        }
        case Kind::pairs:
            for (std::size_t i = 0; i < battery_alarms; ++i) {
                const auto name = can_out::alarm_name(static_cast<BatteryAlarm>(i));
                signals.push_back({std::string(name), "", level_of(state, i)});
            }
            break;
        case Kind::alarm:
            signals.push_back({std::string(can_out::alarm_name(signal.alarm)),
                               "",
                               level_of(state, static_cast<std::size_t>(signal.alarm))});
            break;
        case Kind::constant:
            break;
    }
}

}  // namespace

std::vector<CanSignal> can_signals(const can_out::Frame& frame, const CanFrame& can) {
    std::vector<CanSignal> signals;
    can_out::BatteryState state;
    if (!can_out::decode(frame, can, state)) {
        return signals;
    }
    for (const can_out::Signal& signal : frame.signals) {
        const bool there = signal.first_bit + signal.bits <= 8 * can.size;
        if (there || signal.kind == Kind::number) {
            add(signal, state, signals);
        }
    }
    return signals;
}

}  // namespace jw
