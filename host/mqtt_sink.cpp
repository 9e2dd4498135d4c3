// SPDX-License-Identifier: Apache-2.0
// One broker as a sink: batches out, acknowledgements and commands in, faults told.
#include "host/mqtt_sink.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "core/sink/mqtt.h"
#include "host/base64.h"
#include "host/cryptography.h"
#include "host/durable_message.h"
#include "host/json_message.h"

namespace jw {
namespace {

// The smallest buffer in which a batch of one record fits, whatever the settings say.
constexpr std::size_t batch_bytes_min = 4096;
// A broker may be away for a moment without anybody being told.
constexpr Duration unreachable_after = seconds(60);
// How long batches are built before the loop has its turn: a backlog must not hold up a device.
constexpr Duration turn_max = milliseconds(2);
// Topic and properties need room in a packet, too.
constexpr std::size_t packet_overhead = 160;
// Of a client's window, for what is no batch: the status, a cleared command.
constexpr std::size_t own_messages = 2;
// As many as the gateway remembers; of an older one the broker tells again.
constexpr std::size_t to_clear_max = 512;
// A record that was set aside is shown as a fault so long, though delivery goes on.
constexpr Duration letter_shown_for = seconds(3600);
constexpr std::size_t command_bytes_max = 4096;
constexpr std::uint64_t dead_letter_bytes_max = 1 << 20;
constexpr std::string_view online_text = "{\"online\":true}";
constexpr std::string_view offline_text = "{\"online\":false}";

MqttContent content_of(PayloadFormat format) {
    return format == PayloadFormat::cbor ? MqttContent{"application/cbor", false}
                                         : MqttContent{"application/json", true};
}

std::variant<JsonBatch, CborBatch> make_writer(PayloadFormat format,
                                               MutableBytes buffer,
                                               std::span<BatchEntry> entries) {
    if (format == PayloadFormat::cbor) {
        return CborBatch(buffer, entries);
    }
    return JsonBatch({reinterpret_cast<char*>(buffer.data()), buffer.size()});
}

MqttSettings client_settings(const GatewaySettings& settings, std::size_t index) {
    const GatewaySettings::Sink& sink = settings.sinks[index];
    MqttSettings result;
    result.host = sink.host;
    result.port = sink.port;
    result.version = sink.version;
    result.client_id = sink.client_id;
    result.user = sink.user;
    result.password = sink.password;
    result.tls = sink.tls;
    result.inflight = sink.inflight + own_messages;
    result.will = MqttWill{std::string(mqtt::topic(settings.gateway.view(), "status").view()),
                           std::string(offline_text)};
    result.seed = std::hash<std::string_view>{}(settings.gateway.view()) + index;
    return result;
}

}  // namespace

MqttSink::MqttSink(Loop& loop,
                   Gateway& gateway,
                   const GatewaySettings& settings,
                   std::size_t index,
                   std::span<const Issuer> issuers)
    : loop_(loop),
      gateway_(gateway),
      settings_(settings.sinks[index]),
      gateway_name_(settings.gateway.view()),
      site_(settings.site.view()),
      store_path_(settings.storage.path),
      index_(index),
      issuers_(issuers),
      window_(std::max<std::uint32_t>(settings_.inflight, 1)),
      batch_(std::max<std::size_t>(settings_.batch.bytes, batch_bytes_min)),
      entries_(settings_.payload == PayloadFormat::cbor ? settings_.batch.readings : 0),
      writer_(make_writer(settings_.payload, batch_, entries_)),
      record_(Storage::block_size),
      delivery_(gateway.outbox(),
                {.sink = index,
                 .records_max = settings_.batch.readings,
                 .age_max = settings_.batch.age,
                 .fresh_first = settings_.fresh_first,
                 .seed = std::hash<std::string_view>{}(gateway_name_)},
                {window_, record_},
                std::visit([](auto& writer) -> BatchWriter& { return writer; }, writer_),
                *this),
      client_(loop, client_settings(settings, index), callbacks()) {
    if (settings_.window) {
        slots_.emplace(
            gateway_name_,
            SlotSettings{.every = settings_.window->every, .length = settings_.window->length});
    }
    delivery_.identify(gateway_name_, site_);
    gateway_.outbox().use_two_stage(index_, settings_.two_stage);
}

MqttCallbacks MqttSink::callbacks() {
    MqttCallbacks callbacks;
    callbacks.connected = [this](const MqttLimits& limits) { connected(limits); };
    callbacks.disconnected = [this](const MqttReason& reason) { disconnected(reason.text); };
    callbacks.published = [this](int id, int reason) {
        answered(static_cast<std::uint32_t>(id), reason);
    };
    callbacks.message = [this](std::string_view topic, Bytes payload, bool /*retain*/) {
        message(topic, as_text(payload));
    };
    return callbacks;
}

void MqttSink::start(Instant now) {
    down_since_ = now;
    if (!slots_) {
        client_.connect();
    }
    gateway_.wake(*this, now);
}

void MqttSink::connected(const MqttLimits& limits) {
    const Instant now = Loop::now();
    down_since_ = Instant{-1};
    reason_.clear();
    gateway_.faults().clear(settings_.name.view(), FaultKind::sink_unreachable, now);
    lack_ = lack_of(limits);
    if (!lack_.empty()) {
        tell_trouble(lack_, now);
        gateway_.wake(*this, now);
        return;
    }
    const std::size_t room = client_.window();
    delivery_.begin(room > own_messages ? room - own_messages : 1, batch_size(limits), now);
    (void)publish_status(true);
    (void)client_.subscribe(std::string(mqtt::commands_filter(gateway_name_).view()), 1);
    if (settings_.two_stage) {
        (void)client_.subscribe(std::string(mqtt::topic(gateway_name_, "durable").view()), 1);
    }
    gateway_.wake(*this, now);
    loop_.ask_step();
}

std::size_t MqttSink::batch_size(const MqttLimits& limits) const {
    const std::size_t wanted = std::max<std::size_t>(settings_.batch.bytes, batch_bytes_min);
    const std::size_t packet = limits.maximum_packet_size;
    if (packet == 0) {
        return wanted;
    }
    return std::min(wanted, packet > packet_overhead ? packet - packet_overhead : 0);
}

// Why nothing can be sent to a broker that says so of itself; empty: it will do.
std::string MqttSink::lack_of(const MqttLimits& limits) const {
    if (limits.maximum_qos < 1) {
        return "The broker takes no QoS 1; readings would not be confirmed.";
    }
    if (batch_size(limits) < batch_size_min) {
        return fmt::format("The broker takes packets of {} bytes at most; {} are needed.",
                           limits.maximum_packet_size,
                           batch_size_min + packet_overhead);
    }
    return {};
}

void MqttSink::answered(std::uint32_t ticket, int code) {
    const Instant now = Loop::now();
    if (code < 0x80) {
        delivery_.acknowledged(ticket, now);
        if (!refusal_.empty() && !delivery_.puts_off() && now >= letter_shown_until_) {
            refusal_.clear();
            gateway_.faults().clear(settings_.name.view(), FaultKind::sink_refuses, now);
        }
    } else if (mqtt_is_about_message(code)) {
        delivery_.refused(ticket, now);
    } else if (delivery_.put_off(ticket, now, mqtt_wait(code))) {
        std::string text = mqtt_words(code) + ".";
        text[0] = static_cast<char>(std::toupper(text[0]));
        tell_trouble(text, now);
    }
    gateway_.wake(*this, now);
    loop_.ask_step();
}

// Raises the fault that something is not taken, anew where it is another trouble than before.
void MqttSink::tell_trouble(const std::string& text, Instant now, Instant until) {
    if (refusal_ != text) {
        gateway_.faults().clear(settings_.name.view(), FaultKind::sink_refuses, now);
        refusal_ = text;
    }
    gateway_.faults().raise(
        settings_.name.view(), FaultKind::sink_refuses, Severity::warning, text, now, until);
}

void MqttSink::disconnected(const std::string& reason) {
    const Instant now = Loop::now();
    reason_ = reason;
    if (down_since_.us < 0) {
        down_since_ = now;
    }
    delivery_.end(now);
    gateway_.wake(*this, now);
    loop_.ask_step();
}

// Connects and leaves as the time slot says; returns when to ask again.
Instant MqttSink::follow_slots(Instant now) {
    const Outbox& outbox = gateway_.outbox();
    const auto waiting = [&](std::size_t record_class) {
        return outbox.waiting(index_, static_cast<RecordClass>(record_class)) > 0;
    };
    bool any = delivery_.under_way() > 0 || !to_clear_.empty();
    for (std::size_t i = 0; i < record_classes; ++i) {
        any = any || waiting(i);
    }
    const std::int64_t clock_ms =
        outbox.wall_time().unix_ms({outbox.boot(), now.ms()}).value_or(now.ms());
    const SlotAnswer answer =
        slots_->step(now,
                     clock_ms,
                     {.connected = client_.state() == MqttState::connected,
                      .drained = !any,
                      .urgent = waiting(static_cast<std::size_t>(RecordClass::alarm))});
    if (answer.connect) {
        client_.connect();
    } else if (client_.state() != MqttState::off) {
        leave();
    }
    return answer.ask_again;
}

Instant MqttSink::run(Instant now) {
    const Instant slot = slots_ ? follow_slots(now) : never;
    if (down_since_.us >= 0) {
        // Between its slots a sink is away on purpose: two of them must fail.
        const Duration patience =
            settings_.window ? settings_.window->every * 2 + unreachable_after : unreachable_after;
        if (now - down_since_ < patience) {
            return earlier(slot, down_since_ + patience);
        }
        gateway_.faults().raise(settings_.name.view(),
                                FaultKind::sink_unreachable,
                                Severity::warning,
                                reason_.empty() ? "The broker does not answer." : reason_,
                                now);
        return slot;
    }
    if (!lack_.empty()) {
        return slot;
    }
    clear_requests();
    return earlier(slot, send_batches(now));
}

Instant MqttSink::send_batches(Instant now) {
    OutgoingBatch batch;
    while (client_.in_flight() < client_.window() && delivery_.next(now, batch)) {
        const mqtt::Topic topic = mqtt::batch_topic(gateway_name_, batch.kind);
        const auto id = client_.publish(
            topic.view(), batch.payload, 1, false, batch.ttl_s, content_of(settings_.payload));
        if (id) {
            delivery_.sent(static_cast<std::uint32_t>(*id));
            sent_bytes_ += batch.payload.size();
        } else if (id.code() == Code::out_of_range || id.code() == Code::malformed) {
            // As if the broker had said so; no packet has the id 0.
            delivery_.sent(0);
            delivery_.refused(0, now);
        } else {
            delivery_.not_sent();
            return now + milliseconds(100);
        }
        if (Loop::now() - now >= turn_max) {
            return now;
        }
    }
    // Where the window is full, an acknowledgement or the end of the session wakes.
    return client_.in_flight() < client_.window() ? delivery_.due(now) : never;
}

// Says whether it went out.
bool MqttSink::publish_status(bool online) {
    const mqtt::Topic topic = mqtt::topic(gateway_name_, "status");
    return client_
        .publish(topic.view(),
                 as_bytes(online ? online_text : offline_text),
                 1,
                 true,
                 0,
                 content_of(PayloadFormat::json))
        .has_value();
}

void MqttSink::message(std::string_view topic, std::string_view payload) {
    const Instant now = Loop::now();
    if (const auto id = mqtt::command_id(gateway_name_, topic)) {
        if (!payload.empty()) {  // an empty one is our own clearing
            take_command(std::string(*id), payload, now);
        }
    } else if (topic == mqtt::topic(gateway_name_, "durable").view()) {
        take_durable(payload, now);
    }
    loop_.ask_step();
}

void MqttSink::take_command(const std::string& id, std::string_view payload, Instant now) {
    Command command;
    command.id = id;
    if (payload.size() > command_bytes_max || id.size() > CommandId::capacity()) {
        spdlog::warn("sink {}: a command on …/commands/{} is too long and was left alone",
                     settings_.name.view(),
                     id.substr(0, CommandId::capacity()));
        return;
    }
    auto document = nlohmann::json::parse(payload, nullptr, false);
    std::string signature;
    if (document.is_object() && document.contains("signature")) {
        if (document["signature"].is_string()) {
            signature = document["signature"].get<std::string>();
        }
        document.erase("signature");
    }
    const MessageErrors errors = from_json(document, command);
    if (!errors.empty() || command.id != id) {
        for (const MessageError& error : errors) {
            spdlog::warn("sink {}: command {}: {}: {}",
                         settings_.name.view(),
                         id,
                         error.pointer,
                         error.reason);
        }
        command = {};
        command.id = id;
        gateway_.commands().refuse(command, ResultCode::malformed, CommandSource::remote, now);
        return;
    }
    const std::string bytes = decode_base64(signature).value_or("");
    if (!check_signature(
            gateway_name_, command, as_bytes(bytes), issuers_, openssl_cryptography())) {
        gateway_.commands().refuse(command, ResultCode::denied, CommandSource::remote, now);
        return;
    }
    (void)gateway_.submit(command, CommandSource::remote, now);
}

void MqttSink::take_durable(std::string_view payload, Instant now) {
    const std::optional<DurableMessage> message = read_durable(payload);
    if (!message) {
        spdlog::warn("sink {}: what stands on …/durable cannot be read", settings_.name.view());
        return;
    }
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        if (gateway_.outbox().durable(index_, message->epoch, record_class, message->to[i], now)) {
            gateway_.faults().raise(settings_.name.view(),
                                    FaultKind::records_damaged,
                                    Severity::warning,
                                    "It has records that this store never had: a former state of "
                                    "the store came back. What was read since may be missing there",
                                    now,
                                    now + seconds(3600));
        }
    }
}

