// SPDX-License-Identifier: Apache-2.0
// Routes of the API and what the WebSockets are told.
#include "host/http/api.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/fields.h"
#include "host/embedded.h"
#include "host/http/api_json.h"
#include "host/http/exposition.h"
#include "host/http/problem.h"
#include "host/http/static_files.h"

namespace jw::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration tell_every = seconds(1);

Handler now_answering(std::function<Response(const Request&)> answer) {
    return [answer = std::move(answer)](const Request& request, const Reply& reply) {
        reply(answer(request));
    };
}

/// The same body with the type in front: {"type":"status", ….
std::string with_type(const char* type, const std::string& body) {
    return fmt::format("{{\"type\":\"{}\",{}", type, std::string_view(body).substr(1));
}

Response embedded_json(std::string_view name) {
    const EmbeddedFile* file = embedded_file(name);
    if (file == nullptr) {
        return problem(Problem::not_found, "This program was built without it.");
    }
    Response response = json_response({});
    response.fixed = file->bytes;
    return response;
}

}  // namespace

Api::Api(const GatewayView& view, Access& access, Offload offload, std::size_t series_max)
    : view_(view), access_(access), offload_(std::move(offload)), recent_(series_max) {}

void Api::add_routes(Router& router) {
    router.add(Verb::get, "/healthz", Right::open, now_answering([](const Request&) {
                   return json_response(R"({"alive":true})");
               }));
    router.add(Verb::get, "/readyz", Right::read, now_answering([this](const Request&) {
                   return view_.ready() ? json_response(R"({"ready":true})")
                                        : problem(Problem::busy, "No record is on disk yet.");
               }));
    router.add(Verb::get, "/metrics", Right::read, now_answering([this](const Request& request) {
                   return expose(request, metrics());
               }));
    router.add(Verb::get, "/api/openapi.json", Right::read, now_answering([](const Request&) {
                   return embedded_json("openapi.json");
               }));
    constexpr std::size_t password_body_max = 1024;
    router.add(
        Verb::post,
        "/api/v1/session",
        Right::open,
        [this](const Request& request, const Reply& reply) {
            access_.sign_in(request, reply, offload_, view_.now());
        },
        password_body_max);
    router.add(Verb::get,
               "/api/v1/session",
               Right::open,
               now_answering([this](const Request& request) { return access_.session(request); }));
    router.add(Verb::remove,
               "/api/v1/session",
               Right::open,
               now_answering([this](const Request& request) { return access_.sign_out(request); }));
    add_reading_routes(router);
    add_command_routes(router);
    add_battery_routes(router);
    add_history_routes(router);
    add_alert_routes(router);
    router.add_websocket("/api/v1/events", Right::read);
    router.add(Verb::get, "/{page}*", Right::open, now_answering(&static_file));
}

void Api::add_reading_routes(Router& router) {
    router.add(Verb::get, "/api/v1/status", Right::read, now_answering([this](const Request&) {
                   return json_response(status_json());
               }));
    router.add(Verb::get, "/api/v1/devices", Right::read, now_answering([this](const Request&) {
                   return json_response(devices_json());
               }));
    router.add(
        Verb::get, "/api/v1/readings/latest", Right::read, now_answering([this](const Request&) {
            const std::size_t count = view_.snapshot().devices().size();
            return json_response(readings_json(std::vector<bool>(count, true)));
        }));
    router.add(Verb::get,
               "/api/v1/readings/recent",
               Right::read,
               now_answering([this](const Request& request) { return recent_response(request); }));
    router.add(Verb::get, "/api/v1/outbox", Right::read, now_answering([this](const Request&) {
                   return json_response(outbox_json());
               }));
    router.add(Verb::get, "/api/v1/faults", Right::read, now_answering([this](const Request&) {
                   return json_response(faults_json());
               }));
}

void Api::add_command_routes(Router& router) {
    constexpr std::size_t command_body_max = 16 * 1024;
    router.add(
        Verb::post,
        "/api/v1/commands",
        Right::act,
        [this](const Request& request, const Reply& reply) { post_command(request, reply); },
        command_body_max);
    router.add(Verb::get, "/api/v1/commands", Right::read, now_answering([this](const Request&) {
                   return list_commands();
               }));
    router.add(Verb::get,
               "/api/v1/commands/{id}",
               Right::read,
               now_answering([this](const Request& request) { return get_command(request); }));
}

