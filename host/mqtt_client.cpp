// SPDX-License-Identifier: Apache-2.0
// MqttClient: resolve and connect without blocking, serve the library, notice what does not answer.
#include "host/mqtt_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

namespace jw {
namespace asio = boost::asio;

namespace {

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] { mosquitto_lib_init(); });
}

}  // namespace

MqttClient::MqttClient(Loop& loop, MqttSettings settings, MqttCallbacks callbacks)
    : loop_(loop),
      settings_(std::move(settings)),
      callbacks_(std::move(callbacks)),
      backoff_(settings_.backoff, settings_.seed),
      resolver_(loop.io()),
      session_(nullptr, &mosquitto_destroy),
      socket_(loop.io()),
      version_(settings_.version) {
    start_library();
}

MqttClient::~MqttClient() {
    close();
}

std::string MqttClient::endpoint() const {
    return fmt::format("{}:{}", settings_.host, settings_.port);
}

std::size_t MqttClient::window() const {
    return std::min<std::size_t>(settings_.inflight, limits_.receive_maximum);
}

void MqttClient::connect() {
    if (wanted_ && !leaving_) {
        return;
    }
    wanted_ = true;
    if (state_ == MqttState::off) {
        // A wait that an earlier failure brought about holds on.
        wait_until(next_attempt_);
    }
}

void MqttClient::disconnect(MqttFarewell farewell) {
    wanted_ = false;
    if (state_ == MqttState::connected) {
        if (leaving_) {
            return;
        }
        leaving_ = true;
        if (farewell == MqttFarewell::with_will && version_ != 5) {
            // 3.1.1 has no other way than to hang up (3.1.2.5).
            asio::post(loop_.io(), session_guard_([this] { lost(0, "disconnected"); }));
            return;
        }
        const int reason = farewell == MqttFarewell::with_will ? MQTT_RC_DISCONNECT_WITH_WILL_MSG
                                                               : MQTT_RC_NORMAL_DISCONNECTION;
        mosquitto_disconnect_v5(session_.get(), reason, nullptr);
        loop_.after(seconds(2), session_guard_, [this] { lost(0, "disconnected"); });
        asio::post(loop_.io(), session_guard_([this] { (void)serve(&mosquitto_loop_write); }));
        return;
    }
    close();
    state_ = MqttState::off;
    wait_guard_.renew();
}

void MqttClient::wait_until(Instant when) {
    const Instant now = Loop::now();
    next_attempt_ = when;
    wait_guard_.renew();
    if (when <= now) {
        attempt();
        return;
    }
    state_ = MqttState::waiting;
    loop_.after(when - now, wait_guard_, [this] { attempt(); });
}

void MqttClient::attempt() {
    ++counters_.attempts;
    state_ = MqttState::connecting;
    started_ = Loop::now();
    address_tries_ = 0;
    wait_guard_.renew();
    if (settings_.tls) {
        if (const std::string wrong = tls_.load(*settings_.tls, settings_.host); !wrong.empty()) {
            lost(0, wrong);
            return;
        }
    }
    boost::system::error_code error;
    (void)asio::ip::make_address(settings_.host, error);
    if (!error) {
        addresses_ = {settings_.host};
        connect_next();
        return;
    }
    loop_.after(settings_.connect_timeout, wait_guard_, [this] {
        resolver_.cancel();
        lost(0, "the name was not resolved in time: check the network and its DNS server");
    });
    resolver_.async_resolve(
        settings_.host,
        std::to_string(settings_.port),
        wait_guard_([this](const boost::system::error_code& failed, const auto& found) {
            if (failed) {
                lost(0, failed.message() + ": check the host name and the DNS server");
                return;
            }
            std::vector<std::string> resolved;
            for (const auto& entry : found) {
                resolved.push_back(entry.endpoint().address().to_string());
            }
            // The address that worked last time stays the first choice.
            if (resolved != addresses_) {
                addresses_ = std::move(resolved);
                address_ = 0;
            }
            connect_next();
        }));
}

void MqttClient::connect_next() {
    wait_guard_.renew();
    close();
    started_ = Loop::now();
    ++address_tries_;
    address_ %= addresses_.size();
    if (!make_session()) {
        failed("libmosquitto does not take the settings: " + library_error_);
        return;
    }
    errno = 0;
    const int result = mosquitto_connect_async(session_.get(),
                                               addresses_[address_].c_str(),
                                               settings_.port,
                                               static_cast<int>(settings_.keepalive.ms() / 1000));
    const int reason = errno;
    const int fd = mosquitto_socket(session_.get());
    if ((result != MOSQ_ERR_SUCCESS && result != MOSQ_ERR_CONN_PENDING) || fd < 0) {
        failed(library_words(result, reason));
        return;
    }
    // The library closes its socket when it likes; ours keeps the number from being given to
    // somebody else meanwhile.
    const int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
        failed(std::strerror(errno));
        return;
    }
    socket_.assign(duplicate);
    watch_read();
    watch_write();
    tick();
}

