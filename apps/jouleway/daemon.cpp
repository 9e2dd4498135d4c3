// SPDX-License-Identifier: Apache-2.0
// A daemon: built from settings, started, stopped, and what it remembers for the next one.
#include "apps/jouleway/daemon.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "host/bms_sink.h"
#include "host/cryptography.h"
#include "host/homeassistant_sink.h"
#include "host/version.h"
#include "host/wall_clock.h"

namespace jw {
namespace {

// Before this build nobody can have set the clock rightly.
constexpr std::int64_t unix_ms_least = 1'790'000'000'000;
constexpr Duration clock_look_every = seconds(1);
constexpr Duration stop_at_most = seconds(5);
constexpr std::size_t alerts_remembered = 100;
// Alerts of one life; the number of the boot in front keeps them apart from those of others.
constexpr std::uint64_t alerts_of_boot = 1'000'000;

ModbusLineSettings line_settings(const GatewaySettings::Bus& bus) {
    ModbusLineSettings settings;
    switch (bus.type) {
        case BusType::modbus_rtu:
            settings.framing = ModbusFraming::rtu;
            break;
        case BusType::modbus_rtu_tcp:
            settings.framing = ModbusFraming::rtu_over_tcp;
            break;
        default:
            settings.framing = ModbusFraming::tcp;
            break;
    }
    settings.connect_delay = bus.connect_delay;
    settings.gap = bus.gap;
    settings.timeout = bus.timeout;
    settings.open_requests_max = bus.open_requests;
    settings.baud = bus.baud;
    return settings;
}

std::vector<Issuer> issuers_of(const GatewaySettings& settings) {
    std::vector<Issuer> issuers;
    for (const GatewaySettings::Issuer& from : settings.issuers) {
        Issuer issuer;
        issuer.name = from.name;
        issuer.method = static_cast<SignatureMethod>(from.method);
        if (from.key) {
            const std::string_view key = from.key->reveal();
            std::copy_n(key.begin(), std::min(key.size(), issuer.key.size()), issuer.key.begin());
        }
        issuers.push_back(issuer);
    }
    return issuers;
}

/// Room for every fault that can be raised at once: one without room would be a record each time.
std::size_t faults_most(const GatewaySettings& settings) {
    constexpr std::size_t of_gateway = 9;
    constexpr std::size_t of_device = 4;
    constexpr std::size_t of_sink = 2;
    const std::size_t of_battery = 8 + battery_alert_rules().size() + battery_alarms;
    const std::size_t of_alerts = settings.alerts ? settings.alerts->size() : 0;
    return of_gateway + of_alerts + settings.devices.size() * of_device +
           settings.batteries.size() * of_battery +
           (settings.sinks.size() + settings.live.size()) * of_sink;
}

bool gives(const Driver& driver, const Value& value) {
    return std::ranges::any_of(driver.capabilities, [&](const Capability& capability) {
        return capability.quantity == value.quantity && capability.index == value.index;
    });
}

}  // namespace

Bus& BusOfSite::bus() {
    return tcp   ? static_cast<Bus&>(*tcp)
           : can ? static_cast<Bus&>(*can)
                 : static_cast<Bus&>(*serial);
}

const BusState& BusOfSite::state() const {
    return tcp ? tcp->state() : can ? can->state() : serial->state();
}

Daemon::Daemon(Loop& loop, Workers& workers, const GatewaySettings& settings)
    : loop_(loop),
      workers_(workers),
      settings_(settings),
      issuers_(issuers_of(settings)),
      store_(loop, settings_, [this](SyncTicket ticket, Status result) {
          if (gateway_) {
              gateway_->commands().synced(ticket, result, Loop::now());
              loop_.ask_step();
          }
      }) {}

Daemon::~Daemon() = default;

std::size_t Daemon::arena_size() const {
    std::size_t size = 16 * 1024;
    for (const GatewaySettings::Device& device : settings_.devices) {
        const std::size_t values = device.driver->capabilities.size();
        size += device.driver->memory + values * (sizeof(KeptValue) + sizeof(LatestValue)) + 1024;
    }
    const std::size_t values = battery::driver.capabilities.size();
    size += settings_.batteries.size() *
            (battery::driver.memory + values * (sizeof(KeptValue) + sizeof(LatestValue)) + 1024);
    return size + settings_.buses.size() * 256 + faults_most(settings_) * sizeof(ActiveFault);
}

Status Daemon::start() {
    JW_TRY(store_.open(random_64()));
    const Instant now = Loop::now();
    arena_block_.resize(arena_size());
    arena_ = std::make_unique<Arena>(arena_block_);
    GatewaySizes sizes;
    sizes.devices = settings_.devices.size() + settings_.batteries.size();
    sizes.tasks = settings_.buses.size() + settings_.batteries.size() + settings_.sinks.size() +
                  settings_.live.size();
    sizes.faults = faults_most(settings_);
    gateway_ = std::make_unique<Gateway>(
        store_.outbox(), store_.journal(), *arena_, sizes, static_cast<GatewayOut&>(*this));
    const Status energies = open_history();  // before the batteries, which go on from there
    for (std::size_t i = 0; i < settings_.buses.size(); ++i) {
        add_bus(i);
    }
    for (std::size_t i = 0; i < settings_.devices.size(); ++i) {
        add_device(i);
    }
    for (const GatewaySettings::Battery& battery : settings_.batteries) {
        add_battery(battery);
    }
    for (std::size_t i = 0; i < settings_.sinks.size(); ++i) {
        sinks_.push_back(std::make_unique<MqttSink>(loop_, *gateway_, settings_, i, issuers_));
        gateway_->add_task(*sinks_.back(), Priority::sink, now);
    }
    add_live(now);
    for (const auto& bus : buses_) {
        add_line(*bus, now);
    }
    for (const auto& one : batteries_) {
        gateway_->add_task(*one->battery, Priority::control, now);
    }
    arena_->seal();
    make_alerts();
    if (!energies) {
        tell_history("The energies that batteries took and gave cannot be read; they begin anew.");
    }
    look_at_clock(now);
    gateway_->start(version(), now);
    for (const auto& sink : sinks_) {
        sink->start(now);
    }
    for (const auto& sink : live_) {
        sink->start(now);
    }
    for (const auto& bus : buses_) {
        if (bus->line != nullptr && bus->tcp) {
            bus->tcp->start(*bus->task);
        } else if (bus->line != nullptr && bus->can) {
            bus->can->start(*bus->task);
        } else if (bus->line != nullptr) {
            bus->serial->start(*bus->task);
        }
    }
    loop_.ask_step();
    return done;
}

void Daemon::make_alerts() {
    for (const GatewaySettings::Battery& battery : settings_.batteries) {
        alert_batteries_.push_back({battery.name, {}});
        for (const AlertRule& rule : battery_alert_rules()) {
            if (!settings_.alerts) {
                AlertWatch& watch = alert_watches_.emplace_back();
                watch.rule = rule;
                watch.rule.device = battery.name;
            }
        }
    }
    for (const AlertRule& rule : settings_.alerts.value_or(std::vector<AlertRule>{})) {
        alert_watches_.emplace_back().rule = rule;
    }
    alert_ring_.resize(alerts_remembered);
    alerts_ = std::make_unique<Alerts>(AlertMemory{alert_ring_, alert_watches_, alert_batteries_},
                                       store_.outbox().boot() * alerts_of_boot);
}

Status Daemon::open_history() {
    HistorySettings settings;
    settings.folder = settings_.storage.path;
    settings.size_mb = settings_.history.size_mb;
    settings.days = settings_.history.days;
    history_ = std::make_unique<History>(
        workers_,
        settings,
        HistoryHooks{
            .failed =
                [this](const std::string& why) {
                    tell_history(
                        fmt::format("The history is not written ({}): check the disk.", why));
                },
            .recovered =
                [this] { gateway_->faults().clear("", FaultKind::history_failed, Loop::now()); },
            .noticed =
                [this](const std::string& text) {
                    spdlog::warn("{}", text);
                    gateway_->tell(EventKind::notice, text, Loop::now());
                },
        });
    return history_->open();
}

void Daemon::tell_history(const std::string& trouble) {
    gateway_->faults().raise(
        "", FaultKind::history_failed, Severity::warning, trouble, Loop::now());
}

void Daemon::note_energies() {
    for (const auto& one : batteries_) {
        const battery::Energy& energy = one->battery->energy();
        history_->put_energy({one->settings->name, energy.charge_wh, energy.discharge_wh});
    }
}

void Daemon::add_bus(std::size_t index) {
    auto bus = std::make_unique<BusOfSite>();
    const GatewaySettings::Bus& settings = settings_.buses[index];
    bus->settings = &settings;
    const bool is_serial = settings.type == BusType::modbus_rtu ||
                           settings.type == BusType::serial || settings.type == BusType::slcan;
    if (settings.type == BusType::can) {
        CanBusSettings can;
        can.name = settings.name.view();
        can.device = settings.device;
        bus->can = std::make_unique<CanBus>(loop_, can);
    } else if (is_serial) {
        SerialBusSettings serial;
        serial.name = settings.name.view();
        serial.device = settings.device;
        serial.baud = settings.baud;
        serial.data_bits = settings.data_bits;
        serial.parity = settings.parity;
        serial.stop_bits = settings.stop_bits;
        bus->serial = std::make_unique<SerialBus>(loop_, serial);
    } else {
        TcpBusSettings tcp;
        tcp.name = settings.name.view();
        tcp.host = settings.host;
        tcp.port = settings.port;
        bus->tcp = std::make_unique<TcpBus>(loop_, tcp);
    }
    buses_.push_back(std::move(bus));
}

void Daemon::add_device(std::size_t index) {
    const GatewaySettings::Device& settings = settings_.devices[index];
    Device& device = gateway_->add_device(*settings.driver, settings.settings, *arena_);
    BusOfSite& bus = *buses_[settings.bus];
    if (ModbusClient* client = device.modbus()) {
        bus.clients.push_back(client);
    } else {
        bus.line = device.stream();
        device.use_bus(bus.bus());
    }
}

/// After the devices: who hears of them all knows how many there are.
void Daemon::add_live(Instant now) {
    for (std::size_t i = 0; i < settings_.live.size(); ++i) {
        if (!settings_.live[i].enabled) {
            continue;
        }
        if (settings_.live[i].type == LiveType::bms) {
            live_.push_back(std::make_unique<BmsSink>(loop_, *gateway_, settings_, i));
        } else {
            live_.push_back(std::make_unique<HomeAssistantSink>(loop_, *gateway_, settings_, i));
        }
        gateway_->add_task(*live_.back(), Priority::housekeeping, now);
    }
}

void Daemon::add_battery(const GatewaySettings::Battery& settings) {
    auto one = std::make_unique<BatteryOfSite>();
    one->settings = &settings;
    DeviceSettings device;
    device.name = settings.name;
    device.driver = battery::driver.name;
    device.keep = settings.keep;
    one->battery = &battery::Battery::of(gateway_->add_device(battery::driver, device, *arena_));
    if (settings.can && settings.profile != nullptr) {
        BusOfSite& bus = *buses_[*settings.can];
        for (const can_out::Frame& frame : settings.profile->sent) {
            one->own_ids.push_back(frame.id);
        }
        one->waiting.resize(one->own_ids.size());
        CanLineSettings line;
        line.framing =
            bus.settings->type == BusType::slcan ? CanFraming::slcan : CanFraming::socketcan;
        line.bitrate = bus.settings->bitrate;
        line.own_ids = one->own_ids;
        one->traffic = std::make_unique<CanTraffic>(*one->battery);
        one->can = std::make_unique<CanLine>(bus.bus(), line, *one->traffic, one->waiting);
        bus.line = one->can.get();
    }
    battery::BatteryWiring wiring;
    wiring.settings = {settings.law, settings.identity, settings.profile, settings.remote_hold};
    wiring.snapshot = &gateway_->snapshot();
    wiring.packs = settings.packs;
    wiring.faults = &gateway_->faults();
    wiring.can = one->can.get();
    one->battery->wire(wiring);
    const BatteryEnergy energy = history_->energy(settings.name.view());
    one->battery->resume({energy.charge_wh, energy.discharge_wh});
    batteries_.push_back(std::move(one));
}

void Daemon::add_line(BusOfSite& bus, Instant now) {
    if (bus.settings->line() == LineKind::modbus) {
        const ModbusLineSettings framing = line_settings(*bus.settings);
        bus.open_requests.resize(std::max<std::size_t>(framing.open_requests_max, 1));
        bus.in.resize(2 * limits::modbus_tcp_size_max);
        bus.out.resize(limits::modbus_tcp_size_max);
        bus.modbus = std::make_unique<ModbusLine>(
            bus.bus(),
            framing,
            bus.clients,
            ModbusLineMemory{bus.open_requests, bus.in, bus.out, &bus.answer_times});
        bus.line = bus.modbus.get();
    }
    if (bus.line != nullptr) {  // else nobody is on it
        bus.task = std::make_unique<LineTask>(*bus.line, *gateway_);
        gateway_->add_task(*bus.task, Priority::line, now);
    }
}

void Daemon::look_at_clock(Instant now) {
    if (clock_set_ || (clock_looked_.us >= 0 && now - clock_looked_ < clock_look_every)) {
        return;
    }
    clock_looked_ = now;
    const std::int64_t unix_ms = wall_clock_ms();
    if (unix_ms >= unix_ms_least && (settings_.trust_clock || clock_vouched())) {
        clock_set_ = true;
        gateway_->learn_time(unix_ms, now);
    }
}

Instant Daemon::step(Instant now) {
    look_at_clock(now);
    // What was accepted since the last turn is the sinks' to deliver.
    std::uint64_t accepted = 0;
    for (std::size_t i = 0; i < record_classes; ++i) {
        accepted += store_.outbox().accepted_to(static_cast<RecordClass>(i));
    }
    if (accepted != accepted_) {
        accepted_ = accepted;
        for (const auto& sink : sinks_) {
            gateway_->wake(*sink, now);
        }
    }
    Instant next = gateway_->step(now);
    if (!clock_set_) {
        next = earlier(next, now + clock_look_every);
    }
    note_energies();
    next = earlier(next, history_->step(gateway_->unix_ms(now), now));
    if (now >= alerts_due_ && !stopped_) {
        alerts_due_ = alerts_->step(gateway_->snapshot(), gateway_->faults(), now);
    }
    next = earlier(next, alerts_due_);
    if (stopped_) {
        bool stored = history_flushed_;
        for (std::size_t i = 0; i < record_classes; ++i) {
            stored =
                stored && store_.outbox().accepted_to(static_cast<RecordClass>(i)) >= stop_at_[i];
        }
        if (stored) {
            std::exchange(stopped_, nullptr)();
        }
    }
    return next;
}

void Daemon::stop(std::function<void()> done) {
    const Instant now = Loop::now();
    // What came in behind the flush would go with this daemon.
    for (const auto& bus : buses_) {
        if (bus->task) {
            bus->task->stop();
        }
    }
    gateway_->flush(now);
    for (const auto& sink : sinks_) {
        sink->stop();
    }
    for (const auto& sink : live_) {
        sink->stop();
    }
    for (std::size_t i = 0; i < record_classes; ++i) {
        stop_at_[i] = store_.outbox().appended_to(static_cast<RecordClass>(i));
    }
    stopped_ = std::move(done);
    note_energies();
    history_->flush([this] {
        history_flushed_ = true;
        loop_.ask_step();
    });
    loop_.after(stop_at_most, guard_, [this] {
        if (stopped_) {
            std::exchange(stopped_, nullptr)();
        }
    });
    loop_.ask_step();
}

std::uint64_t Daemon::waiting() {
    std::uint64_t waiting = 0;
    for (std::size_t sink = 0; sink < settings_.sinks.size(); ++sink) {
        for (std::size_t i = 0; i < record_classes; ++i) {
            waiting += store_.outbox().waiting(sink, static_cast<RecordClass>(i));
        }
    }
    return waiting;
}

std::string Daemon::status() {
    Outbox& outbox = store_.outbox();
    std::string numbers;
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        numbers += (i == 0 ? "" : ",") + std::to_string(outbox.accepted_to(record_class));
    }
    return fmt::format("epoch {:016x} accepted {} waiting {}", outbox.epoch(), numbers, waiting());
}

