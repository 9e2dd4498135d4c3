// SPDX-License-Identifier: Apache-2.0
// Routes of the alerts, and their body.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/fields.h"
#include "host/http/api.h"
#include "host/http/problem.h"

namespace jw::http {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<std::int64_t>& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json item_of(const Alert& alert, Instant now, const std::optional<std::int64_t>& unix_ms) {
    const bool is_over = alert.status == AlertStatus::cleared;
    const std::string_view who = alert.acknowledged_by.view();
    return {{"id", alert.id},
            {"source", alert.fault.source.view()},
            {"kind", enum_name(alert.fault.kind)},
            {"about", alert.fault.about.view()},
            {"severity", enum_name(alert.fault.severity)},
            {"text", alert.fault.text.view()},
            {"status", enum_name(alert.status)},
            {"since", unix_ms ? Json(*unix_ms - (now - alert.since).ms()) : Json(nullptr)},
            {"since_age_s", (now - alert.since).us / 1'000'000},
            {"cleared_age_s", is_over ? Json((now - alert.cleared).us / 1'000'000) : Json(nullptr)},
            {"acknowledged_by", who.empty() ? Json(nullptr) : Json(who)},
            {"value", or_null(alert.value)},
            {"threshold", or_null(alert.threshold)},
            {"unit", info(alert.quantity).unit}};
}

}  // namespace

void Api::add_alert_routes(Router& router) {
    router.add(Verb::get,
               "/api/v1/alerts",
               Right::read,
               [this](const Request& /*request*/, const Reply& reply) {
                   reply(json_response(alerts_json()));
               });
    router.add(Verb::remove,
               "/api/v1/alerts",
               Right::act,
               [this](const Request& request, const Reply& reply) {
                   view_.forget_alerts(request.admission.who);
                   Response response;
                   response.status = 204;
                   reply(std::move(response));
               });
    router.add(Verb::post,
               "/api/v1/alerts/{id}/acknowledge",
               Right::act,
               [this](const Request& request, const Reply& reply) { reply(acknowledge(request)); });
}

std::string Api::alerts_json() const {
    const Instant now = view_.now();
    const std::optional<std::int64_t> unix_ms = view_.unix_ms();
    Json items = Json::array();
    const std::span<const Alert> alerts = view_.alerts();
    for (auto alert = alerts.rbegin(); alert != alerts.rend(); ++alert) {
        items.push_back(item_of(*alert, now, unix_ms));
    }
    return Json({{"items", std::move(items)}}).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Response Api::acknowledge(const Request& request) const {
    std::uint64_t id = 0;
    const char* end = request.parameter.data() + request.parameter.size();
    const auto parsed = std::from_chars(request.parameter.data(), end, id);
    const Status outcome = parsed.ec == std::errc{} && parsed.ptr == end
                               ? view_.acknowledge(id, request.admission.who)
                               : Status(JW_FAIL(not_found));
    if (outcome) {
        Response response;
        response.status = 204;
        return response;
    }
    return outcome.code() == Code::out_of_range
               ? problem(Problem::invalid_message, "This alert is over already.")
               : problem(Problem::not_found, "There is no alert of this id, or not any more.");
}

}  // namespace jw::http
