// SPDX-License-Identifier: Apache-2.0
#include "core/task/gateway.h"

#include <array>

#include "core/base/cbor.h"
#include "core/base/test.h"
#include "core/task/ram_storage.h"

using namespace jw;

namespace {

test::RamStorage<32> records;
test::RamStorage<4> journal_bytes;
alignas(16) std::array<std::byte, 32768> block;  // too large for a node's stack, like the storages

/// A device that does what the test says.
struct Plug final : Device {
    DeviceOut* out = nullptr;
    Status answer = done;
    int polls = 0;
    std::int64_t wanted = -1;
    Status act(Quantity, std::int64_t value, Instant) override {
        wanted = value;
        return answer;
    }
    Status poll_now(Instant) override {
        ++polls;
        return answer;
    }
    std::optional<std::int64_t> limit = 7;
    std::int64_t written = -1;
    [[nodiscard]] std::size_t parameter_count() const override { return 2; }
    [[nodiscard]] Parameter parameter(std::size_t index) const override {
        return {.name = index == 0 ? "shown" : "limit",
                .writable = index == 1,
                .least = -10,
                .most = 10,
                .value = limit};
    }
    Status write_parameter(std::string_view name, std::int64_t value, Instant) override {
        EXPECT(name == "limit");
        written = value;
        return answer;
    }
};

constexpr std::array<Capability, 3> capabilities{
    Capability{.quantity = Quantity::power_w},
    Capability{.quantity = Quantity::energy_wh},
    Capability{.quantity = Quantity::relay_closed, .settable = true, .least = 0, .most = 1}};

Device* make_plug(Arena& arena, const DeviceSettings& /*settings*/, DeviceOut& out) {
    Plug& plug = arena.make<Plug>();
    plug.out = &out;
    return &plug;
}

constexpr Driver driver{"plug", LineKind::modbus, sizeof(Plug), capabilities, &make_plug};

struct Scene final : GatewayOut {
    std::array<Segment, 16> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 2> clocks{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch{};
    std::array<JournalEntry, 8> memory{};
    Arena arena{block};
    Outbox outbox;
    CommandJournal journal;
    Gateway gateway;
    Plug* plug = nullptr;
    Instant now = Instant{} + seconds(10);
    int readings = 0;
    int identified_times = 0;
    int faults_told = 0;
    int breaches = 0;
    ResultCode last = ResultCode::malformed;
    int results = 0;

    static OutboxSettings settings() {
        OutboxSettings s;
        s.segment_blocks = 2;
        for (ClassSettings& c : s.classes) {
            c.commit = {};
        }
        return s;
    }
    explicit Scene(Duration silent_after = seconds(600))
        : outbox((records = {}, records), settings(), {segments, sinks, clocks, scratch}),
          journal((journal_bytes = {}, journal_bytes), memory),
          gateway(outbox, journal, arena, {.devices = 1, .tasks = 2}, *this) {
        const Name sink = "broker";
        EXPECT(outbox.open({&sink, 1}, 0x1234'5678'9ABC'DEF1, now).has_value());
        EXPECT(journal.open().has_value());
        DeviceSettings device;
        device.name = "heater";
        device.driver = "plug";
        device.keep = {};
        device.silent_after = silent_after;
        plug = static_cast<Plug*>(&gateway.add_device(driver, device, arena));
    }
    void reading(std::size_t, const Reading&, Instant) override { ++readings; }
    void identified(std::size_t, const DeviceInfo&, Instant) override { ++identified_times; }
    void fault(const Fault&, Instant) override { ++faults_told; }
    void breach(const char*, Instant) override { ++breaches; }
    void command_begun(const CommandId&, Status) override {}
    void command_finished(const CommandResult& result, CommandSource, Instant) override {
        last = result.code;
        ++results;
    }

    /// Runs until nothing is left to do; storage answers every sync with `answer`.
    void settle(const Status& answer = done) {
        for (int i = 0; i < 40; ++i) {
            now = now + milliseconds(10);
            (void)gateway.step(now);
            SyncTicket ticket = 0;
            if (records.take(ticket)) {
                outbox.synced(ticket, answer, now);
            }
            if (journal_bytes.take(ticket)) {
                gateway.commands().synced(ticket, done, now);
            }
        }
    }
    void give_many(std::size_t values) {
        Reading reading;
        reading.device = "heater";
        for (std::size_t i = 0; i < values; ++i) {
            reading.values.put(Quantity::temperature_mc, static_cast<std::uint8_t>(i + 1), 5);
        }
        plug->out->reading(reading, now);
    }
    void give(std::int64_t power_w, std::int64_t energy_wh = 0) {
        Reading reading;
        reading.device = "heater";
        reading.values.put(Quantity::power_w, 0, power_w);
        if (energy_wh != 0) {
            reading.values.put(Quantity::energy_wh, 0, energy_wh);
        }
        plug->out->reading(reading, now);
    }
    void fail(Code code, int times) {
        for (int i = 0; i < times; ++i) {
            plug->out->failed(Error{code, 0, 0}, now);
        }
    }
    bool raised(FaultKind kind, const char* source = "heater") {
        return gateway.faults().raised(source, kind);
    }
    ResultCode submit(Action action, const char* quantity, std::int64_t value) {
        Command command;
        command.id = std::string_view(&"abcdefghij"[results], 1);
        command.target = "heater";
        command.action = action;
        command.quantity = quantity;
        command.value = value;
        const ResultCode taken = gateway.submit(command, CommandSource::local, now);
        settle();
        return taken;
    }
    /// The newest event; its text is empty where none is.
    Event last_event() {
        settle();
        std::array<std::uint8_t, 4096> buffer{};
        Cursor cursor{.record_class = RecordClass::billing,
                      .seq = outbox.accepted_to(RecordClass::billing)};
        Event event;
        if (const auto item = outbox.next(cursor, buffer, now); item && item->record) {
            Reader in(item->record->payload);
            EXPECT(from_cbor(in, event).has_value());
        }
        return event;
    }
    DeviceState state() { return gateway.snapshot().devices()[0].state; }
};

}  // namespace

TEST(a_reading_reaches_the_snapshot_the_outbox_and_the_program) {
    Scene scene;
    scene.give(-1520);
    scene.settle();
    const LatestValue* latest = scene.gateway.snapshot().latest(0, Quantity::power_w);
    EXPECT(latest != nullptr && latest->value.number == -1520);
    EXPECT(scene.outbox.accepted_to(RecordClass::telemetry) == 1 && scene.readings == 1);
}

TEST(an_event_that_is_told_becomes_a_record) {
    Scene scene;
    scene.gateway.tell(EventKind::stopped, "Told to stop.", scene.now);
    scene.settle();
    std::array<std::uint8_t, 4096> buffer{};
    Cursor cursor{.record_class = RecordClass::billing, .seq = 1};
    const auto item = scene.outbox.next(cursor, buffer, scene.now);
    Event event;
    EXPECT(item && item->record && item->record->kind == RecordKind::event);
    Reader in(item->record->payload);
    EXPECT(from_cbor(in, event).has_value());
    EXPECT(event.kind == EventKind::stopped && event.device.empty());
    EXPECT(event.text.view() == "Told to stop.");
}

TEST(a_counter_that_falls_is_counted_and_told_once_an_hour) {
    Scene scene;
    scene.give(100, 5000);
    scene.give(50, 5001);
    EXPECT(scene.gateway.counter_falls() == 0);
    scene.give(100, 12);
    scene.give(100, 7);
    EXPECT(scene.gateway.counter_falls() == 2);
    scene.settle();
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == 1);
    scene.now = scene.now + seconds(3600);
    scene.give(100, 3);
    scene.settle();
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == 2 && scene.breaches == 0);
}

TEST(numbers_that_do_not_add_up_are_told_and_the_program_is_asked_to_stop) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    scene.settle();
    EXPECT(scene.breaches == 0);
    scene.now = scene.now + seconds(5);
    StoreNumbers before = numbers_of(scene.outbox);
    before.classes[0].appended += 1000;  // as if numbers had been taken back
    scene.gateway.audit_against(before, scene.now);
    EXPECT(scene.breaches == 1 && scene.raised(FaultKind::broken_invariant, ""));
}

