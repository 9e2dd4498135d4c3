// SPDX-License-Identifier: Apache-2.0
// MqttSink: what leaves an outbox arrives at a broker in the form that the settings ask for.
#include "host/mqtt_sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace jw
