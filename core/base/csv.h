// SPDX-License-Identifier: Apache-2.0
#pragma once
// Messages to CSV (RFC 4180): a header from the field names and one line a message.
#include <concepts>

#include "core/base/fields.h"
#include "core/base/text.h"

namespace jw {

namespace csv {

inline void separate(bool& first, Text& out) {
    if (!first) {
        out.put(',');
    }
    first = false;
}

inline void put(std::string_view text, Text& out) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) {
        out.put(text);
        return;
    }
    out.put('"');
    for (const char c : text) {
        if (c == '"') {
            out.put('"');
        }
        out.put(c);
    }
    out.put('"');
}

template <class T>
void put_value(const T& value, Text& out) {
    if constexpr (std::is_enum_v<T>) {
        out.put(enum_name(value));
    } else if constexpr (std::same_as<T, bool>) {
        out.put(value ? "true" : "false");
    } else if constexpr (std::integral<T>) {
        out.put(value);
    } else if constexpr (requires { value.has_value(); }) {
        if (value.has_value()) {
            out.put(*value);
        }
    } else if constexpr (requires { value.view(); }) {
        put(value.view(), out);
    }
}

}  // namespace csv

template <class M>
void csv_header(Text& out) {
    bool first = true;
    M::fields().each([&](const auto& f) {
        csv::separate(first, out);
        out.put(f.name);
    });
    out.put("\r\n");
}

template <class M>
void to_csv(const M& message, Text& out) {
    bool first = true;
    M::fields().each([&](const auto& f) {
        csv::separate(first, out);
        csv::put_value(message.*f.member, out);
    });
    out.put("\r\n");
}

}  // namespace jw
