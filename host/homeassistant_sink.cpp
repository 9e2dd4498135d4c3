// SPDX-License-Identifier: Apache-2.0
// What Home Assistant is told when: availability, discovery, states; and what it asks for.
#include "host/homeassistant_sink.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/cryptography.h"
#include "host/version.h"

namespace jw {
namespace {

namespace ha = homeassistant;
using Json = nlohmann::json;

constexpr std::size_t message_bytes_max = 60 << 10;
// How long a broker may take to tell what it kept of earlier lives.
constexpr Duration learning_time = seconds(2);
// A device that begins to talk gives more of its values with each reading.
constexpr Duration settle_time = seconds(2);
// Home Assistant subscribes to a state only once it has dealt with the announcement.
constexpr Duration state_after = milliseconds(500);
// It asks for a delay between its birth and what answers it, so that not all come at once.
constexpr std::uint64_t birth_delay_most_ms = 5000;
constexpr Duration tick = milliseconds(200);
constexpr Duration turn_max = milliseconds(2);
constexpr Duration breather = milliseconds(5);
constexpr std::size_t to_clear_max = 4096;
constexpr std::size_t payload_max = 64;

/// "relay_closed_set" and "relay_closed" are the same key.
std::string_view without_set(std::string_view id) {
    constexpr std::string_view end = "_set";
    return id.ends_with(end) ? id.substr(0, id.size() - end.size()) : id;
}

bool same_info(const DeviceInfo& a, const DeviceInfo& b) {
    return a.maker == b.maker && a.model == b.model && a.version == b.version &&
           a.serial == b.serial;
}

template <class Keys>
void add_key(Keys& keys, ha::Key key) {
    if (std::ranges::find(keys, key) == keys.end()) {
        keys.push_back(key);
    }
}

}  // namespace

HomeAssistantSink::HomeAssistantSink(Loop& loop,
                                     Gateway& gateway,
                                     const GatewaySettings& settings,
                                     std::size_t index)
    : gateway_(gateway),
      settings_(settings),
      live_(settings.live[index]),
      name_(settings.gateway.view()),
      birth_topic_(live_.prefix + "/status"),
      buffer_(message_bytes_max),
      client_(loop,
              gateway,
              live_,
              std::string(ha::gateway_topic(name_, "status").view()),
              {.connected = [this](Instant now) { connected(now); },
               .message =
                   [this](std::string_view topic, Bytes payload, bool retain, Instant now) {
                       message(topic, payload, retain, now);
                   },
               .wake = [this](Instant now) { gateway_.wake(*this, now); }}) {}

/// All devices are there by now.
void HomeAssistantSink::start(Instant now) {
    told_.resize(gateway_.snapshot().devices().size());
    for (std::size_t i = 0; i < told_.size() && live_.commands; ++i) {
        for (const Capability& capability : gateway_.driver(i).capabilities) {
            if (capability.settable) {
                told_[i].controls.push_back(
                    {{capability.quantity, capability.index}, capability.least, capability.most});
            }
        }
    }
    client_.start(now);
    gateway_.wake(*this, now);
}

void HomeAssistantSink::stop() {
    client_.stop();
}

void HomeAssistantSink::connected(Instant now) {
    learning_until_ = now + learning_time;
    birth_at_ = never;
    own_online_ = false;
    to_clear_.clear();
    cursor_ = 0;
    own_.announce = true;
    own_.announce_at = now;
    own_.faults_due = true;
    own_.faults.clear();
    for (Told& told : told_) {
        told.announce = true;
        told.announce_at = learning_until_;
        told.state_from = now;
        told.next_state = now;
        told.reading = Instant{-1};
        told.online.reset();
        told.faults_due = true;
        told.faults.clear();
    }
    client_.subscribe(birth_topic_);
    client_.subscribe(ha::discovery_filter(live_.prefix, name_).view());
    if (live_.commands) {
        client_.subscribe(ha::commands_filter(name_).view());
    }
}

void HomeAssistantSink::message(std::string_view topic, Bytes payload, bool retain, Instant now) {
    const std::string_view text = as_text(payload);
    if (topic == birth_topic_) {
        // A retained one is older than this session, which announces everything anyway.
        if (text == "online" && !retain) {
            birth_at_ =
                now + milliseconds(static_cast<std::int64_t>(random_64() % birth_delay_most_ms));
        }
    } else if (const auto device = ha::discovered_device(live_.prefix, name_, topic)) {
        if (retain && now < learning_until_ && !text.empty()) {
            learn(*device, text);
        }
    } else if (live_.commands) {
        command(topic, text, retain, now);
    }
}

bool HomeAssistantSink::is_known(std::string_view device) const {
    return std::ranges::any_of(std::as_const(gateway_.snapshot()).devices(),
                               [device](const auto& known) { return known.name == device; });
}

// Entities that are left out of a discovery message are deleted over there, with everything that
// somebody set for them. So what an earlier life announced is announced again, as long as the
// device can give it.
void HomeAssistantSink::learn(std::string_view device, std::string_view discovery) {
    if (!is_known(device)) {
        forget(device);
        return;
    }
    const std::span<const DeviceSnapshot> devices = std::as_const(gateway_.snapshot()).devices();
    std::size_t index = 0;
    while (devices[index].name != device) {
        ++index;
    }
    const Json document = Json::parse(discovery, nullptr, false);
    if (!document.is_object() || !document.contains("cmps") || !document["cmps"].is_object()) {
        return;
    }
    const std::span<const Capability> gives = gateway_.driver(index).capabilities;
    for (const auto& item : document["cmps"].items()) {
        ha::Key key;
        if (parse_name(without_set(item.key()), key.quantity, key.index) &&
            std::ranges::any_of(gives, [&](const Capability& capability) {
                return capability.quantity == key.quantity && capability.index == key.index;
            })) {
            add_key(told_[index].keys, key);
        }
    }
}

// A device that was taken out of the settings is taken out over there, too.
void HomeAssistantSink::forget(std::string_view device) {
    if (to_clear_.size() + 4 > to_clear_max) {
        return;  // the next session goes on
    }
    to_clear_.emplace_back(ha::discovery_topic(live_.prefix, name_, device).view());
    for (const char* leaf : {"state", "status", "faults"}) {
        to_clear_.emplace_back(ha::device_topic(name_, device, leaf).view());
    }
}

void HomeAssistantSink::command(std::string_view topic,
                                std::string_view payload,
                                bool retain,
                                Instant now) {
    const auto wish = ha::wish_of(name_, topic);
    if (!wish || payload.empty() || !is_known(wish->device)) {
        return;
    }
    if (retain) {
        ++retained_commands_;
        spdlog::warn(
            "{}: a command that the broker kept on {} is not carried out ({} so far): publish "
            "commands without retain",
            live_.name.view(),
            topic,
            retained_commands_);
        return;
    }
    const auto refuse = [&](std::string_view why) {
        spdlog::warn(
            "{}: {} on {}: {}", live_.name.view(), payload.substr(0, payload_max), topic, why);
    };
    const std::span<const DeviceSnapshot> devices = std::as_const(gateway_.snapshot()).devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (devices[i].name != wish->device) {
            continue;
        }
        for (const ha::Control& control : told_[i].controls) {
            if (control.key != ha::Key{wish->quantity, wish->index}) {
                continue;
            }
            const auto number = ha::read_wish(control, payload);
            if (!number) {
                refuse("is no value for it");
                return;
            }
            Command command;
            command.id = fmt::format("live-{:016x}", random_64());
            command.target = devices[i].name;
            std::array<char, 64> name{};
            Text quantity(name);
            put_name(wish->quantity, wish->index, quantity);
            command.quantity = quantity.view();
            command.value = *number;
            const ResultCode code = gateway_.submit(command, CommandSource::local, now);
            if (code != ResultCode::executed) {
                refuse(enum_name(code));
            }
            return;
        }
    }
    refuse("nothing of this name can be set");
}