void MqttClient::watch_read() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       session_guard_([this](const boost::system::error_code& error) {
                           if (error) {
                               return;
                           }
                           if (serve(&mosquitto_loop_read)) {
                               watch_read();
                           }
                       }));
}

void MqttClient::watch_write() {
    if (watching_write_) {
        return;
    }
    watching_write_ = true;
    socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                       session_guard_([this](const boost::system::error_code& error) {
                           watching_write_ = false;
                           if (error) {
                               return;
                           }
                           if (!tcp_stands_) {
                               int reason = 0;
                               socklen_t size = sizeof reason;
                               (void)getsockopt(
                                   socket_.native_handle(), SOL_SOCKET, SO_ERROR, &reason, &size);
                               // In TLS the library has taken the error off the socket already.
                               if (reason == 0 && is_broken()) {
                                   reason = ECONNREFUSED;
                               }
                               if (reason != 0) {
                                   failed(library_words(MOSQ_ERR_ERRNO, reason));
                                   return;
                               }
                               tcp_stands_ = true;
                           }
                           (void)serve(&mosquitto_loop_write);
                       }));
}

// During a TLS handshake the library takes a reset for "not yet" and would try for ever.
bool MqttClient::is_broken() const {
    pollfd asked{
        .fd = const_cast<MqttClient*>(this)->socket_.native_handle(), .events = 0, .revents = 0};
    return poll(&asked, 1, 0) == 1 && (asked.revents & (POLLERR | POLLHUP)) != 0;
}

bool MqttClient::serve(int (*work)(mosquitto*, int)) {
    errno = 0;
    int result = work(session_.get(), 1);
    // During a TLS handshake the library says that it does not want to write, though its CONNECT
    // waits for the end of the handshake and nothing else would send it.
    if (result == MOSQ_ERR_SUCCESS &&
        (state_ == MqttState::connecting || mosquitto_want_write(session_.get()))) {
        errno = 0;
        result = mosquitto_loop_write(session_.get(), 1);
    }
    const int reason = errno;
    loop_.ask_step();
    if (connack_ && *connack_ != 0) {
        const int code = *connack_;
        lost(code, mqtt_words(code));
        return false;
    }
    if (leaving_ && (disconnect_ || mosquitto_socket(session_.get()) < 0)) {
        lost(0, "disconnected");
        return false;
    }
    if (disconnect_ && *disconnect_ >= 0x80) {
        const int code = *disconnect_;
        lost(code, mqtt_words(code));
        return false;
    }
    if (result != MOSQ_ERR_SUCCESS || mosquitto_socket(session_.get()) < 0) {
        failed(library_words(result, reason));
        return false;
    }
    if (state_ == MqttState::connecting && is_broken()) {
        failed(library_words(MOSQ_ERR_CONN_LOST, 0));
        return false;
    }
    if (connack_) {
        stand();
    }
    if (state_ != MqttState::off && mosquitto_want_write(session_.get())) {
        watch_write();
    }
    return true;
}

void MqttClient::stand() {
    connack_.reset();
    state_ = MqttState::connected;
    trouble_.clear();
    ++counters_.connects;
    last_ack_ = Loop::now();
    backoff_.connected(last_ack_);
    if (callbacks_.connected) {
        callbacks_.connected(limits_);
    }
}

void MqttClient::tick() {
    const Duration interval =
        std::clamp(std::min(settings_.ack_timeout, settings_.connect_timeout) / 4,
                   milliseconds(10),
                   seconds(1));
    loop_.after(interval, session_guard_, [this] {
        const Instant now = Loop::now();
        if (state_ == MqttState::connecting && now - started_ >= settings_.connect_timeout) {
            failed(tcp_stands_ ? "it accepts connections but does not answer as a broker: is the "
                                 "port right (1883 plain, 8883 TLS)?"
                               : "no answer: check the address, the network and the firewall");
            return;
        }
        if (!in_flight_.empty() &&
            now - std::max(last_ack_, in_flight_.front().since) >= settings_.ack_timeout) {
            lost(0,
                 fmt::format("nothing was acknowledged for {} s: the connection is cut off or the "
                             "broker hangs",
                             settings_.ack_timeout.ms() / 1000));
            return;
        }
        const int result = mosquitto_loop_misc(session_.get());
        if (result != MOSQ_ERR_SUCCESS) {
            failed(library_words(result, errno));
            return;
        }
        if (mosquitto_want_write(session_.get())) {
            watch_write();
        }
        tick();
    });
}

void MqttClient::failed(const std::string& text) {
    // Where no connection came about, the host's next address may do better, at once.
    if (state_ == MqttState::connecting && !tcp_stands_ && address_tries_ < addresses_.size()) {
        ++address_;
        connect_next();
        return;
    }
    lost(0, text);
}

