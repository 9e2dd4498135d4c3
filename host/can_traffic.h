// SPDX-License-Identifier: Apache-2.0
#pragma once
// CanTraffic: the latest frame of every id on a CAN bus, for people who look on.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bus/can_line.h"

namespace jw {

/// Stands between a line and its client, and hands everything on.
class CanTraffic final : public CanClient {
  public:
    struct Seen {
        CanFrame frame;
        bool sent = false;
        std::uint64_t count = 0;
        Instant at;
        std::optional<Duration> interval;  // since the one before
    };
    /// Ids beyond these are counted only.
    static constexpr std::size_t ids_max = 64;

    explicit CanTraffic(CanClient& client) : client_(client) {}

    void received(const CanFrame& frame, Instant now) override;
    void rivalled(const CanFrame& frame, Instant now) override;
    void bus_changed(std::optional<CanBusState> state, Instant now) override;
    void sent(const CanFrame& frame, Instant now) override;

    /// By id; what was sent and what was received of one id are two.
    [[nodiscard]] const std::vector<Seen>& seen() const { return seen_; }
    [[nodiscard]] std::uint64_t overlooked() const { return overlooked_; }

  private:
    void note(const CanFrame& frame, bool sent, Instant now);

    CanClient& client_;
    std::vector<Seen> seen_;
    std::uint64_t overlooked_ = 0;
};

}  // namespace jw
