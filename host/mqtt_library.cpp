// SPDX-License-Identifier: Apache-2.0
// MqttClient's side towards libmosquitto: what it is told before it connects, what it calls, and
// what its errors mean.
#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "host/mqtt_client.h"

namespace jw {
namespace {

// Larger ones are none of ours; a command is some hundred bytes.
constexpr int message_size_max = 64 << 10;

std::string take_string(const mosquitto_property* properties, int identifier) {
    char* text = nullptr;
    if (mosquitto_property_read_string(properties, identifier, &text, false) == nullptr) {
        return {};
    }
    std::string taken(text);
    std::free(text);
    return taken;
}

}  // namespace

// What libmosquitto calls from within its functions. Only what concerns a single message is passed
// on at once; everything else waits until the library has returned, so that it may be closed.
// Nothing may be thrown through the library, which is C: whatever a packet leads to ends here.
struct MqttClient::Library {
    template <class Work>
    static void contain(MqttClient& client, const Work& work) noexcept {
        try {
            work();
        } catch (const std::exception& error) {
            count(client, error.what());
        } catch (...) {
            count(client, "an unknown exception");
        }
    }
    static void count(MqttClient& client, const char* what) noexcept {
        ++client.counters_.thrown;
        try {
            spdlog::error(
                "{}: a packet of the broker could not be dealt with: {}", client.endpoint(), what);
        } catch (...) {
            return;  // no memory for a line of the log; it is counted
        }
    }

    static void on_connect(mosquitto* /*session*/,
                           void* object,
                           int code,
                           int /*flags*/,
                           const mosquitto_property* properties) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] {
            client.connack_ = client.version_ == 5 || code > 5 ? code : mqtt5_code(code);
            MqttLimits& limits = client.limits_;
            limits = {};
            std::uint8_t retain = 1;
            (void)mosquitto_property_read_int16(
                properties, MQTT_PROP_RECEIVE_MAXIMUM, &limits.receive_maximum, false);
            (void)mosquitto_property_read_int32(
                properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &limits.maximum_packet_size, false);
            (void)mosquitto_property_read_byte(
                properties, MQTT_PROP_MAXIMUM_QOS, &limits.maximum_qos, false);
            (void)mosquitto_property_read_byte(
                properties, MQTT_PROP_RETAIN_AVAILABLE, &retain, false);
            limits.retain_available = retain != 0;
            client.read_words(properties);
        });
    }
    static void on_disconnect(mosquitto* /*session*/,
                              void* object,
                              int code,
                              const mosquitto_property* properties) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] {
            client.disconnect_ = code;
            client.read_words(properties);
        });
    }
    static void on_publish(mosquitto* /*session*/,
                           void* object,
                           int mid,
                           int code,
                           const mosquitto_property* /*properties*/) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] { client.acknowledged(mid, code); });
    }
    static void on_message(mosquitto* /*session*/,
                           void* object,
                           const mosquitto_message* message,
                           const mosquitto_property* /*properties*/) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] {
            ++client.counters_.received;
            if (message->payloadlen > message_size_max) {
                client.trouble_ = fmt::format("{}: a message of {} bytes on {} was dropped",
                                              client.endpoint(),
                                              message->payloadlen,
                                              message->topic);
                return;
            }
            if (client.callbacks_.message) {
                client.callbacks_.message(message->topic,
                                          {static_cast<const std::uint8_t*>(message->payload),
                                           static_cast<std::size_t>(message->payloadlen)},
                                          message->retain);
            }
        });
    }
    static void on_subscribe(mosquitto* /*session*/,
                             void* object,
                             int /*mid*/,
                             int count,
                             const int* granted,
                             const mosquitto_property* /*properties*/) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] {
            if (std::any_of(granted, granted + count, [](int code) { return code >= 0x80; })) {
                client.trouble_ = client.endpoint() +
                                  ": the broker refuses a subscription (check its access rules)";
            }
        });
    }
    static void on_log(mosquitto* /*session*/, void* object, int level, const char* text) {
        auto& client = *static_cast<MqttClient*>(object);
        contain(client, [&] {
            if (level == MOSQ_LOG_ERR) {
                client.library_error_ = text;
            }
        });
    }
};

