// SPDX-License-Identifier: Apache-2.0
// The wiring of the core in a simulated world, as the daemon does it.
#include "sim/world_gateway.h"

#include "core/device/demo_meter/demo_meter.h"

namespace jw::sim {
namespace {

constexpr std::size_t journal_entries = 64;
constexpr std::size_t commands_max = 16;
constexpr std::size_t batch_size = 8192;
const Name sink_name = "broker";

}  // namespace

WorldGateway::WorldGateway(WorldStage& stage,
                           WorldChecker& checker,
                           WorldBroker& broker,
                           SimStorage& records,
                           SimStorage& commands,
                           const WorldPlan& plan)
    : stage_(stage),
      checker_(checker),
      broker_(broker),
      plan_(plan),
      booted_(stage.now),
      segments_(Outbox::segments_needed(records, plan.outbox)),
      journal_memory_(journal_entries),
      outbox_(records, plan.outbox, {segments_, sinks_, clocks_, record_}),
      journal_(commands, journal_memory_),
      arena_block_(64 * 1024 + plan.devices.size() * 8192),
      arena_(arena_block_),
      window_(plan.window),
      batch_(batch_size),
      writer_(batch_),
      read_(Storage::block_size),
      delivery_(outbox_, plan.delivery, {window_, read_}, writer_, *this),
      unthinned_memory_(plan.devices.size()) {
    for (std::size_t i = 0; i < plan.devices.size(); ++i) {
        unthinned_.emplace_back(unthinned_memory_[i], plan.devices[i].keep);
    }
}

Status WorldGateway::start(std::span<const std::unique_ptr<WorldWire>> wires) {
    JW_TRY(outbox_.open({&sink_name, 1}, stage_.random.next(), local()));
    JW_TRY(journal_.open());
    outbox_.use_two_stage(0, stage_.has(WorldFault::forgetful));
    GatewaySizes sizes;
    sizes.devices = plan_.devices.size();
    sizes.tasks = wires.size() + 1;
    sizes.commands = commands_max;
    gateway_.emplace(outbox_, journal_, arena_, sizes, static_cast<GatewayOut&>(*this));
    delivery_.identify("gw-1", "house");
    gateway_->add_task(*this, Priority::sink, local());
    for (const auto& wire : wires) {
        add_line(*wire);
    }
    arena_.seal();
    gateway_->start("world", local());
    return done;
}

void WorldGateway::add_line(WorldWire& wire) {
    lines_.push_back(std::make_unique<LineEnd>());
    LineEnd& end = *lines_.back();
    for (std::size_t i = 0; i < wire.meters(); ++i) {
        const DeviceSettings& settings = plan_.devices[wire.first() + i];
        Device& device = gateway_->add_device(demo_meter::driver, settings, arena_);
        end.clients.push_back(device.modbus());
    }
    ModbusLineSettings settings;
    settings.framing = wire.framing();
    settings.timeout = milliseconds(500);
    settings.open_requests_max = settings.framing == ModbusFraming::tcp ? 2 : 1;
    end.line.emplace(wire, settings, end.clients, ModbusLineMemory{end.open, end.in, end.out});
    gateway_->add_task(end, Priority::line, local());
}

void WorldGateway::learn_time(std::int64_t unix_ms_at_boot) {
    gateway_->learn_time(unix_ms_at_boot + local().ms(), local());
}

Instant WorldGateway::step() {
    std::uint64_t accepted = 0;
    for (std::size_t i = 0; i < record_classes; ++i) {
        accepted += outbox_.accepted_to(static_cast<RecordClass>(i));
    }
    if (accepted != accepted_) {
        accepted_ = accepted;
        gateway_->wake(*this, local());
    }
    const Instant next = gateway_->step(local());
    check_bounds();
    return next >= never ? never : Instant{next.us + booted_.us};
}

void WorldGateway::check_bounds() {
    if (gateway_->commands().jobs().size() > commands_max || delivery_.under_way() > plan_.window ||
        arena_.used() > arena_block_.size() || outbox_.bytes_used() > outbox_.bytes_max()) {
        checker_.wrong("a bound of the memory or of the store was passed");
    }
}

/// Every interval that ended made a record, or was refused by the store, or is counted as thinned;
/// and nothing is thinned unless that is wanted.
void WorldGateway::check_thinning() {
    const OutboxCounters counters = outbox_.counters();
    constexpr auto telemetry = static_cast<std::size_t>(RecordClass::telemetry);
    const std::uint64_t told =
        counters.appended[telemetry] + counters.rejected[telemetry] + gateway_->thinned();
    if (told != intervals_) {
        checker_.wrong("a reading was neither kept nor counted");
    }
    if (gateway_->thinned() > 0 && !stage_.has(WorldFault::thin_out)) {
        checker_.wrong("readings were kept less often than set");
    }
}

void WorldGateway::records_synced(const SimStorage::Answer& answer) {
    outbox_.synced(answer.ticket, answer.result, local());
    checker_.audit(outbox_, local());
}

void WorldGateway::commands_synced(const SimStorage::Answer& answer) {
    gateway_->commands().synced(answer.ticket, answer.result, local());
}

void WorldGateway::line_connected(std::size_t line) {
    lines_[line]->line->connected(local());
    gateway_->wake(*lines_[line], local());
}

void WorldGateway::line_disconnected(std::size_t line) {
    lines_[line]->line->disconnected(local());
    gateway_->wake(*lines_[line], local());
}

void WorldGateway::line_received(std::size_t line, Bytes bytes) {
    lines_[line]->line->received(bytes, local());
    gateway_->wake(*lines_[line], local());
}

void WorldGateway::sink_connected() {
    delivery_.begin(plan_.window, batch_size, local());
    gateway_->wake(*this, local());
}

void WorldGateway::sink_disconnected() {
    delivery_.end(local());
    gateway_->wake(*this, local());
}

void WorldGateway::sink_answered(std::uint32_t ticket, bool taken) {
    taken ? delivery_.acknowledged(ticket, local()) : delivery_.refused(ticket, local());
    gateway_->wake(*this, local());
}

void WorldGateway::sink_durable(std::uint64_t epoch) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        if (outbox_.durable(0, epoch, record_class, checker_.received_to(record_class), local())) {
            checker_.wrong("the store is behind what arrived");
        }
    }
}

