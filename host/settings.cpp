// SPDX-License-Identifier: Apache-2.0
// Reading the settings file: what is understood of it, secrets from their files, errors in words.
#include "host/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/base64.h"
#include "host/device_description.h"
#include "host/http/password.h"
#include "host/settings_battery.h"
#include "host/settings_check.h"
#include "host/settings_members.h"

namespace jw {
namespace {

using Json = nlohmann::json;
using settings::Members;

/// Files that the settings name; what cannot be read is an error at the member that names it.
class Files {
  public:
    Files(const SettingsContext& context, std::vector<SettingsError>& errors)
        : context_(context), errors_(errors) {}

    std::optional<Secret> secret(const Members& members, const char* name, std::string place) {
        std::string path;
        members.text(name, path);
        if (path.empty() || !context_.read_files) {
            return std::nullopt;
        }
        Result<Secret> secret = read_secret(path);
        if (secret) {
            return *secret;
        }
        place += std::string("/") + name;
        switch (secret.code()) {
            case Code::denied:
                wrong(place, path, "everybody may read or write this file", "chmod 600 " + path);
                break;
            case Code::out_of_range:
                wrong(place, path, "the file is empty or longer than 4 KiB", "put one line in it");
                break;
            default:
                wrong(place, path, "the file cannot be opened", "check the path and its owner");
        }
        return std::nullopt;
    }

    GatewaySettings::Tls tls(const Members& members, const std::string& place) {
        GatewaySettings::Tls tls;
        members.text("ca_file", tls.ca_file);
        members.text("cert_file", tls.cert_file);
        members.text("key_file", tls.key_file);
        readable(tls.ca_file, place + "/ca_file");
        readable(tls.cert_file, place + "/cert_file");
        readable(tls.key_file, place + "/key_file");
        return tls;
    }

    /// A register map; null where it is wrong, which is told once for each file.
    std::shared_ptr<const DeviceDescription> map(const std::string& path,
                                                 const std::string& place) {
        if (!context_.read_files) {
            return nullptr;
        }
        const auto [known, is_new] = maps_.try_emplace(path);
        if (is_new) {
            DescriptionOutcome outcome = load_description(path);
            for (const DescriptionError& error : outcome.errors) {
                std::string found = error.file;
                for (const std::string* part : {&error.pointer, &error.found}) {
                    found += part->empty() ? "" : ": " + *part;
                }
                wrong(place, found, error.reason, "mend that file (docs/formats/devices.md)");
            }
            known->second = std::move(outcome.description);
        }
        return known->second;
    }

    void wrong(std::string pointer, const std::string& found, std::string why, std::string what) {
        SettingsError error;
        error.pointer = std::move(pointer);
        error.found = found;
        error.reason = std::move(why);
        error.remedy = std::move(what);
        errors_.push_back(std::move(error));
    }

  private:
    void readable(const std::string& path, const std::string& place) {
        if (!path.empty() && context_.read_files && !std::ifstream(path)) {
            wrong(place, path, "the file cannot be opened", "check the path and its owner");
        }
    }

