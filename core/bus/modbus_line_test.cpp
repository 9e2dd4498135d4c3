// SPDX-License-Identifier: Apache-2.0
// ModbusLine against a wire of ours: turns, pacing, matching, timeouts, broken peers.
#include "core/bus/modbus_line.h"

#include <array>

#include "core/base/test.h"
#include "core/bus/modbus_line_scene.h"

using namespace jw;
using namespace jw::test;

TEST(a_tcp_question_is_framed_and_its_answer_handed_over) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    EXPECT(scene.line.step(t0) == t0 + seconds(1));  // the timeout is next
    const std::array<std::uint8_t, 12> wanted{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1};
    EXPECT(equal(scene.wire.last(), wanted));
    scene.tcp(1, 1, 77, after_ms(5));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 77);
    EXPECT(scene.line.step(after_ms(5)) == t0 + seconds(10));  // when the client is due again
    EXPECT(scene.wire.sent == 1);
    EXPECT(scene.line.counters().requests == 1 && scene.line.counters().answers == 1);
}

TEST(the_time_of_an_answer_is_counted_from_the_question) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.line.step(after_ms(3));
    scene.tcp(1, 1, 77, after_ms(11));
    EXPECT(scene.answer_times.sum == milliseconds(8) && scene.answer_times.counts[3] == 1);
}

TEST(a_tcp_answer_may_come_cut_at_any_byte) {
    const std::array<std::uint8_t, 11> answer{0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 9};
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
        Scene scene(ModbusFraming::tcp);
        scene.line.connected(t0);
        scene.line.step(t0);
        scene.line.received(Bytes(answer).first(cut), after_ms(1));
        EXPECT(scene.a().answers == 0);
        scene.line.received(Bytes(answer).subspan(cut), after_ms(2));
        EXPECT(scene.a().answers == 1 && scene.a().last_byte == 9);
    }
}

TEST(an_exception_is_handed_over_as_an_answer) {
    Scene scene(ModbusFraming::rtu);
    scene.line.connected(t0);
    scene.line.step(after_ms(5));
    const std::array<std::uint8_t, 2> exception{0x83, 2};
    scene.rtu(1, exception, after_ms(10));
    EXPECT(scene.a().answers == 1 && scene.a().size == 2 && scene.a().last_byte == 2);
}

TEST(nothing_is_sent_before_the_connect_delay_is_over) {
    auto settings = settings_of(ModbusFraming::tcp);
    settings.connect_delay = seconds(2);
    Scene scene(settings);
    scene.line.connected(t0);
    EXPECT(scene.line.step(t0) == t0 + seconds(2));
    EXPECT(scene.line.step(after_ms(1999)) == t0 + seconds(2));
    EXPECT(scene.wire.sent == 0);
    scene.line.step(after_ms(2000));
    EXPECT(scene.wire.sent == 1);
}

TEST(the_gap_lies_between_an_answer_and_the_next_question) {
    auto settings = settings_of(ModbusFraming::tcp);
    settings.gap = milliseconds(50);
    Scene scene(settings);
    scene.a().every = Duration{};
    scene.line.connected(t0);
    scene.line.step(after_ms(50));
    scene.tcp(1, 1, 1, after_ms(60));
    EXPECT(scene.line.step(after_ms(60)) == after_ms(110));
    scene.line.step(after_ms(109));
    EXPECT(scene.wire.sent == 1);
    scene.line.step(after_ms(110));
    EXPECT(scene.wire.sent == 2);
}

TEST(a_gap_longer_than_the_timeout_is_kept) {
    auto settings = settings_of(ModbusFraming::tcp);
    settings.gap = seconds(3);
    Scene scene(settings);
    scene.a().every = Duration{};
    scene.line.connected(t0);
    scene.line.step(t0 + seconds(3));
    scene.tcp(1, 1, 1, t0 + seconds(3));
    EXPECT(scene.line.step(t0 + seconds(3)) == t0 + seconds(6));
}

TEST(silence_beyond_the_timeout_fails_the_question_once) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.line.step(after_ms(999));
    EXPECT(scene.a().failures == 0);
    scene.line.step(after_ms(1000));
    scene.line.step(after_ms(1001));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::timeout);
    EXPECT(scene.line.counters().timeouts == 1);
}