void MqttSink::command_finished(const CommandId& id) {
    if (std::find(to_clear_.begin(), to_clear_.end(), id) != to_clear_.end()) {
        return;
    }
    if (to_clear_.size() >= to_clear_max) {
        to_clear_.pop_front();
    }
    to_clear_.push_back(id);
    clear_requests();
}

void MqttSink::clear_requests() {
    while (!to_clear_.empty()) {
        std::string topic(mqtt::topic(gateway_name_, "commands/").view());
        topic += to_clear_.front().view();
        const auto sent = client_.publish(topic, {}, 1, true, 0);
        if (!sent && sent.code() != Code::malformed) {
            return;  // no connection or no room: later
        }
        to_clear_.pop_front();
    }
}

void MqttSink::rejected(const Record& record) {
    const Instant now = Loop::now();
    const bool kept = keep_letter(record);
    letters_lost_ += kept ? 0 : 1;
    letter_shown_until_ = now + letter_shown_for;
    if (!kept) {
        spdlog::warn("sink {}: record {} of class {} is refused and was not kept ({} so far)",
                     settings_.name.view(),
                     record.id.seq,
                     static_cast<unsigned>(record.id.record_class),
                     letters_lost_);
    }
    tell_trouble(
        letters_lost_ == 0
            ? fmt::format("The broker refuses a record; it is set aside in dead-letters-{}.",
                          settings_.name.view())
            : fmt::format("The broker refuses records; dead-letters-{} is full, some are lost.",
                          settings_.name.view()),
        now,
        letter_shown_until_);
}

