// SPDX-License-Identifier: Apache-2.0
#pragma once
// A broker with a subscriber behind it: the connection to it breaks, its acknowledgements come
// late, it refuses records, and it may forget what it acknowledged.
#include <map>
#include <string>
#include <vector>

#include "core/model/command.h"
#include "sim/world_checker.h"
#include "sim/world_stage.h"

namespace jw::sim {

class WorldGateway;

class WorldBroker {
  public:
    WorldBroker(WorldStage& stage, WorldChecker& checker);

    /// A gateway starts (or its power was cut: null).
    void attach(WorldGateway* gateway);
    [[nodiscard]] bool connected() const { return connected_; }
    /// Gives the ticket under which the answer comes.
    std::uint32_t publish(std::string_view batch);
    /// A request stays until the gateway clears it, and is sent again on every connection.
    void request(const Command& command);
    void clear(const CommandId& id);
    [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
    [[nodiscard]] bool waits_for(const Name& target) const;
    [[nodiscard]] std::uint64_t breaks() const { return breaks_; }

  private:
    void live();
    void connect();
    void disconnect();
    void arrived(std::uint32_t ticket, const std::string& batch);
    void forward();
    void tell_durable();
    void send_request(const Command& command);
    [[nodiscard]] bool refuses(const std::string& batch) const;

    WorldStage& stage_;
    WorldChecker& checker_;
    WorldGateway* gateway_ = nullptr;
    bool connected_ = false;
    std::uint64_t connection_ = 0;
    std::uint32_t ticket_ = 0;
    Instant arrives_at_;             // of the latest batch under way: they keep their order
    std::vector<std::string> held_;  // acknowledged, not yet at the subscriber
    std::map<std::string, Command> requests_;
    std::uint64_t breaks_ = 0;
};

}  // namespace jw::sim
