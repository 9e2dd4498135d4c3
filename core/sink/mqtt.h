// SPDX-License-Identifier: Apache-2.0
#pragma once
// Our own MQTT topics (DESIGN 4): jouleway/v1/<gateway>/…
#include <optional>
#include <string_view>

#include "core/base/text.h"
#include "core/model/command.h"
#include "core/model/record.h"

namespace jw::mqtt {

using Topic = FixedText<160>;

/// jouleway/v1/<gateway>/<leaf>, leaf as "readings", "status", "durable".
Topic topic(std::string_view gateway, std::string_view leaf);
/// Where batches of a kind go.
Topic batch_topic(std::string_view gateway, RecordKind kind);
/// What the gateway subscribes to: …/commands/+
Topic commands_filter(std::string_view gateway);
/// The command id of a topic below …/commands/, or nothing.
std::optional<std::string_view> command_id(std::string_view gateway, std::string_view topic);

}  // namespace jw::mqtt
