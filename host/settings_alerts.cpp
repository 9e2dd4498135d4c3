// SPDX-License-Identifier: Apache-2.0
// What a schema cannot say of the alerts in the settings.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/settings_check.h"

namespace jw::settings {
namespace {

using Json = nlohmann::json;

/// Text of a member, or empty: the schema has already complained about anything else.
std::string text_at(const Json& object, const char* name) {
    const auto member = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && member != object.end() && member->is_string()
               ? member->get<std::string>()
               : std::string();
}

std::vector<std::string> names_of(const Json& document, const char* list) {
    std::vector<std::string> names;
    if (document.is_object() && document.contains(list) && document[list].is_array()) {
        for (const Json& item : document[list]) {
            names.push_back(text_at(item, "name"));
        }
    }
    return names;
}

SettingsError error_at(std::string pointer,
                       std::string found,
                       std::string reason,
                       std::string remedy) {
    SettingsError error;
    error.pointer = std::move(pointer);
    error.found = std::move(found);
    error.reason = std::move(reason);
    error.remedy = std::move(remedy);
    return error;
}

void check_quantity(const std::string& place,
                    const std::string& name,
                    std::vector<SettingsError>& errors) {
    if (name.empty() || quantity_named(name) != Quantity::none) {
        return;
    }
    std::vector<std::string> known;
    for (const QuantityInfo& row : quantities()) {
        known.push_back(fmt::format("{}{}{}", row.stem, row.unit.empty() ? "" : "_", row.unit));
    }
    const std::string near = nearest(name, known);
    errors.push_back(error_at(place,
                              shown(Json(name)),
                              "there is no quantity of this name",
                              near.empty()
                                  ? "give one that the device has at /api/v1/readings/latest"
                                  : fmt::format("did you mean \"{}\"?", near)));
}

void check_alert(const std::string& place,
                 const Json& alert,
                 const std::vector<std::string>& devices,
                 std::vector<SettingsError>& errors) {
    const std::string device = text_at(alert, "device");
    if (!device.empty() && std::ranges::find(devices, device) == devices.end()) {
        const std::string near = nearest(device, devices);
        errors.push_back(error_at(place + "/device",
                                  shown(Json(device)),
                                  "there is no device of this name",
                                  near.empty() ? "give the name of a device"
                                               : fmt::format("did you mean \"{}\"?", near)));
    }
    for (const char* member : {"quantity", "minus"}) {
        check_quantity(place + "/" + member, text_at(alert, member), errors);
    }
    if (alert.is_object() && alert.contains("above") == alert.contains("below")) {
        errors.push_back(
            error_at(place,
                     alert.contains("above") ? "above and below" : "neither above nor below",
                     "an alert has one bound",
                     "give one of the two, and another alert for the other"));
    }
}

}  // namespace

void check_alerts(const Json& document, std::vector<SettingsError>& errors) {
    std::vector<std::string> devices = names_of(document, "devices");
    for (const std::string& battery : names_of(document, "batteries")) {
        devices.push_back(battery);
    }
    if (document.is_object() && document.contains("alerts") && document["alerts"].is_array()) {
        for (std::size_t i = 0; i < document["alerts"].size(); ++i) {
            check_alert(fmt::format("/alerts/{}", i), document["alerts"][i], devices, errors);
        }
    }
}

}  // namespace jw::settings