std::string_view HomeAssistantSink::title(std::size_t device) const {
    return device < settings_.devices.size()
               ? std::string_view(settings_.devices[device].title)
               : std::as_const(gateway_.snapshot()).devices()[device].name.view();
}

// What is new of a device leads to an announcement, once it has settled.
void HomeAssistantSink::look(std::size_t device, Instant now) {
    Told& told = told_[device];
    const DeviceSnapshot& snapshot = std::as_const(gateway_.snapshot()).devices()[device];
    const DeviceInfo& info = gateway_.device_info(device);
    if (told.values_seen == snapshot.values.size() && same_info(told.info, info)) {
        return;
    }
    told.info = info;
    told.values_seen = snapshot.values.size();
    for (const LatestValue& latest : snapshot.values) {
        add_key(told.keys, {latest.value.quantity, latest.value.index});
    }
    told.announce = true;
    told.announce_at = later(told.announce_at, now + settle_time);
}

void HomeAssistantSink::look_at_faults() {
    std::uint64_t mark = 1;
    for (const ActiveFault& active : gateway_.faults().active()) {
        mark = mark * 31 + std::hash<std::string_view>{}(active.fault.source.view());
        mark = mark * 31 + static_cast<std::uint64_t>(active.fault.kind);
        mark = mark * 31 + static_cast<std::uint64_t>(active.since.us);
    }
    if (mark == faults_mark_) {
        return;
    }
    faults_mark_ = mark;
    own_.faults_due = true;
    for (Told& told : told_) {
        told.faults_due = true;
    }
}

Instant HomeAssistantSink::run(Instant now) {
    if (!client_.connected()) {
        return client_.watch(now);
    }
    if (now >= birth_at_) {
        birth_at_ = never;
        own_.announce = true;
        for (Told& told : told_) {
            told.announce = true;
            told.announce_at = later(now, learning_until_);
        }
    }
    if (now >= look_at_) {  // an acknowledgement is no reason to look again
        look_at_ = now + tick;
        look_at_faults();
        for (std::size_t i = 0; i < told_.size(); ++i) {
            look(i, now);
        }
    }
    // Where there is no room an acknowledgement wakes; where time was up others have their turn.
    return now + (tell(now) || !client_.has_room() ? tick : breather);
}

