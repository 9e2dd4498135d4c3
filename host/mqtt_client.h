// SPDX-License-Identifier: Apache-2.0
#pragma once
// MqttClient: one connection to an MQTT broker (3.1.1 and 5) by libmosquitto inside the loop.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/task/backoff.h"
#include "host/guard.h"
#include "host/histogram.h"
#include "host/loop.h"
#include "host/mqtt_reason.h"
#include "host/secret.h"
#include "host/settings.h"
#include "host/tls_client.h"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;  // NOLINT(bugprone-reserved-identifier): the library calls it so

namespace jw {

struct MqttWill {
    std::string topic;
    std::string payload;
    bool retain = true;
};

struct MqttSettings {
    std::string host;
    std::uint16_t port = 1883;
    int version = 5;  // 5, or 4 for MQTT 3.1.1
    std::string client_id;
    std::string user = {};
    std::optional<Secret> password = {};
    std::optional<GatewaySettings::Tls> tls = {};
    std::optional<MqttWill> will = {};
    std::uint32_t inflight = 20;
    Duration keepalive = seconds(30);
    Duration connect_timeout = seconds(20);  // until the broker's CONNACK, for each address
    Duration ack_timeout = seconds(30);  // no acknowledgement of any kind for so long: half-open
    std::uint64_t seed = 0;              // of the back-off; must differ between gateways
    BackoffSettings backoff = {};
};

/// What MQTT 5 says of a payload (3.3.2.3.2 and 3.3.2.3.9); 3.1.1 cannot.
struct MqttContent {
    const char* type = nullptr;  // a MIME type; null: not said
    bool is_utf8 = false;
};

/// What the broker's CONNACK allows (MQTT 5.0, 3.2.2.3); the defaults are those of 3.1.1.
struct MqttLimits {
    std::uint16_t receive_maximum = 65535;
    std::uint32_t maximum_packet_size = 0;  // 0: no limit
    std::uint8_t maximum_qos = 2;
    bool retain_available = true;
};

struct MqttCallbacks {
    std::function<void(const MqttLimits& limits)> connected;
    /// The session or an attempt at one is over. While connect() holds, the next attempt comes by
    /// itself.
    std::function<void(const MqttReason& reason)> disconnected;
    /// A message of QoS 1 is acknowledged; a code of 0x80 and above is a refusal of this message.
    std::function<void(int mid, int reason_code)> published;
    std::function<void(std::string_view topic, Bytes payload, bool retain)> message;
};

/// How a session ends that we end: with our DISCONNECT alone, or so that the broker sends the will.
enum class MqttFarewell : std::uint8_t { in_order, with_will };

enum class MqttState : std::uint8_t { off, waiting, connecting, connected };
constexpr auto enum_names(MqttState) {
    return std::array{"off", "waiting", "connecting", "connected"};
}

struct MqttCounters {
    std::uint64_t connects = 0;  // sessions that a broker accepted
    std::uint64_t attempts = 0;
    std::uint64_t published = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t refused = 0;  // acknowledged with a code of 0x80 and above
    std::uint64_t lost = 0;     // attempts and sessions that ended without our asking
    std::uint64_t received = 0;
    std::uint64_t bytes_sent = 0;  // topics and payloads
    std::uint64_t thrown = 0;      // exceptions while a packet of the broker was dealt with
};

/// Each connection is a new session (clean start): nothing is kept for the next one, since the
/// outbox keeps everything. The object must not be destroyed from within its callbacks.
class MqttClient {
  public:
    MqttClient(Loop& loop, MqttSettings settings, MqttCallbacks callbacks);
    MqttClient(const MqttClient&) = delete;
    MqttClient& operator=(const MqttClient&) = delete;
    ~MqttClient();

    /// Wants a connection from now on: makes one, and again when it is lost, after the back-off.
    void connect();
    /// Ends the session and wants none from now on.
    void disconnect(MqttFarewell farewell = MqttFarewell::in_order);

    /// Hands a message over. Gives its packet id, which published() will name. `expiry_s` 0: never.
    /// What the broker does not offer is left out: retain, a higher QoS. Errors: not_found (no
    /// connection), busy (the window is full), out_of_range (larger than the broker takes),
    /// malformed (the topic).
    Result<int> publish(std::string_view topic,
                        Bytes payload,
                        int qos,
                        bool retain,
                        std::uint32_t expiry_s,
                        const MqttContent& content = {});
    /// Subscribes for this session; a refusal shows in trouble(). Errors: not_found, malformed.
    Status subscribe(const std::string& filter, int qos);

    [[nodiscard]] MqttState state() const { return state_; }
    [[nodiscard]] const MqttLimits& limits() const { return limits_; }
    /// Messages that may be under way: the lesser of inflight and the broker's Receive Maximum.
    [[nodiscard]] std::size_t window() const;
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
    /// Why there is no connection, or what else is wrong; empty: nothing.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// While waiting: when the next attempt comes.
    [[nodiscard]] Instant next_attempt() const { return next_attempt_; }
    /// The version in use: 4 after a broker said that it does not know 5.
    [[nodiscard]] int version() const { return version_; }
    [[nodiscard]] const MqttCounters& counters() const { return counters_; }
    /// From handing a message over to its acknowledgement.
    [[nodiscard]] const DurationHistogram& acknowledge_time() const { return acknowledge_time_; }
    /// "broker.example:8883".
    [[nodiscard]] std::string endpoint() const;

  private:
    struct Library;  // the callbacks of libmosquitto
    friend struct Library;
    struct InFlight {
        int mid = 0;
        Instant since;
    };

    void attempt();
    void connect_next();
    bool make_session();
    void watch_read();
    void watch_write();
    /// Lets the library work on the socket and acts on what it found out. Says whether the session
    /// still stands.
    [[nodiscard]] bool serve(int (*work)(mosquitto*, int));
    [[nodiscard]] bool is_broken() const;
    void stand();
    void acknowledged(int mid, int code);
    void read_words(const mqtt5__property* properties);
    void tick();
    void lost(int code, std::string text);
    void failed(const std::string& text);
    void close();
    void wait_until(Instant when);
    [[nodiscard]] std::string library_words(int result, int reason) const;

    Loop& loop_;
    MqttSettings settings_;
    MqttCallbacks callbacks_;
    Backoff backoff_;
    boost::asio::ip::tcp::resolver resolver_;
    std::vector<std::string> addresses_;
    std::size_t address_ = 0;        // of the attempt
    std::size_t address_tries_ = 0;  // in this attempt
    TlsClient tls_;
    std::unique_ptr<mosquitto, void (*)(mosquitto*)> session_;
    boost::asio::posix::stream_descriptor socket_;  // a duplicate of the library's
    bool watching_write_ = false;
    bool tcp_stands_ = false;

    MqttState state_ = MqttState::off;
    bool wanted_ = false;
    bool leaving_ = false;  // disconnect() while a session stands
    int version_;
    Instant started_;  // the attempt
    Instant next_attempt_;
    std::string trouble_;
    std::string library_error_;  // the last line of its log
    MqttLimits limits_;
    std::deque<InFlight> in_flight_;
    Instant last_ack_;
    MqttCounters counters_;
    DurationHistogram acknowledge_time_;
    // What the library's callbacks found, for serve() to act on once the library has returned.
    std::optional<int> connack_;
    std::optional<int> disconnect_;
    std::string broker_words_;  // its Reason String or Server Reference
    Guard session_guard_;
    Guard wait_guard_;
    Guard guard_;
};

}  // namespace jw
