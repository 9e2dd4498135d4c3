// SPDX-License-Identifier: Apache-2.0
// Settings against their JSON Schema: valijson finds what is wrong, the schema itself says in words
// what would be right.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "host/embedded.h"
#include "host/settings_check.h"

namespace jw {

std::string_view settings_schema() {
    const EmbeddedFile* file = embedded_file("settings.schema.json");
    return file == nullptr ? std::string_view{} : as_text(file->bytes);
}

namespace settings {
namespace {

using Json = nlohmann::json;
using Nodes = std::vector<const Json*>;

/// The schema's `if` of this project: each member that it names must be there and have that value.
bool condition_holds(const Json& condition, const Json& value) {
    if (!value.is_object()) {
        return false;
    }
    for (const auto& [name, property] : condition["properties"].items()) {
        if (!value.contains(name) || value[name] != property["const"]) {
            return false;
        }
    }
    return true;
}

/// All schemas that apply to `value`: the node itself, what it refers to, and the branch of each
/// condition that holds.
Nodes expand(const Json& schema, const Json* node, const Json& value) {
    Nodes all{node};
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Json& current = *all[i];
        if (current.contains("$ref")) {
            all.push_back(&schema.at(
                Json::json_pointer(current["$ref"].get_ref<const std::string&>().substr(1))));
        }
        if (current.contains("allOf")) {
            for (const Json& branch : current["allOf"]) {
                if (condition_holds(branch["if"], value)) {
                    all.push_back(&branch["then"]);
                }
            }
        }
    }
    return all;
}

/// The schemas that apply to the value at the end of `path`, and that value.
Nodes schemas_at(const Json& schema,
                 const Json& document,
                 const std::vector<std::string>& path,
                 const Json*& value) {
    value = &document;
    Nodes nodes = expand(schema, &schema, document);
    for (const std::string& token : path) {
        const Json& parent = *value;
        value = parent.is_array() ? &parent.at(std::stoul(token)) : &parent.at(token);
        Nodes next;
        for (const Json* node : nodes) {
            const Json* child = nullptr;
            if (parent.is_array() && node->contains("items")) {
                child = &(*node)["items"];
            } else if (parent.is_object() && node->contains("properties") &&
                       (*node)["properties"].contains(token)) {
                child = &(*node)["properties"][token];
            }
            if (child != nullptr) {
                const Nodes expanded = expand(schema, child, *value);
                next.insert(next.end(), expanded.begin(), expanded.end());
            }
        }
        nodes = std::move(next);
    }
    return nodes;
}

const Json* keyword(const Nodes& nodes, const char* name) {
    for (const Json* node : nodes) {
        if (node->contains(name)) {
            return &(*node)[name];
        }
    }
    return nullptr;
}

std::string list_of(const Json& values) {
    std::string text;
    for (const Json& value : values) {
        text += (text.empty() ? "" : ", ") + value.dump();
    }
    return text;
}

/// What the schema asks for at a place, in words.
std::string expectation(const Nodes& nodes) {
    if (const Json* allowed = keyword(nodes, "enum")) {
        return "must be one of " + list_of(*allowed);
    }
    const Json* type = keyword(nodes, "type");
    std::string text = "must be ";
    if (type == nullptr) {
        text += "something else";
    } else {
        const auto& name = type->get_ref<const std::string&>();
        const bool vowel = name == "object" || name == "array" || name == "integer";
        text += (vowel ? "an " : "a ") + name;
    }
    const Json* least = keyword(nodes, "minimum");
    const Json* most = keyword(nodes, "maximum");
    if (least != nullptr && most != nullptr) {
        text += " from " + least->dump() + " to " + most->dump();
    }
    if (const Json* step = keyword(nodes, "multipleOf")) {
        text += ", a multiple of " + step->dump();
    }
    if (const Json* pattern = keyword(nodes, "pattern")) {
        text += " that matches " + pattern->get<std::string>();
    }
    if (const Json* length = keyword(nodes, "maxLength")) {
        text += keyword(nodes, "minLength") != nullptr ? " of 1 to " : " of at most ";
        text += length->dump() + " bytes";
    }
    if (const Json* count = keyword(nodes, "maxItems")) {
        text += " of at most " + count->dump() + " items";
    }
    return text;
}

std::string remedy_at(const Nodes& nodes) {
    const Json* description = keyword(nodes, "description");
    return description == nullptr ? "see `jouleway --schema`" : description->get<std::string>();
}

std::string pointer_of(const std::vector<std::string>& path) {
    return std::accumulate(
        path.begin(), path.end(), std::string(), [](std::string text, const std::string& token) {
            return std::move(text) + "/" + pointer_token(token);
        });
}

/// valijson tells of the first unknown member only; the file shall be mended in one go.
void unknown_members(const Nodes& nodes,
                     const std::string& pointer,
                     const Json& object,
                     std::vector<SettingsError>& errors) {
    for (const Json* node : nodes) {
        if (!node->contains("additionalProperties")) {
            continue;
        }
        std::vector<std::string> known;
        for (const auto& property : (*node)["properties"].items()) {
            known.push_back(property.key());
        }
        for (const auto& item : object.items()) {
            const std::string& name = item.key();
            if (std::find(known.begin(), known.end(), name) != known.end()) {
                continue;
            }
            const std::string meant = nearest(name, known);
            SettingsError error;
            error.pointer = pointer + "/" + pointer_token(name);
            error.found = "(not shown)";  // who knows what is a secret under a name of its own
            error.reason = "nothing of this name is known here";
            error.remedy = meant.empty() ? "leave it out; known are " + list_of(Json(known))
                                         : "did you mean \"" + meant + "\"?";
            errors.push_back(std::move(error));
        }
    }
}

void missing_members(const Nodes& nodes,
                     const Json& schema,
                     const std::string& pointer,
                     const Json& object,
                     std::vector<SettingsError>& errors) {
    for (const Json* node : nodes) {
        if (!node->contains("required")) {
            continue;
        }
        for (const Json& entry : (*node)["required"]) {
            const auto& name = entry.get_ref<const std::string&>();
            if (object.contains(name)) {
                continue;
            }
            const bool described =
                node->contains("properties") && (*node)["properties"].contains(name);
            const Nodes member =
                described ? expand(schema, &(*node)["properties"][name], Json()) : Nodes{};
            SettingsError error;
            error.pointer = pointer + "/" + pointer_token(name);
            error.found = "nothing";
            error.reason = "it is needed";
            error.remedy = "give " + name + (member.empty() ? "" : ": " + remedy_at(member));
            errors.push_back(std::move(error));
        }
    }
}

/// valijson writes a place as "<root>", "[buses]", "[0]".
std::vector<std::string> path_of(const std::vector<std::string>& places) {
    std::vector<std::string> path;
    for (const std::string& place : places) {
        if (place.size() >= 2 && place.front() == '[') {
            path.push_back(place.substr(1, place.size() - 2));
        }
    }
    return path;
}

/// Each place once, whatever the number of keywords that it breaks; sentences of the containers
/// around a wrong value tell nothing more.
std::vector<std::vector<std::string>> wrong_places(valijson::ValidationResults& results) {
    std::vector<std::vector<std::string>> places;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        if (error.description.starts_with("Failed to validate")) {
            continue;
        }
        std::vector<std::string> path = path_of(error.context);
        if (std::find(places.begin(), places.end(), path) == places.end()) {
            places.push_back(std::move(path));
        }
    }
    return places;
}

bool same_type(const Nodes& nodes, const Json& value) {
    const Json* type = keyword(nodes, "type");
    return value.is_object() && (type == nullptr || *type == "object");
}

}  // namespace

std::vector<SettingsError> schema_errors(const Json& document) {
    const Json schema = Json::parse(settings_schema());
    valijson::Schema compiled;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), compiled);
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    valijson::ValidationResults results;
    std::vector<SettingsError> errors;
    if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(document), &results)) {
        return errors;
    }
    for (const std::vector<std::string>& path : wrong_places(results)) {
        const Json* value = nullptr;
        const Nodes nodes = schemas_at(schema, document, path, value);
        const std::string pointer = pointer_of(path);
        if (same_type(nodes, *value)) {
            unknown_members(nodes, pointer, *value, errors);
            missing_members(nodes, schema, pointer, *value, errors);
            continue;
        }
        SettingsError error;
        error.pointer = pointer;
        error.found = keyword(nodes, "writeOnly") != nullptr ? "(not shown)" : shown(*value);
        error.reason = expectation(nodes);
        error.remedy = remedy_at(nodes);
        errors.push_back(std::move(error));
    }
    return errors;
}

}  // namespace settings
}  // namespace jw
