// SPDX-License-Identifier: Apache-2.0
#pragma once
// Ceiling: a number that rules can only lower. There is no way to raise one, by its type.
#include <cstdint>

#include "core/steer/battery/rule.h"

namespace jw::battery {

class Ceiling {
  public:
    Ceiling(std::int64_t start, Rule rule) : value_(start), rule_(rule) {}
    Ceiling(const Ceiling&) = delete;
    Ceiling& operator=(const Ceiling&) = delete;

    /// The rule that comes first keeps the name where several say the same.
    void at_most(std::int64_t value, Rule rule) {
        if (value < value_) {
            value_ = value;
            rule_ = rule;
        }
    }
    [[nodiscard]] std::int64_t value() const { return value_; }
    [[nodiscard]] Rule rule() const { return rule_; }

  private:
    std::int64_t value_;
    Rule rule_;
};

}  // namespace jw::battery
