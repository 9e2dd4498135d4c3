// SPDX-License-Identifier: Apache-2.0
// What a schema cannot say of the settings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/fields.h"
#include "host/http/password.h"
#include "host/settings_battery.h"
#include "host/settings_check.h"

namespace jw::settings {
namespace {

using Json = nlohmann::json;

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above + 1, row[j - 1] + 1, changed});
            diagonal = above;
        }
    }
    return row[b.size()];
}

/// Text of a member, or empty: the schema has already complained about anything else.
std::string text_at(const Json& object, const char* name) {
    const auto member = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && member != object.end() && member->is_string()
               ? member->get<std::string>()
               : std::string();
}

const Json& array_at(const Json& object, const char* name) {
    static const Json none = Json::array();
    const auto member = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && member != object.end() && member->is_array() ? *member : none;
}

std::vector<std::string> names_of(const Json& list) {
    std::vector<std::string> names;
    for (const Json& item : list) {
        names.push_back(text_at(item, "name"));
    }
    return names;
}

std::string meant_or_listed(std::string_view name, const std::vector<std::string>& known) {
    if (const std::string near = nearest(name, known); !near.empty()) {
        return fmt::format("did you mean \"{}\"?", near);
    }
    return known.empty() ? "there is none yet" : fmt::format("known are {}", Json(known).dump());
}

/// Collects what is wrong at places of the file.
class Rules {
  public:
    Rules(const GatewaySettings& read,
          const Json& document,
          const SettingsContext& context,
          std::vector<SettingsError>& errors)
        : read_(read), document_(document), context_(context), errors_(errors) {}

    void check() {
        storage();
        history();
        check_alerts(document_, errors_);
        names();
        buses();
        devices();
        check_batteries(read_, document_, errors_);
        sinks();
        live();
        issuers();
        web();
    }

  private:
    /// Whether the schema, or a rule before, has said what is wrong there.
    [[nodiscard]] bool is_told(std::string_view pointer) const {
        return std::any_of(errors_.begin(), errors_.end(), [&](const SettingsError& error) {
            return error.pointer == pointer;
        });
    }

    void wrong(std::string pointer, std::string found, std::string reason, std::string remedy) {
        if (is_told(pointer)) {
            return;
        }
        SettingsError error;
        error.pointer = std::move(pointer);
        error.found = std::move(found);
        error.reason = std::move(reason);
        error.remedy = std::move(remedy);
        errors_.push_back(std::move(error));
    }

    void storage() {
        constexpr std::uint32_t segments_least = 8;
        const GatewaySettings::Storage& storage = read_.storage;
        const std::uint64_t segments =
            std::uint64_t{storage.size_mb} * 1024 / std::max(storage.segment_kb, 1U);
        if (segments < segments_least && !is_told("/storage/size_mb")) {
            wrong("/storage/segment_kb",
                  std::to_string(storage.segment_kb),
                  fmt::format("a store of {} MiB has room for only {} such segments",
                              storage.size_mb,
                              segments),
                  fmt::format("at least {} must fit: give a smaller segment_kb or a larger size_mb",
                              segments_least));
        }
    }

    void history() {
        constexpr std::uint32_t size_least_mb = 4;
        const std::uint32_t size_mb = read_.history.size_mb;
        if (size_mb != 0 && size_mb < size_least_mb) {
            wrong("/history/size_mb",
                  std::to_string(size_mb),
                  "a history of that size has no room for a day",
                  fmt::format("give at least {}, or 0 for no history", size_least_mb));
        }
    }

    /// Faults and records call devices and sinks by name, so these share one set of names.
    void names() {
        std::map<std::string, std::string> sources;
        unique("/devices", array_at(document_, "devices"), sources);
        unique("/batteries", array_at(document_, "batteries"), sources);
        unique("/sinks", array_at(document_, "sinks"), sources);
        unique("/live", array_at(document_, "live"), sources);
        std::map<std::string, std::string> buses;
        unique("/buses", array_at(document_, "buses"), buses);
        std::map<std::string, std::string> issuers;
        unique("/commands/issuers", issuers_json(), issuers);
        std::map<std::string, std::string> tokens;
        unique("/web/tokens", array_at(member("web"), "tokens"), tokens);
    }

