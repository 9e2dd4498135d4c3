// SPDX-License-Identifier: Apache-2.0
#pragma once
// The settings of a gateway: one JSON file, checked by a JSON Schema and by what a schema cannot
// say.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "core/device/device.h"
#include "core/model/reading.h"
#include "core/model/record.h"
#include "core/outbox/outbox.h"
#include "core/sink/can_out/frame.h"
#include "core/task/alerts.h"
#include "core/task/battery_state.h"
#include "host/secret.h"

namespace jw {

class DeviceDescription;

enum class BusType : std::uint8_t {
    modbus_tcp,
    modbus_rtu,
    modbus_rtu_tcp,
    serial,
    tcp,
    can,    // an interface of Linux
    slcan,  // an adapter on a serial line
};
constexpr auto enum_names(BusType) {
    return std::array{
        "modbus_tcp", "modbus_rtu", "modbus_rtu_tcp", "serial", "tcp", "can", "slcan"};
}
enum class SerialParity : std::uint8_t { none, even, odd };
constexpr auto enum_names(SerialParity) {
    return std::array{"none", "even", "odd"};
}
enum class LiveType : std::uint8_t { homeassistant, bms };
constexpr auto enum_names(LiveType) {
    return std::array{"homeassistant", "bms"};
}
enum class PayloadFormat : std::uint8_t { json, cbor };
constexpr auto enum_names(PayloadFormat) {
    return std::array{"json", "cbor"};
}
enum class IssuerMethod : std::uint8_t { none, hmac, ed25519 };
constexpr auto enum_names(IssuerMethod) {
    return std::array{"none", "hmac", "ed25519"};
}
enum class Role : std::uint8_t { viewer, operator_, installer, owner };
constexpr auto enum_names(Role) {
    return std::array{"viewer", "operator", "installer", "owner"};
}

/// What the file says, with the defaults of the schema for what it leaves out.
struct GatewaySettings {
    struct Storage {
        std::string path = "/var/lib/jouleway";
        std::uint32_t size_mb = 512;
        std::uint32_t segment_kb = 1024;
        Duration commit = seconds(10);
        std::array<std::uint32_t, record_classes> ttl_s{};  // by class; 0: kept until confirmed
        std::array<WhenFull, record_classes> when_full{};   // by class
    };
    struct History {
        std::uint32_t size_mb = 64;  // 0: off
        std::uint32_t days = 30;
    };
    struct Bus {
        Name name;
        BusType type = BusType::modbus_tcp;
        std::string host;  // TCP types
        std::uint16_t port = 502;
        std::string device;  // serial types; `can`: the name of the interface
        std::uint32_t baud = 9600;
        std::uint8_t data_bits = 8;
        SerialParity parity = SerialParity::none;
        std::uint8_t stop_bits = 1;
        Duration connect_delay;
        Duration gap;
        Duration timeout = seconds(1);
        std::uint8_t open_requests = 1;
        std::uint32_t bitrate = 500'000;  // slcan

