// SPDX-License-Identifier: Apache-2.0
// Live sinks at a broker of ours: what is sent when, with which flags, and what is not done.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/task/ram_storage.h"
#include "host/bms_sink.h"
#include "host/fake_broker.h"
#include "host/homeassistant_sink.h"

namespace jw {
namespace {

/// A device that gives what the test tells it to give.
struct Plug final : Device {
    DeviceOut* out = nullptr;
    std::vector<std::int64_t> wanted;
    Status act(Quantity, std::int64_t value, Instant) override {
        wanted.push_back(value);
        return done;
    }
    Status poll_now(Instant) override { return done; }
};

Plug* made = nullptr;  // an arena runs no destructors, and the plug has a vector

constexpr Capability gives[] = {
    {.quantity = Quantity::power_w},
    {.quantity = Quantity::energy_import_wh},
    {.quantity = Quantity::soc_permille},
    {.quantity = Quantity::cell_voltage_mv, .index = 1},
    {.quantity = Quantity::relay_closed, .settable = true, .least = 0, .most = 1}};

Device* make_plug(Arena& /*arena*/, const DeviceSettings& /*settings*/, DeviceOut& out) {
    made->out = &out;
    return made;
}
constexpr Driver driver{"plug", LineKind::none, 0, gives, &make_plug};

constexpr int retained_qos_1 = 0x33;

class LiveSinkTest : public ::testing::Test, private GatewayOut {
  protected:
    LiveSinkTest() {
        made = &plug_;
        settings_.gateway = "gw-1";
        GatewaySettings::Device device;
        device.settings.name = "plug";
        device.settings.poll = milliseconds(100);
        device.title = "Wall plug";
        settings_.devices.push_back(device);
        GatewaySettings::Live live;
        live.name = "ha";
        live.host = "127.0.0.1";
        live.port = broker_.port();
        live.client_id = "gw-1-ha";
        live.prefix = "homeassistant";
        live.every = milliseconds(100);
        live.device = "plug";
        settings_.live.push_back(live);
        (void)gateway_.add_device(driver, device.settings, arena_);
        EXPECT_TRUE(outbox_.open({}, 0x1234'5678'9ABC'DEF1, Loop::now()));
        EXPECT_TRUE(journal_.open());
    }
    template <class Sink>
    void start() {
        sink_ = std::make_unique<Sink>(loop_, gateway_, settings_, 0);
        gateway_.add_task(*sink_, Priority::housekeeping, Loop::now());
        loop_.use_step([this](Instant now) { return step(now); });
        sink_->start(Loop::now());
    }
    Instant step(Instant now) {
        if (reads_) {
            Reading reading;
            reading.device = "plug";
            reading.values = values_;
            plug_.out->reading(reading, now);
        }
        (void)gateway_.step(now);
        SyncTicket ticket = 0;
        if (records_.take(ticket)) {
            outbox_.synced(ticket, done, now);
        }
        if (journal_bytes_.take(ticket)) {
            gateway_.commands().synced(ticket, done, now);
        }
        return now + milliseconds(2);
    }
    bool until(const std::function<bool()>& done) { return loop_.run_until(done, seconds(20)); }

    /// The message number `nth` on a topic, or -1.
    int at(std::string_view topic, int nth = 0) const {
        for (std::size_t i = 0; i < broker_.topics.size(); ++i) {
            if (broker_.topics[i] == topic && nth-- == 0) {
                return static_cast<int>(i);
            }
        }
        return -1;
    }
    std::string payload(int index) const {
        return index < 0 ? "nothing" : broker_.payloads[static_cast<std::size_t>(index)];
    }
    /// Sends a message of QoS 0 to the sink.
    void tell(std::string_view topic, std::string_view payload, bool retain) {
        const std::size_t size = 2 + topic.size() + 1 + payload.size();
        std::string packet(1, retain ? '\x31' : '\x30');
        packet += static_cast<char>(0x80 | (size & 0x7F));
        packet += static_cast<char>(size >> 7);
        packet += static_cast<char>(topic.size() >> 8);
        packet += static_cast<char>(topic.size() & 0xFF);
        broker_.send(packet.append(topic).append(1, '\0').append(payload));
    }

    void reading(std::size_t, const Reading&, Instant) override {}
    void identified(std::size_t, const DeviceInfo&, Instant) override {}
    void fault(const Fault&, Instant) override {}
    void command_begun(const CommandId&, Status) override {}
    void command_finished(const CommandResult&, CommandSource, Instant) override {}
    void breach(const char*, Instant) override {}

    static OutboxSettings outbox_settings() {
        OutboxSettings settings;
        settings.segment_blocks = 2;
        return settings;
    }

    Plug plug_;
    Values values_;
    bool reads_ = true;
    Loop loop_;
    test::FakeBroker broker_{loop_};
    GatewaySettings settings_;
    test::RamStorage<32> records_;
    test::RamStorage<4> journal_bytes_;
    std::array<Segment, 16> segments_{};
    std::array<ClockPair, 2> clocks_{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch_{};
    std::array<JournalEntry, 8> remembered_{};
    alignas(16) std::array<std::byte, 65536> block_{};
    Arena arena_{block_};
    Outbox outbox_{records_, outbox_settings(), {segments_, {}, clocks_, scratch_}};
    CommandJournal journal_{journal_bytes_, remembered_};
    Gateway gateway_{outbox_, journal_, arena_, {.devices = 1, .tasks = 1}, *this};
    std::unique_ptr<LiveSink> sink_;
};

constexpr const char* config = "homeassistant/device/jouleway_gw-1/plug/config";
constexpr const char* state = "jouleway/gw-1/plug/state";
constexpr const char* device_status = "jouleway/gw-1/plug/status";
constexpr const char* gateway_status = "jouleway/gw-1/status";

TEST_F(LiveSinkTest, a_device_is_available_with_a_fresh_state_and_before_the_gateway) {
    values_.put(Quantity::power_w, 0, -1520);
    values_.put(Quantity::energy_import_wh, 0, 1230412);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(gateway_status) >= 0; }));
    EXPECT_LT(at(state), at(device_status));
    EXPECT_LT(at(device_status), at(gateway_status));
    EXPECT_EQ(payload(at(device_status)), "online");
    EXPECT_EQ(payload(at(gateway_status)), "online");
    EXPECT_EQ(payload(at(state)), R"({"power_w":-1520,"energy_import_kwh":1230.412})");
    for (const char* topic : {state, device_status, gateway_status}) {
        EXPECT_EQ(broker_.flags[static_cast<std::size_t>(at(topic))], retained_qos_1) << topic;
    }
}

TEST_F(LiveSinkTest, an_announcement_is_retained_and_the_state_follows_half_a_second_later) {
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(config) >= 0; }));
    const Instant announced = Loop::now();
    EXPECT_EQ(broker_.flags[static_cast<std::size_t>(at(config))], retained_qos_1);
    const std::size_t before = broker_.topics.size();
    ASSERT_TRUE(until([&] {
        return std::find(broker_.topics.begin() + static_cast<std::ptrdiff_t>(before),
                         broker_.topics.end(),
                         state) != broker_.topics.end();
    }));
    EXPECT_GE(Loop::now() - announced, milliseconds(450));
}