TEST(a_start_without_a_clock_says_so_until_the_time_is_learned) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    EXPECT(scene.raised(FaultKind::clock_not_set, "") && !scene.gateway.unix_ms(scene.now));
    scene.gateway.learn_time(1'790'000'000'000, scene.now);
    EXPECT(!scene.raised(FaultKind::clock_not_set, ""));
    EXPECT(scene.gateway.unix_ms(scene.now + seconds(2)) == 1'790'000'002'000);
    scene.settle();
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == 1);  // the event of the start
}

TEST(a_start_with_a_known_time_raises_no_fault) {
    Scene scene;
    scene.gateway.learn_time(1'790'000'000'000, scene.now);
    scene.gateway.start("1.0", scene.now);
    EXPECT(!scene.raised(FaultKind::clock_not_set, "") && scene.faults_told == 0);
}

TEST(a_device_is_asleep_after_three_silent_polls_which_is_no_fault) {
    Scene scene;
    scene.give(1);
    scene.fail(Code::timeout, 2);
    EXPECT(scene.state() == DeviceState::online);
    scene.fail(Code::not_found, 1);
    EXPECT(scene.state() == DeviceState::asleep && scene.faults_told == 0);
    scene.give(2);
    EXPECT(scene.state() == DeviceState::online);
}