TEST(a_late_tcp_answer_is_dropped_and_shifts_nothing) {
    Scene scene(ModbusFraming::tcp);
    scene.a().every = milliseconds(1);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.line.step(after_ms(1000));  // timeout
    scene.line.step(after_ms(1001));  // asks again
    EXPECT(scene.wire.sent == 2 && scene.wire.transaction() == 2);
    scene.tcp(1, 1, 11, after_ms(1002));
    EXPECT(scene.a().answers == 0 && scene.line.counters().strangers == 1);
    scene.tcp(2, 1, 22, after_ms(1003));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 22);
}

TEST(half_a_tcp_frame_does_not_swallow_the_next_answer) {
    Scene scene(ModbusFraming::tcp);
    scene.a().every = milliseconds(1);
    scene.line.connected(t0);
    scene.line.step(t0);
    const std::array<std::uint8_t, 8> half{0, 1, 0, 0, 0, 5, 1, 3};
    scene.line.received(half, after_ms(1));
    scene.line.step(after_ms(1000));
    scene.line.step(after_ms(1001));
    scene.tcp(2, 1, 22, after_ms(1002));
    EXPECT(scene.a().failures == 1 && scene.a().answers == 1 && scene.a().last_byte == 22);
}

TEST(a_wrong_transaction_id_or_unit_is_a_stranger) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.tcp(2, 1, 5, t0);
    scene.tcp(1, 9, 5, t0);
    EXPECT(scene.a().answers == 0 && scene.line.counters().strangers == 2);
    scene.tcp(1, 1, 5, t0);
    scene.tcp(1, 1, 5, t0);  // the second time nobody waits for it
    EXPECT(scene.a().answers == 1 && scene.line.counters().strangers == 3);
}

TEST(whoever_is_asked_as_unit_255_may_answer_with_its_own_id) {
    Scene scene(ModbusFraming::tcp);
    scene.a().unit = 255;
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.tcp(1, 1, 5, t0);
    EXPECT(scene.a().answers == 1);
}

TEST(an_answer_of_another_function_or_size_is_malformed) {
    const std::array<std::uint8_t, 4> function{4, 2, 0, 1};
    const std::array<std::uint8_t, 6> size{3, 4, 0, 1, 0, 2};
    const std::array<std::uint8_t, 3> exception{0x83, 2, 0};
    for (const Bytes pdu : {Bytes(function), Bytes(size), Bytes(exception)}) {
        Scene scene(ModbusFraming::tcp);
        scene.line.connected(t0);
        scene.line.step(t0);
        scene.tcp(1, 1, pdu, t0);
        EXPECT(scene.a().failures == 1 && scene.a().failure == Code::malformed);
        EXPECT(scene.line.counters().malformed == 1);
    }
}

TEST(garbage_on_tcp_fails_the_question_and_the_line_goes_on) {
    Scene scene(ModbusFraming::tcp);
    scene.a().every = milliseconds(1);
    scene.line.connected(t0);
    scene.line.step(t0);
    std::array<std::uint8_t, 700> garbage{};
    garbage.fill(0xAA);
    scene.line.received(garbage, after_ms(1));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::malformed);
    scene.line.step(after_ms(2));
    scene.tcp(2, 1, 5, after_ms(3));
    EXPECT(scene.a().answers == 1);
}

TEST(one_question_at_a_time_unless_the_device_allows_more) {
    Scene scene(ModbusFraming::tcp, 3);
    scene.line.connected(t0);
    scene.line.step(t0);
    EXPECT(scene.wire.sent == 1);
    auto settings = settings_of(ModbusFraming::tcp);
    settings.open_requests_max = 2;
    Scene wide(settings, 3);
    wide.line.connected(t0);
    EXPECT(wide.line.step(t0) == t0 + seconds(1));
    EXPECT(wide.wire.sent == 2 && wide.askers[0].waiting && wide.askers[1].waiting);
    wide.tcp(2, 2, 8, after_ms(1));  // answers in another order than the questions
    wide.line.step(after_ms(1));
    EXPECT(wide.askers[1].last_byte == 8 && wide.askers[2].waiting && wide.wire.sent == 3);
    wide.tcp(1, 1, 7, after_ms(2));
    wide.tcp(3, 3, 9, after_ms(2));
    EXPECT(wide.askers[0].last_byte == 7 && wide.askers[2].last_byte == 9);
    settings.framing = ModbusFraming::rtu;  // never on a serial line
    Scene serial(settings, 3);
    serial.line.connected(t0);
    serial.line.step(after_ms(5));
    EXPECT(serial.wire.sent == 1);
}

