// SPDX-License-Identifier: Apache-2.0
#pragma once
// The API of a gateway: REST, metrics, events, the pages. docs/openapi.json describes every route.
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/command.h"
#include "core/model/reading.h"
#include "host/http/access.h"
#include "host/http/recent.h"
#include "host/http/router.h"
#include "host/http/server.h"
#include "host/http/view.h"

namespace jw::http {

class Api {
  public:
    /// The view and the access outlive it. Values of `series_max` quantities are kept for charts.
    Api(const GatewayView& view, Access& access, Offload offload, std::size_t series_max = 512);
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    /// Adds every route of the gateway; the handlers belong to this object.
    void add_routes(Router& router);

    // What the program tells while it happens.
    void reading(std::size_t device, const Reading& reading, Instant now);
    /// As CommandPorts::begun(): answers who waits for it.
    void begun(const CommandId& id, Status written);
    void finished(const CommandResult& result, bool local);

    /// What a new WebSocket is told first: everything.
    [[nodiscard]] std::vector<std::string> greeting() const;
    /// Tells the WebSockets what changed; at most once a second. Answers who waited too long for
    /// the disk. Returns when to call again.
    Instant step(Server& server, Instant now);

    [[nodiscard]] std::string metrics() const;
    /// The server whose counters stand in the metrics; may be null.
    void use_counters(const ServerCounters* counters) { counters_ = counters; }

  private:
    struct Told {
        std::uint32_t readings = 0;
        bool stale = false;
    };
    /// A request that is answered once its command is on disk.
    struct Waiting {
        CommandId id;
        Reply reply;
        Instant until;
    };

    void add_reading_routes(Router& router);
    void add_command_routes(Router& router);
    void add_battery_routes(Router& router);
    [[nodiscard]] std::string batteries_json() const;
    void add_history_routes(Router& router);
    void add_alert_routes(Router& router);
    [[nodiscard]] std::string status_json() const;
    [[nodiscard]] std::string devices_json() const;
    [[nodiscard]] std::string readings_json(const std::vector<bool>& devices) const;
    [[nodiscard]] std::string outbox_json() const;
    [[nodiscard]] std::string faults_json() const;
    [[nodiscard]] std::string alerts_json() const;
    [[nodiscard]] Response acknowledge(const Request& request) const;
    void tell_alerts(Server& server);
    [[nodiscard]] Response recent_response(const Request& request) const;
    void get_history(const Request& request, const Reply& reply) const;
    void post_command(const Request& request, const Reply& reply);
    void answer_again(const KeyView& known, std::uint64_t request, const Reply& reply);
    [[nodiscard]] CommandView* find_command(std::string_view id);
    void answer_when_written(const CommandView& seen, const Reply& reply);
    void give_up_waiting(Instant now);
    [[nodiscard]] Response get_command(const Request& request);
    [[nodiscard]] Response list_commands() const;
    std::vector<bool> changed_devices();
    void tell_if_changed(Server& server, const char* type, const std::string& body);

    const GatewayView& view_;
    Access& access_;
    Offload offload_;
    Recent recent_;
    std::deque<CommandView> commands_;  // the last 50, oldest first
    std::vector<Waiting> waiting_;      // at most 24
    std::map<std::pair<std::string, ResultCode>, std::uint64_t> command_counts_;
    std::vector<std::string> results_;  // to be told
    std::vector<Told> told_devices_;
    std::map<std::string, std::string> told_;
    std::optional<std::uint32_t> told_alerts_;  // revision
    Instant next_{0};
    const ServerCounters* counters_ = nullptr;
};

/// Metrics of the gateway in the text format of Prometheus 0.0.4, without those that Api counts.
std::string metrics_text(
    const GatewayView& view,
    const std::map<std::pair<std::string, ResultCode>, std::uint64_t>& commands,
    const ServerCounters* counters);

}  // namespace jw::http
