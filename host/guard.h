// SPDX-License-Identifier: Apache-2.0
#pragma once
// Guard: handlers that are still under way when their object is gone do nothing.
#include <memory>
#include <utility>

namespace jw {

/// A member of every object that hands handlers to the loop; declared last, so that it goes first.
class Guard {
  public:
    /// The same handler, which does nothing once the owner of this guard is destroyed.
    template <class Handler>
    auto operator()(Handler handler) const {
        return [alive = std::weak_ptr<char>(alive_),
                handler = std::move(handler)](auto&&... arguments) mutable {
            if (!alive.expired()) {
                handler(std::forward<decltype(arguments)>(arguments)...);
            }
        };
    }
    /// Cuts off all handlers that were given out so far.
    void renew() { alive_ = std::make_shared<char>(); }

  private:
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace jw
