// SPDX-License-Identifier: Apache-2.0
// Finding routes.
#include "host/http/router.h"

#include <fmt/format.h>

#include "core/base/check.h"
#include "core/base/fields.h"

namespace jw::http {
namespace {

bool takes_everything(const Route& route) {
    return route.path.ends_with('*');
}

bool fits(const Route& route, std::string_view path, std::string& parameter) {
    const std::size_t brace = route.path.find('{');
    if (brace == std::string::npos) {
        return path == route.path;
    }
    const std::string_view before = std::string_view(route.path).substr(0, brace);
    if (!path.starts_with(before)) {
        return false;
    }
    path.remove_prefix(before.size());
    if (!takes_everything(route)) {
        const std::string_view after =
            std::string_view(route.path).substr(route.path.find('}') + 1);
        if (!path.ends_with(after)) {
            return false;
        }
        path.remove_suffix(after.size());
        if (path.empty() || path.find('/') != std::string_view::npos) {
            return false;
        }
    }
    parameter = path;
    return true;
}

void allow(const Route& route, std::string& allowed) {
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", enum_name(route.verb));
    if (route.verb == Verb::get) {
        allowed += ", HEAD";
    }
}

}  // namespace

void Router::add(Verb verb, std::string path, Right right, Handler handler, std::size_t body_max) {
    CHECK(handler != nullptr && path.starts_with('/'));
    Route route;
    route.verb = verb;
    route.path = std::move(path);
    route.right = right;
    route.handler = std::move(handler);
    route.body_max = body_max;
    routes_.push_back(std::move(route));
}

void Router::add_websocket(std::string path, Right right) {
    Route route;
    route.path = std::move(path);
    route.right = right;
    route.websocket = true;
    routes_.push_back(std::move(route));
}

Router::Match Router::find(Verb verb, std::string_view path) const {
    const Verb wanted = verb == Verb::head ? Verb::get : verb;
    Match match;
    for (const bool everything : {false, true}) {
        for (const Route& route : routes_) {
            std::string parameter;
            if (takes_everything(route) != everything || !fits(route, path, parameter)) {
                continue;
            }
            allow(route, match.allowed);
            if (route.verb == wanted && match.route == nullptr) {
                match.route = &route;
                match.parameter = std::move(parameter);
            }
        }
        if (!match.allowed.empty()) {
            break;
        }
    }
    return match;
}

std::string Router::table() const {
    std::string text;
    for (const Route& route : routes_) {
        text += fmt::format("{:<6} {:<6} {}{}\n",
                            enum_name(route.right),
                            enum_name(route.verb),
                            route.path,
                            route.websocket ? " (WebSocket)" : "");
    }
    return text;
}

}  // namespace jw::http
