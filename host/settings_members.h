// SPDX-License-Identifier: Apache-2.0
#pragma once
// Members of a JSON object of the settings, each into the variable that it is for.
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "core/model/reading.h"

namespace jw::settings {

using Json = nlohmann::json;

/// Reads members of one object. What is missing or of another type leaves the default: the schema
/// tells of it, and the rest of the file can still be checked.
class Members {
  public:
    explicit Members(const Json& object) : object_(object) {}

    [[nodiscard]] const Json* find(const char* name) const {
        if (!object_.is_object()) {
            return nullptr;
        }
        const auto member = object_.find(name);
        return member == object_.end() ? nullptr : &*member;
    }
    [[nodiscard]] Members object(const char* name) const {
        static const Json none = Json::object();
        const Json* member = find(name);
        return Members(member == nullptr ? none : *member);
    }
    [[nodiscard]] const Json& array(const char* name) const {
        static const Json none = Json::array();
        const Json* member = find(name);
        return member != nullptr && member->is_array() ? *member : none;
    }
    [[nodiscard]] bool has(const char* name) const { return find(name) != nullptr; }
    void text(const char* name, std::string& out) const {
        if (const Json* member = find(name); member != nullptr && member->is_string()) {
            out = member->get<std::string>();
        }
    }
    void name(const char* name, Name& out) const {
        std::string value;
        text(name, value);
        out = value;
    }
    template <class T>
    void number(const char* name, T& out) const {
        const Json* member = find(name);
        if (member == nullptr || !member->is_number_integer()) {
            return;
        }
        const auto value = member->get<std::int64_t>();
        if (std::in_range<T>(value)) {
            out = static_cast<T>(value);
        }
    }
    void flag(const char* name, bool& out) const {
        if (const Json* member = find(name); member != nullptr && member->is_boolean()) {
            out = member->get<bool>();
        }
    }
    template <class E>
    void choice(const char* name, E& out) const {
        std::string value;
        text(name, value);
        constexpr auto names = enum_names(E{});
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (value == names[i]) {
                out = static_cast<E>(i);
            }
        }
    }
    /// Seconds with fractions, to the microsecond.
    void span_s(const char* name, Duration& out) const {
        constexpr double most_s = 1e6;
        const Json* member = find(name);
        if (member == nullptr || !member->is_number()) {
            return;
        }
        const auto value = member->get<double>();
        if (value >= 0 && value <= most_s) {
            out = microseconds(std::llround(value * 1e6));
        }
    }
    void span_ms(const char* name, Duration& out) const {
        std::uint32_t value = 0;
        if (has(name)) {
            number(name, value);
            out = milliseconds(value);
        }
    }

  private:
    const Json& object_;
};

}  // namespace jw::settings
