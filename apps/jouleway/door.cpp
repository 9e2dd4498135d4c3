// SPDX-License-Identifier: Apache-2.0
// The door: what the API shows, taken from one daemon.
#include "apps/jouleway/door.h"

#include <fmt/format.h>

#include "host/version.h"

namespace jw {

Door::Door(Loop& loop, Workers& workers, Daemon& daemon, Instant started)
    : workers_(workers),
      daemon_(daemon),
      backlog_ages_(daemon.sinks().size()),
      view_(make_view(loop, started)),
      access_(daemon.settings().web, daemon.settings().web.hosts),
      api_(view_,
           access_,
           [this](std::function<void()> job, std::function<void()> done) {
               return workers_.run(std::move(job), guard_, std::move(done)).has_value();
           }),
      server_(loop.io(), router_, access_, [] { return Loop::now(); }) {
    api_.add_routes(router_);
    api_.use_counters(&server_.counters());
    server_.greet_with([this] { return api_.greeting(); });
}

Status Door::open(std::string& reason) {
    const GatewaySettings::Web& web = daemon_.settings().web;
    std::unique_ptr<http::TlsServer> tls;
    if (web.tls) {
        auto made = http::make_tls(web.tls->cert_file, web.tls->key_file, reason);
        if (!made) {
            return made.error();
        }
        tls = std::move(*made);
    }
    return server_.listen(web.address, web.port, std::move(tls), reason);
}

http::GatewayView Door::make_view(const Loop& loop, Instant started) {
    http::GatewayView view;
    view.gateway = daemon_.settings().gateway.view();
    view.site = daemon_.settings().site.view();
    view.version = version();
    view.started = started;
    view.now = [] { return Loop::now(); };
    view.unix_ms = [this] { return daemon_.gateway().unix_ms(Loop::now()); };
    view.ready = [this] { return daemon_.gateway().outbox().counters().syncs_passed > 0; };
    view.snapshot = [this]() -> const Snapshot& { return daemon_.gateway().snapshot(); };
    view.device = [this](std::size_t index) { return device(index); };
    view.parameters = [this](std::size_t index) {
        const Device& device = daemon_.gateway().device(index);
        std::vector<Parameter> parameters;
        for (std::size_t i = 0; i < device.parameter_count(); ++i) {
            parameters.push_back(device.parameter(i));
        }
        return parameters;
    };
    view.batteries = [this] { return batteries(); };
    view.outbox = [this] { return outbox(); };
    view.sinks = [this] { return sinks(); };
    view.faults = [this] { return faults(); };
    view.buses = [this] { return buses(); };
    view.times = [this, &loop] {
        return http::TimesView{loop.stall().exported(),
                               daemon_.store().records().sync_time().exported()};
    };
    view.submit = [this](const Command& command, const RequestKey& asked) {
        return daemon_.gateway().submit(command, CommandSource::local, Loop::now(), asked);
    };
    view.find_key = [this](std::uint64_t key) -> std::optional<http::KeyView> {
        Gateway& gateway = daemon_.gateway();
        const JournalEntry* const known =
            gateway.commands().journal().find_key(key, gateway.unix_ms(Loop::now()));
        if (known == nullptr) {
            return std::nullopt;
        }
        return http::KeyView{
            known->id,
            known->asked.request,
            known->phase == CommandPhase::reported && known->code == ResultCode::busy};
    };
    view.recall = [this](std::string_view id) { return recall(id); };
    view.alerts = [this] { return daemon_.alerts().items(); };
    view.alerts_revision = [this] { return daemon_.alerts().revision(); };
    view.acknowledge = [this](std::uint64_t id, const std::string& who) {
        const Status outcome = daemon_.alerts().acknowledge(id, who);
        if (outcome) {
            tell(fmt::format("Alert {} was acknowledged by {}.", id, who));
        }
        return outcome;
    };
    view.forget_alerts = [this](const std::string& who) {
        daemon_.alerts().forget_cleared();
        tell(fmt::format("Alerts that are over were deleted by {}.", who));
    };
    view.history = [this](const HistoryQuery& query, auto render, auto answer) {
        daemon_.history().query(query, std::move(render), guard_(std::move(answer)));
    };
    view.history_series = [this](auto render, auto answer) {
        daemon_.history().series(std::move(render), guard_(std::move(answer)));
    };
    return view;
}

http::DeviceView Door::device(std::size_t index) const {
    if (index >= daemon_.settings().devices.size()) {
        return battery_device(index);
    }
    const GatewaySettings::Device& settings = daemon_.settings().devices[index];
    const GatewaySettings::Bus& bus = daemon_.settings().buses[settings.bus];
    http::DeviceView view;
    view.title = settings.title;
    view.bus = bus.name.view();
    view.bus_type = enum_name(bus.type);
    view.address = bus.address();
    view.info = daemon_.gateway().device_info(index);
    view.keep = settings.settings.keep;
    view.capabilities = daemon_.gateway().driver(index).capabilities;
    return view;
}

http::DeviceView Door::battery_device(std::size_t index) const {
    const GatewaySettings::Battery& settings =
        daemon_.settings().batteries[index - daemon_.settings().devices.size()];
    http::DeviceView view;
    view.title = settings.title;
    if (settings.can) {
        const GatewaySettings::Bus& bus = daemon_.settings().buses[*settings.can];
        view.bus = bus.name.view();
        view.bus_type = enum_name(bus.type);
        view.address = bus.address();
    }
    view.info = daemon_.gateway().device_info(index);
    view.keep = settings.keep;
    view.capabilities = daemon_.gateway().driver(index).capabilities;
    return view;
}

std::vector<http::BatteryView> Door::batteries() const {
    std::vector<http::BatteryView> views;
    for (const auto& one : daemon_.batteries()) {
        const GatewaySettings& settings = daemon_.settings();
        http::BatteryView view;
        view.name = one->settings->name.view();
        view.title = one->settings->title;
        view.battery = one->battery;
        for (const std::size_t pack : one->settings->packs) {
            view.packs.emplace_back(settings.devices[pack].settings.name.view());
        }
        if (one->can) {
            view.bus = settings.buses[*one->settings->can].name.view();
            view.can = one->can.get();
            view.traffic = one->traffic.get();
        }
        views.push_back(std::move(view));
    }
    return views;
}

void Door::tell(const std::string& text) {
    daemon_.gateway().tell(EventKind::notice, text, Loop::now());
}

http::OutboxView Door::outbox() const {
    const Outbox& outbox = daemon_.gateway().outbox();
    const OutboxCounters counters = outbox.counters();
    http::OutboxView view;
    view.epoch = outbox.epoch();
    view.boot = outbox.boot();
    view.bytes_max = outbox.bytes_max();
    view.bytes_used = outbox.bytes_used();
    view.keep_every = daemon_.gateway().keep_every();
    view.bytes_written = daemon_.store().records().counters().bytes_written;
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        view.classes[i] = {outbox.appended_to(record_class),
                           outbox.accepted_to(record_class),
                           counters.rejected[i],
                           counters.dropped[i],
                           counters.expired[i],
                           counters.damaged[i]};
    }
    view.classes[static_cast<std::size_t>(RecordClass::telemetry)].thinned =
        daemon_.gateway().thinned();
    return view;
}

