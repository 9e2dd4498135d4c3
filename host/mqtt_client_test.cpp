// SPDX-License-Identifier: Apache-2.0
// MqttClient against a broker that misbehaves on purpose, and against a real mosquitto.
#include "host/mqtt_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/fake_broker.h"

namespace jw {
namespace {

using test::FakeBroker;
using test::Mosquitto;

class MqttClientTest : public ::testing::Test {
  protected:
    MqttSettings settings(std::uint16_t port) {
        return {.host = "127.0.0.1",
                .port = port,
                .client_id = "gw-test",
                .connect_timeout = seconds(5),
                .ack_timeout = seconds(5),
                .seed = 1,
                .backoff = {
                    .base = milliseconds(5), .cap = milliseconds(50), .stable = milliseconds(20)}};
    }
    std::unique_ptr<MqttClient> make(MqttSettings wanted) {
        MqttCallbacks callbacks;
        callbacks.connected = [this](const MqttLimits&) { ++connects_; };
        callbacks.disconnected = [this](const MqttReason& reason) { reasons_.push_back(reason); };
        callbacks.published = [this](int mid, int code) { answers_.push_back({mid, code}); };
        callbacks.message = [this](std::string_view topic, Bytes payload, bool retain) {
            messages_.push_back(std::string(topic) + (retain ? "*" : "") + "=" +
                                std::string(as_text(payload)));
        };
        return std::make_unique<MqttClient>(loop_, std::move(wanted), std::move(callbacks));
    }
    bool until(const std::function<bool()>& done) {
        loop_.use_step([](Instant now) { return now + milliseconds(2); });
        return loop_.run_until(done, seconds(30));
    }
    bool stands(const MqttClient& client) {
        return until([&] { return client.state() == MqttState::connected; });
    }
    static Result<int> put(MqttClient& client, std::string_view payload = "x") {
        return client.publish("t/readings", as_bytes(payload), 1, false, 0);
    }

    struct Answer {
        int mid;
        int code;
        bool operator==(const Answer&) const = default;
    };
    Loop loop_;
    int connects_ = 0;
    std::vector<MqttReason> reasons_;
    std::vector<Answer> answers_;
    std::vector<std::string> messages_;
};

TEST_F(MqttClientTest, reports_each_message_that_is_acknowledged) {
    FakeBroker broker(loop_);
    const auto client = make(settings(broker.port()));
    EXPECT_EQ(put(*client).code(), Code::not_found);
    client->connect();
    ASSERT_TRUE(stands(*client)) << client->trouble();
    EXPECT_EQ(connects_, 1);
    const Result<int> mid = put(*client, "hello");
    ASSERT_TRUE(mid);
    ASSERT_TRUE(until([&] { return answers_.size() == 1; }));
    EXPECT_EQ(answers_[0], (Answer{*mid, 0}));
    EXPECT_EQ(broker.payloads, (std::vector<std::string>{"hello"}));
    EXPECT_EQ(client->in_flight(), 0U);
    EXPECT_EQ(client->counters().acknowledged, 1U);
}

TEST_F(MqttClientTest, is_busy_once_the_window_is_full) {
    FakeBroker broker(loop_);
    broker.published = [](int) {};
    MqttSettings narrow = settings(broker.port());
    narrow.inflight = 3;
    const auto client = make(narrow);
    client->connect();
    ASSERT_TRUE(stands(*client));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(put(*client));
    }
    EXPECT_EQ(put(*client).code(), Code::busy);
    EXPECT_EQ(client->in_flight(), 3U);
}

TEST_F(MqttClientTest, obeys_receive_maximum_one) {
    FakeBroker broker(loop_);
    broker.connack = [](int) { return std::string("\x20\x06\x00\x00\x03\x21\x00\x01", 8); };
    const auto client = make(settings(broker.port()));
    client->connect();
    ASSERT_TRUE(stands(*client));
    EXPECT_EQ(client->limits().receive_maximum, 1);
    EXPECT_EQ(client->window(), 1U);
    for (int sent = 0; sent < 20;) {
        const Result<int> mid = put(*client);
        sent += mid ? 1 : 0;
        EXPECT_EQ(put(*client).code(), Code::busy);
        ASSERT_TRUE(until([&] { return answers_.size() == static_cast<std::size_t>(sent); }));
    }
    EXPECT_EQ(broker.open_most, 1U);
}

TEST_F(MqttClientTest, takes_acknowledgements_in_reverse_order) {
    FakeBroker broker(loop_);
    std::vector<int> held;
    broker.published = [&](int mid) {
        held.push_back(mid);
        if (held.size() == 10) {
            for (auto next = held.rbegin(); next != held.rend(); ++next) {
                broker.acknowledge(*next);
            }
        }
    };
    const auto client = make(settings(broker.port()));
    client->connect();
    ASSERT_TRUE(stands(*client));
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(put(*client));
    }
    ASSERT_TRUE(until([&] { return answers_.size() == 10; }));
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(answers_[i].mid, held[9 - i]);
    }
    EXPECT_EQ(client->in_flight(), 0U);
}

