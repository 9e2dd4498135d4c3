// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a message in which every member holds something that is not its default.
#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "core/base/fields.h"
#include "core/model/reading.h"

namespace jw {

/// Fills every member with something that is not its default.
struct Fill {
    std::uint64_t next = 1;
    template <class T>
    void operator()(T& member) {
        ++next;
        if constexpr (std::is_enum_v<T>) {
            member = static_cast<T>(enum_names(T{}).size() - 1);
        } else if constexpr (std::is_same_v<T, bool>) {
            member = !member;
        } else if constexpr (std::integral<T>) {
            member = static_cast<T>(next * 1'000'003);
        } else if constexpr (std::is_same_v<T, Values>) {
            member.put(Quantity::power_w, 0, -1520);
            member.put(Quantity::energy_import_wh, 2, 1LL << 40);
        } else if constexpr (requires { member.has_value(); }) {
            member = static_cast<typename T::value_type>(next);
        } else {
            member = "text-\"x\"";
        }
    }
};

template <class M>
M filled() {
    M message;
    Fill fill;
    M::fields().each([&](const auto& f) { fill(message.*f.member); });
    return message;
}

}  // namespace jw
