// SPDX-License-Identifier: Apache-2.0
#pragma once
// BacklogAge: how old the oldest record is that waits for a sink; asks the medium only where the
// sink's cursor has moved since.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/outbox/outbox.h"

namespace jw {

class BacklogAge {
  public:
    /// Of the oldest over all classes; nothing where none waits or none of them can be read.
    std::optional<Duration> of(Outbox& outbox, std::size_t sink, Instant now);

  private:
    struct Known {
        std::uint64_t seq = 0;  // first that waits; 0: nothing is known
        BootTime time;
    };
    std::array<Known, record_classes> known_{};
};

}  // namespace jw
