// SPDX-License-Identifier: Apache-2.0
// Tests of the P1 driver: readings, identity, refusal and silence under a clock of the test.
#include "core/device/p1/p1_device.h"

#include <array>

#include "core/base/test.h"

using namespace jw;

namespace {

constexpr std::string_view telegram =
    "/JWY5\\2TEST-0\r\n\r\n0-0:96.1.1(4A57594D455445523031)\r\n1-0:1.7.0(00.500*kW)\r\n!\r\n";
constexpr std::string_view other_meter =
    "/JWY5\\2TEST-0\r\n\r\n0-0:96.1.1(4A57594D455445523032)\r\n1-0:1.7.0(00.500*kW)\r\n!\r\n";
constexpr std::string_view damaged = "/JWY5\\2TEST-0\r\n\r\n1-0:1.7.0(00.500*kW)\r\n!0000\r\n";
constexpr std::string_view broken = "/JWY5\\2TEST-0\r\n\r\n1-0:1.7.0(00.500*kW\r\n!\r\n";

class Heard : public DeviceOut {
  public:
    void reading(const Reading& reading, Instant /*now*/) override {
        ++readings;
        last = reading;
    }
    void identified(const DeviceInfo& told, Instant /*now*/) override {
        ++identities;
        info = told;
    }
    void failed(Error error, Instant /*now*/) override {
        ++failures;
        code = error.code;
    }
    void acted(ResultCode /*code*/,
               std::optional<std::int64_t> /*value*/,
               Instant /*now*/) override {}

    int readings = 0;
    int identities = 0;
    int failures = 0;
    Code code = Code::ok;
    Reading last;
    DeviceInfo info;
};

/// A device made by the driver in an arena, as the gateway does it.
struct Bench {
    explicit Bench(Duration poll = seconds(1), std::int8_t sign = 0) {
        DeviceSettings settings;
        settings.name = "grid";
        settings.poll = poll;
        settings.sign = sign;
        device = p1::driver.make(arena, settings, heard);
        line = device->stream();
    }
    void hear(std::string_view text, Instant now) { line->received(as_bytes(text), now); }

    alignas(16) std::array<std::byte, 8192> memory{};
    Arena arena{memory};
    Heard heard;
    Device* device = nullptr;
    Line* line = nullptr;
};

constexpr Instant at_s(std::int64_t s) {
    return Instant{} + seconds(s);
}

}  // namespace

TEST(p1_device_takes_no_more_memory_than_the_driver_says) {
    const Bench bench;
    EXPECT(bench.arena.used() <= p1::driver.memory);
}

TEST(p1_device_turns_a_telegram_into_a_reading) {
    Bench bench;
    bench.line->connected(at_s(0));
    bench.hear(telegram, at_s(1));
    EXPECT(bench.heard.readings == 1 && bench.heard.failures == 0);
    EXPECT(bench.heard.last.device == "grid");
    EXPECT(bench.heard.last.values.find(Quantity::power_w)->number == 500);
}

TEST(p1_device_takes_a_telegram_in_pieces) {
    Bench bench;
    bench.line->connected(at_s(0));
    for (const char c : telegram) {
        bench.hear({&c, 1}, at_s(1));
    }
    EXPECT(bench.heard.readings == 1);
}

TEST(p1_device_turns_power_around_where_the_settings_say_so) {
    Bench bench(seconds(1), -1);
    bench.hear(telegram, at_s(1));
    EXPECT(bench.heard.last.values.find(Quantity::power_w)->number == -500);
}

TEST(p1_device_says_who_it_is_once_and_again_when_the_meter_was_changed) {
    Bench bench;
    bench.hear(telegram, at_s(1));
    bench.hear(telegram, at_s(2));
    EXPECT(bench.heard.identities == 1);
    EXPECT(bench.heard.info.name == "grid" && bench.heard.info.driver == "p1");
    EXPECT(bench.heard.info.serial == "JWYMETER01");
    bench.hear(other_meter, at_s(3));
    EXPECT(bench.heard.identities == 2 && bench.heard.info.serial == "JWYMETER02");
}

TEST(p1_device_gives_readings_no_faster_than_its_poll) {
    Bench bench(seconds(5));
    for (int s = 1; s <= 11; ++s) {
        bench.hear(telegram, at_s(s));
    }
    EXPECT(bench.heard.readings == 3);  // at 1, 6 and 11 s
}

TEST(p1_device_refuses_damaged_and_broken_telegrams_by_name) {
    Bench bench;
    bench.hear(damaged, at_s(1));
    EXPECT(bench.heard.failures == 1 && bench.heard.code == Code::bad_checksum);
    bench.hear(broken, at_s(2));
    EXPECT(bench.heard.failures == 2 && bench.heard.code == Code::malformed);
    EXPECT(bench.heard.readings == 0 && bench.heard.identities == 0);
    bench.hear(telegram, at_s(3));
    EXPECT(bench.heard.readings == 1);
}

TEST(p1_device_is_silent_after_three_telegrams_that_did_not_come) {
    Bench bench;
    bench.line->connected(at_s(0));
    bench.hear(telegram, at_s(1));
    bench.hear(telegram, at_s(2));
    EXPECT(bench.line->step(at_s(2)) == at_s(5));
    (void)bench.line->step(Instant{at_s(5).us - 1});
    EXPECT(bench.heard.failures == 0);
    EXPECT(bench.line->step(at_s(5)) == at_s(8));
    EXPECT(bench.heard.failures == 1 && bench.heard.code == Code::timeout);
    (void)bench.line->step(at_s(8));
    EXPECT(bench.heard.failures == 2);
}

TEST(p1_device_waits_longer_for_an_old_meter_that_speaks_every_ten_seconds) {
    Bench bench;
    bench.line->connected(at_s(0));
    EXPECT(bench.line->step(at_s(0)) == at_s(30));
    bench.hear(telegram, at_s(4));
    bench.hear(telegram, at_s(14));
    EXPECT(bench.line->step(at_s(14)) == at_s(44));
}

TEST(p1_device_on_a_line_that_never_comes_up_is_silent) {
    Bench bench;
    EXPECT(bench.line->step(at_s(0)) == at_s(30) && bench.heard.failures == 0);
    (void)bench.line->step(at_s(30));
    EXPECT(bench.heard.failures == 1 && bench.heard.code == Code::timeout);
}

TEST(p1_device_on_a_lost_line_says_so_goes_on_saying_so_and_forgets_half_a_telegram) {
    Bench bench;
    bench.line->connected(at_s(0));
    bench.hear(telegram, at_s(1));
    bench.hear(std::string_view(telegram.data(), 30), at_s(2));
    bench.line->disconnected(at_s(3));
    EXPECT(bench.heard.failures == 1 && bench.heard.code == Code::not_found);
    EXPECT(bench.line->step(at_s(60)) == at_s(90) && bench.heard.failures == 2);
    bench.line->connected(at_s(61));
    bench.hear(telegram, at_s(62));
    EXPECT(bench.heard.readings == 2 && bench.heard.failures == 2);
}

TEST(p1_device_has_nothing_to_set_and_cannot_be_asked) {
    Bench bench;
    EXPECT(bench.device->act(Quantity::relay_closed, 1, at_s(0)).code() == Code::unsupported);
    EXPECT(bench.device->poll_now(at_s(0)).code() == Code::unsupported);
    EXPECT(bench.device->modbus() == nullptr);
}
