// SPDX-License-Identifier: Apache-2.0
#pragma once
// What Home Assistant is told over MQTT: discovery in its device form, states, availability; and
// what it asks for. Sources: home-assistant.io source/_integrations/mqtt.markdown,
// home-assistant/core components/mqtt/{discovery,schemas}.py.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/time.h"
#include "core/model/event.h"
#include "core/model/snapshot.h"
#include "core/sink/homeassistant/entity.h"

namespace jw::homeassistant {

using Topic = FixedText<240>;

/// jouleway/<gateway>/<leaf>: "status", "faults".
Topic gateway_topic(std::string_view gateway, std::string_view leaf);
/// jouleway/<gateway>/<device>/<leaf>: "status", "state", "faults".
Topic device_topic(std::string_view gateway, std::string_view device, std::string_view leaf);
/// <prefix>/device/jouleway_<gateway>/<device>/config; an empty device: the gateway's own.
Topic discovery_topic(std::string_view prefix, std::string_view gateway, std::string_view device);
/// All of these of one gateway.
Topic discovery_filter(std::string_view prefix, std::string_view gateway);
/// The device of such a topic, nothing where it is another's or the gateway's own.
std::optional<std::string_view> discovered_device(std::string_view prefix,
                                                  std::string_view gateway,
                                                  std::string_view topic);
/// jouleway/<gateway>/+/set/+
Topic commands_filter(std::string_view gateway);

/// What a message below that filter asks for.
struct Wish {
    std::string_view device;
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
};
std::optional<Wish> wish_of(std::string_view gateway, std::string_view topic);

struct Key {
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    friend constexpr bool operator==(const Key&, const Key&) = default;
};

/// What can be set from there, in the quantity's own unit.
struct Control {
    Key key;
    std::int64_t least = 0;
    std::int64_t most = 0;
};

/// The number that a payload asks for: ON and OFF of a switch, a decimal in the published unit;
/// nothing where it is neither. Whether it is in range is not asked.
std::optional<std::int64_t> read_wish(const Control& control, std::string_view payload);

/// One device as it is announced. Texts may be anything; names that are no ids are escaped.
struct Announcement {
    std::string_view gateway;
    std::string_view device;
    std::string_view title;  // for people
    std::string_view maker;
    std::string_view model;
    std::string_view version;
    std::string_view serial;
    std::string_view program;  // version of ours
    Duration expire;           // after so long without a state a value is unknown
    std::span<const Key> keys;
    std::span<const Control> controls;  // of the keys; empty where nothing may be set from afar
};

/// Appends the discovery message. Gives how many entities were left out for want of room.
std::size_t put_discovery(const Announcement& device, Text& out);
/// The one of the gateway itself: connected, and its own trouble.
void put_gateway_discovery(std::string_view gateway, std::string_view program, Text& out);

/// Whether the device answers now: `online` on its status topic.
bool is_online(const DeviceSnapshot& device, Instant now);
/// Whether a value is worth telling: not stale, or a code, setting or counter that is read seldom.
bool is_told(const DeviceSnapshot& device, const LatestValue& latest, Instant now);
/// Appends the state of a device that is online: what is stale is left out.
void put_state(const DeviceSnapshot& device,
               Instant now,
               std::optional<std::int64_t> unix_ms,
               Text& out);
/// Appends `{"state":"ON","faults":[…]}`; OFF where there are none.
void put_faults(std::span<const Fault* const> faults, Text& out);

/// After how long without a state a value is unknown, for a device that is told every `interval`.
constexpr Duration expire_after(Duration interval) {
    const Duration expire = interval * 3;
    return expire < seconds(10) ? seconds(10) : expire;
}

}  // namespace jw::homeassistant