TEST(a_device_that_is_silent_for_long_is_a_notice_until_it_answers) {
    Scene scene;
    scene.give(1);
    scene.fail(Code::timeout, 3);
    scene.now = scene.now + seconds(599);
    scene.fail(Code::timeout, 1);
    EXPECT(!scene.raised(FaultKind::device_silent));
    scene.now = scene.now + seconds(1);
    scene.fail(Code::timeout, 2);
    EXPECT(scene.raised(FaultKind::device_silent) && scene.faults_told == 1);
    EXPECT(scene.gateway.faults().active()[0].fault.severity == Severity::notice);
    scene.give(2);
    EXPECT(!scene.raised(FaultKind::device_silent) && scene.faults_told == 2);
    scene.fail(Code::timeout, 3);  // the next silence counts anew
    EXPECT(!scene.raised(FaultKind::device_silent));
    scene.now = scene.now + seconds(601);
    scene.fail(Code::timeout, 1);
    scene.fail(Code::malformed, 1);  // a wrong answer is no silence
    EXPECT(!scene.raised(FaultKind::device_silent) && scene.faults_told == 4);
}

TEST(a_device_that_may_sleep_for_ever_is_no_fault) {
    Scene scene{Duration{}};
    scene.fail(Code::timeout, 3);
    scene.now = scene.now + seconds(86'400);
    scene.fail(Code::timeout, 1);
    EXPECT(scene.state() == DeviceState::asleep && scene.faults_told == 0);
}

TEST(values_that_have_no_room_are_told_until_a_kept_reading_has_them_all) {
    Scene scene;
    scene.give_many(limits::values_per_reading_max + 1);
    EXPECT(scene.raised(FaultKind::values_left_out) && scene.readings == 1);
    scene.give_many(limits::values_per_reading_max);
    EXPECT(!scene.raised(FaultKind::values_left_out) && scene.faults_told == 2);
}

TEST(values_that_are_impossible_are_told_and_not_shown) {
    Scene scene;
    scene.give(1);
    scene.give(number_most + 1);
    EXPECT(scene.raised(FaultKind::values_left_out));
    EXPECT(scene.gateway.snapshot().latest(0, Quantity::power_w)->value.number == 1);
    scene.give(2);
    EXPECT(!scene.raised(FaultKind::values_left_out));
}

TEST(a_device_that_answers_wrongly_three_times_refuses_until_it_gives_a_reading) {
    Scene scene;
    scene.fail(Code::bad_checksum, 2);
    EXPECT(!scene.raised(FaultKind::device_refuses));
    scene.fail(Code::malformed, 1);
    EXPECT(scene.raised(FaultKind::device_refuses) && scene.state() == DeviceState::refusing);
    scene.fail(Code::timeout, 1);  // and then falls silent
    EXPECT(scene.state() == DeviceState::asleep);
    scene.give(3);
    EXPECT(!scene.raised(FaultKind::device_refuses) && scene.state() == DeviceState::online);
}

TEST(another_serial_number_at_the_same_address_is_a_fault_and_the_same_one_is_no_news) {
    Scene scene;
    DeviceInfo info;
    info.maker = "Maker";
    info.serial = "1";
    scene.plug->out->identified(info, scene.now);
    scene.plug->out->identified(info, scene.now);
    EXPECT(scene.identified_times == 1 && !scene.raised(FaultKind::identity_changed));
    info.version = "2";
    scene.plug->out->identified(info, scene.now);
    EXPECT(scene.identified_times == 2 && !scene.raised(FaultKind::identity_changed));
    info.serial = "7";
    scene.plug->out->identified(info, scene.now);
    EXPECT(scene.raised(FaultKind::identity_changed));
    EXPECT(scene.gateway.device_info(0).name == "heater" &&
           scene.gateway.device_info(0).serial == "7");
}

TEST(a_command_is_checked_against_what_the_device_can_be_set_to) {
    Scene scene;
    EXPECT(scene.submit(Action::set, "relay_closed", 2) == ResultCode::out_of_range);
    EXPECT(scene.submit(Action::set, "relay_closed", -1) == ResultCode::out_of_range);
    EXPECT(scene.submit(Action::set, "power_w", 1) == ResultCode::unsupported);
    EXPECT(scene.submit(Action::set, "no such thing", 1) == ResultCode::unsupported);
    EXPECT(scene.plug->wanted == -1);
}

TEST(a_command_reaches_the_device_and_ends_with_what_it_says) {
    Scene scene;
    EXPECT(scene.submit(Action::set, "relay_closed", 1) == ResultCode::executed);
    EXPECT(scene.plug->wanted == 1 && scene.results == 0);
    scene.plug->out->acted(ResultCode::not_confirmed, 0, scene.now);
    scene.settle();
    EXPECT(scene.results == 1 && scene.last == ResultCode::not_confirmed);
}

TEST(a_read_command_polls_at_once) {
    Scene scene;
    EXPECT(scene.submit(Action::read, "", 0) == ResultCode::executed);
    EXPECT(scene.plug->polls == 1 && scene.last == ResultCode::executed);
}

TEST(a_table_full_of_signed_commands_is_a_fault_until_some_have_expired) {
    Scene scene;
    constexpr std::int64_t start_ms = 1'790'000'000'000;
    scene.gateway.learn_time(start_ms, scene.now);
    for (int number = 0; number < 9; ++number) {  // the table has room for 8
        EXPECT(!scene.raised(FaultKind::commands_full, ""));
        Command command;
        command.id = std::string_view(&"abcdefghij"[number], 1);
        command.issuer = "operator";
        command.target = "heater";
        command.action = Action::read;
        command.expiry_ms = start_ms + 60'000;
        (void)scene.gateway.submit(command, CommandSource::remote, scene.now);
        scene.settle();
    }
    EXPECT(scene.last == ResultCode::busy && scene.raised(FaultKind::commands_full, ""));
    scene.now = scene.now + seconds(60);
    scene.settle();
    EXPECT(!scene.raised(FaultKind::commands_full, ""));
}

TEST(what_the_device_refuses_to_begin_is_told_by_kind) {
    Scene scene;
    scene.plug->answer = JW_FAIL(busy);
    (void)scene.submit(Action::set, "relay_closed", 1);
    EXPECT(scene.last == ResultCode::busy);
    scene.plug->answer = JW_FAIL(out_of_range);
    (void)scene.submit(Action::set, "relay_closed", 1);
    EXPECT(scene.last == ResultCode::out_of_range);
    scene.plug->answer = JW_FAIL(unsupported);
    (void)scene.submit(Action::read, "", 0);
    EXPECT(scene.last == ResultCode::unsupported && scene.results == 3);
}

TEST(a_disk_that_refuses_is_a_fault_until_a_sync_succeeds) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    scene.give(1);
    scene.settle(JW_FAIL(internal));
    EXPECT(scene.raised(FaultKind::storage_failed, ""));
    scene.settle();
    scene.give(2);
    scene.settle();
    EXPECT(!scene.raised(FaultKind::storage_failed, ""));
}