void WorldGateway::sink_command(const Command& command) {
    (void)gateway_->submit(command, CommandSource::remote, local());
}

Instant WorldGateway::run(Instant now) {
    if (!broker_.connected()) {
        return never;
    }
    OutgoingBatch batch;
    while (delivery_.next(now, batch)) {
        delivery_.sent(broker_.publish(as_text(batch.payload)));
    }
    return delivery_.due(now);
}

void WorldGateway::reading(std::size_t device, const Reading& reading, Instant now) {
    intervals_ += unthinned_[device].add(reading, now, unthinned_reading_) ? 1 : 0;
    check_thinning();
    stage_.trace.add(device << 48 ^ static_cast<std::uint64_t>(now.us));
}

void WorldGateway::identified(std::size_t /*device*/, const DeviceInfo& /*info*/, Instant) {}

void WorldGateway::fault(const Fault& fault, Instant /*now*/) {
    stage_.trace.add(static_cast<std::uint64_t>(fault.kind));
}

void WorldGateway::breach(const char* what, Instant /*now*/) {
    checker_.wrong(what);
}

void WorldGateway::command_finished(const CommandResult& result,
                                    CommandSource /*source*/,
                                    Instant /*now*/) {
    stage_.trace.add(static_cast<std::uint64_t>(result.code));
    broker_.clear(result.id);
}

void WorldGateway::rejected(const Record& record) {
    stage_.trace.add(record.id.seq);
}

}  // namespace jw::sim