void MqttClient::lost(int code, std::string text) {
    const bool was_connected = state_ == MqttState::connected;
    const bool asked = std::exchange(leaving_, false);
    close();
    if (!broker_words_.empty()) {
        text += fmt::format(" ({})", std::exchange(broker_words_, {}));
    }
    MqttReason reason{.code = code,
                      .text = endpoint() + ": " + text,
                      .refused = mqtt_is_refusal(code),
                      .was_connected = was_connected};
    const Instant now = Loop::now();
    counters_.lost += asked ? 0 : 1;
    if (asked) {
        backoff_.left();
        state_ = MqttState::off;
        next_attempt_ = now;
        trouble_.clear();
    } else if (code == mqtt_unsupported_version && version_ == 5) {
        version_ = 4;
        trouble_ = reason.text;
        state_ = MqttState::off;
        next_attempt_ = now;
    } else {
        trouble_ = reason.text;
        state_ = MqttState::off;
        next_attempt_ = now + backoff_.lost(now, mqtt_wait(code));
    }
    if (wanted_) {
        state_ = MqttState::waiting;
        wait_guard_.renew();
        loop_.after(std::max(next_attempt_ - now, Duration{}), wait_guard_, [this] { attempt(); });
    }
    loop_.ask_step();
    if (callbacks_.disconnected) {
        callbacks_.disconnected(reason);
    }
}

void MqttClient::close() {
    session_guard_.renew();
    boost::system::error_code ignored;
    socket_.close(ignored);
    session_.reset();
    resolver_.cancel();
    watching_write_ = false;
    tcp_stands_ = false;
    in_flight_.clear();
    connack_.reset();
    disconnect_.reset();
    library_error_.clear();
}

Result<int> MqttClient::publish(std::string_view topic,
                                Bytes payload,
                                int qos,
                                bool retain,
                                std::uint32_t expiry_s,
                                const MqttContent& content) {
    if (state_ != MqttState::connected || leaving_) {
        return JW_FAIL(not_found);
    }
    const int allowed_qos = std::min<int>(qos, limits_.maximum_qos);
    // Without acknowledgements the socket's own room is the window.
    if (allowed_qos > 0 ? in_flight_.size() >= window() : watching_write_) {
        return JW_FAIL(busy);
    }
    mosquitto_property* properties = nullptr;
    if (version_ == 5 && expiry_s > 0) {
        mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expiry_s);
    }
    if (version_ == 5 && content.type != nullptr) {
        mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, content.type);
    }
    if (version_ == 5 && content.is_utf8) {
        mosquitto_property_add_byte(&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    }
    const std::string topic_text(topic);
    int mid = 0;
    const int result = mosquitto_publish_v5(session_.get(),
                                            &mid,
                                            topic_text.c_str(),
                                            static_cast<int>(payload.size()),
                                            payload.data(),
                                            allowed_qos,
                                            retain && limits_.retain_available,
                                            properties);
    const int reason = errno;
    mosquitto_property_free_all(&properties);
    switch (result) {
        case MOSQ_ERR_SUCCESS:
            break;
        case MOSQ_ERR_OVERSIZE_PACKET:
        case MOSQ_ERR_PAYLOAD_SIZE:
            return JW_FAIL(out_of_range);
        case MOSQ_ERR_INVAL:
        case MOSQ_ERR_MALFORMED_UTF8:
            return JW_FAIL(malformed);
        default:
            // The caller hears of the loss when he has returned.
            asio::post(loop_.io(), session_guard_([this, text = library_words(result, reason)] {
                           failed(text);
                       }));
            return JW_FAIL(not_found);
    }
    ++counters_.published;
    counters_.bytes_sent += topic.size() + payload.size();
    if (allowed_qos > 0) {
        in_flight_.push_back({mid, Loop::now()});
    }
    if (mosquitto_want_write(session_.get())) {
        watch_write();
    }
    return mid;
}

Status MqttClient::subscribe(const std::string& filter, int qos) {
    if (state_ != MqttState::connected || leaving_) {
        return JW_FAIL(not_found);
    }
    const int result = mosquitto_subscribe(session_.get(), nullptr, filter.c_str(), qos);
    if (result == MOSQ_ERR_INVAL || result == MOSQ_ERR_MALFORMED_UTF8) {
        return JW_FAIL(malformed);
    }
    if (mosquitto_want_write(session_.get())) {
        watch_write();
    }
    return done;
}

void MqttClient::acknowledged(int mid, int code) {
    const auto found = std::find_if(
        in_flight_.begin(), in_flight_.end(), [mid](const auto& open) { return open.mid == mid; });
    if (found == in_flight_.end()) {
        return;  // of QoS 0: the library says so within publish()
    }
    last_ack_ = Loop::now();
    acknowledge_time_.add(last_ack_ - found->since);
    in_flight_.erase(found);
    ++counters_.acknowledged;
    if (code >= 0x80) {
        ++counters_.refused;
    } else {
        backoff_.proven();
    }
    if (callbacks_.published) {
        callbacks_.published(mid, code);
    }
}

}  // namespace jw
