// SPDX-License-Identifier: Apache-2.0
// Routes of batteries, and of the settings that devices hold themselves.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/http/api.h"
#include "host/http/battery_json.h"
#include "host/http/problem.h"

namespace jw::http {
namespace {

using Json = nlohmann::ordered_json;

Json parameter_json(const Parameter& parameter) {
    Json json{{"name", parameter.name},
              {"unit", parameter.unit},
              {"decimals", parameter.decimals},
              {"writable", parameter.writable}};
    if (parameter.writable) {
        json["least"] = parameter.least;
        json["most"] = parameter.most;
    }
    json["value"] = parameter.value ? Json(*parameter.value) : Json(nullptr);
    return json;
}

Response parameters_response(const GatewayView& view, std::string_view name) {
    const auto devices = view.snapshot().devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (devices[i].name != name) {
            continue;
        }
        Json items = Json::array();
        for (const Parameter& parameter : view.parameters(i)) {
            items.push_back(parameter_json(parameter));
        }
        return json_response(Json{{"items", std::move(items)}}.dump());
    }
    return problem(Problem::not_found, "There is no device of this name.");
}

Response traffic_response(const GatewayView& view, std::string_view name) {
    const std::vector<BatteryView> batteries = view.batteries();
    const auto found = std::ranges::find(batteries, name, &BatteryView::name);
    return found == batteries.end()
               ? problem(Problem::not_found, "There is no battery of this name.")
               : json_response(api_json::can_traffic(*found, view.now()));
}

}  // namespace

std::string Api::batteries_json() const {
    return api_json::batteries(view_.batteries(), view_.now());
}

void Api::add_battery_routes(Router& router) {
    const auto answering = [](std::function<Response(const Request&)> answer) -> Handler {
        return [answer = std::move(answer)](const Request& request, const Reply& reply) {
            reply(answer(request));
        };
    };
    router.add(Verb::get, "/api/v1/battery", Right::read, answering([this](const Request&) {
                   return json_response(batteries_json());
               }));
    router.add(Verb::get,
               "/api/v1/battery/{name}/can",
               Right::read,
               answering([this](const Request& request) {
                   return traffic_response(view_, request.parameter);
               }));
    router.add(Verb::get,
               "/api/v1/devices/{name}/parameters",
               Right::read,
               answering([this](const Request& request) {
                   return parameters_response(view_, request.parameter);
               }));
}

}  // namespace jw::http