        [[nodiscard]] LineKind line() const;
        [[nodiscard]] bool is_can() const { return type == BusType::can || type == BusType::slcan; }
        /// "192.0.2.7:502" or "/dev/ttyUSB0": what people are shown.
        [[nodiscard]] std::string address() const;
    };
    struct Device {
        DeviceSettings settings;
        std::size_t bus = 0;             // index in `buses`
        const Driver* driver = nullptr;  // handed to parse_settings(), or of `description`
        std::shared_ptr<const DeviceDescription> description;  // where the file names a map
        std::string title;                                     // the name where the file gives none
    };
    struct Battery {
        Name name;
        std::string title;                // the name where the file gives none
        std::vector<std::uint8_t> packs;  // indices in `devices`
        battery::LawSettings law;
        battery::Identity identity;
        Duration keep = seconds(60);
        Duration remote_hold = seconds(60);         // a limit that a command set holds so long
        std::optional<std::size_t> can;             // index in `buses`
        const can_out::Profile* profile = nullptr;  // null: no inverter is told
    };
    struct Tls {
        std::string ca_file;  // empty: the certificates of the system
        std::string cert_file;
        std::string key_file;
    };
    struct Window {
        Duration every;
        Duration length;
    };
    struct Batch {
        std::uint32_t readings = 1000;
        std::uint32_t bytes = 65536;
        Duration age = seconds(1);
    };
    struct Sink {
        Name name;
        std::string type = "mqtt";
        std::string host;
        std::uint16_t port = 1883;
        std::uint8_t version = 5;  // 5, or 4 for MQTT 3.1.1
        std::string user;
        std::optional<Secret> password;  // read from password_file
        std::string client_id;           // the gateway's name where the file gives none
        std::optional<Tls> tls;
        std::optional<Window> window;  // absent: stay connected
        Batch batch;
        PayloadFormat payload = PayloadFormat::json;
        std::uint32_t inflight = 20;
        bool two_stage = false;
        bool fresh_first = false;  // new telemetry goes ahead of a backlog
    };
    /// Somebody who hears the latest values over MQTT.
    struct Live {
        Name name;
        LiveType type = LiveType::homeassistant;
        bool enabled = true;
        std::string host;
        std::uint16_t port = 1883;
        std::uint8_t version = 5;  // 5, or 4 for MQTT 3.1.1
        std::string user;
        std::optional<Secret> password;  // read from password_file
        std::string client_id;           // "<gateway>-<name>" where the file gives none
        std::optional<Tls> tls;
        std::string prefix;  // "homeassistant" or "bms" where the file gives none
        Duration every = seconds(1);
        bool commands = false;
        Name device;  // bms: the battery
    };
    struct Issuer {
        Name name;
        IssuerMethod method = IssuerMethod::none;
        std::optional<Secret> key;  // decoded from base64; absent for `none`
    };
    struct Token {
        Name name;
        Role role = Role::viewer;
        std::string sha256;  // 32 bytes
    };
    struct Web {
        std::string address = "127.0.0.1";  // an IP address
        std::uint16_t port = 8080;          // 0: the system chooses
        std::optional<Secret> password_scrypt;
        std::optional<Tls> tls;
        std::vector<std::string> hosts;
        std::vector<Token> tokens;
    };

    Name gateway;
    Name site;
    bool trust_clock = false;  // wall time is believed as the system has it
    Storage storage;
    History history;
    /// Absent: those that every battery has.
    std::optional<std::vector<AlertRule>> alerts;
    std::vector<Bus> buses;
    std::vector<Device> devices;
    std::vector<Battery> batteries;
    std::vector<Sink> sinks;
    std::vector<Live> live;
    std::vector<Issuer> issuers;
    Web web;
};

/// One thing that is wrong with the file.
struct SettingsError {
    std::string pointer;     // RFC 6901: "/buses/0/port"; empty: the file as a whole
    std::string found;       // what stands there, shortened; never a secret
    std::string reason;      // why it cannot be so
    std::string remedy;      // what to do
    std::size_t line = 0;    // of a syntax error; 0: not known
    std::size_t column = 0;  // likewise

    /// One line for people: `/buses/0/port: 70000: must be … Give …`.
    [[nodiscard]] std::string text() const;
};

struct SettingsContext {
    std::span<const Driver* const> drivers;  // that the program was built with
    /// Whether files that the settings name are opened. Off, secrets stay absent.
    bool read_files = true;
};

/// Settings, or everything that is wrong with them; exactly one of the two is there.
struct SettingsOutcome {
    std::optional<GatewaySettings> settings;
    std::vector<SettingsError> errors;
};

inline constexpr std::size_t settings_size_max = std::size_t{1} << 20;

SettingsOutcome parse_settings(std::string_view text, const SettingsContext& context);
SettingsOutcome load_settings(const std::filesystem::path& path, const SettingsContext& context);

/// The JSON Schema (draft 7) that parse_settings() applies; `jouleway --schema` prints it.
std::string_view settings_schema();

}  // namespace jw
