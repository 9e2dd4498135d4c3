// SPDX-License-Identifier: Apache-2.0
// MqttSink: what leaves an outbox arrives at a broker in the form that the settings ask for.
#include "host/mqtt_sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/cbor.h"
#include "core/task/ram_storage.h"
#include "host/fake_broker.h"

namespace jw {
namespace {

/// Keeps what a CBOR batch holds.
struct Decoded final : BatchReader {
    std::vector<std::uint64_t> seqs;
    std::vector<std::int64_t> watts;
    std::string gateway;
    void record(const BatchHead& head, const Record& record, bool /*has_wall_time*/) override {
        gateway = head.gateway;
        seqs.push_back(record.id.seq);
        Reading reading;
        Reader in(record.payload);
        ASSERT_TRUE(from_cbor(in, reading));
        const Value* watt = reading.values.find(Quantity::power_w);
        ASSERT_NE(watt, nullptr);
        watts.push_back(watt->number);
    }
    void gap(const Gap& /*gap*/) override {}
};

/// An outbox in memory, a gateway without devices, and one sink at a broker of ours.
class MqttSinkTest : public ::testing::Test, private GatewayOut {
  protected:
    MqttSinkTest() {
        settings_.gateway = "gw-1";
        settings_.site = "house";
        settings_.storage.path = folder_.path();
        GatewaySettings::Sink sink;
        sink.name = "broker";
        sink.host = "127.0.0.1";
        sink.port = broker_.port();
        sink.client_id = "gw-1";
        sink.batch.readings = 3;
        settings_.sinks.push_back(sink);
        const Name name = "broker";
        EXPECT_TRUE(outbox_.open({&name, 1}, 0x1234'5678'9ABC'DEF1, Loop::now()));
        EXPECT_TRUE(journal_.open());
    }
    void start(PayloadFormat format, std::uint8_t version = 5) {
        settings_.sinks[0].payload = format;
        settings_.sinks[0].version = version;
        sink_.emplace(loop_, gateway_, settings_, 0, std::span<const Issuer>());
        gateway_.add_task(*sink_, Priority::sink, Loop::now());
        loop_.use_step([this](Instant now) { return step(now); });
        sink_->start(Loop::now());
    }
    Instant step(Instant now) {
        (void)gateway_.step(now);
        SyncTicket ticket = 0;
        if (records_.take(ticket)) {
            outbox_.synced(ticket, done, now);
        }
        gateway_.wake(*sink_, now);
        return now + milliseconds(2);
    }
    void append(std::int64_t watts) {
        Reading reading;
        reading.device = "grid";
        reading.values.put(Quantity::power_w, 0, watts);
        append(reading);
    }
    void append(const Reading& reading) {
        std::array<std::uint8_t, limits::record_payload_max> payload{};
        Writer out(payload);
        to_cbor(reading, out);
        EXPECT_TRUE(outbox_.append(
            RecordClass::telemetry, RecordKind::reading, out.written(), Loop::now()));
    }
    /// Sends a retained message of QoS 0 to the sink.
    void tell(std::string_view topic, std::string_view payload) {
        const std::size_t size = 2 + topic.size() + 1 + payload.size();
        std::string packet = "\x31";
        packet += static_cast<char>(0x80 | (size & 0x7F));
        packet += static_cast<char>(size >> 7);
        packet += static_cast<char>(topic.size() >> 8);
        packet += static_cast<char>(topic.size() & 0xFF);
        broker_.send(packet.append(topic).append(1, '\0').append(payload));
    }
    bool until(const std::function<bool()>& done) { return loop_.run_until(done, seconds(30)); }
    /// Appends three readings and waits until the broker's acknowledgement is in the outbox. Gives
    /// the place of the batch among what the broker was sent.
    std::size_t deliver_three() {
        for (const std::int64_t watts : {-1520, 0, 7}) {
            append(watts);
        }
        EXPECT_TRUE(loop_.run_until(
            [this] { return outbox_.confirmed_to(0, RecordClass::telemetry) == 3; }, seconds(30)));
        for (std::size_t i = 0; i < broker_.topics.size(); ++i) {
            if (broker_.topics[i] == "jouleway/v1/gw-1/readings") {
                return i;
            }
        }
        ADD_FAILURE() << "no batch of readings came";
        return 0;
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
        for (ClassSettings& of_class : settings.classes) {
            of_class.commit = {};
        }
        return settings;
    }

    /// The broker answers what goes to that topic with a code, or not at all.
    void answer(std::string_view leaf, std::optional<int> code) {
        broker_.published = [this, leaf, code](int mid) {
            if (!broker_.topics.back().ends_with(leaf)) {
                broker_.acknowledge(mid);
            } else if (code) {
                broker_.acknowledge(mid, *code);
            } else {
                held_.push_back(mid);
            }
        };
    }
    std::size_t count(std::string_view leaf) const {
        return static_cast<std::size_t>(
            std::count_if(broker_.topics.begin(), broker_.topics.end(), [&](const auto& topic) {
                return topic.ends_with(leaf);
            }));
    }
    bool refuses() { return gateway_.faults().raised("broker", FaultKind::sink_refuses); }
    bool confirmed(std::uint64_t seq) {
        return until([&] { return outbox_.confirmed_to(0, RecordClass::telemetry) == seq; });
    }
    std::string letters() const {
        std::ifstream in(folder_.path() + "/dead-letters-broker");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    test::TempFolder folder_;
    std::vector<int> held_;
    Loop loop_;
    test::FakeBroker broker_{loop_};
    GatewaySettings settings_;
    test::RamStorage<32> records_;
    test::RamStorage<4> journal_bytes_;
    std::array<Segment, 16> segments_{};
    std::array<SinkCursor, 1> cursors_{};
    std::array<ClockPair, 2> clocks_{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> scratch_{};
    std::array<JournalEntry, 8> remembered_{};
    alignas(16) std::array<std::byte, 16384> block_{};
    Arena arena_{block_};
    Outbox outbox_{records_, outbox_settings(), {segments_, cursors_, clocks_, scratch_}};
    CommandJournal journal_{journal_bytes_, remembered_};
    Gateway gateway_{outbox_, journal_, arena_, {.devices = 0, .tasks = 1}, *this};
    std::optional<MqttSink> sink_;
};

TEST_F(MqttSinkTest, a_batch_arrives_as_json_and_says_so) {
    start(PayloadFormat::json);
    const std::size_t at = deliver_three();
    const auto batch = nlohmann::json::parse(broker_.payloads.at(at));
    EXPECT_EQ(batch["readings"].size(), 3U);
    EXPECT_EQ(batch["readings"][0]["power_w"], -1520);
    const std::string& properties = broker_.properties.at(at);
    EXPECT_NE(properties.find(std::string("\x03\x00\x10", 3) + "application/json"),
              std::string::npos);
    EXPECT_NE(properties.find("\x01\x01"), std::string::npos) << "payload is UTF-8";
}

TEST_F(MqttSinkTest, a_batch_arrives_as_cbor_and_decodes_to_what_was_kept) {
    start(PayloadFormat::cbor);
    const std::size_t at = deliver_three();
    Decoded decoded;
    ASSERT_TRUE(read_batch(as_bytes(broker_.payloads.at(at)), decoded));
    EXPECT_EQ(decoded.gateway, "gw-1");
    EXPECT_EQ(decoded.seqs, (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(decoded.watts, (std::vector<std::int64_t>{-1520, 0, 7}));
    EXPECT_EQ(broker_.properties.at(at), std::string("\x03\x00\x10", 3) + "application/cbor");
}

TEST_F(MqttSinkTest, cbor_goes_without_properties_where_the_broker_speaks_3_1_1) {
    start(PayloadFormat::cbor, 4);
    const std::size_t at = deliver_three();
    Decoded decoded;
    ASSERT_TRUE(read_batch(as_bytes(broker_.payloads.at(at)), decoded));
    EXPECT_EQ(decoded.seqs.size(), 3U);
    EXPECT_EQ(broker_.properties.at(at), "");
}

TEST_F(MqttSinkTest, the_status_stays_text_whatever_the_payload_is) {
    start(PayloadFormat::cbor);
    deliver_three();
    EXPECT_EQ(broker_.topics.at(0), "jouleway/v1/gw-1/status");
    EXPECT_EQ(broker_.payloads.at(0), "{\"online\":true}");
    EXPECT_NE(broker_.properties.at(0).find("application/json"), std::string::npos);
}

TEST_F(MqttSinkTest, what_a_hub_says_is_durable_counts_and_what_cannot_be_read_does_not) {
    settings_.sinks[0].two_stage = true;
    start(PayloadFormat::json);
    deliver_three();
    const std::string topic = "jouleway/v1/gw-1/durable";
    tell(topic, R"({"v":"1"})");
    const std::string head = fmt::format(R"({{"v":1,"epoch":"{:016x}","to":)", outbox_.epoch());
    tell(topic, head + R"([0,0,0,"3"]})");
    tell(topic, head + "[0,0,2,-1]}");
    tell(topic, head + "[0,0,0,2]}");
    ASSERT_TRUE(until([&] { return outbox_.durable_to(0, RecordClass::telemetry) == 2; }));
    EXPECT_EQ(outbox_.durable_to(0, RecordClass::billing), 0U);
    EXPECT_EQ(sink_->state(Loop::now()).connection.received, 4U);
    EXPECT_EQ(sink_->state(Loop::now()).connection.thrown, 0U);
}

TEST_F(MqttSinkTest, a_broker_that_refuses_everything_is_left_alone_for_minutes) {
    answer("", 0x87);
    start(PayloadFormat::json);
    for (int i = 0; i < 9; ++i) {
        append(i);
    }
    ASSERT_TRUE(
        until([&] { return refuses() && sink_->run(Loop::now()) - Loop::now() > seconds(290); }));
    EXPECT_LE(count("/readings"), 3U);
    EXPECT_NE(sink_->state(Loop::now()).reason.find("access rules"), std::string::npos);
    EXPECT_EQ(sink_->state(Loop::now()).delivered.rejected, 0U);
    EXPECT_EQ(letters(), "");
    EXPECT_EQ(outbox_.waiting(0, RecordClass::telemetry), 9U);
}

TEST_F(MqttSinkTest, a_quota_that_is_used_up_is_told_in_a_sentence) {
    answer("/readings", 0x97);
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return refuses(); }));
    EXPECT_EQ(sink_->state(Loop::now()).reason, "A quota at the broker is used up (0x97).");
}

TEST_F(MqttSinkTest, a_broker_that_refuses_for_a_while_gets_everything_afterwards) {
    answer("/readings", 0x83);
    start(PayloadFormat::json);
    for (int i = 0; i < 9; ++i) {
        append(i);
    }
    ASSERT_TRUE(until([&] { return refuses(); }));
    std::vector<std::uint64_t> seqs;
    broker_.published = [&](int mid) {
        if (broker_.topics.back().ends_with("/readings")) {
            const auto batch = nlohmann::json::parse(broker_.payloads.back());
            for (const auto& reading : batch["readings"]) {
                seqs.push_back(reading["seq"].get<std::uint64_t>());
            }
        }
        broker_.acknowledge(mid);
    };
    ASSERT_TRUE(confirmed(9));
    EXPECT_EQ(seqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    ASSERT_TRUE(until([&] { return !refuses(); }));
    EXPECT_EQ(sink_->state(Loop::now()).delivered.rejected, 0U);
    EXPECT_EQ(sink_->state(Loop::now()).reason, "");
}

TEST_F(MqttSinkTest, a_record_that_the_broker_cannot_take_is_set_aside_once) {
    broker_.published = [&](int mid) {
        const bool bad = broker_.payloads.back().find("\"seq\":2,") != std::string::npos &&
                         broker_.topics.back().ends_with("/readings");
        broker_.acknowledge(mid, bad ? 0x99 : 0);
    };
    start(PayloadFormat::json);
    for (int i = 0; i < 3; ++i) {
        append(i);
    }
    ASSERT_TRUE(confirmed(3));
    const std::string text = letters();
    EXPECT_TRUE(text.starts_with(fmt::format("{:016x} 3 2 ", outbox_.epoch()))) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    EXPECT_EQ(sink_->state(Loop::now()).delivered.rejected, 1U);
    EXPECT_TRUE(refuses());  // for somebody to see
    EXPECT_EQ(sink_->state(Loop::now()).letters_lost, 0U);
}

TEST_F(MqttSinkTest, a_record_that_finds_no_room_among_the_dead_letters_is_counted_and_told) {
    std::ofstream(folder_.path() + "/dead-letters-broker") << std::string((1 << 20) - 9, 'x');
    answer("/readings", 0x99);
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return sink_->state(Loop::now()).delivered.rejected == 1; }));
    EXPECT_EQ(sink_->state(Loop::now()).letters_lost, 1U);
    EXPECT_EQ(letters().size(), (1U << 20) - 9);
    ASSERT_FALSE(gateway_.faults().active().empty());
    EXPECT_EQ(gateway_.faults().active()[0].fault.text.view(),
              "The broker refuses records; dead-letters-broker is full, some are lost.");
}

TEST_F(MqttSinkTest, batches_fit_into_a_small_packet_and_only_what_never_fits_is_set_aside) {
    broker_.connack = [](int) {
        return std::string("\x20\x08\x00\x00\x05\x27\x00\x00\x05\xDC", 10);
    };
    settings_.sinks[0].batch.readings = 100;
    start(PayloadFormat::json);
    for (int i = 0; i < 30; ++i) {
        append(i);
    }
    Reading longest;
    longest.device = "battery";
    for (std::uint8_t i = 1; i <= 60; ++i) {
        longest.values.put(Quantity::reactive_energy_import_varh, i, number_most - i);
    }
    append(longest);
    append(31);
    ASSERT_TRUE(confirmed(32));
    std::string told;
    for (const std::string& payload : broker_.payloads) {
        EXPECT_LE(payload.size(), 1500U);
        told += payload.find("\"gaps\"") == std::string::npos ? "" : payload;
    }
    EXPECT_NE(told.find(R"("gaps":[{"from":31,"to":31,"reason":"rejected"}])"), std::string::npos);
    EXPECT_EQ(sink_->state(Loop::now()).delivered.rejected, 1U);
    EXPECT_EQ(sink_->state(Loop::now()).delivered.confirmed, 31U);
}

TEST_F(MqttSinkTest, a_broker_that_takes_too_small_packets_is_a_fault_and_gets_nothing) {
    broker_.connack = [](int) {
        return std::string("\x20\x08\x00\x00\x05\x27\x00\x00\x02\x00", 10);
    };
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return refuses(); }));
    EXPECT_EQ(sink_->state(Loop::now()).reason,
              "The broker takes packets of 512 bytes at most; 672 are needed.");
    EXPECT_EQ(sink_->run(Loop::now()), never);
}

