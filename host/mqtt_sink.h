// SPDX-License-Identifier: Apache-2.0
#pragma once
// MqttSink: one broker as a sink. Ties delivery, topics and commands to the MQTT client: what
// Delivery builds is published, what the broker acknowledges is confirmed, and commands that arrive
// are checked and handed to the gateway.
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/task/delivery.h"
#include "core/task/gateway.h"
#include "core/task/slots.h"
#include "core/trust/command_signature.h"
#include "host/guard.h"
#include "host/http/view.h"
#include "host/loop.h"
#include "host/mqtt_client.h"
#include "host/settings.h"

namespace jw {

class MqttSink final : public Task, private DeadLetters {
  public:
    /// `index`: of the sink in the outbox. Everything handed in outlives the sink.
    MqttSink(Loop& loop,
             Gateway& gateway,
             const GatewaySettings& settings,
             std::size_t index,
             std::span<const Issuer> issuers);

    void start(Instant now);
    Instant run(Instant now) override;
    /// The result of a command is on disk: its retained request is cleared, as soon as there is
    /// room.
    void command_finished(const CommandId& id);
    /// Says goodbye to the broker (stop, reload).
    void stop();

    /// For the page and the metrics.
    struct State {
        std::string name;
        std::string endpoint;
        http::SinkState state = http::SinkState::off;
        std::optional<Duration> retry_in;
        std::string reason;
        std::uint64_t sent_bytes = 0;
        std::size_t in_flight = 0;
        DeliveryCounters delivered;
        std::uint64_t letters_lost = 0;  // records set aside that the dead-letter file did not take
        MqttCounters connection;
        DurationCounts confirm_time;
        Instant last_confirmed{-1};
        bool two_stage = false;
    };
    [[nodiscard]] State state(Instant now) const;

  private:
    void connected(const MqttLimits& limits);
    void disconnected(const std::string& reason);
    MqttCallbacks callbacks();
    void message(std::string_view topic, std::string_view payload);
    void take_command(const std::string& id, std::string_view payload, Instant now);
    void take_durable(std::string_view payload, Instant now);
    void rejected(const Record& record) override;
    void answered(std::uint32_t ticket, int code);
    void tell_trouble(const std::string& text, Instant now, Instant until = never);
    [[nodiscard]] std::string lack_of(const MqttLimits& limits) const;
    [[nodiscard]] std::size_t batch_size(const MqttLimits& limits) const;
    bool publish_status(bool online);
    void clear_requests();
    Instant send_batches(Instant now);
    bool keep_letter(const Record& record);
    void leave();
    Instant follow_slots(Instant now);

    Loop& loop_;
    Gateway& gateway_;
    const GatewaySettings::Sink& settings_;
    std::string gateway_name_;
    std::string site_;
    std::string store_path_;
    std::size_t index_;
    std::span<const Issuer> issuers_;
    std::vector<BatchUnderWay> window_;
    std::vector<std::uint8_t> batch_;
    std::vector<BatchEntry> entries_;  // of a CBOR batch
    std::variant<JsonBatch, CborBatch> writer_;
    std::vector<std::uint8_t> record_;
    Delivery delivery_;
    std::optional<Slots> slots_;  // window mode
    MqttClient client_;
    std::string reason_;
    std::string lack_;     // what the broker does not offer and must; nothing is sent then
    std::string refusal_;  // the text of the fault that is raised
    Instant letter_shown_until_;
    std::uint64_t letters_lost_ = 0;
    std::deque<CommandId> to_clear_;  // commands whose retained request is still there
    Instant down_since_{-1};
    std::uint64_t sent_bytes_ = 0;
    Guard guard_;
};

}  // namespace jw
