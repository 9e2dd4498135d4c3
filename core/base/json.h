// SPDX-License-Identifier: Apache-2.0
#pragma once
// Messages to JSON. The other direction needs a parser and memory: host/json_message.h.
#include <concepts>
#include <optional>

#include "core/base/fields.h"
#include "core/base/text.h"

namespace jw {

namespace json {

template <class T>
concept Own = requires(const T& value, Text& out, bool& first) {
    value.to_json(out, first);
};

inline void key(const char* name, Text& out, bool& first) {
    if (!first) {
        out.put(',');
    }
    first = false;
    out.put('"').put(name).put("\":");
}

template <class T>
void member(const char* name, const T& value, Text& out, bool& first) {
    if constexpr (Own<T>) {
        value.to_json(out, first);
    } else if constexpr (std::is_enum_v<T>) {
        key(name, out, first);
        out.json(enum_name(value));
    } else if constexpr (std::same_as<T, bool>) {
        key(name, out, first);
        out.put(value ? "true" : "false");
    } else if constexpr (std::integral<T>) {
        key(name, out, first);
        out.put(value);
    } else if constexpr (requires { value.has_value(); }) {
        if (value.has_value()) {
            key(name, out, first);
            out.put(*value);
        }
    } else {
        if (!value.empty()) {
            key(name, out, first);
            out.json(value.view());
        }
    }
}

}  // namespace json

/// Appends the members without the braces, so that an envelope can put its own in front; `first`
/// says whether a comma is needed.
template <class M>
void to_json_members(const M& message, Text& out, bool& first) {
    M::fields().each([&](const auto& f) { json::member(f.name, message.*f.member, out, first); });
}

template <class M>
void to_json(const M& message, Text& out) {
    bool first = true;
    out.put('{');
    to_json_members(message, out, first);
    out.put('}');
}

}  // namespace jw
