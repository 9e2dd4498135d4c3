// SPDX-License-Identifier: Apache-2.0
// Lines of CAN logs as JSON: known frames with what they say, unknown ones as they are.
#include "apps/joulectl/can.h"
#include "apps/joulectl/decode.h"
#include "apps/joulectl/input.h"
#include "host/can_signals.h"

namespace joulectl {
namespace {

using namespace jw;

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
    for (CanSignal& signal : can_signals(*frame, can)) {
        values[signal.name] = std::move(signal.value);
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
