// SPDX-License-Identifier: Apache-2.0
// DurableMessage from JSON: everything is checked before any of it is used.
#include "host/durable_message.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace jw {
namespace {

using Document = nlohmann::json;

// What stands under that name, or null; Document::value() throws where the type is another.
const Document* member(const Document& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> whole_number(const Document* value, std::uint64_t most) {
    if (value == nullptr || !value->is_number_unsigned()) {
        return {};
    }
    const auto number = *value->get_ptr<const Document::number_unsigned_t*>();
    return number <= most ? std::optional<std::uint64_t>(number) : std::nullopt;
}

std::optional<std::uint64_t> hex_64(const Document* value) {
    constexpr std::size_t digits = 16;
    if (value == nullptr || !value->is_string()) {
        return {};
    }
    const std::string& text = *value->get_ptr<const std::string*>();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && text.size() == digits ? std::optional<std::uint64_t>(number) : std::nullopt;
}

}  // namespace

std::optional<DurableMessage> read_durable(std::string_view payload) {
    const Document document = Document::parse(payload, nullptr, false);
    if (!document.is_object() || whole_number(member(document, "v"), 1) != 1U) {
        return {};
    }
    const auto epoch = hex_64(member(document, "epoch"));
    const Document* to = member(document, "to");
    if (!epoch || to == nullptr || !to->is_array() || to->size() != record_classes) {
        return {};
    }
    DurableMessage message{.epoch = *epoch};
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto seq = whole_number(&(*to)[i], durable_seq_max);
        if (!seq) {
            return {};
        }
        message.to[i] = *seq;
    }
    return message;
}

}  // namespace jw