TEST_F(MqttClientTest, passes_on_that_a_message_was_refused_and_stays_connected) {
    for (const int code : {0x87, 0x99}) {
        FakeBroker broker(loop_);
        int count = 0;
        broker.published = [&](int mid) { broker.acknowledge(mid, ++count == 2 ? code : 0); };
        answers_.clear();
        const auto client = make(settings(broker.port()));
        client->connect();
        ASSERT_TRUE(stands(*client));
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(put(*client));
        }
        ASSERT_TRUE(until([&] { return answers_.size() == 3; }));
        EXPECT_EQ(answers_[1].code, code);
        EXPECT_EQ(answers_[2].code, 0);
        EXPECT_EQ(client->state(), MqttState::connected);
        EXPECT_EQ(client->counters().refused, 1U);
    }
}

TEST_F(MqttClientTest, connects_anew_when_nothing_is_acknowledged) {
    FakeBroker broker(loop_);
    broker.published = [](int) {};
    MqttSettings hasty = settings(broker.port());
    hasty.ack_timeout = milliseconds(100);
    const auto client = make(hasty);
    client->connect();
    ASSERT_TRUE(stands(*client));
    ASSERT_TRUE(put(*client));
    ASSERT_TRUE(until([&] { return connects_ == 2; }));
    EXPECT_NE(reasons_.at(0).text.find("nothing was acknowledged"), std::string::npos);
    EXPECT_TRUE(reasons_.at(0).was_connected);
    EXPECT_EQ(client->in_flight(), 0U);
}

TEST_F(MqttClientTest, sends_nothing_again_by_itself_after_the_broker_closed) {
    FakeBroker broker(loop_);
    int count = 0;
    broker.published = [&](int mid) {
        if (++count % 4 == 0) {
            broker.close();
        } else {
            broker.acknowledge(mid);
        }
    };
    const auto client = make(settings(broker.port()));
    client->connect();
    for (int round = 1; round <= 3; ++round) {
        ASSERT_TRUE(until([&] { return connects_ == round; }));
        EXPECT_TRUE(broker.payloads.empty());
        for (int i = 0; i < 4; ++i) {
            ASSERT_TRUE(put(*client, std::to_string(round)));
        }
    }
    ASSERT_TRUE(until([&] { return connects_ == 4; }));
    EXPECT_EQ(answers_.size(), 9U);
}

TEST_F(MqttClientTest, falls_back_to_3_1_1_where_5_is_not_known) {
    for (const bool answer_of_3_1_1 : {false, true}) {
        FakeBroker broker(loop_);
        broker.connack = [&](int version) {
            if (version == 5) {
                return answer_of_3_1_1 ? std::string("\x20\x02\x00\x01", 4)
                                       : std::string("\x20\x03\x00\x84\x00", 5);
            }
            return std::string("\x20\x02\x00\x00", 4);
        };
        const auto client = make(settings(broker.port()));
        client->connect();
        ASSERT_TRUE(stands(*client)) << client->trouble();
        EXPECT_EQ(broker.version, 4);
        EXPECT_EQ(client->version(), 4);
        answers_.clear();
        ASSERT_TRUE(put(*client));
        ASSERT_TRUE(until([&] { return answers_.size() == 1; }));
    }
}

