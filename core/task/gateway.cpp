// SPDX-License-Identifier: Apache-2.0
#include "core/task/gateway.h"

#include <algorithm>
#include <array>

#include "core/base/cbor.h"
#include "core/base/check.h"
#include "core/model/thinning.h"

namespace jw {
namespace {

// How many wrong or missing answers in a row it takes until the state of a device changes.
constexpr std::uint32_t wrong_max = 3;
// What happened and is over stays among the faults so long.
constexpr Duration told_for = seconds(3600);
constexpr Duration told_again = seconds(10);
constexpr Duration audit_interval = seconds(1);
constexpr Duration fall_told_interval = seconds(3600);
// So many events of a device are kept in so long; of the others only how many there were.
constexpr std::uint32_t events_most = 10;
constexpr Duration events_window = seconds(60);

bool is_silence(Code code) {
    return code == Code::timeout || code == Code::not_found;
}

}  // namespace

Gateway::Gateway(Outbox& outbox,
                 CommandJournal& journal,
                 Arena& arena,
                 const GatewaySizes& sizes,
                 GatewayOut& out)
    : outbox_(outbox),
      out_(out),
      queue_(arena.array<TaskQueue::Entry>(sizes.tasks)),
      faults_(arena.array<ActiveFault>(sizes.faults), *this),
      commands_(journal, outbox, *this, arena.array<Commands::Job>(sizes.commands)),
      ports_(arena.array<Port>(sizes.devices)),
      device_snapshots_(arena.array<DeviceSnapshot>(sizes.devices)) {}

Device& Gateway::add_device(const Driver& driver, const DeviceSettings& settings, Arena& arena) {
    CHECK(devices_ < ports_.size());
    Port& port = ports_[devices_];
    port.gateway = this;
    port.index = devices_;
    port.driver = &driver;
    port.settings = settings;
    port.info.name = settings.name;
    port.info.driver = driver.name;
    const std::size_t values = driver.capabilities.size();
    port.keep = Keep(arena.array<KeptValue>(values), settings.keep);
    port.device = driver.make(arena, settings, port);
    DeviceSnapshot& snapshot = device_snapshots_[devices_];
    snapshot.name = settings.name;
    snapshot.poll = settings.poll;
    snapshot.values = List<LatestValue>(arena.array<LatestValue>(values));
    ++devices_;
    snapshot_ = Snapshot(device_snapshots_.first(devices_));
    return *port.device;
}

void Gateway::add_task(Task& task, Priority priority, Instant due) {
    CHECK(queue_.add(task, priority, due));
}

void Gateway::start(std::string_view version, Instant now) {
    seen_ = outbox_.counters();
    audited_ = numbers_of(outbox_);
    std::array<char, limits::detail_size_max> buffer{};
    Text text(buffer);
    text.put("Started, version ").put(version).put(", boot ").put(outbox_.boot()).put('.');
    tell(EventKind::started, text.view(), now);
    if (!unix_at_zero_ms_) {
        faults_.raise("",
                      FaultKind::clock_not_set,
                      Severity::notice,
                      "The clock is not set yet; readings are kept and get their time then.",
                      now);
    }
    if (commands_.damaged() > 0) {
        faults_.raise("",
                      FaultKind::records_damaged,
                      Severity::alarm,
                      "The table of commands was damaged: one may be unknown that was executed.",
                      now,
                      now + told_for);
    }
    watch_fill(now);
    commands_.resume(now);
}

void Gateway::tell(EventKind kind, std::string_view text, Instant now) {
    append(RecordClass::billing, RecordKind::event, Event{"", kind, text}, now);
}

void Gateway::tell_of(const Port& port, std::string_view text, Instant now) {
    append(RecordClass::billing,
           RecordKind::event,
           Event{port.settings.name, EventKind::notice, text},
           now);
}

void Gateway::learn_time(std::int64_t unix_ms, Instant now) {
    unix_at_zero_ms_ = unix_ms - now.ms();
    outbox_.learn_time(unix_ms, now);
    faults_.clear("", FaultKind::clock_not_set, now);
}

std::optional<std::int64_t> Gateway::unix_ms(Instant now) const {
    return unix_at_zero_ms_ ? std::optional(*unix_at_zero_ms_ + now.ms()) : std::nullopt;
}

void Gateway::flush(Instant now) {
    for (Port& port : ports_.first(devices_)) {
        if (port.keep.flush(kept_)) {
            append(RecordClass::telemetry, RecordKind::reading, kept_, now);
        }
    }
    faults_.clear_all(now);
    outbox_.flush(now);
}

Instant Gateway::step(Instant now) {
    Instant next = queue_.run(now);
    next = earlier(next, commands_.step(unix_ms(now), now));
    next = earlier(next, outbox_.step(now));
    watch_store(now);
    watch_commands(now);
    faults_.step(now);
    // Where nothing happens nothing can break: no step is asked for on this account.
    if (now >= audit_due_) {
        audit_due_ = now + audit_interval;
        audit_against(audited_, now);
        watch_fill(now);
    }
    return earlier(next, queue_.next_due());  // a command may have woken a line
}

ResultCode Gateway::submit(const Command& command,
                           CommandSource source,
                           Instant now,
                           const RequestKey& asked) {
    return commands_.submit(command, source, unix_ms(now), now, asked);
}

void Gateway::watch_commands(Instant now) {
    if (commands_.journal_full()) {
        faults_.raise("",
                      FaultKind::commands_full,
                      Severity::alarm,
                      "No command is taken: too many signed ones have not expired; let them expire "
                      "sooner.",
                      now);
    } else {
        faults_.clear("", FaultKind::commands_full, now);
    }
}

const DeviceInfo& Gateway::device_info(std::size_t device) const {
    CHECK(device < devices_);
    return ports_[device].info;
}

const Driver& Gateway::driver(std::size_t device) const {
    CHECK(device < devices_);
    return *ports_[device].driver;
}

const DeviceSettings& Gateway::device_settings(std::size_t device) const {
    CHECK(device < devices_);
    return ports_[device].settings;
}

Device& Gateway::device(std::size_t device) {
    CHECK(device < devices_);
    return *ports_[device].device;
}

Gateway::Port* Gateway::find(std::string_view name) {
    for (Port& port : ports_.first(devices_)) {
        if (port.settings.name == name) {
            return &port;
        }
    }
    return nullptr;
}

template <class M>
bool Gateway::append(RecordClass record_class, RecordKind kind, const M& message, Instant now) {
    std::array<std::uint8_t, limits::record_payload_max> payload{};
    Writer out(payload);
    to_cbor(message, out);
    CHECK(out.ok());
    // A refusal is counted by the outbox; watch_store() raises the fault.
    return outbox_.append(record_class, kind, out.written(), now).has_value();
}

void Gateway::watch_store(Instant now) {
    const OutboxCounters& counters = outbox_.counters();
    std::uint64_t dropped = 0;
    std::uint64_t damaged = 0;
    std::uint64_t rejected = 0;
    for (std::size_t i = 0; i < record_classes; ++i) {
        dropped += counters.dropped[i] - seen_.dropped[i];
        damaged += counters.damaged[i] - seen_.damaged[i];
        rejected += counters.rejected[i] - seen_.rejected[i];
    }
    const bool failing = counters.sync_failures != seen_.sync_failures ||
                         counters.write_failures != seen_.write_failures;
    const bool synced = counters.syncs_passed != seen_.syncs_passed;
    seen_ = counters;
    const Instant until = now + told_for;
    if (failing) {
        faults_.raise("",
                      FaultKind::storage_failed,
                      Severity::alarm,
                      "The disk takes no readings, new ones are lost; check its space and health.",
                      now);
    } else if (synced && rejected == 0) {
        faults_.clear("", FaultKind::storage_failed, now);
    }
    if (dropped > 0) {
        faults_.raise("",
                      FaultKind::records_dropped,
                      Severity::alarm,
                      "The store is full: the oldest readings make room for new ones.",
                      now,
                      until);
    }
    if (damaged > 0) {
        faults_.raise("",
                      FaultKind::records_damaged,
                      Severity::alarm,
                      "Stored readings were damaged; what is missing is announced as a gap.",
                      now,
                      until);
    }
    tell_refused(rejected, now);
}

void Gateway::tell_refused(std::uint64_t rejected, Instant now) {
    refused_ += rejected;
    if (rejected > 0) {
        refused_told_at_ = now + told_again;
        if (!faults_.raised("", FaultKind::storage_failed)) {
            faults_.raise("",
                          FaultKind::storage_full,
                          Severity::alarm,
                          "The store is full and nothing may be given up: new readings are lost.",
                          now,
                          now + told_for);
        }
    } else if (refused_ > 0 && now >= refused_told_at_) {
        // What was refused has no number, so no gap can announce it.
        std::array<char, limits::detail_size_max> buffer{};
        Text text(buffer);
        text.put("The store took ").put(refused_).put(" records less than there were.");
        refused_told_at_ = now + told_again;
        if (append(RecordClass::billing,
                   RecordKind::event,
                   Event{"", EventKind::notice, text.view()},
                   now)) {
            refused_ = 0;
        }
    }
}

std::uint64_t Gateway::thinned() const {
    std::uint64_t thinned = 0;
    for (const Port& port : ports_.first(devices_)) {
        thinned += port.keep.thinned();
    }
    return thinned;
}

/// "every 40 s instead of every 10 s" where all devices are kept alike, else "4 times less often".
void Gateway::put_spacing(std::uint32_t every, Text& text) const {
    std::optional<Duration> interval;
    bool alike = true;
    for (const Port& port : ports_.first(devices_)) {
        if (!port.driver->stores_readings) {
            alike = alike && (!interval || *interval == port.settings.keep);
            interval = port.settings.keep;
        }
    }
    if (!alike || !interval || interval->us == 0) {
        text.put(every).put(" times less often");
        return;
    }
    const bool whole = interval->ms() % 1000 == 0;
    const std::int64_t length = whole ? interval->ms() / 1000 : interval->ms();
    const char* const unit = whole ? " s" : " ms";
    text.put("every ").put(length * every).put(unit);
    text.put(" instead of every ").put(length).put(unit);
}

/// What nobody collects is to last: the fuller the store, the fewer readings go into it.
void Gateway::watch_fill(Instant now) {
    if (outbox_.when_full(RecordClass::telemetry) != WhenFull::thin_out) {
        return;
    }
    const ClassFill fill = outbox_.fill(RecordClass::telemetry);
    const std::uint32_t every = jw::keep_every(fill.bytes, fill.bytes_max, keep_every_);
    if (every == keep_every_) {
        return;
    }
    std::array<char, limits::detail_size_max> buffer{};
    Text text(buffer);
    if (every == 1) {
        text.put("The store has room again: readings are kept as often as set.");
    } else {
        const std::uint64_t full = fill.bytes_max == 0 ? 100 : fill.bytes * 100 / fill.bytes_max;
        text.put("The store is ").put(std::min<std::uint64_t>(full, 100));
        text.put(" % full, nobody collects it: kept ");
        put_spacing(every, text);
        text.put('.');
    }
    keep_every_ = every;
    // So that whoever has the readings knows why they are so far apart.
    append(RecordClass::billing,
           RecordKind::event,
           Event{"", EventKind::keep_changed, text.view(), every},
           now);
    faults_.clear("", FaultKind::readings_thinned, now);
    if (every > 1) {
        faults_.raise("", FaultKind::readings_thinned, Severity::notice, text.view(), now);
    }
}

void Gateway::audit_against(const StoreNumbers& before, Instant now) {
    const StoreNumbers numbers = numbers_of(outbox_);
    if (const char* const what = first_breach(before, numbers)) {
        faults_.raise("", FaultKind::broken_invariant, Severity::alarm, what, now);
        out_.breach(what, now);
    }
    audited_ = numbers;
}

void Gateway::Port::counter_fell(const CounterFall& fall, Instant now) {
    ++gateway->counter_falls_;
    if (now < fall_untold_until) {
        return;  // a device that counts up and down must not fill the store
    }
    fall_untold_until = now + fall_told_interval;
    std::array<char, limits::detail_size_max> buffer{};
    Text text(buffer);
    put_name(fall.value.quantity, fall.value.index, text);
    text.put(" fell from ").put(fall.from).put(" to ").put(fall.value.number);
    text.put(": replaced or reset?");
    gateway->tell_of(*this, text.view(), now);
}

void Gateway::Port::reading(const Reading& reading, Instant now) {
    wrong_in_row = 0;
    silent_in_row = 0;
    gateway->faults_.clear(settings.name.view(), FaultKind::device_refuses, now);
    gateway->faults_.clear(settings.name.view(), FaultKind::device_silent, now);
    if (const auto fall = gateway->snapshot_.update(index, reading, now)) {
        counter_fell(*fall, now);
    }
    // A device that stores its readings itself has done so already.
    const bool kept =
        !driver->stores_readings && keep.add(reading, now, gateway->kept_, gateway->keep_every_);
    if (kept) {
        gateway->append(RecordClass::telemetry, RecordKind::reading, gateway->kept_, now);
    }
    const std::uint32_t left_out =
        reading.values.left_out() + (kept ? gateway->kept_.values.left_out() : 0);
    watch_room(left_out > 0, kept, now);
    gateway->out_.reading(index, reading, now);
}

void Gateway::Port::identified(const DeviceInfo& said, Instant now) {
    const bool changed = info.maker != said.maker || info.model != said.model ||
                         info.version != said.version || info.serial != said.serial;
    const bool other_device = !info.serial.empty() && info.serial != said.serial;
    info = said;
    info.name = settings.name;
    info.driver = driver->name;
    if (!changed) {
        return;
    }
    std::array<char, limits::detail_size_max> buffer{};
    Text text(buffer);
    text.put(said.maker.view()).put(' ').put(said.model.view()).put(' ').put(said.serial.view());
    gateway->append(RecordClass::billing,
                    RecordKind::event,
                    Event{settings.name, EventKind::identified, text.view()},
                    now);
    if (other_device) {
        gateway->faults_.raise(settings.name.view(),
                               FaultKind::identity_changed,
                               Severity::warning,
                               "Another device answers at this address; check the wiring.",
                               now,
                               now + seconds(86'400));
    }
    gateway->out_.identified(index, info, now);
}

void Gateway::Port::event(std::string_view sentence, Instant now) {
    if (now >= events_renewed_at) {
        events_renewed_at = now + events_window;
        if (events_told > events_most) {
            std::array<char, limits::detail_size_max> buffer{};
            Text text(buffer);
            text.put("It reported ").put(events_told - events_most).put(" events more.");
            gateway->tell_of(*this, text.view(), now);
        }
        events_told = 0;
    }
    if (++events_told <= events_most) {
        gateway->tell_of(*this, sentence, now);
    }
}

void Gateway::Port::failed(Error error, Instant now) {
    DeviceSnapshot& snapshot = gateway->device_snapshots_[index];
    ++snapshot.errors;
    if (is_silence(error.code)) {
        wrong_in_row = 0;
        if (silent_in_row++ == 0) {
            silent_since = now;
        }
        if (silent_in_row >= wrong_max || snapshot.state == DeviceState::refusing) {
            snapshot.state = DeviceState::asleep;
            silent(now);
        }
        return;
    }
    silent_in_row = 0;
    gateway->faults_.clear(settings.name.view(), FaultKind::device_silent, now);
    ++wrong_in_row;
    if (wrong_in_row >= wrong_max) {
        snapshot.state = DeviceState::refusing;
        std::array<char, limits::detail_size_max> buffer{};
        Text text(buffer);
        text.put("It answers, but not with readings (").put(code_name(error.code));
        text.put("). Check driver, unit id and wiring.");
        gateway->faults_.raise(
            settings.name.view(), FaultKind::device_refuses, Severity::warning, text.view(), now);
    }
}

/// A device may be asleep, but not for ever. It is asked every 30 s at the latest, so this is
/// called often enough.
void Gateway::Port::silent(Instant now) {
    if (settings.silent_after.us == 0 || now - silent_since < settings.silent_after) {
        return;
    }
    gateway->faults_.raise(settings.name.view(),
                           FaultKind::device_silent,
                           Severity::notice,
                           "It does not answer. Check its power and its cable or network.",
                           now);
}

/// Whether all values of a reading have room and are possible is known of the polled one, and,
/// since extremes come in addition, of the one that is kept.
void Gateway::Port::watch_room(bool left_out, bool kept, Instant now) {
    if (left_out) {
        gateway->faults_.raise(
            settings.name.view(),
            FaultKind::values_left_out,
            Severity::warning,
            "It gives more values than the 64 of a reading, or impossible ones; they are left out.",
            now);
    } else if (kept) {
        gateway->faults_.clear(settings.name.view(), FaultKind::values_left_out, now);
    }
}

Result<std::uint64_t> Gateway::Port::store(const Reading& reading, Instant taken_at) {
    std::array<std::uint8_t, limits::record_payload_max> payload{};
    Writer out(payload);
    to_cbor(reading, out);
    CHECK(out.ok());
    const auto id = gateway->outbox_.append(
        RecordClass::telemetry, RecordKind::reading, out.written(), taken_at);
    if (!id) {
        return id.error();
    }
    return id->seq;
}

std::uint64_t Gateway::Port::stored_to() const {
    return gateway->outbox_.accepted_to(RecordClass::telemetry);
}

void Gateway::changed(const Fault& fault, Instant now) {
    append(RecordClass::alarm, RecordKind::fault, fault, now);
    out_.fault(fault, now);
}

void Gateway::begun(const CommandId& id, Status written) {
    out_.command_begun(id, written);
}

void Gateway::finished(const CommandResult& result, CommandSource source, Instant now) {
    out_.command_finished(result, source, now);
}

}  // namespace jw
