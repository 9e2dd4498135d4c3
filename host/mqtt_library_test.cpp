// SPDX-License-Identifier: Apache-2.0
// What libmosquitto calls: nothing that a packet leads to gets out of it.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "host/fake_broker.h"
#include "host/mqtt_client.h"

namespace jw {
namespace {

TEST(MqttLibraryTest, a_message_that_nobody_can_deal_with_is_counted_and_the_next_one_taken) {
    Loop loop;
    test::FakeBroker broker(loop);
    std::vector<std::string> taken;
    MqttCallbacks callbacks;
    callbacks.message = [&](std::string_view topic, Bytes, bool) {
        if (topic == "t/bad") {
            throw std::runtime_error("of no use");
        }
        taken.emplace_back(topic);
    };
    MqttClient client(loop,
                      {.host = "127.0.0.1", .port = broker.port(), .client_id = "gw-test"},
                      std::move(callbacks));
    client.connect();
    loop.use_step([](Instant now) { return now + milliseconds(2); });
    ASSERT_TRUE(
        loop.run_until([&] { return client.state() == MqttState::connected; }, seconds(30)));
    broker.send(std::string("\x30\x08\x00\x05t/bad\x00", 10));
    broker.send(std::string("\x30\x09\x00\x06t/good\x00", 11));
    ASSERT_TRUE(loop.run_until([&] { return !taken.empty(); }, seconds(30)));
    EXPECT_EQ(taken, (std::vector<std::string>{"t/good"}));
    EXPECT_EQ(client.counters().thrown, 1U);
    EXPECT_EQ(client.state(), MqttState::connected);
}

}  // namespace
}  // namespace jw