TEST_F(MqttClientTest, stays_away_as_long_as_the_reason_code_asks_for) {
    struct Case {
        int code = 0;
        Duration least;
        bool refused = false;
    };
    for (const auto& [code, least, refused] : {Case{0x97, seconds(60), false},
                                               Case{0x9F, seconds(60), false},
                                               Case{0x9C, seconds(300), false},
                                               Case{0x9D, seconds(900), false},
                                               Case{0x86, seconds(300), true},
                                               Case{0x87, seconds(300), true}}) {
        FakeBroker broker(loop_);
        broker.connack = [code = code](int) {
            return std::string("\x20\x03\x00", 3) + static_cast<char>(code) + '\0';
        };
        reasons_.clear();
        const auto client = make(settings(broker.port()));
        client->connect();
        ASSERT_TRUE(until([&] { return !reasons_.empty(); }));
        EXPECT_EQ(reasons_[0].code, code);
        EXPECT_EQ(reasons_[0].refused, refused);
        EXPECT_FALSE(reasons_[0].was_connected);
        EXPECT_EQ(client->state(), MqttState::waiting);
        EXPECT_GE(client->next_attempt() - Loop::now(), least - seconds(5));
        EXPECT_NE(client->trouble().find("127.0.0.1"), std::string::npos);
        // Asking again does not shorten it.
        client->disconnect();
        EXPECT_EQ(client->state(), MqttState::off);
        client->connect();
        EXPECT_EQ(client->state(), MqttState::waiting);
    }
}

TEST_F(MqttClientTest, translates_what_3_1_1_answers) {
    FakeBroker broker(loop_);
    broker.connack = [](int) { return std::string("\x20\x02\x00\x05", 4); };
    MqttSettings old = settings(broker.port());
    old.version = 4;
    const auto client = make(old);
    client->connect();
    ASSERT_TRUE(until([&] { return !reasons_.empty(); }));
    EXPECT_EQ(reasons_[0].code, 0x87);
    EXPECT_TRUE(reasons_[0].refused);
}

TEST_F(MqttClientTest, tells_the_reason_that_a_disconnect_packet_names) {
    FakeBroker broker(loop_);
    const auto client = make(settings(broker.port()));
    client->connect();
    ASSERT_TRUE(stands(*client));
    broker.send(std::string("\xE0\x02\x8B\x00", 4));
    ASSERT_TRUE(until([&] { return connects_ == 2; }));
    EXPECT_EQ(reasons_.at(0).code, 0x8B);
    EXPECT_TRUE(reasons_.at(0).was_connected);
}

TEST_F(MqttClientTest, waits_longer_and_longer_for_a_broker_that_kicks_it_at_once) {
    FakeBroker broker(loop_);
    MqttSettings patient = settings(broker.port());
    patient.backoff = {.base = milliseconds(1), .cap = milliseconds(64), .stable = seconds(60)};
    const auto client = make(patient);
    client->connect();
    int kicked = 0;
    ASSERT_TRUE(until([&] {
        if (client->state() == MqttState::connected) {
            broker.close();
        }
        kicked = static_cast<int>(reasons_.size());
        return kicked >= 8;
    }));
    Duration longest;
    ASSERT_TRUE(until([&] {
        if (client->state() == MqttState::connected) {
            broker.close();
        } else if (client->state() == MqttState::waiting) {
            longest = std::max(longest, client->next_attempt() - Loop::now());
        }
        return longest > milliseconds(16);
    }));
}

TEST_F(MqttClientTest, leaves_out_what_the_broker_does_not_offer) {
    FakeBroker broker(loop_);
    // Maximum QoS 0, Retain Available 0, Maximum Packet Size 100.
    broker.connack = [](int) {
        return std::string("\x20\x0C\x00\x00\x09\x24\x00\x25\x00\x27\x00\x00\x00\x64", 14);
    };
    const auto client = make(settings(broker.port()));
    client->connect();
    ASSERT_TRUE(stands(*client));
    EXPECT_EQ(client->limits().maximum_packet_size, 100U);
    ASSERT_TRUE(client->publish("t", as_bytes("small"), 1, true, 0));
    ASSERT_TRUE(until([&] { return broker.flags.size() == 1; }));
    EXPECT_EQ(broker.flags[0], 0x30);
    EXPECT_EQ(put(*client, std::string(200, 'x')).code(), Code::out_of_range);
    EXPECT_EQ(client->state(), MqttState::connected);
}

