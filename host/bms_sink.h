// SPDX-License-Identifier: Apache-2.0
#pragma once
// BmsSink: one battery on the topics of the TinyBMS Web Gateway, bms/<device>/status and metrics.
#include <optional>
#include <string>
#include <vector>

#include "host/live_client.h"

namespace jw {

class BmsSink final : public LiveSink {
  public:
    /// `index`: of the entry in settings.live. Everything handed in outlives the sink.
    BmsSink(Loop& loop, Gateway& gateway, const GatewaySettings& settings, std::size_t index);

    void start(Instant now) override;
    Instant run(Instant now) override;
    void stop() override;

  private:
    Gateway& gateway_;
    const GatewaySettings::Live& live_;
    std::vector<char> buffer_;
    std::optional<bool> online_;  // as said in this session
    Instant next_;                // metrics
    Instant reading_{-1};         // that the last metrics were of
    LiveClient client_;
};

}  // namespace jw