bool MqttClient::make_session() {
    session_.reset(mosquitto_new(settings_.client_id.c_str(), true, this));
    if (!session_) {
        return false;
    }
    mosquitto* session = session_.get();
    bool taken =
        mosquitto_int_option(session, MOSQ_OPT_PROTOCOL_VERSION, version_) == MOSQ_ERR_SUCCESS &&
        mosquitto_int_option(session, MOSQ_OPT_TCP_NODELAY, 1) == MOSQ_ERR_SUCCESS &&
        mosquitto_int_option(session,
                             MOSQ_OPT_SEND_MAXIMUM,
                             static_cast<int>(settings_.inflight)) == MOSQ_ERR_SUCCESS;
    if (!settings_.user.empty()) {
        const std::string password(settings_.password ? settings_.password->reveal() : "");
        taken = taken && mosquitto_username_pw_set(
                             session, settings_.user.c_str(), password.c_str()) == MOSQ_ERR_SUCCESS;
    }
    if (settings_.will) {
        const MqttWill& will = *settings_.will;
        taken = taken && mosquitto_will_set(session,
                                            will.topic.c_str(),
                                            static_cast<int>(will.payload.size()),
                                            will.payload.data(),
                                            1,
                                            will.retain) == MOSQ_ERR_SUCCESS;
    }
    if (settings_.tls) {
        tls_.forget_trouble();
        taken =
            taken &&
            mosquitto_void_option(session, MOSQ_OPT_SSL_CTX, tls_.context()) == MOSQ_ERR_SUCCESS &&
            mosquitto_int_option(session, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) == MOSQ_ERR_SUCCESS;
    }
    mosquitto_connect_v5_callback_set(session, &Library::on_connect);
    mosquitto_disconnect_v5_callback_set(session, &Library::on_disconnect);
    mosquitto_publish_v5_callback_set(session, &Library::on_publish);
    mosquitto_message_v5_callback_set(session, &Library::on_message);
    mosquitto_subscribe_v5_callback_set(session, &Library::on_subscribe);
    mosquitto_log_callback_set(session, &Library::on_log);
    return taken;
}

void MqttClient::read_words(const mqtt5__property* properties) {
    std::string words = take_string(properties, MQTT_PROP_REASON_STRING);
    const std::string elsewhere = take_string(properties, MQTT_PROP_SERVER_REFERENCE);
    if (!elsewhere.empty()) {
        words += (words.empty() ? "" : "; ") + ("it names " + elsewhere);
    }
    if (!words.empty()) {
        broker_words_ = std::move(words);
    }
}

std::string MqttClient::library_words(int result, int reason) const {
    if (settings_.tls && !tls_.trouble().empty()) {
        return fmt::format(
            "the broker's certificate is not accepted: {}: check ca_file and the "
            "host name",
            tls_.trouble());
    }
    if (result == MOSQ_ERR_ERRNO && reason == ECONNREFUSED) {
        return "it refuses the connection: is the broker running, and the port right?";
    }
    if (result == MOSQ_ERR_ERRNO && reason != 0) {
        return std::strerror(reason);
    }
    if (result == MOSQ_ERR_TLS || result == MOSQ_ERR_ERRNO) {
        return library_error_.empty() ? "TLS failed: does the broker speak TLS on this port?"
                                      : library_error_;
    }
    if (result == MOSQ_ERR_CONN_LOST || result == MOSQ_ERR_SUCCESS) {
        return state_ == MqttState::connected ? "the broker closed the connection"
                                              : "the broker closed the connection before it "
                                                "answered: does it speak TLS on this port?";
    }
    return mosquitto_strerror(result);
}

}  // namespace jw
