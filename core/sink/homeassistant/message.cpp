// SPDX-License-Identifier: Apache-2.0
// Topics and payloads of Home Assistant over MQTT.
#include "core/sink/homeassistant/message.h"

#include <algorithm>
#include <array>

namespace jw::homeassistant {
namespace {

constexpr std::string_view root = "jouleway/";
constexpr std::string_view own = "_gateway";  // no device has a name with an underscore
// Codes, settings and counters that a device is asked for once a minute are told for so long.
constexpr Duration seldom = seconds(180);

constexpr bool is_id(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/// A name as an id of [a-zA-Z0-9_-]; other bytes are written as _xx, so that two names stay two.
void put_id(std::string_view name, Text& out) {
    for (const char c : name) {
        if (is_id(c)) {
            out.put(c);
        } else {
            out.put('_').hex(static_cast<unsigned char>(c), 2);
        }
    }
}

/// "jouleway_gw-1" or "jouleway_gw-1_grid".
void put_identifier(std::string_view gateway, std::string_view device, Text& out) {
    out.put("jouleway_");
    put_id(gateway, out);
    if (!device.empty()) {
        out.put('_');
        put_id(device, out);
    }
}

void put_topic(std::string_view gateway,
               std::string_view device,
               std::string_view leaf,
               Text& out) {
    out.put(root);
    put_id(gateway, out);
    out.put('/');
    if (!device.empty()) {
        put_id(device, out);
        out.put('/');
    }
    out.put(leaf);
}

/// Parts of a text; substr() would throw, and there are no exceptions here.
constexpr std::string_view from(std::string_view text, std::size_t at) {
    text.remove_prefix(std::min(at, text.size()));
    return text;
}
constexpr std::string_view up_to(std::string_view text, std::size_t size) {
    return {text.data(), std::min(size, text.size())};
}

template <class Put>
Topic made(const Put& put) {
    std::array<char, Topic::capacity()> buffer{};
    Text out(buffer);
    put(out);
    return out.view();
}

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "sensor.grid_power_l1": small letters, digits and underscores.
void put_entity_id(std::string_view domain,
                   std::string_view device,
                   std::string_view label,
                   Text& out) {
    out.put(domain).put('.');
    for (const std::string_view part : {device, std::string_view(" "), label}) {
        for (const char c : part) {
            out.put(is_id(c) && c != '-' ? lower(c) : '_');
        }
    }
}

/// Home Assistant puts the device's name in front: what repeats it is cut off.
std::string_view without_title(std::string_view label, std::string_view title) {
    const bool begins = !title.empty() && label.size() > title.size() &&
                        label[title.size()] == ' ' &&
                        std::equal(title.begin(), title.end(), label.begin(), [](char a, char b) {
                            return lower(a) == lower(b);
                        });
    return begins ? from(label, title.size() + 1) : label;
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lower(x) == lower(y);
           });
}

void member(std::string_view name, std::string_view value, Text& out) {
    out.put(",\"").put(name).put("\":").json(value);
}

template <class Put>
void member_of(std::string_view name, Text& out, const Put& put) {
    out.put(",\"").put(name).put("\":\"");
    put();
    out.put('"');
}

/// What a device says of itself; its bytes may be no UTF-8, and then the whole message would be
/// dropped.
void put_plain(std::string_view text, Text& out) {
    for (const char c : text) {
        out.put(c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?');
    }
}

/// What every entity begins with. `id` is its key below the device, for ever.
void begin_entity(const Announcement& device,
                  std::string_view platform,
                  std::string_view id,
                  std::string_view label,
                  Text& out) {
    out.json(id).put(":{\"p\":\"").put(platform).put('"');
    member_of("uniq_id", out, [&] {
        put_identifier(device.gateway, device.device, out);
        out.put('_').put(id);
    });
    member_of("def_ent_id", out, [&] {
        put_entity_id(platform, device.device.empty() ? device.gateway : device.device, label, out);
    });
    if (same(label, device.title)) {
        out.put(",\"name\":null");  // the device's main feature
    } else {
        member("name", without_title(label, device.title), out);
    }
}

void put_template(std::string_view name, Text& out) {
    out.put(",\"val_tpl\":\"{{ value_json.").put(name).put(" | default('None') }}\"");
}

void put_shown(Shown shown, Text& out) {
    if (shown != Shown::first) {
        member("ent_cat", "diagnostic", out);
    }
    if (shown == Shown::later) {
        out.put(",\"en\":false");
    }
}

bool is_switch(const Control& control) {
    return entity(control.key.quantity).platform == Platform::binary_sensor;
}

const Control* control_of(const Announcement& device, Key key) {
    for (const Control& control : device.controls) {
        if (control.key == key) {
            return &control;
        }
    }
    return nullptr;
}

void put_unit(const Unit& unit, Text& out) {
    if (!unit.device_class.empty()) {
        member("dev_cla", unit.device_class, out);
    }
    if (!unit.unit.empty()) {
        member("unit_of_meas", unit.unit, out);
    }
}

void put_reading(const Announcement& device, Key key, Text& out) {
    const Entity& row = entity(key.quantity);
    std::array<char, 80> id_buffer{};
    std::array<char, 80> label_buffer{};
    Text id(id_buffer);
    Text label(label_buffer);
    put_name(key.quantity, key.index, id);
    put_label(key.quantity, key.index, label);
    const bool binary = row.platform == Platform::binary_sensor;
    begin_entity(device, binary ? "binary_sensor" : "sensor", id.view(), label.view(), out);
    put_unit(row.unit, out);
    if (row.unit.state_class != StateClass::none) {
        const bool gauge = row.unit.state_class == StateClass::gauge;
        member("stat_cla", gauge ? "measurement" : "total_increasing", out);
        out.put(",\"sug_dsp_prc\":").put(row.unit.precision);
    }
    for (std::size_t i = 0; i < row.options.size(); ++i) {
        out.put(i == 0 ? ",\"ops\":[" : ",").json(row.options[i]);
    }
    out.put(row.options.empty() ? "" : "]");
    put_shown(row.shown, out);
    out.put(",\"exp_aft\":").put((device.expire + microseconds(999'999)).us / 1'000'000);
    std::array<char, 80> name_buffer{};
    Text name(name_buffer);
    put_member(key.quantity, key.index, name);
    put_template(name.view(), out);
    out.put('}');
}

void put_control(const Announcement& device, const Control& control, Text& out) {
    const Entity& row = entity(control.key.quantity);
    std::array<char, 80> id_buffer{};
    std::array<char, 80> label_buffer{};
    Text id(id_buffer);
    Text label(label_buffer);
    put_name(control.key.quantity, control.key.index, id);
    const std::size_t quantity_size = id.size();
    id.put("_set");
    put_label(control.key.quantity, control.key.index, label);
    const bool flips = is_switch(control);
    begin_entity(device, flips ? "switch" : "number", id.view(), label.view(), out);
    member("ent_cat", "config", out);
    member_of("cmd_t", out, [&] {
        put_topic(device.gateway, device.device, "set/", out);
        out.put(up_to(id.view(), quantity_size));
    });
    if (!flips) {
        put_unit(row.unit, out);
        out.put(",\"min\":");
        put_decimal(control.least, row.unit.decimals, out);
        out.put(",\"max\":");
        put_decimal(control.most, row.unit.decimals, out);
        out.put(",\"step\":");
        put_decimal(1, row.unit.decimals, out);
        member("mode", "box", out);
    }
    std::array<char, 80> name_buffer{};
    Text name(name_buffer);
    put_member(control.key.quantity, control.key.index, name);
    put_template(name.view(), out);
    out.put('}');
}

bool has(std::span<const Key> keys, Key key) {
    return std::ranges::find(keys, key) != keys.end();
}

/// Home Assistant counts a battery's power the other way round: + is discharging.
bool is_battery(std::span<const Key> keys) {
    return has(keys, {Quantity::battery_state, 0}) && has(keys, {Quantity::power_w, 0});
}

void put_discharging(const Announcement& device, Text& out) {
    begin_entity(device, "sensor", "discharging_power_w", "Discharging power", out);
    put_unit(entity(Quantity::power_w).unit, out);
    member("stat_cla", "measurement", out);
    out.put(",\"sug_dsp_prc\":0,\"exp_aft\":")
        .put((device.expire + microseconds(999'999)).us / 1'000'000);
    put_template("discharging_power_w", out);
    out.put('}');
}

void put_own_availability(std::string_view gateway, Text& out) {
    out.put(",\"avty\":[{\"t\":\"");
    put_topic(gateway, {}, "status", out);
    out.put("\"}],\"avty_mode\":\"all\"");
}

/// Connected or not, and what troubles it: both are told while the device is silent, too.
void put_watch(const Announcement& device, Text& out) {
    begin_entity(device, "binary_sensor", "connected_to_gateway", "Connection", out);
    member("dev_cla", "connectivity", out);
    member("ent_cat", "diagnostic", out);
    member_of("stat_t", out, [&] { put_topic(device.gateway, device.device, "status", out); });
    out.put(",\"pl_on\":\"online\",\"pl_off\":\"offline\"");
    if (!device.device.empty()) {
        put_own_availability(device.gateway, out);
    }
    out.put("},");
    begin_entity(device, "binary_sensor", "problem", "Problem", out);
    member("dev_cla", "problem", out);
    member("ent_cat", "diagnostic", out);
    member_of("stat_t", out, [&] { put_topic(device.gateway, device.device, "faults", out); });
    member_of("json_attr_t", out, [&] { put_topic(device.gateway, device.device, "faults", out); });
    put_own_availability(device.gateway, out);
    put_template("state", out);
    out.put('}');
}

void put_head(const Announcement& device, Text& out) {
    out.put("{\"dev\":{\"ids\":\"");
    put_identifier(device.gateway, device.device, out);
    out.put('"');
    member("name", device.title, out);
    const std::string_view texts[][2] = {
        {"mf", device.maker}, {"mdl", device.model}, {"sw", device.version}, {"sn", device.serial}};
    for (const auto& one : texts) {
        if (!one[1].empty()) {
            member_of(one[0], out, [&] { put_plain(one[1], out); });
        }
    }
    if (!device.device.empty()) {
        member_of("via_device", out, [&] { put_identifier(device.gateway, {}, out); });
    }
    out.put("},\"o\":{\"name\":\"Jouleway\"");
    if (!device.program.empty()) {
        member("sw", device.program, out);
    }
    out.put("},\"qos\":1,\"cmps\":{");
}

/// The device's name in a topic, and what stands behind it.
std::optional<std::string_view> after(std::string_view text, std::string_view head) {
    if (!text.starts_with(head)) {
        return std::nullopt;
    }
    return from(text, head.size());
}

}  // namespace

Topic gateway_topic(std::string_view gateway, std::string_view leaf) {
    return made([&](Text& out) { put_topic(gateway, {}, leaf, out); });
}

Topic device_topic(std::string_view gateway, std::string_view device, std::string_view leaf) {
    return made([&](Text& out) { put_topic(gateway, device, leaf, out); });
}

Topic discovery_topic(std::string_view prefix, std::string_view gateway, std::string_view device) {
    return made([&](Text& out) {
        out.put(prefix).put("/device/");
        put_identifier(gateway, {}, out);
        out.put('/');
        if (device.empty()) {
            out.put(own);
        } else {
            put_id(device, out);
        }
        out.put("/config");
    });
}

Topic discovery_filter(std::string_view prefix, std::string_view gateway) {
    return made([&](Text& out) {
        out.put(prefix).put("/device/");
        put_identifier(gateway, {}, out);
        out.put("/+/config");
    });
}

std::optional<std::string_view> discovered_device(std::string_view prefix,
                                                  std::string_view gateway,
                                                  std::string_view topic) {
    constexpr std::string_view filter_end = "+/config";
    constexpr std::string_view end = "/config";
    const Topic filter = discovery_filter(prefix, gateway);
    std::string_view head = filter.view();
    if (head.size() < filter_end.size()) {
        return std::nullopt;
    }
    head.remove_suffix(filter_end.size());
    std::optional<std::string_view> device = after(topic, head);
    if (!device || !device->ends_with(end)) {
        return std::nullopt;
    }
    device->remove_suffix(end.size());
    if (device->empty() || *device == own || device->find('/') != std::string_view::npos) {
        return std::nullopt;
    }
    return device;
}

Topic commands_filter(std::string_view gateway) {
    return made([&](Text& out) {
        out.put(root);
        put_id(gateway, out);
        out.put("/+/set/+");
    });
}

std::optional<Wish> wish_of(std::string_view gateway, std::string_view topic) {
    constexpr std::string_view middle = "/set/";
    const Topic head = gateway_topic(gateway, "");
    const std::optional<std::string_view> rest = after(topic, head.view());
    if (!rest) {
        return std::nullopt;
    }
    const std::size_t at = rest->find(middle);
    if (at == std::string_view::npos || at == 0) {
        return std::nullopt;
    }
    Wish wish{.device = up_to(*rest, at)};
    if (!parse_name(from(*rest, at + middle.size()), wish.quantity, wish.index)) {
        return std::nullopt;
    }
    return wish;
}

std::optional<std::int64_t> read_wish(const Control& control, std::string_view payload) {
    if (is_switch(control)) {
        return payload == "ON"    ? std::optional<std::int64_t>(1)
               : payload == "OFF" ? std::optional<std::int64_t>(0)
                                  : std::nullopt;
    }
    std::int64_t number = 0;
    if (!parse_decimal(payload, entity(control.key.quantity).unit.decimals, number)) {
        return std::nullopt;
    }
    return number;
}

std::size_t put_discovery(const Announcement& device, Text& out) {
    constexpr std::size_t end_size = 2;
    put_head(device, out);
    put_watch(device, out);
    std::size_t left_out = 0;
    const auto add = [&](const auto& put) {
        const std::size_t before = out.size();
        out.put(',');
        put();
        // What closes the message must fit behind it, and what is said of all entities.
        if (!out.ok() || out.room() < end_size + 2 * Topic::capacity() + 80) {
            out.rewind(before);
            ++left_out;
        }
    };
    for (const Key& key : device.keys) {
        const Control* const control = control_of(device, key);
        add([&] {
            if (control != nullptr) {
                put_control(device, *control, out);
            } else {
                put_reading(device, key, out);
            }
        });
    }
    if (is_battery(device.keys)) {
        add([&] { put_discharging(device, out); });
    }
    out.put("},\"stat_t\":\"");
    put_topic(device.gateway, device.device, "state", out);
    out.put("\",\"avty\":[{\"t\":\"");
    put_topic(device.gateway, {}, "status", out);
    out.put("\"},{\"t\":\"");
    put_topic(device.gateway, device.device, "status", out);
    out.put("\"}],\"avty_mode\":\"all\"}");
    return left_out;
}

void put_gateway_discovery(std::string_view gateway, std::string_view program, Text& out) {
    std::array<char, 64> buffer{};
    Text title(buffer);
    title.put("Jouleway ").put(gateway);
    Announcement self;
    self.gateway = gateway;
    self.title = title.view();
    self.maker = "Jouleway";
    self.version = program;
    self.program = program;
    put_head(self, out);
    put_watch(self, out);
    out.put("}}");
}

bool is_online(const DeviceSnapshot& device, Instant now) {
    return device.state == DeviceState::online && device.last_reading.us >= 0 &&
           now - device.last_reading <= std::max(device.poll * 3, seconds(10));
}

bool is_told(const DeviceSnapshot& device, const LatestValue& latest, Instant now) {
    if (info(latest.value.quantity).behaviour != Behaviour::gauge) {
        return now - latest.at <= std::max(device.poll * 3, seldom);
    }
    return !device.stale(latest, now);
}

void put_state(const DeviceSnapshot& device,
               Instant now,
               std::optional<std::int64_t> unix_ms,
               Text& out) {
    bool first = true;
    bool battery = false;
    const LatestValue* power = nullptr;
    const auto name = [&](const Value& value) {
        out.put(first ? "\"" : ",\"");
        first = false;
        put_member(value.quantity, value.index, out);
        out.put("\":");
    };
    out.put('{');
    if (unix_ms) {
        out.put("\"time\":").put(*unix_ms);
        first = false;
    }
    for (const LatestValue& latest : device.values) {
        const Value& value = latest.value;
        const Entity& row = entity(value.quantity);
        battery = battery || value.quantity == Quantity::battery_state;
        if (!is_told(device, latest, now)) {
            continue;
        }
        if (value.quantity == Quantity::power_w && value.index == 0) {
            power = &latest;
        }
        if (!row.options.empty()) {
            if (value.number >= 0 && value.number < std::ssize(row.options)) {
                name(value);
                out.json(row.options[static_cast<std::size_t>(value.number)]);
            }
        } else if (row.platform == Platform::binary_sensor) {
            name(value);
            out.put(value.number != 0 ? "\"ON\"" : "\"OFF\"");
        } else {
            name(value);
            put_decimal(value.number, row.unit.decimals, out);
        }
    }
    if (battery && power != nullptr) {
        out.put(first ? "" : ",").put("\"discharging_power_w\":").put(-power->value.number);
    }
    out.put('}');
}

void put_faults(std::span<const Fault* const> faults, Text& out) {
    out.put("{\"state\":\"").put(faults.empty() ? "OFF" : "ON").put("\",\"faults\":[");
    bool first = true;
    for (const Fault* fault : faults) {
        const std::size_t before = out.size();
        out.put(first ? "{\"kind\":\"" : ",{\"kind\":\"").put(enum_name(fault->kind));
        out.put("\",\"severity\":\"").put(enum_name(fault->severity)).put('"');
        member("text", fault->text.view(), out);
        out.put('}');
        if (!out.ok() || out.room() < 2) {
            out.rewind(before);
            break;
        }
        first = false;
    }
    out.put("]}");
}

}  // namespace jw::homeassistant