TEST(what_a_failing_disk_did_not_take_is_told_afterwards) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    scene.settle();
    const std::uint64_t events = scene.outbox.accepted_to(RecordClass::billing);
    scene.give(1);
    for (int i = 0; i < 3; ++i) {
        scene.settle(JW_FAIL(internal));
        scene.give(2);  // not taken
    }
    EXPECT(scene.raised(FaultKind::storage_failed, ""));
    EXPECT(!scene.raised(FaultKind::storage_full, ""));
    for (int i = 0; i < 40; ++i) {
        scene.settle();
    }
    EXPECT(!scene.raised(FaultKind::storage_failed, ""));
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == events + 1);
}

TEST(faults_that_are_over_by_themselves_are_told_for_an_hour_and_none_outlives_a_stop) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    scene.gateway.faults().raise(
        "", FaultKind::records_dropped, Severity::alarm, "", scene.now, scene.now + seconds(3600));
    scene.now = scene.now + seconds(3599);
    scene.settle();
    EXPECT(scene.raised(FaultKind::records_dropped, ""));
    scene.now = scene.now + seconds(2);
    scene.settle();
    EXPECT(!scene.raised(FaultKind::records_dropped, ""));
    EXPECT(scene.raised(FaultKind::clock_not_set, ""));
    scene.gateway.flush(scene.now);
    EXPECT(scene.gateway.faults().active().empty());
}