std::vector<http::SinkView> Door::sinks() {
    const Instant now = Loop::now();
    Outbox& outbox = daemon_.gateway().outbox();
    std::vector<http::SinkView> views;
    for (std::size_t sink = 0; sink < daemon_.sinks().size(); ++sink) {
        const MqttSink::State state = daemon_.sinks()[sink]->state(now);
        http::SinkView view;
        view.name = state.name;
        view.type = "mqtt";
        view.endpoint = state.endpoint;
        view.state = state.state;
        std::array<std::uint64_t, record_classes> durable{};
        for (std::size_t i = 0; i < record_classes; ++i) {
            const auto record_class = static_cast<RecordClass>(i);
            view.waiting += outbox.waiting(sink, record_class);
            view.confirmed_to[i] = outbox.confirmed_to(sink, record_class);
            durable[i] = outbox.durable_to(sink, record_class);
        }
        view.oldest_age = backlog_ages_[sink].of(outbox, sink, now);
        if (state.two_stage) {
            view.durable_to = durable;
        }
        if (state.last_confirmed.us >= 0) {
            view.last_confirmed_age = now - state.last_confirmed;
        }
        view.retry_in = state.retry_in;
        view.reason = state.reason;
        view.sent_bytes = state.sent_bytes;
        view.in_flight = state.in_flight;
        view.rejected = state.delivered.rejected;
        view.errors = {{"connection", state.connection.lost},
                       {"refused", state.connection.refused},
                       {"undecodable", state.delivered.undecodable},
                       {"letter_lost", state.letters_lost}};
        view.confirm_time = state.confirm_time;
        views.push_back(std::move(view));
    }
    return views;
}

std::vector<http::FaultView> Door::faults() const {
    std::vector<http::FaultView> views;
    for (const ActiveFault& active : daemon_.gateway().faults().active()) {
        views.push_back({active.fault, active.since});
    }
    return views;
}

std::vector<http::BusView> Door::buses() const {
    std::vector<http::BusView> views;
    for (const auto& bus : daemon_.buses()) {
        http::BusView view;
        view.name = bus->settings->name.view();
        view.connected = bus->state().connected;
        if (bus->modbus) {
            view.modbus = bus->modbus->counters();
            view.answer_times = bus->answer_times;
        }
        views.push_back(std::move(view));
    }
    return views;
}

std::optional<http::CommandView> Door::recall(std::string_view id) const {
    const std::span<const JournalEntry> entries = daemon_.gateway().commands().journal().entries();
    const auto known = std::ranges::find_if(entries, [&](const auto& one) { return one.id == id; });
    if (known == entries.end()) {
        return std::nullopt;
    }
    http::CommandView view;
    view.id = known->id;
    view.target = known->target;
    view.finished = known->phase == CommandPhase::reported;
    if (view.finished) {
        view.result = Commands::result_of(*known);
    }
    return view;
}

}  // namespace jw