std::vector<Remembered> Daemon::remember() {
    std::vector<Remembered> result;
    const std::span<const DeviceSnapshot> devices = gateway_->snapshot().devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        result.push_back({devices[i],
                          gateway_->device_settings(i).driver,
                          {devices[i].values.begin(), devices[i].values.end()}});
    }
    return result;
}

void Daemon::inherit(std::span<const Remembered> before) {
    const std::span<DeviceSnapshot> devices = gateway_->snapshot().devices();
    for (std::size_t i = 0; i < devices.size(); ++i) {
        for (const Remembered& old : before) {
            if (old.device.name != devices[i].name ||
                old.driver != gateway_->device_settings(i).driver) {
                continue;
            }
            devices[i].state = old.device.state;
            devices[i].last_reading = old.device.last_reading;
            devices[i].readings = old.device.readings;
            devices[i].errors = old.device.errors;
            // A register map may have changed under its name: what it no longer gives would take
            // the room of what it gives.
            for (const LatestValue& latest : old.values) {
                if (gives(gateway_->driver(i), latest.value)) {
                    (void)devices[i].values.push(latest);
                }
            }
        }
    }
}

void Daemon::reading(std::size_t device, const Reading& reading, Instant now) {
    for (const auto& one : batteries_) {
        if (std::ranges::find(one->settings->packs, device) != one->settings->packs.end()) {
            gateway_->wake(*one->battery, now);
        }
    }
    if (const std::optional<std::int64_t> unix_ms = gateway_->unix_ms(now)) {
        history_->add(reading, *unix_ms);
    }
    if (hooks_.reading) {
        hooks_.reading(device, reading, now);
    }
}