TEST_F(MqttSinkTest, a_broker_without_qos_1_is_a_fault_and_gets_nothing) {
    broker_.connack = [](int) { return std::string("\x20\x05\x00\x00\x02\x24\x00", 7); };
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return refuses(); }));
    EXPECT_EQ(sink_->state(Loop::now()).reason,
              "The broker takes no QoS 1; readings would not be confirmed.");
    EXPECT_EQ(sink_->run(Loop::now()), never);
    sink_->stop();
    ASSERT_TRUE(until([&] { return broker_.left_in_order; }));
    EXPECT_TRUE(broker_.topics.empty());
    EXPECT_EQ(outbox_.waiting(0, RecordClass::telemetry), 1U);
}

TEST_F(MqttSinkTest, a_finished_command_is_cleared_although_all_batches_are_under_way) {
    settings_.sinks[0].inflight = 2;
    settings_.sinks[0].batch.readings = 1;
    answer("/readings", std::nullopt);
    start(PayloadFormat::json);
    for (int i = 0; i < 5; ++i) {
        append(i);
    }
    ASSERT_TRUE(until([&] { return held_.size() == 2; }));
    sink_->command_finished("q-1");
    ASSERT_TRUE(until([&] { return count("/commands/q-1") == 1; }));
    EXPECT_EQ(broker_.payloads.back(), "");
    EXPECT_EQ(broker_.flags.back() & 1, 1) << "retained";
    EXPECT_EQ(count("/readings"), 2U);
}