    void unique(const std::string& pointer,
                const Json& list,
                std::map<std::string, std::string>& taken) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string name = text_at(list[i], "name");
            const std::string place = fmt::format("{}/{}/name", pointer, i);
            const auto [first, added] = taken.emplace(name, place);
            if (!name.empty() && !added) {
                wrong(place,
                      Json(name).dump(),
                      "the name is already taken by " + first->second,
                      "give each its own name");
            }
        }
    }

    void buses() {
        std::map<std::string, std::size_t> taken;
        for (std::size_t i = 0; i < read_.buses.size(); ++i) {
            const GatewaySettings::Bus& bus = read_.buses[i];
            host(fmt::format("/buses/{}/host", i), bus.host);
            if (bus.device.empty()) {
                continue;  // a far side may take several connections, each with its own devices
            }
            const auto [first, added] = taken.emplace(bus.address(), i);
            if (!added) {
                wrong(fmt::format("/buses/{}/device", i),
                      Json(bus.address()).dump(),
                      fmt::format("/buses/{} already uses this port", first->second),
                      way_out(bus.line()));
            }
        }
    }

    /// For two buses on one port.
    static const char* way_out(LineKind line) {
        switch (line) {
            case LineKind::modbus:
                return "put all devices behind one port on one bus, each with its unit";
            case LineKind::can:
                return "use one bus for it";
            default:
                return "give each device that talks by itself a port of its own";
        }
    }

    /// Names are looked up as they stand, and a port has a member of its own.
    void host(std::string pointer, const std::string& host) {
        boost::system::error_code bad;
        if (host.find(':') != std::string::npos) {
            (void)boost::asio::ip::make_address_v6(host, bad);
        }
        if (bad || host.find_first_of("/ \t\r\n@[]") != std::string::npos) {
            wrong(std::move(pointer),
                  shown(Json(host)),
                  "this is neither a host name nor an IP address",
                  "give it without scheme, port and path, such as broker.example or 192.0.2.7");
        }
    }

    void devices() {
        const Json& list = array_at(document_, "devices");
        const std::vector<std::string> bus_names = names_of(array_at(document_, "buses"));
        std::map<std::string, std::size_t> taken;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string bus = text_at(list[i], "bus");
            const auto at = std::find(bus_names.begin(), bus_names.end(), bus);
            if (!bus.empty() && at == bus_names.end()) {
                wrong(fmt::format("/devices/{}/bus", i),
                      Json(bus).dump(),
                      "there is no bus of this name",
                      meant_or_listed(bus, bus_names));
            }
            const Driver* driver = driver_of(i, list[i]);
            const auto bus_index = static_cast<std::size_t>(at - bus_names.begin());
            if (driver != nullptr && bus_index < read_.buses.size() && !bus.empty()) {
                line_fits(i, *driver, bus_index);
                unit_answers(i, bus_index);
                place_is_free(i, *driver, bus_index, taken);
            }
        }
    }

    /// The driver that a device names, or the one of its map; null where that is wrong.
    const Driver* driver_of(std::size_t device, const Json& item) {
        const std::string name = text_at(item, "driver");
        const bool has_map = item.is_object() && item.contains("map");
        const bool has_driver = item.is_object() && item.contains("driver");
        if (has_map == has_driver && item.is_object()) {
            wrong(fmt::format("/devices/{}/driver", device),
                  has_map ? Json(name).dump() : "missing",
                  has_map ? "driver and map both say what the device is"
                          : "neither driver nor map says what the device is",
                  "give one of the two");
            return nullptr;
        }
        if (has_map) {
            return device < read_.devices.size() ? read_.devices[device].driver : nullptr;
        }
        return known_driver(device, name);
    }

    const Driver* known_driver(std::size_t device, const std::string& name) {
        std::vector<std::string> known;
        for (const Driver* driver : context_.drivers) {
            if (driver->name == name) {
                return driver;
            }
            known.emplace_back(driver->name);
        }
        if (!name.empty()) {
            wrong(fmt::format("/devices/{}/driver", device),
                  Json(name).dump(),
                  "there is no driver of this name",
                  meant_or_listed(name, known));
        }
        return nullptr;
    }

    void line_fits(std::size_t device, const Driver& driver, std::size_t bus) {
        if (read_.buses[bus].line() == driver.line) {
            return;
        }
        const bool modbus = driver.line == LineKind::modbus;
        const bool can = read_.buses[bus].line() == LineKind::can;
        wrong(fmt::format("/devices/{}/bus", device),
              Json(read_.buses[bus].name.view()).dump(),
              fmt::format("the driver {} needs a {} and this bus is of type {}{}",
                          driver.name,
                          modbus ? "Modbus line" : "line on which the device talks by itself",
                          enum_name(read_.buses[bus].type),
                          can ? ", which batteries use to tell inverters their limits" : ""),
              modbus ? "use a bus of type modbus_tcp, modbus_rtu or modbus_rtu_tcp"
                     : "use a bus of type serial or tcp");
    }

    /// On a serial line 0 is for everybody, whom nobody answers, and 248 to 255 are reserved
    /// (Modbus over serial line V1.02, 2.2).
    void unit_answers(std::size_t device, std::size_t bus) {
        const BusType type = read_.buses[bus].type;
        if ((type != BusType::modbus_rtu && type != BusType::modbus_rtu_tcp) ||
            device >= read_.devices.size()) {
            return;
        }
        const unsigned unit = read_.devices[device].settings.unit;
        if (unit < 1 || unit > 247) {
            wrong(fmt::format("/devices/{}/unit", device),
                  std::to_string(unit),
                  "no device answers to this address on a line of Modbus RTU",
                  "give its address, 1 to 247");
        }
    }

    /// A device that talks by itself has its line alone; on Modbus nobody is read twice.
    void place_is_free(std::size_t device,
                       const Driver& driver,
                       std::size_t bus,
                       std::map<std::string, std::size_t>& taken) {
        if (read_.buses[bus].line() != driver.line || device >= read_.devices.size()) {
            return;
        }
        const DeviceSettings& settings = read_.devices[device].settings;
        const bool stream = driver.line == LineKind::stream;
        const std::string place =
            stream ? fmt::format("{}", bus)
                   : fmt::format("{}:{}:{}:{}", bus, settings.unit, driver.name, settings.base);
        const auto [first, added] = taken.emplace(place, device);
        if (!added) {
            wrong(
                fmt::format("/devices/{}/{}", device, stream ? "bus" : "unit"),
                stream ? Json(read_.buses[bus].name.view()).dump() : std::to_string(settings.unit),
                fmt::format("/devices/{} is already read there", first->second),
                stream ? "give each device that talks by itself a bus of its own"
                       : "give the unit id of this device");
        }
    }

    void sinks() {
        const Json& list = array_at(document_, "sinks");
        for (std::size_t i = 0; i < read_.sinks.size(); ++i) {
            const std::string place = fmt::format("/sinks/{}", i);
            const GatewaySettings::Sink& sink = read_.sinks[i];
            window(place, list[i], sink);
            broker(place, list[i], sink);
        }
    }

    /// What holds for everything that connects to a broker: a sink, or one that hears live values.
    template <class Client>
    void broker(const std::string& place, const Json& item, const Client& client) {
        host(place + "/host", client.host);
        const auto [first, added] = clients_.emplace(
            fmt::format("{} {} {}", client.host, client.port, client.client_id), place);
        if (!added) {
            wrong(
                place + "/client_id",
                shown(Json(client.client_id)),
                fmt::format("{} has the same at this broker, and a broker closes the older of two "
                            "connections of one client",
                            first->second),
                "give each its own client_id");
        }
        if (client.user.empty() && !text_at(item, "password_file").empty()) {
            wrong(place + "/password_file",
                  shown(item["password_file"]),
                  "a password without a user",
                  "give the user, too");
        }
        if (client.tls && client.tls->cert_file.empty() != client.tls->key_file.empty()) {
            wrong(place + "/tls",
                  "only one of cert_file and key_file",
                  "a certificate is of use only with its key",
                  "give both or neither");
        }
    }

    void live() {
        const Json& list = array_at(document_, "live");
        std::map<std::string, std::string> topics;
        for (std::size_t i = 0; i < read_.live.size(); ++i) {
            const std::string place = fmt::format("/live/{}", i);
            const GatewaySettings::Live& live = read_.live[i];
            broker(place, list[i], live);
            const bool bms = live.type == LiveType::bms;
            if (bms) {
                battery(place, live);
            } else if (list[i].is_object() && list[i].contains("device")) {
                wrong(place + "/device",
                      shown(list[i]["device"]),
                      "Home Assistant hears of every device",
                      "leave it out");
            }
            if (bms && live.commands) {
                wrong(place + "/commands", "true", "the topics of bms have none", "leave it out");
            }
            if (!bms && read_.gateway == "v1") {
                wrong("/gateway",
                      "\"v1\"",
                      "its topics for Home Assistant would be those of a gateway of the sinks",
                      "give another name");
            }
            // Two of one kind would write to the same topics.
            const std::string what = fmt::format(
                "{} {} {} {}", live.host, live.port, bms ? live.prefix : "", live.device.view());
            const auto [first, added] = topics.emplace(what, place);
            if (!added) {
                wrong(place + "/host",
                      shown(Json(live.host)),
                      fmt::format("{} already tells this broker the same", first->second),
                      "leave one of the two out");
            }
        }
    }

    /// One that a battery law has made, or a device whose driver gives charge and cells.
    void battery(const std::string& place, const GatewaySettings::Live& live) {
        std::vector<std::string> known = names_of(array_at(document_, "batteries"));
        for (const GatewaySettings::Device& device : read_.devices) {
            const auto gives = [&](Quantity quantity) {
                return device.driver != nullptr &&
                       std::ranges::any_of(
                           device.driver->capabilities,
                           [&](const auto& capability) { return capability.quantity == quantity; });
            };
            if (gives(Quantity::soc_permille) && gives(Quantity::cell_voltage_mv)) {
                known.emplace_back(device.settings.name.view());
            }
        }
        if (std::ranges::find(known, live.device.view()) == known.end()) {
            wrong(place + "/device",
                  live.device.empty() ? "nothing" : Json(live.device.view()).dump(),
                  "there is no battery of this name",
                  meant_or_listed(live.device.view(), known));
        }
    }

    void window(const std::string& place, const Json& item, const GatewaySettings::Sink& sink) {
        const bool wanted = text_at(item, "mode") == "window";
        if (wanted && !item.contains("window")) {
            wrong(place + "/window",
                  "nothing",
                  "mode window needs it",
                  "give window with every_s and for_s");
        } else if (!wanted && item.is_object() && item.contains("window")) {
            wrong(place + "/window",
                  shown(item["window"]),
                  "the sink stays connected",
                  "leave window out or give \"mode\": \"window\"");
        } else if (sink.window && sink.window->length >= sink.window->every) {
            wrong(place + "/window/for_s",
                  std::to_string(sink.window->length.us / 1'000'000),
                  "a connection must end before the next one begins",
                  "give less than every_s");
        }
    }

    void issuers() {
        const Json& list = issuers_json();
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string place = fmt::format("/commands/issuers/{}", i);
            const std::string method = text_at(list[i], "method");
            const bool key = !text_at(list[i], "key").empty();
            const bool file = !text_at(list[i], "key_file").empty();
            if (method == "ed25519" && key == file) {
                wrong(place,
                      key ? "key and key_file" : "no key",
                      "Ed25519 needs exactly one public key",
                      "give key or key_file");
            } else if (method == "hmac" && (key || !file)) {
                wrong(place,
                      key ? "key" : "no key",
                      "the key of HMAC is a secret and stands in a file of its own",
                      "give key_file");
            } else if (method == "none" && (key || file)) {
                wrong(place,
                      "a key",
                      "unsigned commands have no key",
                      "leave the key out or give the method that it is for");
            }
        }
    }

    void web() {
        const Json& web = member("web");
        const std::string listen = text_at(web, "listen");
        boost::system::error_code bad;
        const auto address = boost::asio::ip::make_address(read_.web.address, bad);
        if (bad) {
            wrong("/web/listen",
                  shown(Json(listen)),
                  "must be an IP address and a port",
                  "give, for example, 127.0.0.1:8080, 0.0.0.0:443 or [::1]:8080");
        } else if (!address.is_loopback() && !read_.web.password_scrypt) {
            wrong("/web/listen",
                  shown(Json(listen)),
                  "others can reach this address and no password is set",
                  "set web.password_scrypt (`joulectl password` prints it) or listen on 127.0.0.1");
        }
        const std::string password = text_at(web, "password_scrypt");
        if (!password.empty() && !http::parse_scrypt(password)) {
            wrong("/web/password_scrypt",
                  "(not shown)",
                  "this is not what scrypt gives, or its cost is too low or too high",
                  "give $scrypt$ln=15,r=8,p=1$salt$digest as `joulectl password` prints it");
        }
    }

    const Json& member(const char* name) const {
        static const Json none = Json::object();
        const auto found = document_.is_object() ? document_.find(name) : document_.end();
        return document_.is_object() && found != document_.end() ? *found : none;
    }
    const Json& issuers_json() const { return array_at(member("commands"), "issuers"); }

    const GatewaySettings& read_;
    const Json& document_;
    const SettingsContext& context_;
    std::vector<SettingsError>& errors_;
    std::map<std::string, std::string> clients_;  // of a broker: the place that names each
};

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
    if (name.size() > 64) {
        return {};
    }
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(name.size() / 2, 1) + 1;
    for (const std::string& candidate : known) {
        const bool begun = name.size() >= 4 && candidate.starts_with(name);
        const std::size_t far = begun ? 1 : distance(name, candidate);
        if (far < best_distance) {
            best_distance = far;
            best = candidate;
        }
    }
    return best;
}

std::string shown(const Json& value) {
    constexpr std::size_t size_max = 60;
    if (value.is_structured()) {
        return fmt::format("{} of {}", value.is_array() ? "a list" : "an object", value.size());
    }
    const auto* const whole = value.get_ptr<const std::string*>();
    const std::size_t host = whole == nullptr ? std::string::npos : whole->rfind('@');
    std::string text = host == std::string::npos
                           ? value.dump(-1, ' ', true)
                           : Json("(not shown)" + whole->substr(host)).dump(-1, ' ', true);
    if (text.size() > size_max) {
        text.resize(size_max - 3);
        text += "...";
    }
    return text;
}

std::string pointer_token(std::string_view name) {
    std::string token;
    for (const char c : name.substr(0, 64)) {
        token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return token;
}

void check_rules(const GatewaySettings& read,
                 const Json& document,
                 const SettingsContext& context,
                 std::vector<SettingsError>& errors) {
    Rules(read, document, context, errors).check();
}

}  // namespace jw::settings
