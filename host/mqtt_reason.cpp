// SPDX-License-Identifier: Apache-2.0
// MQTT reason codes (MQTT 5.0, 2.4), one row each.
#include "host/mqtt_reason.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace jw {
namespace {

struct Row {
    int code;
    std::int16_t wait_s;
    bool refused;
    const char* words;
};

constexpr std::array rows{
    Row{0x81, 0, false, "the broker could not read our packet"},
    Row{0x82, 0, false, "the broker saw a breach of the protocol"},
    Row{0x83, 0, false, "the broker refuses for a reason of its own"},
    Row{0x84, 0, false, "the broker does not speak this version of MQTT"},
    Row{0x85, 300, true, "the broker refuses the client id"},
    Row{0x86, 300, true, "the broker refuses the user or the password"},
    Row{0x87, 300, true, "the broker does not allow this (check its access rules)"},
    Row{0x88, 10, false, "the broker is not available"},
    Row{0x89, 10, false, "the broker is busy"},
    Row{0x8A, 900, true, "the broker has banned this client"},
    Row{0x8B, 0, false, "the broker shuts down"},
    Row{0x8C, 300, true, "the broker refuses the way of logging in"},
    Row{0x8D, 0, false, "the broker heard nothing from us in time"},
    Row{0x8E, 60, false, "another client took over with the same client id"},
    Row{0x90, 0, false, "the broker does not take the name of a topic"},
    Row{0x93, 0, false, "the broker got more messages at once than it takes"},
    Row{0x95, 0, false, "the broker got a packet larger than it takes"},
    Row{0x96, 60, false, "the broker says that we send too much"},
    Row{0x97, 60, false, "a quota at the broker is used up"},
    Row{0x98, 0, false, "the broker's operator closed the connection"},
    Row{0x99, 0, false, "the broker does not take the format of a payload"},
    Row{0x9A, 0, false, "the broker keeps no retained messages"},
    Row{0x9B, 0, false, "the broker does not offer this quality of service"},
    Row{0x9C, 300, false, "the broker asks to use another one for now"},
    Row{0x9D, 900, false, "the broker has moved: put its new address into the settings"},
    Row{0x9F, 60, false, "the broker gets connections too fast"},
    Row{0xA0, 0, false, "the broker allows connections only for a limited time"},
};

const Row* find(int code) {
    const auto* found =
        std::find_if(rows.begin(), rows.end(), [code](const Row& row) { return row.code == code; });
    return found == rows.end() ? nullptr : found;
}

}  // namespace

int mqtt5_code(int connack_3_1_1) {
    constexpr std::array codes{0x00, 0x84, 0x85, 0x88, 0x86, 0x87};
    if (connack_3_1_1 < 0 || static_cast<std::size_t>(connack_3_1_1) >= codes.size()) {
        return 0x80;
    }
    return codes[static_cast<std::size_t>(connack_3_1_1)];
}

std::string mqtt_words(int code) {
    const Row* row = find(code);
    return row != nullptr ? fmt::format("{} (0x{:02X})", row->words, code)
                          : fmt::format("the broker gives the reason code 0x{:02X}", code);
}

bool mqtt_is_refusal(int code) {
    const Row* row = find(code);
    return row != nullptr && row->refused;
}

bool mqtt_is_about_message(int code) {
    return code == 0x90 || code == 0x95 || code == 0x99;
}

Duration mqtt_wait(int code) {
    const Row* row = find(code);
    return row != nullptr ? seconds(row->wait_s) : Duration{};
}

}  // namespace jw
