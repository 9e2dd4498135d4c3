// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks of the settings: is it JSON, what the schema says, and what a schema cannot say.
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/settings.h"

namespace jw::settings {

/// The document, or nothing and one error where it is no JSON or nested beyond 32 levels. A member
/// that stands twice in one object is an error, too, but the rest can still be checked.
std::optional<nlohmann::json> parse_document(std::string_view text,
                                             std::vector<SettingsError>& errors);

/// Everything in `document` that breaks the schema, one error a place, in the order of the schema.
std::vector<SettingsError> schema_errors(const nlohmann::json& document);

/// What a schema cannot say: names that meet, buses that exist, lines that fit the driver,
/// addresses, windows. `read` is what was understood of the document, as far as it is valid.
void check_rules(const GatewaySettings& read,
                 const nlohmann::json& document,
                 const SettingsContext& context,
                 std::vector<SettingsError>& errors);

/// The one of `known` that `name` most likely meant, or empty where none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

/// A value for people: at most 60 bytes. Of lists and objects only their size, of a text with an
/// @ only what stands behind it: before it may stand a password.
std::string shown(const nlohmann::json& value);

/// One token of a JSON pointer (RFC 6901): ~ and / are escaped.
std::string pointer_token(std::string_view name);

/// What a schema cannot say of the alerts.
void check_alerts(const nlohmann::json& document, std::vector<SettingsError>& errors);

}  // namespace jw::settings
