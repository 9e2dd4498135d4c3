// SPDX-License-Identifier: Apache-2.0
#pragma once
// MQTT reason codes: what they mean in words and how long they ask us to stay away.
#include <cstdint>
#include <string>

#include "core/base/time.h"

namespace jw {

// MQTT 5.0, 2.4. Those of 3.1.1 (3.2.2.3) are translated to them.
inline constexpr int mqtt_unsupported_version = 0x84;

/// Why a session or an attempt at one ended.
struct MqttReason {
    int code = 0;          // of MQTT 5; 0: none was given
    std::string text;      // what, where, what to do
    bool refused = false;  // by login or rights: waiting alone does not heal it
    bool was_connected = false;
};

/// The code of MQTT 5 that a return code of a 3.1.1 CONNACK (1…5) stands for.
int mqtt5_code(int connack_3_1_1);
/// A clause without full stop, such as "the broker refuses the user or the password".
std::string mqtt_words(int code);
/// Login or rights, or a ban.
bool mqtt_is_refusal(int code);
/// Whether a refused message is refused for what is in it, so that the same one never passes.
bool mqtt_is_about_message(int code);
/// The least wait before the next attempt, 0 where the back-off alone decides.
Duration mqtt_wait(int code);

}  // namespace jw
