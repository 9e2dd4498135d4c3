// SPDX-License-Identifier: Apache-2.0
#pragma once
// A message is one struct that lists its fields once; JSON, CBOR, CSV, documentation and the
// round-trip test are all derived from that list (json.h, cbor.h, csv.h).
//
// What a member may be: an integer, bool, an enum with names (see below), FixedText, std::optional
// of an integer, or a type that brings its own encoding (model/reading.h: the values of a reading).
// An empty text and an empty optional are absent: they are left out. Ids are never reused; a
// decoder skips ids that it does not know.
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace jw {

template <class M, class T>
struct Field {
    using Member = T;
    std::uint8_t id;
    const char* name;
    T M::*member;
    const char* note;  // for the documentation: unit, range, meaning
    constexpr Field(std::uint8_t i, const char* n, T M::*m, const char* text = "")
        : id(i), name(n), member(m), note(text) {}
};

template <class... F>
struct Fields {
    std::tuple<F...> list;
    constexpr explicit Fields(F... f) : list(f...) {}
    static constexpr std::size_t size() { return sizeof...(F); }
    template <class Visit>
    constexpr void each(Visit&& visit) const {
        std::apply([&](const auto&... f) { (visit(f), ...); }, list);
    }
};

/// An enum travels as text in JSON and as a number in CBOR; its names stand in one array whose
/// index is the value: `constexpr auto enum_names(Enum) { return std::array{"a", "b"}; }` beside
/// the enum.
template <class E>
constexpr const char* enum_name(E value) {
    constexpr auto names = enum_names(E{});
    const auto index = static_cast<std::size_t>(value);
    return index < names.size() ? names[index] : "unknown";
}

template <class M>
constexpr bool ids_rise() {
    int last = -1;
    bool rise = true;
    M::fields().each([&](const auto& field) {
        rise = rise && field.id > last && field.id < 24;  // one byte of CBOR each
        last = field.id;
    });
    return rise;
}

}  // namespace jw