TEST_F(MqttSinkTest, a_finished_command_is_cleared_next_where_the_broker_takes_one_message) {
    broker_.connack = [](int) { return std::string("\x20\x06\x00\x00\x03\x21\x00\x01", 8); };
    settings_.sinks[0].batch.readings = 1;
    answer("/readings", std::nullopt);
    start(PayloadFormat::json);
    for (int i = 0; i < 3; ++i) {
        append(i);
    }
    ASSERT_TRUE(until([&] { return held_.size() == 1; }));
    sink_->command_finished("q-1");
    sink_->command_finished("q-1");
    EXPECT_EQ(count("/commands/q-1"), 0U);
    broker_.acknowledge(held_[0]);
    ASSERT_TRUE(until([&] { return held_.size() == 2; }));
    EXPECT_EQ(count("/commands/q-1"), 1U);
    EXPECT_TRUE(broker_.topics.at(broker_.topics.size() - 2).ends_with("/commands/q-1"));
    EXPECT_EQ(broker_.open_most, 1U);
}

TEST_F(MqttSinkTest, a_stop_says_offline_although_all_batches_are_under_way) {
    settings_.sinks[0].inflight = 1;
    answer("/readings", std::nullopt);
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return held_.size() == 1; }));
    sink_->stop();
    ASSERT_TRUE(until([&] { return broker_.left_in_order; }));
    EXPECT_EQ(broker_.payloads.back(), "{\"online\":false}");
    EXPECT_TRUE(broker_.topics.back().ends_with("/status"));
}

TEST_F(MqttSinkTest, a_stop_leaves_it_to_the_will_where_nothing_can_be_said_any_more) {
    broker_.connack = [](int) { return std::string("\x20\x06\x00\x00\x03\x21\x00\x01", 8); };
    answer("/readings", std::nullopt);
    start(PayloadFormat::json);
    append(1);
    ASSERT_TRUE(until([&] { return held_.size() == 1; }));
    sink_->stop();
    ASSERT_TRUE(until([&] { return broker_.left_with_will || broker_.left_in_order; }));
    EXPECT_TRUE(broker_.left_with_will);
}

TEST_F(MqttSinkTest, a_stop_hangs_up_for_the_will_in_3_1_1) {
    settings_.sinks[0].inflight = 1;
    answer("", std::nullopt);
    start(PayloadFormat::json, 4);
    append(1);
    ASSERT_TRUE(until([&] { return held_.size() == 2; }));  // the status, and a batch
    sink_->command_finished("q-1");
    sink_->stop();
    ASSERT_TRUE(until([&] { return broker_.gone(); }));
    EXPECT_FALSE(broker_.left_in_order);
}

}  // namespace
}  // namespace jw