    const SettingsContext& context_;
    std::vector<SettingsError>& errors_;
    std::map<std::string, std::shared_ptr<const DeviceDescription>> maps_;
};

GatewaySettings::Bus read_bus(const Json& item) {
    const Members members(item);
    GatewaySettings::Bus bus;
    members.name("name", bus.name);
    members.choice("type", bus.type);
    if (bus.type == BusType::slcan) {
        bus.baud = 115'200;
    }
    members.text("host", bus.host);
    members.number("port", bus.port);
    members.text("device", bus.device);
    members.number("baud", bus.baud);
    members.number("data_bits", bus.data_bits);
    members.choice("parity", bus.parity);
    members.number("stop_bits", bus.stop_bits);
    members.span_ms("connect_delay_ms", bus.connect_delay);
    members.span_ms("gap_ms", bus.gap);
    members.span_ms("timeout_ms", bus.timeout);
    members.number("open_requests", bus.open_requests);
    members.number("bitrate", bus.bitrate);
    return bus;
}

GatewaySettings::Device read_device(const Json& item,
                                    const GatewaySettings& settings,
                                    const SettingsContext& context,
                                    Files& files) {
    const Members members(item);
    GatewaySettings::Device device;
    members.name("name", device.settings.name);
    members.name("driver", device.settings.driver);
    members.span_s("poll_s", device.settings.poll);
    members.span_s("keep_s", device.settings.keep);
    members.span_s("silent_after_s", device.settings.silent_after);
    members.number("unit", device.settings.unit);
    members.number("sign", device.settings.sign);
    members.flag("cells_reversed", device.settings.cells_reversed);
    members.number("base", device.settings.base);
    device.title = std::string(device.settings.name.view());
    members.text("title", device.title);
    Name bus;
    members.name("bus", bus);
    for (std::size_t i = 0; i < settings.buses.size(); ++i) {
        if (settings.buses[i].name == bus) {
            device.bus = i;
            break;
        }
    }
    for (const Driver* driver : context.drivers) {
        if (device.settings.driver == std::string_view(driver->name)) {
            device.driver = driver;
        }
    }
    std::string map;
    members.text("map", map);
    if (!map.empty()) {
        device.description =
            files.map(map, fmt::format("/devices/{}/map", settings.devices.size()));
    }
    if (device.description) {
        device.driver = &device.description->driver;
        device.settings.driver = device.driver->name;
        device.settings.map = &device.description->map;
    }
    if (device.driver != nullptr && !members.has("poll_s")) {
        device.settings.poll = device.driver->poll;
    }
    return device;
}

AlertRule read_alert(const Json& item) {
    const Members members(item);
    AlertRule rule;
    members.name("device", rule.device);
    std::string quantity;
    members.text("quantity", quantity);
    rule.quantity = quantity_named(quantity);
    std::string minus;
    members.text("minus", minus);
    rule.minus = quantity_named(minus);
    rule.above = members.has("above");
    members.number(rule.above ? "above" : "below", rule.threshold);
    rule.hysteresis = default_hysteresis(rule.quantity);
    members.number("hysteresis", rule.hysteresis);
    members.span_s("for_s", rule.hold);
    members.choice("severity", rule.severity);
    return rule;
}

GatewaySettings::Sink read_sink(const Json& item, const std::string& place, Files& files) {
    const Members members(item);
    GatewaySettings::Sink sink;
    members.name("name", sink.name);
    members.text("type", sink.type);
    members.text("host", sink.host);
    if (members.has("tls")) {
        sink.tls = files.tls(members.object("tls"), place + "/tls");
        sink.port = 8883;
    }
    members.number("port", sink.port);
    members.number("version", sink.version);
    sink.version = sink.version == 5 ? 5 : 4;
    members.text("user", sink.user);
    sink.password = files.secret(members, "password_file", place);
    members.text("client_id", sink.client_id);
    std::string mode;
    members.text("mode", mode);
    if (mode == "window" && members.has("window")) {
        const Members window = members.object("window");
        sink.window.emplace();
        window.span_s("every_s", sink.window->every);
        window.span_s("for_s", sink.window->length);
    }
    const Members batch = members.object("batch");
    batch.number("readings", sink.batch.readings);
    batch.number("bytes", sink.batch.bytes);
    batch.span_ms("age_ms", sink.batch.age);
    members.choice("payload", sink.payload);
    members.number("inflight", sink.inflight);
    members.flag("two_stage", sink.two_stage);
    std::string order;
    members.text("order", order);
    sink.fresh_first = order == "fresh_first";
    return sink;
}

GatewaySettings::Live read_live(const Json& item,
                                const std::string& gateway,
                                const std::string& place,
                                Files& files) {
    const Members members(item);
    GatewaySettings::Live live;
    members.name("name", live.name);
    members.choice("type", live.type);
    members.flag("enabled", live.enabled);
    members.text("host", live.host);
    if (members.has("tls")) {
        live.tls = files.tls(members.object("tls"), place + "/tls");
        live.port = 8883;
    }
    members.number("port", live.port);
    members.number("version", live.version);
    live.version = live.version == 5 ? 5 : 4;
    members.text("user", live.user);
    live.password = files.secret(members, "password_file", place);
    live.client_id = fmt::format("{}-{}", gateway, live.name.view());
    members.text("client_id", live.client_id);
    live.prefix = enum_name(live.type);
    members.text("prefix", live.prefix);
    members.span_s("every_s", live.every);
    members.flag("commands", live.commands);
    members.name("device", live.device);
    return live;
}

GatewaySettings::Issuer read_issuer(const Json& item, const std::string& place, Files& files) {
    const Members members(item);
    GatewaySettings::Issuer issuer;
    members.name("name", issuer.name);
    members.choice("method", issuer.method);
    std::string text;
    members.text("key", text);
    std::string from = place + "/key";
    if (const auto secret = files.secret(members, "key_file", place)) {
        text = secret->reveal();
        from = place + "/key_file";
    }
    if (text.empty() || issuer.method == IssuerMethod::none) {
        return issuer;
    }
    const auto key = decode_base64(text);
    const bool ed25519 = issuer.method == IssuerMethod::ed25519;
    if (!key) {
        files.wrong(from, "(not shown)", "this is not base64", "give the key in base64");
    } else if (ed25519 && key->size() != 32) {
        files.wrong(from,
                    fmt::format("{} bytes", key->size()),
                    "a public key of Ed25519 has 32 bytes",
                    "give the raw public key in base64");
    } else if (!ed25519 && (key->size() < 16 || key->size() > 64)) {
        files.wrong(from,
                    fmt::format("{} bytes", key->size()),
                    "a key of HMAC has 16 to 64 bytes",
                    "give 32 random bytes in base64");
    } else {
        issuer.key = Secret(*key);
    }
    return issuer;
}

/// "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; an empty address where it is none of these.
void read_listen(const std::string& listen, GatewaySettings::Web& web) {
    const std::size_t colon = listen.rfind(':');
    web.address.clear();
    if (colon == std::string::npos) {
        return;
    }
    const char* end = listen.data() + listen.size();
    const auto parsed = std::from_chars(listen.data() + colon + 1, end, web.port);
    std::string address = listen.substr(0, colon);
    const bool brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (parsed.ec != std::errc{} || parsed.ptr != end ||
        (!brackets && address.find(':') != std::string::npos)) {
        return;
    }
    if (brackets) {
        address = address.substr(1, address.size() - 2);
    }
    web.address = address == "localhost" ? "127.0.0.1" : address;
}

std::string bytes_of_hex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 2 <= hex.size(); i += 2) {
        unsigned byte = 0;
        (void)std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

GatewaySettings::Web read_web(const Members& members, Files& files) {
    GatewaySettings::Web web;
    if (members.has("listen")) {
        std::string listen;
        members.text("listen", listen);
        read_listen(listen, web);
    }
    std::string password;
    members.text("password_scrypt", password);
    if (!password.empty()) {
        web.password_scrypt = Secret(password);
    }
    if (members.has("tls")) {
        web.tls = files.tls(members.object("tls"), "/web/tls");
    }
    for (const Json& host : members.array("hosts")) {
        if (host.is_string()) {
            web.hosts.push_back(host.get<std::string>());
        }
    }
    for (const Json& item : members.array("tokens")) {
        const Members token(item);
        GatewaySettings::Token& added = web.tokens.emplace_back();
        std::string digest;
        token.name("name", added.name);
        token.choice("role", added.role);
        token.text("sha256", digest);
        added.sha256 = bytes_of_hex(digest);
    }
    return web;
}

GatewaySettings read_document(const Json& document,
                              const SettingsContext& context,
                              std::vector<SettingsError>& errors) {
    const Members members(document);
    Files files(context, errors);
    GatewaySettings settings;
    members.name("gateway", settings.gateway);
    members.name("site", settings.site);
    std::string clock;
    members.text("clock", clock);
    settings.trust_clock = clock == "system";
    const Members storage = members.object("storage");
    storage.text("path", settings.storage.path);
    storage.number("size_mb", settings.storage.size_mb);
    storage.number("segment_kb", settings.storage.segment_kb);
    storage.span_s("commit_s", settings.storage.commit);
    const Members ttl = storage.object("ttl_s");
    const Members when_full = storage.object("when_full");
    for (std::size_t i = 0; i < record_classes; ++i) {
        const char* const of_class = enum_names(RecordClass{})[i];
        ttl.number(of_class, settings.storage.ttl_s[i]);
        when_full.choice(of_class, settings.storage.when_full[i]);
    }
    const Members history = members.object("history");
    history.number("size_mb", settings.history.size_mb);
    history.number("days", settings.history.days);
    if (members.has("alerts")) {
        settings.alerts.emplace();
        for (const Json& item : members.array("alerts")) {
            settings.alerts->push_back(read_alert(item));
        }
    }
    for (const Json& item : members.array("buses")) {
        settings.buses.push_back(read_bus(item));
    }
    for (const Json& item : members.array("devices")) {
        settings.devices.push_back(read_device(item, settings, context, files));
    }
    for (const Json& item : members.array("batteries")) {
        settings.batteries.push_back(settings::read_battery(item, settings));
    }
    for (const Json& item : members.array("sinks")) {
        const std::string place = fmt::format("/sinks/{}", settings.sinks.size());
        GatewaySettings::Sink& sink = settings.sinks.emplace_back(read_sink(item, place, files));
        if (sink.client_id.empty()) {
            sink.client_id = settings.gateway.view();
        }
    }
    for (const Json& item : members.array("live")) {
        const std::string place = fmt::format("/live/{}", settings.live.size());
        const std::string gateway(settings.gateway.view());
        settings.live.push_back(read_live(item, gateway, place, files));
    }
    for (const Json& item : members.object("commands").array("issuers")) {
        const std::string place = fmt::format("/commands/issuers/{}", settings.issuers.size());
        settings.issuers.push_back(read_issuer(item, place, files));
    }
    settings.web = read_web(members.object("web"), files);
    return settings;
}

SettingsOutcome refused(std::string found, std::string reason, std::string remedy) {
    SettingsOutcome outcome;
    SettingsError error;
    error.found = std::move(found);
    error.reason = std::move(reason);
    error.remedy = std::move(remedy);
    outcome.errors.push_back(std::move(error));
    return outcome;
}

}  // namespace

LineKind GatewaySettings::Bus::line() const {
    switch (type) {
        case BusType::serial:
        case BusType::tcp:
            return LineKind::stream;
        case BusType::can:
        case BusType::slcan:
            return LineKind::can;
        default:
            return LineKind::modbus;
    }
}

std::string GatewaySettings::Bus::address() const {
    if (!device.empty()) {
        return device;
    }
    const bool v6 = host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string SettingsError::text() const {
    const std::string place = line != 0         ? fmt::format("line {}, column {}", line, column)
                              : pointer.empty() ? std::string("settings")
                                                : pointer;
    return fmt::format("{}: {}: {}. {}", place, found, reason, remedy);
}

SettingsOutcome parse_settings(std::string_view text, const SettingsContext& context) {
    if (text.size() > settings_size_max) {
        return refused(
            fmt::format("{} bytes", text.size()), "more than 1 MiB", "give a smaller file");
    }
    SettingsOutcome outcome;
    const std::optional<Json> parsed = settings::parse_document(text, outcome.errors);
    if (!parsed) {
        return outcome;
    }
    const Json& document = *parsed;
    for (SettingsError& error : settings::schema_errors(document)) {
        outcome.errors.push_back(std::move(error));
    }
    GatewaySettings read = read_document(document, context, outcome.errors);
    settings::check_rules(read, document, context, outcome.errors);
    if (outcome.errors.empty()) {
        outcome.settings = std::move(read);
    }
    return outcome;
}

SettingsOutcome load_settings(const std::filesystem::path& path, const SettingsContext& context) {
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path)) {
        return refused(
            path.string(), "the file cannot be opened", "check the path and who may read it");
    }
    std::string text(settings_size_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_settings(text, context);
}

}  // namespace jw