TEST_F(LiveSinkTest, what_an_earlier_life_announced_stays_and_a_device_that_is_gone_is_cleared) {
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(gateway_status) >= 0; }));
    tell(config, R"({"cmps":{"energy_import_wh":{},"relay_closed_set":{},"voltage_mv":{}}})", true);
    tell("homeassistant/device/jouleway_gw-1/attic/config", R"({"cmps":{}})", true);
    ASSERT_TRUE(until([&] { return at(config) >= 0; }));
    const std::string announced = payload(at(config));
    EXPECT_NE(announced.find("\"energy_import_wh\":"), std::string::npos);
    EXPECT_NE(announced.find("\"relay_closed\":"), std::string::npos);
    EXPECT_EQ(announced.find("\"voltage_mv\":"), std::string::npos) << "the driver has none";
    for (const char* topic : {"homeassistant/device/jouleway_gw-1/attic/config",
                              "jouleway/gw-1/attic/state",
                              "jouleway/gw-1/attic/status",
                              "jouleway/gw-1/attic/faults"}) {
        ASSERT_TRUE(until([&] { return at(topic) >= 0; })) << topic;
        EXPECT_EQ(payload(at(topic)), "");
        EXPECT_EQ(broker_.flags[static_cast<std::size_t>(at(topic))], retained_qos_1);
    }
}

TEST_F(LiveSinkTest, a_birth_is_answered_within_five_seconds) {
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(config) >= 0; }));
    tell("homeassistant/status", "online", false);
    const Instant born = Loop::now();
    ASSERT_TRUE(until([&] { return at(config, 1) >= 0; }));
    EXPECT_LE(Loop::now() - born, milliseconds(6000));
    EXPECT_EQ(payload(at(config)), payload(at(config, 1)));
}

TEST_F(LiveSinkTest, a_silent_device_becomes_unavailable_and_no_state_is_told) {
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(gateway_status) >= 0; }));
    reads_ = false;
    for (int i = 0; i < 3; ++i) {
        plug_.out->failed(JW_FAIL(timeout), Loop::now());
    }
    ASSERT_TRUE(until([&] { return at(device_status, 1) >= 0; }));
    EXPECT_EQ(payload(at(device_status, 1)), "offline");
    const auto states = std::count(broker_.topics.begin(), broker_.topics.end(), state);
    const Instant silent = Loop::now();
    (void)until([&] { return Loop::now() - silent > milliseconds(700); });
    EXPECT_EQ(std::count(broker_.topics.begin(), broker_.topics.end(), state), states);
}