TEST(several_answers_in_one_piece_reach_each_its_client) {
    auto settings = settings_of(ModbusFraming::tcp);
    settings.open_requests_max = 4;
    Scene scene(settings, 2);
    scene.line.connected(t0);
    scene.line.step(t0);
    const std::array<std::uint8_t, 22> both{0, 2, 0, 0, 0, 5, 2, 3, 2, 0, 8,
                                            0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7};
    scene.line.received(both, after_ms(1));
    EXPECT(scene.askers[0].last_byte == 7 && scene.askers[1].last_byte == 8);
}

TEST(a_client_that_is_always_due_does_not_silence_the_others) {
    Scene scene(ModbusFraming::tcp, 3);
    for (auto& asker : scene.askers) {
        asker.every = Duration{};
    }
    scene.askers[0].due_at = Instant{};
    scene.line.connected(t0);
    for (int i = 0; i < 9; ++i) {
        scene.line.step(after_ms(i));
        scene.tcp(scene.wire.transaction(), scene.wire.frame[6], 1, after_ms(i));
    }
    EXPECT(scene.askers[0].answers == 3 && scene.askers[1].answers == 3);
    EXPECT(scene.askers[2].answers == 3);
}

TEST(a_broken_connection_fails_what_waits_and_nobody_is_asked_meanwhile) {
    Scene scene(ModbusFraming::tcp, 2);
    scene.askers[1].due_at = t0 + seconds(60);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.line.disconnected(after_ms(100));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::not_found);
    EXPECT(scene.a().unasked == 0 && scene.askers[1].failures == 0);
    scene.tcp(1, 1, 5, after_ms(101));
    EXPECT(scene.a().answers == 0);
    scene.line.step(after_ms(5000));
    EXPECT(scene.wire.sent == 1);
}

TEST(clients_learn_that_they_cannot_be_reached) {
    Scene scene(ModbusFraming::tcp, 2);
    scene.a().every = milliseconds(300);
    scene.askers[1].due_at = t0 + seconds(5);
    // Never connected: a start gets one timeout's time before anybody is told.
    EXPECT(scene.line.step(t0) == t0 + seconds(1));
    EXPECT(scene.a().failures == 0);
    EXPECT(scene.line.step(after_ms(1000)) == after_ms(2000));
    EXPECT(scene.a().unasked == 1 && scene.a().failure == Code::not_found);
    EXPECT(scene.line.step(after_ms(1999)) == after_ms(2000));
    EXPECT(scene.a().unasked == 1);
    scene.line.step(after_ms(2000));
    EXPECT(scene.a().unasked == 2);
    EXPECT(scene.askers[1].unasked == 0);  // it is not due yet
    for (const int ms : {3000, 4000, 5000}) {
        scene.line.step(after_ms(ms));
    }
    EXPECT(scene.askers[1].unasked == 1);
    EXPECT(scene.a().asked == 0 && scene.wire.sent == 0);
    scene.line.connected(after_ms(5100));
    scene.line.step(after_ms(5400));
    EXPECT(scene.wire.sent == 1);
}

TEST(a_short_break_is_not_noticed_by_a_client_that_was_not_waiting) {
    Scene scene(ModbusFraming::tcp);
    scene.a().due_at = after_ms(200);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.line.disconnected(after_ms(100));
    EXPECT(scene.line.step(after_ms(100)) == after_ms(1100));
    scene.line.step(after_ms(500));
    scene.line.connected(after_ms(900));
    scene.line.step(after_ms(900));
    EXPECT(scene.a().failures == 0 && scene.wire.sent == 1);
}

TEST(each_break_has_its_own_time_before_clients_are_told) {
    Scene scene(ModbusFraming::tcp);
    scene.a().due_at = after_ms(4000);
    scene.line.step(t0);
    scene.line.connected(after_ms(500));
    scene.line.disconnected(after_ms(5000));
    EXPECT(scene.line.step(after_ms(5000)) == after_ms(6000));
    EXPECT(scene.a().failures == 0);
}