// False where something is left for the next turn.
bool HomeAssistantSink::tell(Instant now) {
    for (; cursor_ < told_.size(); ++cursor_) {
        if (!tell_device(cursor_, now) || Loop::now() - now >= turn_max) {
            return false;
        }
    }
    // Only now: what an earlier life said of a device must not count again.
    if (!tell_gateway(now) || !clear_forgotten(now)) {
        return false;
    }
    cursor_ = 0;
    return true;
}

bool HomeAssistantSink::tell_gateway(Instant now) {
    if (!own_online_) {
        own_online_ = client_.publish_online(now);
        if (!own_online_) {
            return false;
        }
    }
    if (own_.announce && now >= own_.announce_at) {
        Text out = buffer();
        ha::put_gateway_discovery(name_, version(), out);
        if (!client_.publish(
                ha::discovery_topic(live_.prefix, name_, {}).view(), out.view(), 1, true, now)) {
            return false;
        }
        own_.announce = false;
    }
    return tell_faults(own_, {}, now);
}

bool HomeAssistantSink::tell_device(std::size_t device, Instant now) {
    Told& told = told_[device];
    const DeviceSnapshot& snapshot = std::as_const(gateway_.snapshot()).devices()[device];
    const std::string_view name = snapshot.name.view();
    const bool online = ha::is_online(snapshot, now);
    if (online && !tell_state(device, now)) {
        return false;
    }
    // A device is available only once its state is fresh.
    if (told.online != online && (!online || told.reading.us >= 0)) {
        const ha::Topic topic = ha::device_topic(name_, name, "status");
        if (!client_.publish(topic.view(), online ? "online" : "offline", 1, true, now)) {
            return false;
        }
        told.online = online;
    }
    return tell_faults(told, name, now) && announce(device, now);
}

bool HomeAssistantSink::announce(std::size_t device, Instant now) {
    Told& told = told_[device];
    // Of a device that has not answered in this life what the broker kept is still right.
    if (!told.announce || now < told.announce_at || told.values_seen == 0) {
        return true;
    }
    const DeviceSnapshot& snapshot = std::as_const(gateway_.snapshot()).devices()[device];
    ha::Announcement announcement;
    announcement.gateway = name_;
    announcement.device = snapshot.name.view();
    announcement.title = title(device);
    announcement.maker = told.info.maker.view();
    announcement.model = told.info.model.view();
    announcement.version = told.info.version.view();
    announcement.serial = told.info.serial.view();
    announcement.program = version();
    announcement.expire = ha::expire_after(std::max(snapshot.poll, live_.every));
    announcement.keys = told.keys;
    announcement.controls = told.controls;
    Text out = buffer();
    const std::size_t left_out = ha::put_discovery(announcement, out);
    const ha::Topic topic = ha::discovery_topic(live_.prefix, name_, snapshot.name.view());
    if (!client_.publish(topic.view(), out.view(), 1, true, now)) {
        return false;
    }
    if (left_out > 0) {
        spdlog::warn("{}: {} entities of {} have no room in its discovery message",
                     live_.name.view(),
                     left_out,
                     snapshot.name.view());
    }
    told.announce = false;
    told.state_from = now + state_after;
    told.next_state = now + state_after;
    told.reading = Instant{-1};
    return true;
}

bool HomeAssistantSink::tell_state(std::size_t device, Instant now) {
    Told& told = told_[device];
    const DeviceSnapshot& snapshot = std::as_const(gateway_.snapshot()).devices()[device];
    if (snapshot.last_reading <= told.reading || now < told.next_state || now < told.state_from) {
        return true;
    }
    Text out = buffer();
    ha::put_state(snapshot, now, gateway_.unix_ms(now), out);
    const ha::Topic topic = ha::device_topic(name_, snapshot.name.view(), "state");
    if (!client_.publish(topic.view(), out.view(), 1, true, now)) {
        return false;
    }
    told.reading = snapshot.last_reading;
    told.next_state = later(told.next_state, now - live_.every) + live_.every;
    return true;
}

bool HomeAssistantSink::tell_faults(Told& told, std::string_view device, Instant now) {
    if (!told.faults_due) {
        return true;
    }
    std::vector<const Fault*> faults;
    for (const ActiveFault& active : gateway_.faults().active()) {
        const std::string_view source = active.fault.source.view();
        if (device.empty() ? !is_known(source) : source == device) {
            faults.push_back(&active.fault);
        }
    }
    Text out = buffer();
    ha::put_faults(faults, out);
    if (out.view() != told.faults) {
        const ha::Topic topic = device.empty() ? ha::gateway_topic(name_, "faults")
                                               : ha::device_topic(name_, device, "faults");
        if (!client_.publish(topic.view(), out.view(), 1, true, now)) {
            return false;
        }
        told.faults = out.view();
    }
    told.faults_due = false;
    return true;
}

bool HomeAssistantSink::clear_forgotten(Instant now) {
    while (!to_clear_.empty()) {
        if (!client_.publish(to_clear_.front(), {}, 1, true, now)) {
            return false;
        }
        to_clear_.pop_front();
    }
    return true;
}

}  // namespace jw