TEST_F(MqttClientTest, gives_up_on_what_accepts_connections_and_says_nothing) {
    FakeBroker broker(loop_);
    broker.connack = [](int) { return std::string(); };
    MqttSettings hasty = settings(broker.port());
    hasty.connect_timeout = milliseconds(100);
    const auto client = make(hasty);
    client->connect();
    ASSERT_TRUE(until([&] { return broker.connects >= 2; }));
    EXPECT_NE(reasons_.at(0).text.find("does not answer as a broker"), std::string::npos);
}

TEST_F(MqttClientTest, connects_and_leaves_in_order_as_often_as_it_is_told) {
    FakeBroker broker(loop_);
    const auto client = make(settings(broker.port()));
    for (int round = 1; round <= 3; ++round) {
        broker.left_in_order = false;
        client->connect();
        ASSERT_TRUE(stands(*client));
        ASSERT_TRUE(put(*client));
        ASSERT_TRUE(until([&] { return client->in_flight() == 0; }));
        client->disconnect();
        ASSERT_TRUE(until([&] { return client->state() == MqttState::off; }));
        ASSERT_TRUE(until([&] { return broker.left_in_order; }));
        EXPECT_EQ(broker.connects, round);
    }
    EXPECT_EQ(client->trouble(), "");
}

TEST_F(MqttClientTest, may_go_away_at_any_moment) {
    FakeBroker broker(loop_);
    for (int turns = 0; turns < 30; ++turns) {
        const auto client = make(settings(broker.port()));
        client->connect();
        int left = turns;
        (void)until([&] { return left-- <= 0; });
    }
    const auto last = make(settings(broker.port()));
    last->connect();
    EXPECT_TRUE(stands(*last));
}

TEST_F(MqttClientTest, says_in_words_that_nobody_listens) {
    const auto client = make(settings(test::free_port()));
    client->connect();
    ASSERT_TRUE(until([&] { return reasons_.size() >= 2; }));
    EXPECT_NE(reasons_[0].text.find("is the broker running"), std::string::npos)
        << reasons_[0].text;
}

TEST_F(MqttClientTest, says_in_words_that_the_name_is_not_known) {
    MqttSettings unknown = settings(1883);
    unknown.host = "broker.invalid";
    const auto client = make(unknown);
    client->connect();
    ASSERT_TRUE(until([&] { return !reasons_.empty(); }));
    EXPECT_NE(reasons_[0].text.find("check the host name"), std::string::npos);
}

class WithMosquitto : public MqttClientTest, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(versions, WithMosquitto, ::testing::Values(4, 5));

TEST_P(WithMosquitto, publishes_subscribes_and_clears_a_retained_message) {
    const Mosquitto mosquitto;
    MqttSettings wanted = settings(mosquitto.port());
    wanted.version = GetParam();
    wanted.host = "localhost";  // ::1 may come first; the broker listens on 127.0.0.1 only
    const auto client = make(wanted);
    client->connect();
    ASSERT_TRUE(stands(*client)) << client->trouble();
    ASSERT_TRUE(client->publish("c/1", as_bytes("do it"), 1, true, 60));
    ASSERT_TRUE(until([&] { return answers_.size() == 1; }));
    ASSERT_TRUE(client->subscribe("c/+", 1));
    ASSERT_TRUE(until([&] { return messages_.size() == 1; }));
    EXPECT_EQ(messages_[0], "c/1*=do it");
    ASSERT_TRUE(client->publish("c/1", {}, 1, true, 0));
    ASSERT_TRUE(until([&] { return messages_.size() == 2; }));
    EXPECT_EQ(messages_[1], "c/1=");
    EXPECT_EQ(client->version(), GetParam());
}