TEST_F(LiveSinkTest, a_state_comes_no_more_often_than_asked_for) {
    settings_.live[0].every = milliseconds(500);
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(config) >= 0; }));
    ASSERT_TRUE(until([&] { return at(state, 6) >= 0; }));
    const Instant first = Loop::now();
    ASSERT_TRUE(until([&] { return at(state, 10) >= 0; }));
    EXPECT_GE(Loop::now() - first, milliseconds(1500));
}

TEST_F(LiveSinkTest, a_command_is_carried_out_unless_the_broker_kept_it) {
    settings_.live[0].commands = true;
    values_.put(Quantity::relay_closed, 0, 1);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(gateway_status) >= 0; }));
    constexpr const char* topic = "jouleway/gw-1/plug/set/relay_closed";
    tell(topic, "OFF", true);
    tell(topic, "perhaps", false);
    tell("jouleway/gw-1/plug/set/power_w", "5", false);
    tell("jouleway/gw-1/attic/set/relay_closed", "ON", false);
    tell(topic, "ON", false);
    ASSERT_TRUE(until([&] { return !plug_.wanted.empty(); }));
    EXPECT_EQ(plug_.wanted, std::vector<std::int64_t>{1});
    EXPECT_EQ(dynamic_cast<HomeAssistantSink&>(*sink_).retained_commands(), 1U);
}

TEST_F(LiveSinkTest, nothing_can_be_set_where_commands_are_off) {
    values_.put(Quantity::relay_closed, 0, 1);
    start<HomeAssistantSink>();
    ASSERT_TRUE(until([&] { return at(gateway_status) >= 0; }));
    tell("jouleway/gw-1/plug/set/relay_closed", "ON", false);
    ASSERT_TRUE(until([&] { return at(config) >= 0; }));
    EXPECT_TRUE(plug_.wanted.empty());
    EXPECT_EQ(payload(at(config)).find("cmd_t"), std::string::npos);
}

TEST_F(LiveSinkTest, a_broker_that_is_away_is_told_as_a_fault_after_a_minute) {
    settings_.live[0].port = test::free_port();
    start<HomeAssistantSink>();
    (void)sink_->run(Loop::now() + seconds(59));
    EXPECT_FALSE(gateway_.faults().raised("ha", FaultKind::sink_unreachable));
    (void)sink_->run(Loop::now() + seconds(61));
    EXPECT_TRUE(gateway_.faults().raised("ha", FaultKind::sink_unreachable));
}

TEST_F(LiveSinkTest, a_fault_of_a_device_is_its_problem) {
    values_.put(Quantity::power_w, 0, 7);
    start<HomeAssistantSink>();
    constexpr const char* faults = "jouleway/gw-1/plug/faults";
    ASSERT_TRUE(until([&] { return at(faults) >= 0; }));
    EXPECT_EQ(payload(at(faults)), R"({"state":"OFF","faults":[]})");
    gateway_.faults().raise(
        "plug", FaultKind::identity_changed, Severity::warning, "It is another.", Loop::now());
    ASSERT_TRUE(until([&] { return at(faults, 1) >= 0; }));
    EXPECT_TRUE(payload(at(faults, 1)).starts_with(R"({"state":"ON","faults":[{"kind":)"));
}

TEST_F(LiveSinkTest, a_battery_has_a_retained_status_and_metrics_that_are_not) {
    settings_.live[0].type = LiveType::bms;
    settings_.live[0].prefix = "bms";
    values_.put(Quantity::soc_permille, 0, 805);
    values_.put(Quantity::cell_voltage_mv, 1, 3320);
    start<BmsSink>();
    ASSERT_TRUE(until([&] { return at("bms/plug/metrics") >= 0; }));
    EXPECT_EQ(payload(at("bms/plug/status")), "online");
    EXPECT_EQ(broker_.flags[static_cast<std::size_t>(at("bms/plug/status"))], retained_qos_1);
    EXPECT_EQ(broker_.flags[static_cast<std::size_t>(at("bms/plug/metrics"))], 0x30);
    EXPECT_EQ(payload(at("bms/plug/metrics")),
              R"({"type":"tinybms_metrics","state_of_charge_pct":80.5,"cell_voltages_mv":[3320],)"
              R"("limits":{}})");
    reads_ = false;
    for (int i = 0; i < 3; ++i) {
        plug_.out->failed(JW_FAIL(timeout), Loop::now());
    }
    ASSERT_TRUE(until([&] { return at("bms/plug/status", 1) >= 0; }));
    EXPECT_EQ(payload(at("bms/plug/status", 1)), "offline");
}

}  // namespace
}  // namespace jw
