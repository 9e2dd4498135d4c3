// SPDX-License-Identifier: Apache-2.0
#pragma once
// The MQTT topics of the TinyBMS Web Gateway, bms/<device>/…, which Jouleway continues: members and
// units are as there, for dashboards that read them. One row in docs/formats/homeassistant.md each.
#include <optional>
#include <string_view>

#include "core/base/time.h"
#include "core/model/snapshot.h"

namespace jw::bms_topics {

using Topic = FixedText<160>;

/// <prefix>/<device>/<leaf>, leaf as "status", "metrics".
Topic topic(std::string_view prefix, std::string_view device, std::string_view leaf);

/// Whether the device gave what a battery gives: its charge and its cells.
bool is_battery(const DeviceSnapshot& device);

/// Appends the metrics of a battery. What it does not give, or gave too long ago, is absent; an
/// absent cell between others is null.
void put_metrics(const DeviceSnapshot& device,
                 Instant now,
                 std::optional<std::int64_t> unix_ms,
                 Text& out);

}  // namespace jw::bms_topics
