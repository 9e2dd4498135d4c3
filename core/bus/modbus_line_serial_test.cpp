// SPDX-License-Identifier: Apache-2.0
// ModbusLine on a serial line: checksums, silence, noise, answers that come too late.
#include "core/bus/modbus_line.h"

#include <array>

#include "core/base/test.h"
#include "core/bus/modbus_line_scene.h"

using namespace jw;
using namespace jw::test;

TEST(a_serial_question_is_framed_with_address_and_checksum) {
    Scene scene(ModbusFraming::rtu);
    scene.a().count = 10;
    scene.line.connected(t0);
    EXPECT(scene.line.step(t0) == t0 + microseconds(4011));  // silence before the first frame
    EXPECT(scene.wire.sent == 0);
    const Instant sent_at = t0 + microseconds(4011);
    // The timeout runs from the last byte: eight of them take 9167 us.
    EXPECT(scene.line.step(sent_at) == sent_at + microseconds(9167) + seconds(1));
    const std::array<std::uint8_t, 8> wanted{0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD};
    EXPECT(equal(scene.wire.last(), wanted));
}

TEST(a_serial_answer_may_come_byte_by_byte) {
    for (const auto framing : {ModbusFraming::rtu, ModbusFraming::rtu_over_tcp}) {
        Scene scene(framing);
        scene.line.connected(t0);
        scene.line.step(after_ms(5));
        const std::array<std::uint8_t, 7> answer{1, 3, 2, 0x12, 0x34, 0xB5, 0x33};
        for (std::size_t i = 0; i < answer.size(); ++i) {
            EXPECT(scene.a().answers == 0);
            scene.line.received(Bytes(answer).subspan(i, 1), after_ms(10));
        }
        EXPECT(scene.a().answers == 1 && scene.a().last_byte == 0x34 && scene.a().size == 4);
    }
}

TEST(a_serial_frame_that_comes_before_the_question_is_out_is_no_answer) {
    Scene scene(ModbusFraming::rtu);
    scene.line.connected(t0);
    scene.wire.refusal = Code::busy;
    scene.line.step(after_ms(5));
    scene.rtu(1, 66, after_ms(6));
    EXPECT(scene.a().answers == 0 && scene.line.counters().strangers == 1);
    scene.wire.refusal = Code::ok;
    scene.line.step(after_ms(7));
    scene.rtu(1, 77, after_ms(20));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 77);
}

TEST(a_damaged_serial_answer_is_bad_checksum_and_the_line_falls_silent_first) {
    Scene scene(ModbusFraming::rtu);
    scene.a().every = Duration{};
    scene.line.connected(t0);
    scene.line.step(after_ms(5));
    const std::array<std::uint8_t, 7> damaged{1, 3, 2, 0x12, 0x35, 0xB5, 0x33};
    scene.line.received(damaged, after_ms(10));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::bad_checksum);
    EXPECT(scene.line.counters().bad_checksums == 1);
    EXPECT(scene.line.step(after_ms(10)) == after_ms(10) + microseconds(4011));
    const std::array<std::uint8_t, 3> rest{1, 2, 3};  // still coming in
    scene.line.received(rest, after_ms(13));
    EXPECT(scene.line.step(after_ms(13)) == after_ms(13) + microseconds(4011));
    EXPECT(scene.wire.sent == 1);
    scene.line.step(after_ms(18));
    EXPECT(scene.wire.sent == 2);
}

TEST(noise_before_a_serial_answer_is_skipped) {
    for (const std::uint8_t noise : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{0xFF}}) {
        for (std::size_t cut = 0; cut <= 9; ++cut) {
            Scene scene(ModbusFraming::rtu);
            scene.line.connected(t0);
            scene.line.step(after_ms(5));
            const std::array<std::uint8_t, 9> answer{noise, noise, 1, 3, 2, 0x12, 0x34, 0xB5, 0x33};
            scene.line.received(Bytes(answer).first(cut), after_ms(10));
            scene.line.received(Bytes(answer).subspan(cut), after_ms(11));
            // Two bytes of 0xFF in one piece of their own are refused at once.
            EXPECT(scene.a().answers == 1 || (cut == 2 && scene.a().failures == 1));
        }
    }
}

TEST(a_serial_frame_of_another_unit_is_a_stranger) {
    Scene scene(ModbusFraming::rtu);
    scene.line.connected(t0);
    scene.line.step(after_ms(5));
    scene.rtu(2, 66, after_ms(10));
    EXPECT(scene.a().answers == 0 && scene.line.counters().strangers == 1);
    scene.rtu(1, 77, after_ms(12));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 77);
    scene.rtu(1, 78, after_ms(14));  // nobody asked
    EXPECT(scene.line.counters().strangers == 2);
}

TEST(a_late_serial_answer_is_not_taken_for_the_next_one) {
    Scene scene(ModbusFraming::rtu, 2);
    scene.a().every = milliseconds(1);
    scene.line.connected(t0);
    scene.line.step(after_ms(5));
    const Instant over = after_ms(5) + microseconds(9167) + seconds(1);
    scene.askers[1].due_at = over;
    scene.line.step(over);
    EXPECT(scene.a().failures == 1 && scene.askers[1].asked == 1);  // the other has its turn
    scene.rtu(1, 11, over + milliseconds(3));                       // of the first, too late
    EXPECT(scene.a().answers == 0 && scene.askers[1].answers == 0);
    scene.rtu(2, 22, over + milliseconds(10));
    EXPECT(scene.askers[1].last_byte == 22);
    EXPECT(scene.line.step(over + milliseconds(10)) == over + seconds(1));
    scene.rtu(1, 12, over + milliseconds(500));
    EXPECT(scene.a().answers == 0 && scene.a().asked == 1);
    scene.line.step(over + seconds(1));
    EXPECT(scene.a().asked == 2);
    scene.rtu(1, 33, over + milliseconds(1050));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 33);
}

TEST(a_serial_answer_of_another_size_is_malformed) {
    Scene scene(ModbusFraming::rtu_over_tcp);
    scene.line.connected(t0);
    scene.line.step(after_ms(5));
    const std::array<std::uint8_t, 6> pdu{3, 4, 0, 1, 0, 2};
    scene.rtu(1, pdu, after_ms(6));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::malformed);
}

TEST(a_line_that_babbles_cannot_keep_clients_from_learning_it) {
    Scene scene(ModbusFraming::rtu);
    const std::array<std::uint8_t, 4> noise{0x55, 0x55, 0x55, 0x55};
    scene.line.connected(t0);
    for (int ms = 0; ms < 3000; ++ms) {
        scene.line.received(noise, after_ms(ms));
        scene.line.step(after_ms(ms));
    }
    EXPECT(scene.wire.sent > 0 && scene.a().failures > 0);
}
