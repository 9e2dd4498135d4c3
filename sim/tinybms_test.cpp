// SPDX-License-Identifier: Apache-2.0
// The simulated TinyBMS answers every command, sleeps, falls silent, is noisy, refuses writes.
#include "sim/tinybms.h"

#include "core/base/test.h"
#include "core/device/tinybms/registers.h"

using namespace jw;
using namespace jw::sim;
using tinybms::Command;
using tinybms::Message;
using tinybms::Side;

namespace {

/// Asks, and keeps what came back.
struct Line {
    explicit Line(TinybmsScene scene) : bms(scene, 7) {}

    /// The answer, valid until the next one.
    std::optional<Message> ask(const Message& request) {
        std::array<std::uint8_t, tinybms::frame_size_max> room{};
        Writer out(room);
        EXPECT(tinybms::put(out, request));
        bms.received(out.written(), now);
        now = now + milliseconds(100);
        answer.clear();
        bms.take(now, answer);
        receiver = tinybms::Receiver(Side::reply);
        EXPECT(receiver.put(answer) == answer.size());
        receiver.silent();
        return receiver.next();
    }
    std::optional<Message> ask(Command command) {
        Message request;
        request.command = command;
        return ask(request);
    }

    Tinybms bms;
    Instant now{1'000'000};
    std::vector<std::uint8_t> answer;
    tinybms::Receiver receiver{Side::reply};
};

Message block(Command command, std::uint16_t address, std::uint16_t count) {
    Message request;
    request.command = command;
    request.address = address;
    request.count = count;
    return request;
}

}  // namespace

TEST(simulated_tinybms_answers_every_command_that_needs_no_parameter) {
    Line line(TinybmsScene::nominal);
    for (const Command command : {Command::newest_events,
                                  Command::all_events,
                                  Command::pack_voltage,
                                  Command::pack_current,
                                  Command::cell_voltage_max,
                                  Command::cell_voltage_min,
                                  Command::status,
                                  Command::lifetime,
                                  Command::state_of_charge,
                                  Command::temperatures,
                                  Command::cells,
                                  Command::version,
                                  Command::extended_version,
                                  Command::speed}) {
        const auto answer = line.ask(command);
        EXPECT(answer && answer->command == command);
    }
    EXPECT(line.ask(Command::pack_current)->number() == -12'400);
    EXPECT(line.ask(Command::state_of_charge)->number() == 75'000'000);
}

TEST(simulated_tinybms_says_the_same_in_both_byte_orders) {
    Line line(TinybmsScene::nominal);
    const auto big = line.ask(block(Command::read_modbus, 36, 2));
    EXPECT(big && big->data.size() == 4);
    const std::uint16_t low = big->word(0);
    const auto little = line.ask(block(Command::read_block, 36, 2));
    EXPECT(little && little->word(0) == low);
    EXPECT(line.ask(block(Command::read_modbus, 0, 127))->data.size() == 254);
}

TEST(simulated_tinybms_writes_what_is_in_range_and_refuses_the_rest) {
    Line line(TinybmsScene::nominal);
    const std::array<std::uint8_t, 2> word{0x0E, 0x42};
    Message request = block(Command::write_modbus, 315, 1);
    request.data = word;
    EXPECT(line.ask(request)->command == Command::write_modbus && line.bms.get(315) == 3650);
    request.address = 308;  // 15 to 100
    const auto refused = line.ask(request);
    EXPECT(refused && refused->command == Command::refused);
    EXPECT(refused->answers == Command::write_modbus && line.bms.get(308) == 15);
    request.address = 36;  // not to be written
    EXPECT(line.ask(request)->command == Command::refused);
}

TEST(simulated_tinybms_refuses_a_request_with_a_wrong_checksum_and_says_so) {
    Line line(TinybmsScene::nominal);
    std::array<std::uint8_t, 16> room{};
    Writer out(room);
    EXPECT(tinybms::put(out, block(Command::read_modbus, 36, 2)));
    room[out.size() - 1] ^= 0x10;
    line.bms.received(out.written(), line.now);
    line.bms.take(line.now + seconds(1), line.answer);
    // The document's own bytes: NACK of 0x03 for its checksum.
    EXPECT(line.answer == (std::vector<std::uint8_t>{0xAA, 0x00, 0x03, 0x01, 0xE0, 0xCC}));
    line.now = line.now + seconds(1);
    EXPECT(line.ask(Command::status)->number() == 0x93);
}

TEST(simulated_tinybms_is_only_woken_by_the_first_command) {
    Line line(TinybmsScene::asleep);
    EXPECT(!line.ask(Command::status));
    EXPECT(line.ask(Command::status)->number() == 0x97);
    line.now = line.now + seconds(9);
    EXPECT(line.ask(Command::status).has_value());
    line.now = line.now + seconds(11);
    EXPECT(!line.ask(Command::status));
    EXPECT(line.ask(Command::status).has_value());
}

TEST(simulated_tinybms_scenes_show_in_their_values) {
    Line low(TinybmsScene::under_voltage);
    EXPECT(low.ask(Command::cell_voltage_min)->number() == 2450);
    EXPECT(low.ask(Command::status)->number() == 0x9B);
    Line hot(TinybmsScene::hot);
    EXPECT(hot.ask(Command::temperatures)->word(1) == 620);
    Line cold(TinybmsScene::cold);
    EXPECT(static_cast<std::int16_t>(cold.ask(Command::temperatures)->word(1)) == -50);
    Line silent(TinybmsScene::silent);
    EXPECT(!silent.ask(Command::status) && silent.bms.next() == never);
}

TEST(simulated_tinybms_noise_spoils_answers_and_never_their_meaning) {
    Line line(TinybmsScene::noisy);
    int right = 0;
    for (int i = 0; i < 400; ++i) {
        if (const auto answer = line.ask(Command::state_of_charge)) {
            EXPECT(answer->number() == 75'000'000);
            ++right;
        }
    }
    // A quarter is whole and a quarter has noise in front of it.
    EXPECT(right > 150 && right < 250);
}

TEST(simulated_tinybms_answers_as_late_as_a_real_one) {
    // 1 register 2 ms, 40 registers 10 ms, 125 registers 26 ms, as measured; a tenth is granted.
    for (const auto& [count, measured_ms] : {std::pair{1, 2}, {40, 10}, {125, 26}}) {
        Line line(TinybmsScene::nominal);
        const auto asked_at = line.now;
        std::array<std::uint8_t, 16> room{};
        Writer out(room);
        EXPECT(
            tinybms::put(out, block(Command::read_modbus, 0, static_cast<std::uint16_t>(count))));
        line.bms.received(out.written(), asked_at);
        const std::int64_t late_us = (line.bms.next() - asked_at).us;
        EXPECT(late_us >= measured_ms * 900 && late_us <= measured_ms * 1100 + 700);
    }
}

TEST(simulated_tinybms_that_lives_never_tells_the_same_current_for_long) {
    Line line(TinybmsScene::nominal);
    line.bms.lives = true;
    std::int64_t before = 0;
    for (int second = 0; second < 60; ++second) {
        line.now = line.now + seconds(1);
        const auto current = line.ask(Command::pack_current);
        EXPECT(current && current->number());
        const std::int64_t current_ma = current->number().value_or(0);
        EXPECT(current_ma > -12'450 && current_ma < -12'350 && current_ma != before);
        before = current_ma;
    }
}