void Daemon::identified(std::size_t /*device*/, const DeviceInfo& info, Instant /*now*/) {
    spdlog::info("{} is {} {}, version {}, serial {}",
                 info.name.view(),
                 info.maker.view(),
                 info.model.view(),
                 info.version.view(),
                 info.serial.view());
}

void Daemon::fault(const Fault& fault, Instant now) {
    if (alerts_) {
        alerts_->changed(fault, now);
    }
    const auto level = fault.severity == Severity::alarm ? spdlog::level::err : spdlog::level::warn;
    spdlog::log(fault.raised ? level : spdlog::level::info,
                "{} {} {}{}",
                fault.source.empty() ? "gateway" : fault.source.view(),
                enum_name(fault.kind),
                fault.raised ? "raised: " : "cleared",
                fault.raised ? fault.text.view() : "");
}

void Daemon::breach(const char* what, Instant /*now*/) {
    spdlog::critical("{} Please report this with the log; the program begins anew.", what);
    if (hooks_.breach) {
        hooks_.breach();
    }
}

void Daemon::command_begun(const CommandId& id, Status written) {
    if (!written) {
        spdlog::error("the {} command {}, it is not carried out: {}",
                      written.code() == Code::full ? "table of commands has no room for"
                                                   : "disk did not take",
                      id.view(),
                      code_name(written.code()));
    }
    if (hooks_.begun) {
        hooks_.begun(id, written);
    }
}

void Daemon::command_finished(const CommandResult& result, CommandSource source, Instant /*now*/) {
    if (source == CommandSource::remote) {
        for (const auto& sink : sinks_) {
            sink->command_finished(result.id);
        }
    }
    if (hooks_.finished) {
        hooks_.finished(result, source);
    }
}

}  // namespace jw
