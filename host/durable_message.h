// SPDX-License-Identifier: Apache-2.0
#pragma once
// DurableMessage: what a hub says on …/durable it has on its own disk.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/model/record.h"

namespace jw {

/// No gateway ever appends so many records: a larger number is a slip.
inline constexpr std::uint64_t durable_seq_max = std::uint64_t{1} << 48;

struct DurableMessage {
    std::uint64_t epoch = 0;
    std::array<std::uint64_t, record_classes> to{};  // the last durable seq, 0: none
};

/// Reads {"v":1,"epoch":"16 hex digits","to":[a,b,c,d]} (docs/formats/mqtt.md). Nothing where any
/// part of it is missing, of another type or cannot be; never throws.
std::optional<DurableMessage> read_durable(std::string_view payload);

}  // namespace jw
