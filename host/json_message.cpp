// SPDX-License-Identifier: Apache-2.0
// Members of JSON objects, checked.
#include "host/json_message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host/settings_check.h"

namespace jw::json {
namespace {

const Document* member(const Document& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

void wrong(std::string_view name, std::string reason, MessageErrors& errors) {
    errors.push_back({"/" + settings::pointer_token(name), std::move(reason)});
}

bool put_value(const Document& number,
               Quantity quantity,
               std::uint8_t index,
               Values& out,
               std::string& reason) {
    if (!number.is_number_integer() ||
        (number.is_number_unsigned() && number.get<std::uint64_t>() > INT64_MAX)) {
        reason = fmt::format("{} is not an integer of 64 bits", settings::shown(number));
        return false;
    }
    if (!out.push({quantity, index, number.get<std::int64_t>()})) {
        reason = fmt::format("more than {} values", Values::capacity());
        return false;
    }
    return true;
}

}  // namespace

void take(const Document& object,
          const char* name,
          std::int64_t least,
          std::uint64_t most,
          std::optional<std::uint64_t>& out,
          MessageErrors& errors) {
    const Document* found = member(object, name);
    if (found == nullptr) {
        return;
    }
    bool fits = found->is_number_integer();
    if (fits && found->is_number_unsigned()) {
        fits = found->get<std::uint64_t>() <= most;
    } else if (fits) {
        // Negative numbers only: nlohmann keeps the others as unsigned.
        const auto value = found->get<std::int64_t>();
        fits = value >= least && (value < 0 || static_cast<std::uint64_t>(value) <= most);
    }
    if (!fits) {
        wrong(
            name,
            fmt::format("{} is not an integer from {} to {}", settings::shown(*found), least, most),
            errors);
        return;
    }
    out = found->is_number_unsigned() ? found->get<std::uint64_t>()
                                      : static_cast<std::uint64_t>(found->get<std::int64_t>());
}

void take(const Document& object, const char* name, bool& out, MessageErrors& errors) {
    const Document* found = member(object, name);
    if (found == nullptr) {
        return;
    }
    if (!found->is_boolean()) {
        wrong(name, settings::shown(*found) + " is neither true nor false", errors);
        return;
    }
    out = found->get<bool>();
}

void take(const Document& object,
          const char* name,
          std::size_t size_max,
          std::string& out,
          MessageErrors& errors) {
    const Document* found = member(object, name);
    if (found == nullptr) {
        return;
    }
    if (!found->is_string() || found->get_ref<const std::string&>().size() > size_max) {
        wrong(
            name,
            fmt::format("{} is not a text of at most {} bytes", settings::shown(*found), size_max),
            errors);
        return;
    }
    out = found->get<std::string>();
}

void take_choice(const Document& object,
                 const char* name,
                 const char* const* names,
                 std::size_t count,
                 std::size_t& out,
                 MessageErrors& errors) {
    const Document* found = member(object, name);
    if (found == nullptr) {
        return;
    }
    std::string known;
    for (std::size_t i = 0; i < count; ++i) {
        if (*found == names[i]) {
            out = i;
            return;
        }
        known += (i == 0 ? "" : ", ") + std::string(names[i]);
    }
    wrong(name, fmt::format("{} is none of {}", settings::shown(*found), known), errors);
}

void take_values(const Document& object,
                 std::vector<std::string>& rest,
                 Values& out,
                 MessageErrors& errors) {
    std::vector<std::string> unknown;
    for (const std::string& name : rest) {
        Quantity quantity = Quantity::none;
        std::uint8_t index = 0;
        const Document& value = object[name];
        if (!parse_name(name, quantity, index)) {
            unknown.push_back(name);
            continue;
        }
        std::string reason;
        if (!value.is_array()) {
            if (!put_value(value, quantity, index, out, reason)) {
                wrong(name, reason, errors);
            }
            continue;
        }
        for (std::size_t i = 0; i < value.size() && reason.empty(); ++i) {
            if (i >= 255) {
                reason = "more than 255 cells";
            } else if (!value[i].is_null()) {
                put_value(value[i], quantity, static_cast<std::uint8_t>(i + 1), out, reason);
            }
        }
        if (!reason.empty()) {
            wrong(name, reason, errors);
        }
    }
    rest = unknown;
}

bool is_object(const Document& document, MessageErrors& errors) {
    if (!document.is_object()) {
        errors.push_back({"", settings::shown(document) + " is not an object"});
    }
    return document.is_object();
}

std::vector<std::string> member_names(const Document& object) {
    std::vector<std::string> names;
    for (const auto& entry : object.items()) {
        names.push_back(entry.key());
    }
    return names;
}

void refuse_unknown(const std::vector<std::string>& rest,
                    const std::vector<std::string>& known,
                    MessageErrors& errors) {
    for (const std::string& name : rest) {
        const std::string meant = settings::nearest(name, known);
        wrong(name,
              meant.empty() ? "nothing of this name is known here"
                            : fmt::format("unknown; did you mean \"{}\"?", meant),
              errors);
    }
}

}  // namespace jw::json
