// SPDX-License-Identifier: Apache-2.0
// The batteries of the settings.
#include "host/settings_battery.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/fields.h"
#include "core/sink/can_out/profiles.h"
#include "host/settings_check.h"
#include "host/settings_members.h"

namespace jw::settings {
namespace {

void words(const Members& members, const char* name, can_out::Words& out) {
    std::string text(out.view());
    members.text(name, text);
    out = text;
}

void amperes(const Members& members, const char* name, std::int64_t& out_ma) {
    const Json* const member = members.find(name);
    if (member != nullptr && member->is_number() && member->get<double>() >= 0 &&
        member->get<double>() <= 1000) {
        out_ma = std::llround(member->get<double>() * 1000);
    }
}

template <class List>
std::optional<std::size_t> index_of(const List& list, const auto& name_of, const Name& name) {
    const auto found =
        std::ranges::find_if(list, [&](const auto& one) { return name_of(one) == name; });
    return found == list.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - list.begin()));
}

const Name& bus_name(const GatewaySettings::Bus& bus) {
    return bus.name;
}

const Name& device_name(const GatewaySettings::Device& device) {
    return device.settings.name;
}

bool is_battery(const Driver& driver) {
    return std::ranges::any_of(driver.capabilities, [](const Capability& capability) {
        return capability.quantity == Quantity::cell_overvoltage_mv;
    });
}

/// The law's own numbers and ramps, by the names of its tables. Voltages, temperatures and shares
/// are integers there, times are seconds.
void read_law(const Members& members, battery::LawSettings& law) {
    for (const battery::LawField& field : battery::law_fields()) {
        if (const auto* const number =
                std::get_if<std::int64_t battery::LawSettings::*>(&field.member)) {
            members.number(field.name, law.**number);
        } else {
            members.span_s(field.name,
                           law.*std::get<Duration battery::LawSettings::*>(field.member));
        }
    }
    for (const battery::LawRamp& one : battery::law_ramps()) {
        const Json* const points = members.find(one.name);
        if (points == nullptr || !points->is_array()) {
            continue;
        }
        battery::Ramp& ramp = law.*one.member;
        ramp = {};
        for (const Json& point : *points) {
            if (ramp.size < ramp.points.size() && point.is_array() && point.size() == 2 &&
                point[0].is_number_integer() && point[1].is_number_integer()) {
                ramp.points[ramp.size++] = {point[0].get<std::int32_t>(),
                                            point[1].get<std::int32_t>()};
            }
        }
    }
}

class Rules {
  public:
    Rules(const GatewaySettings& read, std::vector<SettingsError>& errors)
        : read_(read), errors_(errors) {}