void Api::reading(std::size_t device, const Reading& reading, Instant now) {
    recent_.add(device, reading, now);
}

std::string Api::status_json() const {
    return api_json::status(view_);
}
std::string Api::devices_json() const {
    return api_json::devices(view_);
}
std::string Api::readings_json(const std::vector<bool>& devices) const {
    return api_json::readings(view_, devices);
}
std::string Api::outbox_json() const {
    return api_json::outbox(view_);
}
std::string Api::faults_json() const {
    return api_json::faults(view_);
}

Response Api::recent_response(const Request& request) const {
    const std::optional<std::string> device = request.asked("device");
    const std::optional<std::string> name = request.asked("name");
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    if (!device || !name || !parse_name(*name, quantity, index)) {
        return problem(Problem::invalid_message, "Ask with device=NAME&name=power_w.");
    }
    const auto devices = view_.snapshot().devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (devices[i].name == *device) {
            const Instant now = view_.now();
            const auto means = recent_.find(i, quantity, index, now);
            return json_response(api_json::recent(view_, *device, *name, means, now));
        }
    }
    return problem(Problem::not_found, "There is no device of this name.");
}

std::vector<std::string> Api::greeting() const {
    const std::size_t count = view_.snapshot().devices().size();
    std::vector<std::string> greeting{
        with_type("status", status_json()),
        with_type("devices", devices_json()),
        with_type("readings", readings_json(std::vector<bool>(count, true))),
        with_type("outbox", outbox_json()),
        with_type("faults", faults_json()),
        with_type("alerts", alerts_json())};
    if (!view_.batteries().empty()) {
        greeting.push_back(with_type("battery", batteries_json()));
    }
    return greeting;
}

/// Devices that gave a reading, or whose values went stale, since they were told last.
std::vector<bool> Api::changed_devices() {
    const auto devices = view_.snapshot().devices();
    const Instant now = view_.now();
    told_devices_.resize(devices.size());
    std::vector<bool> changed(devices.size());
    for (std::size_t i = 0; i < devices.size(); ++i) {
        Told told{devices[i].readings, false};
        for (const LatestValue& latest : devices[i].values) {
            told.stale = told.stale || devices[i].stale(latest, now);
        }
        changed[i] =
            told.readings != told_devices_[i].readings || told.stale != told_devices_[i].stale;
        told_devices_[i] = told;
    }
    return changed;
}

void Api::tell_if_changed(Server& server, const char* type, const std::string& body) {
    std::string& before = told_[type];
    if (before != body) {
        before = body;
        server.tell(with_type(type, body));
    }
}

/// Their ages change all the time, which is nothing new.
void Api::tell_alerts(Server& server) {
    if (const std::uint32_t revision = view_.alerts_revision(); told_alerts_ != revision) {
        told_alerts_ = revision;
        server.tell(with_type("alerts", alerts_json()));
    }
}

Instant Api::step(Server& server, Instant now) {
    give_up_waiting(now);
    if (now < next_) {
        return next_;
    }
    next_ = now + tell_every;
    if (server.listeners() == 0) {
        results_.clear();
        told_.clear();
        told_alerts_.reset();
        return next_;
    }
    tell_if_changed(server, "status", status_json());
    tell_if_changed(server, "devices", devices_json());
    const std::vector<bool> changed = changed_devices();
    if (std::find(changed.begin(), changed.end(), true) != changed.end()) {
        server.tell(with_type("readings", readings_json(changed)));
    }
    tell_if_changed(server, "outbox", outbox_json());
    tell_if_changed(server, "faults", faults_json());
    tell_alerts(server);
    if (!view_.batteries().empty()) {
        tell_if_changed(server, "battery", batteries_json());
    }
    for (const std::string& result : std::exchange(results_, {})) {
        server.tell(with_type("result", result));
    }
    return next_;
}

std::string Api::metrics() const {
    return metrics_text(view_, command_counts_, counters_);
}

}  // namespace jw::http