TEST(readings_that_a_full_store_drops_are_an_alarm) {
    Scene scene;
    scene.gateway.start("1.0", scene.now);
    for (int i = 0; i < 4000 && !scene.raised(FaultKind::records_dropped, ""); ++i) {
        scene.give(i);
        if (i % 40 == 0) {
            scene.settle();
        }
    }
    EXPECT(scene.raised(FaultKind::records_dropped, ""));
}

TEST(a_parameter_is_written_by_a_command_and_who_did_it_becomes_an_event) {
    Scene scene;
    EXPECT(scene.submit(Action::set, "limit", 3) == ResultCode::executed);
    EXPECT(scene.plug->written == 3 && scene.results == 0);
    scene.plug->out->acted(ResultCode::executed, 3, scene.now);
    const Event event = scene.last_event();
    EXPECT(scene.results == 1 && scene.last == ResultCode::executed);
    EXPECT(event.kind == EventKind::notice && event.device == "heater");
    EXPECT(event.text.view() == "local set limit from 7 to 3.");
    scene.plug->limit = std::nullopt;
    (void)scene.submit(Action::set, "limit", -4);
    scene.plug->out->acted(ResultCode::executed, -4, scene.now);
    EXPECT(scene.last_event().text.view() == "local set limit to -4.");
}

TEST(a_parameter_that_was_not_written_is_no_event) {
    Scene scene;
    for (const ResultCode code : {ResultCode::device_refused, ResultCode::not_confirmed}) {
        (void)scene.submit(Action::set, "limit", 3);
        scene.plug->out->acted(code, 7, scene.now);
        scene.settle();
        EXPECT(scene.last == code);
    }
    (void)scene.submit(Action::set, "relay_closed", 1);
    scene.plug->out->acted(ResultCode::executed, 1, scene.now);
    EXPECT(scene.last_event().text.empty());
}

TEST(what_is_no_parameter_or_out_of_its_range_is_refused_before_the_device_is_asked) {
    Scene scene;
    EXPECT(scene.submit(Action::set, "limit", 11) == ResultCode::out_of_range);
    EXPECT(scene.submit(Action::set, "shown", 1) == ResultCode::unsupported);
    EXPECT(scene.submit(Action::set, "other", 1) == ResultCode::unsupported);
    EXPECT(scene.plug->written == -1 && scene.results == 3);
    scene.plug->answer = JW_FAIL(denied);
    (void)scene.submit(Action::set, "limit", 1);
    EXPECT(scene.last == ResultCode::denied && scene.results == 4);
}

TEST(events_of_a_device_are_kept_ten_a_minute_and_the_others_counted) {
    Scene scene;
    for (int i = 0; i < 25; ++i) {
        scene.plug->out->event("It reports over voltage.", scene.now);
    }
    const Event event = scene.last_event();
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == 10);
    EXPECT(event.text.view() == "It reports over voltage." && event.device == "heater");
    scene.now = scene.now + seconds(60);
    scene.plug->out->event("It reports started.", scene.now);
    EXPECT(scene.last_event().text.view() == "It reports started.");
    EXPECT(scene.outbox.accepted_to(RecordClass::billing) == 12);
}
