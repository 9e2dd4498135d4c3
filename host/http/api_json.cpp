// SPDX-License-Identifier: Apache-2.0
// The bodies of the API's answers: each built in one function.
#include "host/http/api_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/fields.h"

namespace jw::http::api_json {
namespace {

using Json = nlohmann::ordered_json;

/// What devices say of themselves may be anything but UTF-8.
std::string text_of(const Json& body) {
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json number_or_null(const std::optional<std::int64_t>& number) {
    return number ? Json(*number) : Json(nullptr);
}

Json seconds_or_null(const std::optional<Duration>& age) {
    return age ? Json(age->us / 1'000'000) : Json(nullptr);
}

Json age_ms(Instant at, Instant now) {
    return at < Instant{} ? Json(nullptr) : Json((now - at).ms());
}

std::string name_of(Quantity quantity, std::uint8_t index) {
    std::array<char, 64> buffer{};
    Text text(buffer);
    put_name(quantity, index, text);
    return std::string(text.view());
}

Json settable(std::span<const Capability> capabilities) {
    Json list = Json::array();
    for (const Capability& capability : capabilities) {
        if (capability.settable) {
            list.push_back({{"name", name_of(capability.quantity, capability.index)},
                            {"least", capability.least},
                            {"most", capability.most}});
        }
    }
    return list;
}

Json delivery(const std::vector<SinkView>& sinks) {
    std::uint64_t waiting = 0;
    std::optional<Duration> oldest;
    std::optional<Duration> confirmed;
    for (const SinkView& sink : sinks) {
        waiting = std::max(waiting, sink.waiting);
        if (sink.oldest_age && (!oldest || *sink.oldest_age > *oldest)) {
            oldest = sink.oldest_age;
        }
        if (sink.last_confirmed_age && (!confirmed || *sink.last_confirmed_age < *confirmed)) {
            confirmed = sink.last_confirmed_age;
        }
    }
    return {{"waiting", waiting},
            {"oldest_age_s", seconds_or_null(oldest)},
            {"last_confirmed_age_s", seconds_or_null(confirmed)}};
}

}  // namespace

std::string status(const GatewayView& view) {
    std::array<std::size_t, 4> states{};
    const auto devices = view.snapshot().devices();
    for (const DeviceSnapshot& device : devices) {
        ++states[static_cast<std::size_t>(device.state)];
    }
    const auto count = [&](DeviceState state) { return states[static_cast<std::size_t>(state)]; };
    return text_of({{"gateway", view.gateway},
                    {"site", view.site},
                    {"version", view.version},
                    {"time", number_or_null(view.unix_ms())},
                    {"up_s", (view.now() - view.started).us / 1'000'000},
                    {"devices",
                     {{"total", devices.size()},
                      {"online", count(DeviceState::online)},
                      {"asleep", count(DeviceState::asleep)},
                      {"refusing", count(DeviceState::refusing)},
                      {"starting", count(DeviceState::starting)}}},
                    {"delivery", delivery(view.sinks())},
                    {"faults", view.faults().size()}});
}

std::string devices(const GatewayView& view) {
    const Instant now = view.now();
    Json items = Json::array();
    const auto devices = view.snapshot().devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const DeviceSnapshot& device = devices[i];
        const DeviceView about = view.device(i);
        items.push_back({{"name", device.name.view()},
                         {"title", about.title},
                         {"driver", about.info.driver.view()},
                         {"bus", about.bus},
                         {"bus_type", about.bus_type},
                         {"address", about.address},
                         {"maker", about.info.maker.view()},
                         {"model", about.info.model.view()},
                         {"version", about.info.version.view()},
                         {"serial", about.info.serial.view()},
                         {"state", enum_name(device.state)},
                         {"poll_ms", device.poll.ms()},
                         {"keep_ms", about.keep.ms()},
                         {"last_reading_age_ms", age_ms(device.last_reading, now)},
                         {"readings", device.readings},
                         {"errors", device.errors},
                         {"settable", settable(about.capabilities)}});
    }
    return text_of({{"items", items}});
}

std::string readings(const GatewayView& view, const std::vector<bool>& wanted) {
    const Instant now = view.now();
    Json items = Json::array();
    const auto devices = view.snapshot().devices();
    for (std::size_t i = 0; i < devices.size() && i < wanted.size(); ++i) {
        if (!wanted[i]) {
            continue;
        }
        Json values = Json::array();
        for (const LatestValue& latest : devices[i].values) {
            values.push_back({{"name", name_of(latest.value.quantity, latest.value.index)},
                              {"quantity", name_of(latest.value.quantity, 0)},
                              {"index", latest.value.index},
                              {"value", latest.value.number},
                              {"age_ms", (now - latest.at).ms()},
                              {"stale", devices[i].stale(latest, now)}});
        }
        items.push_back({{"device", devices[i].name.view()},
                         {"age_ms", age_ms(devices[i].last_reading, now)},
                         {"values", std::move(values)}});
    }
    return text_of({{"time", number_or_null(view.unix_ms())}, {"items", std::move(items)}});
}

std::string recent(const GatewayView& view,
                   const std::string& device,
                   const std::string& name,
                   const std::optional<Recent::Means>& means,
                   Instant now) {
    Json values = Json::array();
    Json to = nullptr;
    if (means) {
        for (const std::optional<std::int64_t>& value : means->values) {
            values.push_back(number_or_null(value));
        }
        if (const auto unix_ms = view.unix_ms()) {
            to = *unix_ms - (now - means->to).ms();
        }
    }
    return text_of({{"device", device},
                    {"name", name},
                    {"step_s", Recent::step.us / 1'000'000},
                    {"to", to},
                    {"values", values}});
}

std::string outbox(const GatewayView& view) {
    const OutboxView outbox = view.outbox();
    Json classes = Json::array();
    for (std::size_t i = 0; i < outbox.classes.size(); ++i) {
        const ClassView& row = outbox.classes[i];
        classes.push_back({{"class", enum_name(static_cast<RecordClass>(i))},
                           {"appended_to", row.appended_to},
                           {"accepted_to", row.accepted_to},
                           {"rejected", row.rejected},
                           {"dropped", row.dropped},
                           {"expired", row.expired},
                           {"damaged", row.damaged},
                           {"thinned", row.thinned}});
    }
    Json sinks = Json::array();
    for (const SinkView& sink : view.sinks()) {
        sinks.push_back({{"name", sink.name},
                         {"type", sink.type},
                         {"endpoint", sink.endpoint},
                         {"state", enum_name(sink.state)},
                         {"waiting", sink.waiting},
                         {"oldest_age_s", seconds_or_null(sink.oldest_age)},
                         {"confirmed_to", sink.confirmed_to},
                         {"durable_to", sink.durable_to ? Json(*sink.durable_to) : Json(nullptr)},
                         {"last_confirmed_age_s", seconds_or_null(sink.last_confirmed_age)},
                         {"retry_in_s", seconds_or_null(sink.retry_in)},
                         {"reason", sink.reason.empty() ? Json(nullptr) : Json(sink.reason)},
                         {"sent_bytes", sink.sent_bytes},
                         {"in_flight", sink.in_flight}});
    }
    return text_of({{"epoch", fmt::format("{:016x}", outbox.epoch)},
                    {"boot", outbox.boot},
                    {"storage",
                     {{"bytes_max", outbox.bytes_max},
                      {"bytes_used", outbox.bytes_used},
                      {"bytes_written", outbox.bytes_written}}},
                    {"keep_every", outbox.keep_every},
                    {"classes", classes},
                    {"sinks", sinks}});
}

std::string faults(const GatewayView& view) {
    const Instant now = view.now();
    std::vector<FaultView> active = view.faults();
    std::stable_sort(active.begin(), active.end(), [](const FaultView& a, const FaultView& b) {
        return a.fault.severity != b.fault.severity ? a.fault.severity > b.fault.severity
                                                    : a.since > b.since;
    });
    Json items = Json::array();
    for (const FaultView& item : active) {
        items.push_back({{"source", item.fault.source.view()},
                         {"kind", enum_name(item.fault.kind)},
                         {"severity", enum_name(item.fault.severity)},
                         {"text", item.fault.text.view()},
                         {"raised", item.fault.raised},
                         {"since_age_s", (now - item.since).us / 1'000'000}});
    }
    return text_of({{"items", items}});
}

std::string command(const CommandView& command) {
    return text_of(
        {{"id", command.id.view()},
         {"target", command.target.view()},
         {"state", command.finished ? "done" : "running"},
         {"code", command.finished ? Json(enum_name(command.result.code)) : Json(nullptr)},
         {"text", command.result.text.view()},
         {"value", number_or_null(command.result.value)}});
}

}  // namespace jw::http::api_json