TEST_P(WithMosquitto, sends_its_will_when_it_vanishes_and_not_when_it_leaves) {
    const Mosquitto mosquitto;
    MqttSettings plain = settings(mosquitto.port());
    plain.version = GetParam();
    plain.client_id = "watcher";
    const auto watcher = make(plain);
    watcher->connect();
    ASSERT_TRUE(stands(*watcher)) << watcher->trouble();
    ASSERT_TRUE(watcher->subscribe("s/#", 1));
    MqttSettings with_will = settings(mosquitto.port());
    with_will.version = GetParam();
    with_will.will = MqttWill{.topic = "s/status", .payload = "gone", .retain = true};
    auto leaving = make(with_will);
    leaving->connect();
    ASSERT_TRUE(stands(*leaving));
    leaving->disconnect();
    ASSERT_TRUE(until([&] { return leaving->state() == MqttState::off; }));
    auto vanishing = make(with_will);
    vanishing->connect();
    ASSERT_TRUE(stands(*vanishing));
    EXPECT_TRUE(messages_.empty());
    vanishing.reset();
    ASSERT_TRUE(until([&] { return !messages_.empty(); }));
    EXPECT_EQ(messages_[0], "s/status=gone");
}

TEST_F(MqttClientTest, survives_a_broker_that_is_stopped_and_goes_on) {
    const Mosquitto mosquitto;
    MqttSettings hasty = settings(mosquitto.port());
    hasty.ack_timeout = milliseconds(200);
    hasty.connect_timeout = milliseconds(400);
    const auto client = make(hasty);
    client->connect();
    ASSERT_TRUE(stands(*client));
    mosquitto.signal(SIGSTOP);
    ASSERT_TRUE(put(*client));
    ASSERT_TRUE(until([&] { return !reasons_.empty() && reasons_.back().was_connected; }));
    ASSERT_TRUE(until([&] { return reasons_.size() >= 3; }));
    mosquitto.signal(SIGCONT);
    ASSERT_TRUE(stands(*client));
    answers_.clear();
    ASSERT_TRUE(put(*client));
    EXPECT_TRUE(until([&] { return answers_.size() == 1; }));
}

TEST_F(MqttClientTest, comes_back_when_the_broker_was_restarted) {
    Mosquitto mosquitto;
    const auto client = make(settings(mosquitto.port()));
    client->connect();
    ASSERT_TRUE(stands(*client));
    mosquitto.stop();
    ASSERT_TRUE(until([&] { return client->state() != MqttState::connected; }));
    mosquitto.start();
    ASSERT_TRUE(until([&] { return connects_ == 2; }));
}

class WithTls : public MqttClientTest {
  protected:
    void SetUp() override {
        make_certificate("ca", "/CN=Test CA", "");
        make_certificate("server", "/CN=broker", "DNS:localhost");
        make_certificate("other", "/CN=other", "DNS:elsewhere.example");
        make_certificate("client", "/CN=gw-test", "");
    }
    void make_certificate(const std::string& name,
                          const std::string& subject,
                          const std::string& names) {
        const std::string base = folder_.path() + "/";
        std::vector<std::string> words{"openssl",
                                       "req",
                                       "-x509",
                                       "-newkey",
                                       "ec",
                                       "-pkeyopt",
                                       "ec_paramgen_curve:P-256",
                                       "-nodes",
                                       "-days",
                                       "2",
                                       "-subj",
                                       subject,
                                       "-keyout",
                                       base + name + ".key",
                                       "-out",
                                       base + name + ".crt"};
        if (name != "ca") {
            words.insert(words.end(), {"-CA", base + "ca.crt", "-CAkey", base + "ca.key"});
        }
        if (!names.empty()) {
            words.insert(words.end(), {"-addext", "subjectAltName=" + names});
        }
        ASSERT_TRUE(test::run_program(words)) << name;
    }
    std::string server(const std::string& certificate, bool ask_client) {
        const std::string base = folder_.path() + "/";
        return "allow_anonymous true\ncafile " + base + "ca.crt\ncertfile " + base + certificate +
               ".crt\nkeyfile " + base + certificate + ".key\n" +
               (ask_client ? "require_certificate true\nuse_identity_as_username true\n" : "");
    }
    MqttSettings secure(const Mosquitto& mosquitto) {
        MqttSettings wanted = settings(mosquitto.port());
        wanted.host = "localhost";
        wanted.tls.emplace().ca_file = folder_.path() + "/ca.crt";
        return wanted;
    }
    test::TempFolder folder_;
};

