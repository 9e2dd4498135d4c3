// SPDX-License-Identifier: Apache-2.0
// Status and metrics of one battery, as long as it answers.
#include "host/bms_sink.h"

#include "core/sink/bms_topics/bms_topics.h"
#include "core/sink/homeassistant/message.h"

namespace jw {
namespace {

constexpr std::size_t message_bytes_max = 8192;
constexpr Duration tick = milliseconds(100);

std::string topic_of(const GatewaySettings::Live& live, const char* leaf) {
    return std::string(bms_topics::topic(live.prefix, live.device.view(), leaf).view());
}

}  // namespace

BmsSink::BmsSink(Loop& loop, Gateway& gateway, const GatewaySettings& settings, std::size_t index)
    : gateway_(gateway),
      live_(settings.live[index]),
      buffer_(message_bytes_max),
      client_(loop,
              gateway,
              live_,
              topic_of(live_, "status"),
              {.connected =
                   [this](Instant now) {
                       online_.reset();
                       next_ = now;
                       reading_ = Instant{-1};
                   },
               .message = [](std::string_view, Bytes, bool, Instant) {},
               .wake = [this](Instant now) { gateway_.wake(*this, now); }}) {}

void BmsSink::start(Instant now) {
    client_.start(now);
    gateway_.wake(*this, now);
}

void BmsSink::stop() {
    client_.stop();
}

Instant BmsSink::run(Instant now) {
    if (!client_.connected()) {
        return client_.watch(now);
    }
    const DeviceSnapshot* const battery = gateway_.snapshot().find(live_.device.view());
    const bool online = battery != nullptr && homeassistant::is_online(*battery, now);
    if (online_ != online) {
        const bool said = online
                              ? client_.publish_online(now)
                              : client_.publish(topic_of(live_, "status"), "offline", 1, true, now);
        if (said) {
            online_ = online;
        }
    }
    if (!online || battery->last_reading <= reading_ || now < next_) {
        return now + tick;
    }
    Text out(buffer_);
    bms_topics::put_metrics(*battery, now, gateway_.unix_ms(now), out);
    // Where the connection is slow, this one is left out.
    (void)client_.publish(topic_of(live_, "metrics"), out.view(), 0, false, now);
    reading_ = battery->last_reading;
    next_ = later(next_, now - live_.every) + live_.every;
    return now + tick;
}

}  // namespace jw
