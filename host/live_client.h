// SPDX-License-Identifier: Apache-2.0
#pragma once
// LiveSink: somebody who hears the latest values over MQTT; LiveClient: its connection. Nothing is
// kept for them: what they miss is gone, and a broker that is away holds up nobody.
#include <functional>
#include <string>
#include <string_view>

#include "core/task/gateway.h"
#include "host/loop.h"
#include "host/mqtt_client.h"
#include "host/settings.h"

namespace jw {

/// A live sink as the program sees it.
class LiveSink : public Task {
  public:
    virtual ~LiveSink() = default;
    virtual void start(Instant now) = 0;
    /// Says goodbye to the broker (stop, reload).
    virtual void stop() = 0;
};

/// One connection: what is published goes out while there is room, trouble becomes a fault.
class LiveClient {
  public:
    struct Hooks {
        std::function<void(Instant now)> connected;
        std::function<void(std::string_view topic, Bytes payload, bool retain, Instant now)>
            message;
        std::function<void(Instant now)> wake;  // there is room again, or the session is over
    };
    /// The will, retained, is `offline` on `status_topic`. Everything handed in outlives this.
    LiveClient(Loop& loop,
               Gateway& gateway,
               const GatewaySettings::Live& settings,
               std::string status_topic,
               Hooks hooks);

    void start(Instant now);
    /// To be asked while there is no session: raises the fault once the broker was away for long
    /// enough. Gives when to ask again.
    Instant watch(Instant now);
    [[nodiscard]] bool connected() const { return client_.state() == MqttState::connected; }
    [[nodiscard]] bool has_room() const { return client_.in_flight() < client_.window(); }
    /// False where it must be tried again later. What the broker will never take is told as a fault
    /// and counts as sent.
    [[nodiscard]] bool publish(
        std::string_view topic, std::string_view payload, int qos, bool retain, Instant now);
    void subscribe(std::string_view filter);
    /// `online` on the status topic; the will and stop() say the contrary.
    [[nodiscard]] bool publish_online(Instant now);
    void stop();

  private:
    MqttCallbacks callbacks();
    void refused(const std::string& text, Instant now);

    Loop& loop_;
    Gateway& gateway_;
    const GatewaySettings::Live& settings_;
    std::string status_topic_;
    Hooks hooks_;
    std::string reason_;  // why there is no session
    Instant down_since_{-1};
    MqttClient client_;
};

}  // namespace jw
