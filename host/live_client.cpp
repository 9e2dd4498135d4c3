// SPDX-License-Identifier: Apache-2.0
// The connection of a live sink: session, will, faults.
#include "host/live_client.h"

#include <fmt/format.h>

#include "host/mqtt_reason.h"

namespace jw {
namespace {

// As with the sinks: a broker may be away for a moment without anybody being told.
constexpr Duration unreachable_after = seconds(60);
// A refusal is shown so long, though the rest goes on.
constexpr Duration refusal_shown_for = seconds(3600);
constexpr std::string_view online_text = "online";
constexpr std::string_view offline_text = "offline";

MqttSettings client_settings(const GatewaySettings::Live& live, const std::string& status_topic) {
    MqttSettings result;
    result.host = live.host;
    result.port = live.port;
    result.version = live.version;
    result.client_id = live.client_id;
    result.user = live.user;
    result.password = live.password;
    result.tls = live.tls;
    result.will = MqttWill{status_topic, std::string(offline_text)};
    result.seed = std::hash<std::string_view>{}(live.client_id);
    return result;
}

}  // namespace

LiveClient::LiveClient(Loop& loop,
                       Gateway& gateway,
                       const GatewaySettings::Live& settings,
                       std::string status_topic,
                       Hooks hooks)
    : loop_(loop),
      gateway_(gateway),
      settings_(settings),
      status_topic_(std::move(status_topic)),
      hooks_(std::move(hooks)),
      client_(loop, client_settings(settings, status_topic_), callbacks()) {}

MqttCallbacks LiveClient::callbacks() {
    MqttCallbacks callbacks;
    callbacks.connected = [this](const MqttLimits& /*limits*/) {
        const Instant now = Loop::now();
        down_since_ = Instant{-1};
        gateway_.faults().clear(settings_.name.view(), FaultKind::sink_unreachable, now);
        hooks_.connected(now);
        hooks_.wake(now);
        loop_.ask_step();
    };
    callbacks.disconnected = [this](const MqttReason& reason) {
        const Instant now = Loop::now();
        reason_ = reason.text;
        if (down_since_.us < 0) {
            down_since_ = now;
        }
        hooks_.wake(now);
        loop_.ask_step();
    };
    callbacks.published = [this](int /*id*/, int code) {
        const Instant now = Loop::now();
        if (code >= 0x80) {
            refused(fmt::format("The broker refuses a message: {}.", mqtt_words(code)), now);
        }
        hooks_.wake(now);
        loop_.ask_step();
    };
    callbacks.message = [this](std::string_view topic, Bytes payload, bool retain) {
        hooks_.message(topic, payload, retain, Loop::now());
        loop_.ask_step();
    };
    return callbacks;
}

void LiveClient::start(Instant now) {
    down_since_ = now;
    client_.connect();
}

Instant LiveClient::watch(Instant now) {
    if (down_since_.us < 0) {
        return never;
    }
    if (now - down_since_ < unreachable_after) {
        return down_since_ + unreachable_after;
    }
    gateway_.faults().raise(settings_.name.view(),
                            FaultKind::sink_unreachable,
                            Severity::warning,
                            reason_.empty() ? "The broker does not answer." : reason_,
                            now);
    return never;
}

bool LiveClient::publish(
    std::string_view topic, std::string_view payload, int qos, bool retain, Instant now) {
    const auto sent = client_.publish(topic, as_bytes(payload), qos, retain, 0);
    if (sent) {
        return true;
    }
    if (sent.code() == Code::out_of_range || sent.code() == Code::malformed) {
        refused(fmt::format("A message of {} bytes is more than the broker takes.", payload.size()),
                now);
        return true;
    }
    return false;
}

void LiveClient::subscribe(std::string_view filter) {
    (void)client_.subscribe(std::string(filter), 1);
}

bool LiveClient::publish_online(Instant now) {
    return publish(status_topic_, online_text, 1, true, now);
}

void LiveClient::refused(const std::string& text, Instant now) {
    gateway_.faults().raise(settings_.name.view(),
                            FaultKind::sink_refuses,
                            Severity::warning,
                            text,
                            now,
                            now + refusal_shown_for);
}

void LiveClient::stop() {
    const bool said =
        client_.publish(status_topic_, as_bytes(offline_text), 1, true, 0).has_value();
    client_.disconnect(said ? MqttFarewell::in_order : MqttFarewell::with_will);
}

}  // namespace jw
