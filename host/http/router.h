// SPDX-License-Identifier: Apache-2.0
#pragma once
// Router: which handler answers which path, and what right it takes. A route cannot be added
// without its right.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/message.h"

namespace jw::http {

/// What a request does, and so who may make it: the door (access.h) decides.
enum class Right : std::uint8_t {
    open,   // anybody: signing in, the page itself, whether the process lives
    read,   // every role
    act,    // operator, installer, owner
    admin,  // installer, owner
};
constexpr auto enum_names(Right) {
    return std::array{"open", "read", "act", "admin"};
}

using Handler = std::function<void(const Request&, Reply)>;

struct Route {
    Verb verb = Verb::get;
    /// "/api/v1/battery/{name}/can": one part may stand for anything without a slash; "/{page}*"
    /// takes every path that no other route has.
    std::string path;
    Right right = Right::admin;
    std::size_t body_max = 0;  // bytes; 0: no body
    bool websocket = false;    // answered by the server itself, with the events
    Handler handler;
};

class Router {
  public:
    void add(Verb verb, std::string path, Right right, Handler handler, std::size_t body_max = 0);
    /// A path that becomes a WebSocket.
    void add_websocket(std::string path, Right right);

    struct Match {
        const Route* route = nullptr;  // null: no route has this verb and path
        std::string parameter;         // what stood for {…}
        std::string allowed;           // verbs that the path has: "GET, HEAD"; empty: no such path
    };
    /// HEAD finds the route of GET.
    [[nodiscard]] Match find(Verb verb, std::string_view path) const;
    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
    /// One line a route: right, verb, path.
    [[nodiscard]] std::string table() const;

  private:
    std::vector<Route> routes_;
};

}  // namespace jw::http