    void packs(const Json& item, const std::string& place) {
        const Json& names = Members(item).array("packs");
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!names[i].is_string()) {
                continue;
            }
            const std::string name = names[i].get<std::string>();
            const std::string at = fmt::format("{}/packs/{}", place, i);
            const auto device = index_of(read_.devices, device_name, Name(name));
            if (!device) {
                wrong(at, name, "no device has this name", "give the name of a device");
            } else if (const Driver* const driver = read_.devices[*device].driver;
                       driver != nullptr && !is_battery(*driver)) {
                wrong(at, name, "this device is no battery", "give a device such as a TinyBMS");
            } else if (const auto [before, is_new] = taken_.try_emplace(*device, at); !is_new) {
                wrong(at,
                      name,
                      fmt::format("{} has the same pack already", before->second),
                      "a pack belongs to one battery, once");
            }
        }
    }

    void law(const battery::LawSettings& settings, const std::string& place) {
        const auto complaint = battery::check(settings);
        if (!complaint) {
            return;
        }
        const std::string range =
            complaint->least < complaint->most
                ? fmt::format("from {} to {}", complaint->least, complaint->most)
                : std::string("as docs/safety.md says");
        wrong(fmt::format("{}/law/{}", place, complaint->name),
              "it",
              complaint->why,
              "give it " + range);
    }

    void can(const Json& item, const GatewaySettings::Battery& battery, const std::string& place) {
        const Members can = Members(item).object("can");
        if (!Members(item).has("can")) {
            return;
        }
        std::string name;
        can.text("bus", name);
        const auto bus = index_of(read_.buses, bus_name, Name(name));
        if (!bus) {
            wrong(place + "/can/bus", name, "no bus has this name", "give the name of a CAN bus");
        } else if (!read_.buses[*bus].is_can()) {
            wrong(
                place + "/can/bus", name, "this is no CAN bus", "give a bus of type can or slcan");
        } else if (const auto [before, is_new] = buses_.try_emplace(*bus, place); !is_new) {
            wrong(place + "/can/bus",
                  name,
                  fmt::format("{} speaks on it already", before->second),
                  "two batteries on one CAN bus would contradict each other");
        }
        if (battery.profile == nullptr) {
            std::string profile;
            can.text("profile", profile);
            std::string known;
            for (const can_out::Profile& one : can_out::profiles) {
                known += std::string(known.empty() ? "" : ", ") + one.name;
            }
            wrong(place + "/can/profile",
                  profile,
                  "no inverter speaks this",
                  fmt::format("known are {}", known));
        }
    }

  private:
    void wrong(std::string pointer, std::string found, std::string reason, std::string remedy) {
        SettingsError error;
        error.pointer = std::move(pointer);
        error.found = std::move(found);
        error.reason = std::move(reason);
        error.remedy = std::move(remedy);
        errors_.push_back(std::move(error));
    }

    const GatewaySettings& read_;
    std::vector<SettingsError>& errors_;
    std::map<std::size_t, std::string> taken_;  // by device
    std::map<std::size_t, std::string> buses_;
};

}  // namespace

GatewaySettings::Battery read_battery(const Json& item, const GatewaySettings& settings) {
    const Members members(item);
    GatewaySettings::Battery battery;
    members.name("name", battery.name);
    battery.title = std::string(battery.name.view());
    members.text("title", battery.title);
    members.span_s("keep_s", battery.keep);
    members.span_s("remote_hold_s", battery.remote_hold);
    for (const Json& pack : members.array("packs")) {
        const Name name(pack.is_string() ? pack.get<std::string>() : std::string());
        if (const auto device = index_of(settings.devices, device_name, name)) {
            battery.packs.push_back(static_cast<std::uint8_t>(*device));
        }
    }
    battery::LawSettings& law = battery.law;
    members.choice("chemistry", law.chemistry);
    law = battery::settings_for(law.chemistry);
    members.flag("off_grid", law.off_grid);
    members.number("cell_count", law.cell_count);
    amperes(members, "charge_current_max_a", law.charge_current_max_ma);
    amperes(members, "discharge_current_max_a", law.discharge_current_max_ma);
    read_law(members.object("law"), law);
    const Members can = members.object("can");
    if (members.has("can")) {
        Name bus;
        can.name("bus", bus);
        battery.can = index_of(settings.buses, bus_name, bus);
        std::string profile;
        can.text("profile", profile);
        battery.profile = can_out::profile_named(profile);
    }
    battery.identity.manufacturer = "Jouleway";
    battery.identity.name = "Battery";
    words(can, "manufacturer", battery.identity.manufacturer);
    words(can, "name", battery.identity.name);
    words(can, "serial", battery.identity.serial);
    words(can, "family", battery.identity.family);
    return battery;
}

void check_batteries(const GatewaySettings& read,
                     const Json& document,
                     std::vector<SettingsError>& errors) {
    Rules rules(read, errors);
    const Json& list = Members(document).array("batteries");
    for (std::size_t i = 0; i < std::min(list.size(), read.batteries.size()); ++i) {
        const std::string place = fmt::format("/batteries/{}", i);
        rules.packs(list[i], place);
        rules.law(read.batteries[i].law, place);
        rules.can(list[i], read.batteries[i], place);
    }
}

}  // namespace jw::settings
