// SPDX-License-Identifier: Apache-2.0
#pragma once
// Door: API and pages of one daemon, behind the one door of host/http.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/jouleway/daemon.h"
#include "core/outbox/backlog_age.h"
#include "host/http/access.h"
#include "host/http/api.h"
#include "host/http/router.h"
#include "host/http/server.h"
#include "host/workers.h"

namespace jw {

class Door {
  public:
    /// The daemon outlives it and has been started.
    Door(Loop& loop, Workers& workers, Daemon& daemon, Instant started);
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    /// Listens as the settings say. Errors: those of Server::listen(); `reason` says it in words.
    Status open(std::string& reason);
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    Instant step(Instant now) { return api_.step(server_, now); }
    void reading(std::size_t device, const Reading& reading, Instant now) {
        api_.reading(device, reading, now);
    }
    void begun(const CommandId& id, Status written) { api_.begun(id, written); }
    void finished(const CommandResult& result, bool local) { api_.finished(result, local); }

  private:
    void tell(const std::string& text);
    http::GatewayView make_view(const Loop& loop, Instant started);
    [[nodiscard]] http::DeviceView device(std::size_t index) const;
    [[nodiscard]] http::DeviceView battery_device(std::size_t index) const;
    [[nodiscard]] std::vector<http::BatteryView> batteries() const;
    [[nodiscard]] http::OutboxView outbox() const;
    std::vector<http::SinkView> sinks();
    [[nodiscard]] std::vector<http::FaultView> faults() const;
    [[nodiscard]] std::vector<http::BusView> buses() const;
    [[nodiscard]] std::optional<http::CommandView> recall(std::string_view id) const;

    Workers& workers_;
    Daemon& daemon_;
    std::vector<BacklogAge> backlog_ages_;  // of each sink
    Guard guard_;
    http::GatewayView view_;
    http::Access access_;
    http::Api api_;
    http::Router router_;
    http::Server server_;
};

}  // namespace jw
