// SPDX-License-Identifier: Apache-2.0
#pragma once
// Command: what asks a device to act; executed at most once, answered by exactly one result.
#include <array>
#include <cstdint>

#include "core/base/fields.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/model/event.h"
#include "core/model/reading.h"

namespace jw {

using CommandId = FixedText<limits::command_id_size_max>;

enum class Action : std::uint8_t {
    set,   // write `value` to the quantity of the target
    read,  // poll the target now
};
constexpr auto enum_names(Action) {
    return std::array{"set", "read"};
}

struct Command {
    CommandId id;                    // chosen by the issuer, never used twice: [A-Za-z0-9-]
    Name issuer;                     // whose key signed it; empty: came through the local door
    Name target;                     // name of a device
    std::int64_t not_before_ms = 0;  // Unix time; 0: at once
    std::int64_t expiry_ms = 0;      // Unix time; from afar it must be given, at most 24 h ahead
    std::uint64_t counter = 0;       // rises per issuer; 0 where unsigned
    Action action = Action::set;
    FixedText<40> quantity;  // name of what to set: "relay_closed"
    std::int64_t value = 0;

    static constexpr auto fields() {
        return Fields{Field{1, "id", &Command::id, "chosen by the issuer, never used twice"},
                      Field{2, "issuer", &Command::issuer, "whose key signed it"},
                      Field{3, "target", &Command::target, "name of a device"},
                      Field{4, "not_before", &Command::not_before_ms, "Unix ms; 0: at once"},
                      Field{5, "expiry", &Command::expiry_ms, "Unix ms; at most 24 h ahead"},
                      Field{6, "counter", &Command::counter, "rises per issuer"},
                      Field{7, "action", &Command::action},
                      Field{8, "quantity", &Command::quantity, "what to set: relay_closed"},
                      Field{9, "value", &Command::value, "in the unit of the quantity"}};
    }
};

enum class ResultCode : std::uint8_t {
    executed,
    expired,
    too_early,  // may not begin before it expires
    repeated,
    unknown_target,
    unsupported,  // the device has nothing of that name to set
    out_of_range,
    denied,  // signature, counter or right
    malformed,
    device_silent,  // asked, no answer: it may or may not have acted
    device_refused,
    interrupted,    // the gateway stopped between asking and the answer
    not_confirmed,  // the device answered, reading back gives another value
    busy,
};
constexpr auto enum_names(ResultCode) {
    return std::array{"executed",
                      "expired",
                      "too_early",
                      "repeated",
                      "unknown_target",
                      "unsupported",
                      "out_of_range",
                      "denied",
                      "malformed",
                      "device_silent",
                      "device_refused",
                      "interrupted",
                      "not_confirmed",
                      "busy"};
}

struct CommandResult {
    CommandId id;
    Name target;
    ResultCode code = ResultCode::executed;
    Detail text;
    std::optional<std::int64_t> value;  // as read back

    static constexpr auto fields() {
        return Fields{Field{1, "id", &CommandResult::id},
                      Field{2, "target", &CommandResult::target},
                      Field{3, "code", &CommandResult::code},
                      Field{4, "text", &CommandResult::text},
                      Field{5, "value", &CommandResult::value, "as read back from the device"}};
    }
};

}  // namespace jw