TEST(a_new_connection_begins_with_nothing_of_the_old_one) {
    Scene scene(ModbusFraming::tcp);
    scene.a().every = milliseconds(1);
    scene.line.connected(t0);
    scene.line.step(t0);
    const std::array<std::uint8_t, 8> half{0, 1, 0, 0, 0, 5, 1, 3};
    scene.line.received(half, after_ms(1));
    scene.line.disconnected(after_ms(2));
    scene.line.connected(after_ms(3));
    scene.line.step(after_ms(3));
    scene.tcp(2, 1, 22, after_ms(4));
    EXPECT(scene.a().answers == 1 && scene.a().last_byte == 22);
    // Nor can an answer that was missed come in on it.
    Scene serial(ModbusFraming::rtu_over_tcp);
    serial.a().every = milliseconds(1);
    serial.line.connected(t0);
    serial.line.step(after_ms(5));
    serial.line.step(after_ms(1005));
    EXPECT(serial.a().failures == 1);
    serial.line.connected(after_ms(1006));
    serial.line.step(after_ms(1011));
    EXPECT(serial.a().asked == 2);
}

TEST(a_second_connected_ends_what_waited_on_the_first) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.line.step(t0);
    scene.line.connected(after_ms(10));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::not_found);
}

TEST(a_bus_that_is_busy_is_tried_again_and_the_question_asked_once) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.wire.refusal = Code::busy;
    EXPECT(scene.line.step(t0) == after_ms(1));
    scene.wire.refusal = Code::ok;
    EXPECT(scene.line.step(after_ms(1)) == after_ms(1001));  // from the send
    EXPECT(scene.a().asked == 1 && scene.wire.sent == 1);
    scene.tcp(1, 1, 5, after_ms(2));
    EXPECT(scene.a().answers == 1);
}

TEST(a_bus_that_stays_busy_ends_in_a_timeout) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.wire.refusal = Code::busy;
    scene.line.step(t0);
    scene.line.step(after_ms(1000));
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::timeout);
    scene.wire.refusal = Code::ok;
    scene.line.step(after_ms(1001));
    EXPECT(scene.wire.sent == 0);  // what nobody waits for any more is not sent
}

TEST(a_bus_that_is_gone_counts_as_disconnected) {
    Scene scene(ModbusFraming::tcp);
    scene.line.connected(t0);
    scene.wire.refusal = Code::not_found;
    scene.line.step(t0);
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::not_found);
    scene.wire.refusal = Code::ok;
    scene.line.step(t0 + seconds(20));
    EXPECT(scene.wire.sent == 0);
}

TEST(an_answer_that_does_not_fit_the_memory_is_malformed) {
    Scene scene(ModbusFraming::tcp);
    std::array<std::uint8_t, 16> in{};
    const std::array<ModbusClient*, 1> clients{&scene.a()};
    ModbusLine line(
        scene.wire, settings_of(ModbusFraming::tcp), clients, {scene.open, in, scene.out});
    line.connected(t0);
    line.step(t0);
    const std::array<std::uint8_t, 20> begun{0, 1, 0, 0, 0, 100, 1, 3, 97};
    line.received(begun, t0);
    EXPECT(scene.a().failures == 1 && scene.a().failure == Code::malformed);
}

TEST(two_hundred_thousand_questions_wrap_the_transaction_id) {
    Scene scene(ModbusFraming::tcp);
    scene.a().every = Duration{};
    scene.line.connected(t0);
    for (int i = 0; i < 200'000; ++i) {
        scene.line.step(after_ms(i));
        scene.tcp(scene.wire.transaction(), 1, 1, after_ms(i));
    }
    EXPECT(scene.a().answers == 200'000 && scene.a().failures == 0);
}

TEST(a_line_with_one_client_takes_less_than_700_bytes_on_a_node) {
    constexpr std::size_t all =
        sizeof(ModbusLine) + sizeof(ModbusOpenRequest) + 2 * modbus_buffer_size;
    EXPECT(sizeof(void*) > 4 || all < 700);
    EXPECT(all < 900);
}
