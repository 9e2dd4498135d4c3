// SPDX-License-Identifier: Apache-2.0
// What an slcan adapter writes as JSON: frames with what they say, answers, flags and states.
#include "apps/joulectl/can.h"
#include "apps/joulectl/decode.h"
#include "core/bus/slcan.h"

namespace joulectl {
namespace {

using namespace jw;

const char* state_name(CanBusState state) {
    constexpr const char* names[] = {"active", "passive", "off"};
    return names[static_cast<std::size_t>(state)];
}

const char* reason(Code code) {
    switch (code) {
        case Code::out_of_range:
            return "an id beyond 11 or 29 bits, a size beyond 8, or a time beyond 59999";
        case Code::unsupported:
            return "a remote frame, or a line that begins with a letter that is not known";
        default:
            return "not as the adapter writes it: too short, too long, or no hex digit";
    }
}

Json json_of(const slcan::Message& message, std::size_t at) {
    constexpr const char* kinds[] = {"accepted", "refused", "frame", "status", "state", "text"};
    Json line{
        {"wire", "slcan"}, {"at", at}, {"kind", kinds[static_cast<std::size_t>(message.kind)]}};
    if (message.kind == slcan::Kind::status) {
        line["flags"] = message.flags;
    }
    if (message.kind == slcan::Kind::status || message.kind == slcan::Kind::state) {
        line["state"] = state_name(message.state);
    }
    if (message.kind == slcan::Kind::frame) {
        if (message.timestamp_ms) {
            line["time_ms"] = *message.timestamp_ms;
        }
        put_frame(message.frame, line);
    }
    return line;
}

}  // namespace

void decode_slcan(const DecodeInput& input, DecodeOut& out) {
    const can_out::Profile& profile = profile_named(input.profile);
    slcan::Receiver receiver;
    Bytes rest = input.bytes;
    std::size_t at = 0;
    while (const auto message = receiver.take(rest)) {
        const std::size_t next = input.bytes.size() - rest.size();
        if (!*message) {
            out.refused(message->code(), at, at, reason(message->code()));
        } else {
            Json line = json_of(**message, at);
            if ((*message)->kind == slcan::Kind::frame &&
                !put_meaning((*message)->frame, profile, line)) {
                out.refused(Code::truncated, at, at, "this frame is too short for any value");
            } else {
                out.accepted(line);
            }
        }
        at = next;
    }
    if (at < input.bytes.size()) {
        out.refused(Code::truncated, input.bytes.size(), at, "the input ends inside the line");
    }
}

}  // namespace joulectl
