// SPDX-License-Identifier: Apache-2.0
// Lines of CAN logs as JSON: known frames with what they say, unknown ones as they are.
#include "apps/joulectl/can.h"
#include "apps/joulectl/decode.h"
#include "apps/joulectl/input.h"

namespace joulectl {
namespace {

using namespace jw;
using can_out::Kind;

std::string name_of(const can_out::Signal& signal) {
    std::array<char, 64> room{};
    Text name(room);
    can_out::put_name(signal, name);
    return std::string(name.view());
}

/// Where a field stands twice in a frame, the finer one is what the state kept.
void put_signal(const can_out::Signal& signal,
                const CanFrame& can,
                const can_out::BatteryState& state,
                Json& values) {
    const bool there = signal.first_bit + signal.bits <= 8 * can.size;
    if (signal.kind == Kind::number && !signal.refines) {
        const auto& number = state.*(signal.field->member);
        values[signal.field->name] = number ? Json(*number) : Json(nullptr);
    } else if (signal.kind == Kind::text && there) {
        const std::string_view text = (state.*(signal.text->member)).view();
        values[name_of(signal)] =
            std::string(text.substr(std::min(text.size(), 8UL * signal.part)));
    } else if (signal.kind == Kind::pairs && there) {
        for (std::size_t i = 0; i < battery_alarms; ++i) {
            values[can_out::alarm_name(static_cast<BatteryAlarm>(i))] =
                can_out::level_name(state.alarms[i]);
        }
    } else if (signal.kind == Kind::alarm && there) {
        values[can_out::alarm_name(signal.alarm)] =
            can_out::level_name(state.alarms[static_cast<std::size_t>(signal.alarm)]);
    }
}

constexpr const char* too_short = "this frame is too short for any value";

Json head_json(const candump::LoggedFrame& logged, std::size_t at) {
    Json line{{"wire", "candump"}, {"at", at}};
    if (logged.time_us) {
        line["time_us"] = *logged.time_us;
    }
    line["bus"] = std::string(logged.bus.view());
    put_frame(logged.frame, line);
    return line;
}

}  // namespace

const can_out::Profile& profile_named(const std::string& name) {
    const can_out::Profile* profile = can_out::profile_named(name);
    if (profile == nullptr) {
        std::string names;
        for (const can_out::Profile& known : can_out::profiles) {
            names += std::string(names.empty() ? "" : ", ") + known.name;
        }
        throw UsageError("no profile is called " + name + "; there are " + names);
    }
    return *profile;
}

void put_frame(const CanFrame& can, Json& line) {
    std::array<char, 8> room{};
    Text id(room);
    id.hex(can.id, can.extended ? 8 : 3);
    line["id"] = std::string(id.view());
    line["data"] = to_hex(as_text(can.bytes()));
}

bool put_meaning(const CanFrame& can, const can_out::Profile& profile, Json& line) {
    const can_out::Frame* frame = can.extended ? nullptr : find(profile, can.id);
    if (frame == nullptr) {
        return true;
    }
    can_out::BatteryState state;
    if (!decode(*frame, can, state)) {
        return false;
    }
    line["name"] = frame->name;
    line["from"] = frame->from == can_out::From::battery ? "battery" : "inverter";
    Json values = Json::object();
    for (const can_out::Signal& signal : frame->signals) {
        put_signal(signal, can, state, values);
    }
    line["values"] = std::move(values);
    return true;
}

void each_line(std::string_view text, const std::function<void(std::string_view, std::size_t)>& f) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        f(text.substr(at, end - at), at);
        at = end + 1;
    }
}

void decode_candump(const DecodeInput& input, DecodeOut& out) {
    const can_out::Profile& profile = profile_named(input.profile);
    each_line(as_text(input.bytes), [&](std::string_view text, std::size_t at) {
        const candump::Line read = candump::read_line(text);
        if (read.code != Code::ok) {
            out.refused(read.code, at + read.at, at, std::string("expected ") + read.wrong);
            return;
        }
        if (!read.logged) {
            return;
        }
        Json line = head_json(*read.logged, at);
        if (!put_meaning(read.logged->frame, profile, line)) {
            out.refused(Code::truncated, at, at, too_short);
            return;
        }
        out.accepted(line);
    });
}

}  // namespace joulectl
