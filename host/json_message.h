// SPDX-License-Identifier: Apache-2.0
#pragma once
// Messages from JSON by their field list; the other direction is core/base/json.h.
#include <concepts>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/fields.h"
#include "core/base/json.h"
#include "core/model/reading.h"

namespace jw {

struct MessageError {
    std::string pointer;  // RFC 6901: "/value"
    std::string reason;   // for people
};
using MessageErrors = std::vector<MessageError>;

namespace json {

using Document = nlohmann::json;

/// Each takes the member of that name, if it is there; what does not fit is an error and leaves
/// `out` as it was.
void take(const Document& object,
          const char* name,
          std::int64_t least,
          std::uint64_t most,
          std::optional<std::uint64_t>& out,
          MessageErrors& errors);
void take(const Document& object, const char* name, bool& out, MessageErrors& errors);
void take(const Document& object,
          const char* name,
          std::size_t size_max,
          std::string& out,
          MessageErrors& errors);
void take_choice(const Document& object,
                 const char* name,
                 const char* const* names,
                 std::size_t count,
                 std::size_t& out,
                 MessageErrors& errors);
/// Takes the members that name quantities (power_l1_w, arrays of cells) out of `rest`.
void take_values(const Document& object,
                 std::vector<std::string>& rest,
                 Values& out,
                 MessageErrors& errors);
/// False, with an error, where the document is not an object.
bool is_object(const Document& document, MessageErrors& errors);
std::vector<std::string> member_names(const Document& object);
void refuse_unknown(const std::vector<std::string>& rest,
                    const std::vector<std::string>& known,
                    MessageErrors& errors);

template <std::integral T>
void take_integer(const Document& object, const char* name, T& out, MessageErrors& errors) {
    std::optional<std::uint64_t> bits;
    take(object,
         name,
         static_cast<std::int64_t>(std::numeric_limits<T>::min()),
         static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
         bits,
         errors);
    if (bits) {
        out = static_cast<T>(*bits);
    }
}

template <class T>
void take_member(const Document& object, const char* name, T& out, MessageErrors& errors) {
    if constexpr (std::is_enum_v<T>) {
        constexpr auto names = enum_names(T{});
        std::size_t index = static_cast<std::size_t>(out);
        take_choice(object, name, names.data(), names.size(), index, errors);
        out = static_cast<T>(index);
    } else if constexpr (std::same_as<T, bool>) {
        take(object, name, out, errors);
    } else if constexpr (std::integral<T>) {
        take_integer(object, name, out, errors);
    } else if constexpr (requires { out.has_value(); }) {
        typename T::value_type value{};
        const std::size_t before = errors.size();
        bool there = false;
        for (const std::string& member : member_names(object)) {
            there = there || member == name;
        }
        if (there) {
            take_integer(object, name, value, errors);
            if (errors.size() == before) {
                out = value;
            }
        }
    } else {
        std::string text;
        take(object, name, T::capacity(), text, errors);
        if (!text.empty()) {
            out = text;
        }
    }
}

}  // namespace json

/// Reads a message. Every member that the message does not have, that is of another type, too long
/// or out of range, is an error; absent members keep their defaults. `message` is meaningful only
/// where no error is returned.
template <class M>
MessageErrors from_json(const nlohmann::json& document, M& message) {
    MessageErrors errors;
    if (!json::is_object(document, errors)) {
        return errors;
    }
    std::vector<std::string> rest = json::member_names(document);
    std::vector<std::string> known;
    M::fields().each([&](const auto& field) {
        using Member = typename std::remove_cvref_t<decltype(field)>::Member;
        if constexpr (std::same_as<Member, Values>) {
            json::take_values(document, rest, message.*field.member, errors);
        } else {
            known.emplace_back(field.name);
            std::erase(rest, field.name);
            json::take_member(document, field.name, message.*field.member, errors);
        }
    });
    json::refuse_unknown(rest, known, errors);
    return errors;
}

}  // namespace jw