// One line for each: epoch, class, seq and payload in hex. Says whether it stands in the file.
bool MqttSink::keep_letter(const Record& record) {
    const std::string path = store_path_ + "/dead-letters-" + std::string(settings_.name.view());
    std::string line = fmt::format("{:016x} {} {} ",
                                   record.id.epoch,
                                   static_cast<unsigned>(record.id.record_class),
                                   record.id.seq);
    for (const std::uint8_t byte : record.payload) {
        line += fmt::format("{:02x}", byte);
    }
    line += '\n';
    std::ofstream out(path, std::ios::app);
    out.seekp(0, std::ios::end);
    const auto size = static_cast<std::streamoff>(line.size());
    if (!out || out.tellp() + size > static_cast<std::streamoff>(dead_letter_bytes_max)) {
        return false;
    }
    out << line << std::flush;
    return out.good();
}

MqttSink::State MqttSink::state(Instant now) const {
    State state;
    state.name = settings_.name.view();
    state.endpoint = client_.endpoint();
    switch (client_.state()) {
        case MqttState::connected:
            state.state = http::SinkState::connected;
            break;
        case MqttState::connecting:
            state.state = http::SinkState::connecting;
            break;
        case MqttState::waiting:
            state.state = http::SinkState::waiting;
            break;
        case MqttState::off:
            state.state = http::SinkState::off;
            break;
    }
    if (client_.state() == MqttState::waiting && client_.next_attempt() > now) {
        state.retry_in = client_.next_attempt() - now;
    }
    // A fault that is only shown for an hour does not say why nothing goes.
    const bool stuck = !lack_.empty() || delivery_.puts_off();
    state.reason = client_.trouble().empty() && stuck ? refusal_ : client_.trouble();
    state.sent_bytes = sent_bytes_;
    state.in_flight = delivery_.under_way();
    state.delivered = delivery_.counters();
    state.letters_lost = letters_lost_;
    state.connection = client_.counters();
    state.confirm_time = client_.acknowledge_time().exported();
    state.last_confirmed = delivery_.last_confirmed();
    state.two_stage = settings_.two_stage;
    return state;
}

void MqttSink::stop() {
    clear_requests();
    leave();
}

// Where there is no room to say "offline", the will says it.
void MqttSink::leave() {
    const bool said = !lack_.empty() || publish_status(false);
    client_.disconnect(said ? MqttFarewell::in_order : MqttFarewell::with_will);
}

}  // namespace jw