TEST_F(WithTls, connects_to_a_server_whose_certificate_fits) {
    const Mosquitto mosquitto(server("server", false));
    const auto client = make(secure(mosquitto));
    client->connect();
    ASSERT_TRUE(stands(*client)) << client->trouble();
    const std::string large(60'000, 'x');
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(put(*client, large));
    }
    EXPECT_TRUE(until([&] { return answers_.size() == 10; }));
}

TEST_F(WithTls, shows_its_own_certificate_where_it_is_asked_for) {
    const Mosquitto mosquitto(server("server", true));
    MqttSettings without = secure(mosquitto);
    const auto nobody = make(without);
    nobody->connect();
    ASSERT_TRUE(until([&] { return reasons_.size() >= 2; }));
    EXPECT_EQ(connects_, 0);
    MqttSettings with = secure(mosquitto);
    with.tls->cert_file = folder_.path() + "/client.crt";
    with.tls->key_file = folder_.path() + "/client.key";
    const auto client = make(with);
    client->connect();
    EXPECT_TRUE(stands(*client)) << client->trouble();
}

TEST_F(WithTls, refuses_a_certificate_of_another_name) {
    const Mosquitto mosquitto(server("other", false));
    const auto client = make(secure(mosquitto));
    client->connect();
    ASSERT_TRUE(until([&] { return client->trouble().find("certificate") != std::string::npos; }))
        << client->trouble();
    EXPECT_NE(client->trouble().find("ostname"), std::string::npos) << client->trouble();
    EXPECT_EQ(connects_, 0);
}

TEST_F(WithTls, refuses_a_certificate_of_an_unknown_issuer) {
    const Mosquitto mosquitto(server("server", false));
    MqttSettings distrustful = secure(mosquitto);
    distrustful.tls->ca_file = folder_.path() + "/other.crt";
    const auto client = make(distrustful);
    client->connect();
    ASSERT_TRUE(until([&] { return client->trouble().find("certificate") != std::string::npos; }))
        << client->trouble();
    EXPECT_EQ(connects_, 0);
}

TEST_F(WithTls, notices_at_once_that_nobody_listens_or_somebody_hangs_up) {
    MqttSettings nobody = settings(test::free_port());
    nobody.tls.emplace().ca_file = folder_.path() + "/ca.crt";
    const auto refused = make(nobody);
    refused->connect();
    ASSERT_TRUE(until([&] { return !reasons_.empty(); }));
    EXPECT_NE(reasons_[0].text.find("is the broker running"), std::string::npos)
        << reasons_[0].text;
    refused->disconnect();
    const Mosquitto plain;  // hangs up at a TLS greeting
    MqttSettings wrong_port = nobody;
    wrong_port.port = plain.port();
    const auto client = make(wrong_port);
    client->connect();
    ASSERT_TRUE(until([&] { return reasons_.back().text.find("TLS") != std::string::npos; }));
}

TEST_F(WithTls, says_which_file_cannot_be_used) {
    MqttSettings wrong = settings(test::free_port());
    wrong.tls.emplace().ca_file = "/nowhere/ca.crt";
    const auto client = make(wrong);
    client->connect();
    ASSERT_TRUE(until([&] { return !reasons_.empty(); }));
    EXPECT_NE(reasons_[0].text.find("/nowhere/ca.crt"), std::string::npos);
}

TEST_F(MqttClientTest, is_told_that_the_password_is_wrong) {
    test::TempFolder folder;
    const std::string passwords = folder.path() + "/passwords";
    ASSERT_TRUE(test::run_program({"mosquitto_passwd", "-b", "-c", passwords, "gw", "right"}));
    const Mosquitto mosquitto("allow_anonymous false\npassword_file " + passwords + "\n");
    MqttSettings wanted = settings(mosquitto.port());
    wanted.user = "gw";
    wanted.password.emplace("wrong");
    const auto refused = make(wanted);
    refused->connect();
    ASSERT_TRUE(until([&] { return !reasons_.empty() && reasons_.back().refused; }));
    EXPECT_EQ(refused->state(), MqttState::waiting);
    wanted.password.emplace("right");
    const auto client = make(wanted);
    client->connect();
    EXPECT_TRUE(stands(*client)) << client->trouble();
}

}  // namespace
}  // namespace jw
