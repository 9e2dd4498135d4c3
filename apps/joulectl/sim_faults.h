// SPDX-License-Identifier: Apache-2.0
#pragma once
// The faults that a simulated device can be given on the command line.
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.h"

namespace joulectl {

struct SimOptions;

/// Decides, answer by answer, what goes wrong. One seed gives one sequence.
class SimFaults {
  public:
    /// Throws UsageError naming the option that cannot be understood.
    explicit SimFaults(const SimOptions& options);

    /// Whether this answer is lost.
    bool drops();
    /// Whether the device is asleep: `now` counts from the start; times of the day are local.
    [[nodiscard]] bool asleep(jw::Instant now) const;
    [[nodiscard]] jw::Duration delay() const { return delay_; }

  private:
    /// Seconds of the day, or since the start.
    struct Moment {
        std::int64_t s = 0;
        bool of_day = false;
    };
    static std::optional<Moment> moment(const std::string& text, const char* option);

    std::uint64_t random_;
    std::uint32_t drop_ppm_ = 0;
    jw::Duration delay_;
    std::optional<Moment> from_;
    std::optional<Moment> to_;
};

}  // namespace joulectl
