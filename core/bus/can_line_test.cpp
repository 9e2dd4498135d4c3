// SPDX-License-Identifier: Apache-2.0
// A CAN line on a socket: what leaves and when, what is told.
#include "core/bus/can_line.h"

#include "core/base/test.h"
#include "core/bus/can_line_scene.h"

namespace {

using namespace jw;
using can_scene::frame_of;
using can_scene::Scene;

struct SocketScene : Scene {
    SocketScene() : Scene(CanFraming::socketcan) { line.connected(now); }
};

TEST(a_frame_leaves_at_once) {
    SocketScene scene;
    scene.line.send(frame_of(0x351, 1), scene.now);
    EXPECT(scene.bus.frames.size() == 1 && scene.bus.frames[0] == frame_of(0x351, 1));
    EXPECT(scene.line.waiting() == 0 && scene.line.counters().sent == 1);
    EXPECT(scene.line.step(scene.now) == never);
}

TEST(frames_leave_in_the_order_in_which_they_came_when_the_bus_is_free_again) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.line.send(frame_of(0x355, 2), scene.now);
    EXPECT(scene.line.waiting() == 2);
    scene.run(milliseconds(5));
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(20));
    EXPECT(scene.bus.frames.size() == 2 && scene.bus.frames[0].id == 0x351 &&
           scene.bus.frames[1].id == 0x355);
}

TEST(a_newer_frame_takes_the_place_of_one_that_has_not_left) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.line.send(frame_of(0x355, 2), scene.now);
    scene.line.send(frame_of(0x351, 3), scene.now);
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(20));
    EXPECT(scene.bus.frames.size() == 2 && scene.bus.frames[0] == frame_of(0x351, 3));
    EXPECT(scene.line.counters().dropped == 1 && scene.line.counters().sent == 2);
}

TEST(an_extended_id_is_another_id) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    CanFrame extended = frame_of(0x351, 2);
    extended.extended = true;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.line.send(extended, scene.now);
    EXPECT(scene.line.waiting() == 2);
    scene.hear(extended);
    EXPECT(scene.client.rivals.empty() && scene.client.heard.size() == 1);
}

TEST(where_there_is_no_room_the_first_in_the_line_is_dropped) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    for (std::uint32_t id = 0x370; id < 0x375; ++id) {
        scene.line.send(frame_of(id, 1), scene.now);
    }
    EXPECT(scene.line.waiting() == 4 && scene.line.counters().dropped == 1);
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(20));
    EXPECT(scene.bus.frames.size() == 4 && scene.bus.frames[0].id == 0x371);
}

TEST(a_frame_that_waited_too_long_never_leaves) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.run(milliseconds(999));
    EXPECT(scene.line.waiting() == 1);
    scene.run(milliseconds(1));
    scene.bus.refusal = Code::ok;
    scene.run(seconds(10));
    EXPECT(scene.bus.frames.empty() && scene.line.waiting() == 0);
    EXPECT(scene.line.counters().dropped == 1);
}

TEST(an_old_frame_does_not_leave_with_a_new_one) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.bus.refusal = Code::ok;
    scene.now = scene.now + seconds(60);  // nobody stepped
    scene.line.send(frame_of(0x355, 2), scene.now);
    EXPECT(scene.bus.frames.size() == 1 && scene.bus.frames[0].id == 0x355);
}

TEST(what_waited_while_the_interface_was_down_is_never_said) {
    SocketScene scene;
    scene.line.disconnected(scene.now);
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.run(milliseconds(500));
    scene.line.send(frame_of(0x355, 2), scene.now);
    scene.run(milliseconds(600));
    EXPECT(scene.bus.frames.empty() && scene.line.waiting() == 1);
    scene.line.connected(scene.now);
    scene.run(milliseconds(1));
    EXPECT(scene.bus.frames.empty() && scene.line.waiting() == 0);
    EXPECT(scene.line.counters().dropped == 2);
    scene.line.send(frame_of(0x355, 3), scene.now);
    EXPECT(scene.bus.frames.size() == 1);
}

TEST(a_bus_that_is_gone_is_left_alone_until_it_is_back) {
    SocketScene scene;
    scene.bus.refusal = Code::not_found;
    scene.line.send(frame_of(0x351, 1), scene.now);
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(500));
    EXPECT(scene.bus.frames.empty());
    scene.line.disconnected(scene.now);
    scene.line.connected(scene.now);
    scene.line.send(frame_of(0x351, 2), scene.now);
    EXPECT(scene.bus.frames.size() == 1 && scene.bus.frames[0].data[0] == 2);
}

TEST(a_busy_bus_is_asked_again_ever_more_rarely) {
    SocketScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.send(frame_of(0x351, 1), scene.now);
    int calls = 0;
    const Instant end = scene.now + milliseconds(900);
    while (scene.now < end) {
        scene.now = scene.line.step(scene.now);
        ++calls;
    }
    EXPECT(calls > 50 && calls < 70);
}

TEST(every_frame_is_sent_dropped_or_waiting) {
    SocketScene scene;
    std::uint32_t given = 0;
    for (int i = 0; i < 200; ++i) {
        scene.bus.refusal = i % 7 < 4 ? Code::busy : Code::ok;
        scene.line.send(frame_of(0x370 + static_cast<std::uint32_t>(i * i % 11), 0), scene.now);
        ++given;
        scene.run(milliseconds(i % 5 * 100));
    }
    const CanCounters& counters = scene.line.counters();
    EXPECT(counters.sent > 20 && counters.dropped > 20);
    EXPECT(counters.sent + counters.dropped + scene.line.waiting() == given);
}

TEST(received_frames_are_given_on) {
    SocketScene scene;
    scene.hear(frame_of(0x305, 0));
    scene.hear(frame_of(0x307, 0x12));
    EXPECT(scene.client.heard.size() == 2 && scene.client.heard[1] == frame_of(0x307, 0x12));
    EXPECT(scene.line.counters().received == 2 && scene.client.rivals.empty());
}

TEST(an_id_of_ours_from_somebody_else_is_told) {
    SocketScene scene;
    scene.hear(frame_of(0x351, 9));
    EXPECT(scene.client.heard.empty() && scene.client.rivals.size() == 1);
    EXPECT(scene.client.rivals[0] == frame_of(0x351, 9) && scene.line.counters().rivals == 1);
}

TEST(what_is_no_frame_is_counted_and_harms_nothing) {
    SocketScene scene;
    const std::array<std::uint8_t, 20> bytes{0x51, 3, 0, 0, 9};
    scene.line.received(bytes, scene.now);
    EXPECT(scene.line.counters().malformed == 2 && scene.client.heard.empty());
    scene.hear(frame_of(0x305, 0));
    EXPECT(scene.client.heard.size() == 1);
}

TEST(the_state_of_the_bus_is_told_when_it_changes) {
    SocketScene scene;
    EXPECT(scene.client.states.size() == 1 && scene.client.states[0] == CanBusState::active);
    scene.hear_trouble(0x04, 0x20);
    scene.hear_trouble(0x04, 0x10);
    EXPECT(scene.client.states.size() == 2 && scene.client.states[1] == CanBusState::passive);
    scene.hear_trouble(0x40);
    scene.hear_trouble(0x40);
    EXPECT(scene.client.states.size() == 3 && scene.client.states[2] == CanBusState::off);
    EXPECT(scene.line.counters().bus_offs == 1);
    scene.hear_trouble(0x100);
    EXPECT(scene.client.states.size() == 4 && scene.client.states[3] == CanBusState::active);
    EXPECT(scene.line.counters().restarts == 1);
    scene.line.disconnected(scene.now);
    EXPECT(scene.client.states.size() == 5 && !scene.client.states[4]);
    EXPECT(!scene.line.bus_state());
}

TEST(a_bus_that_brings_a_frame_is_not_off) {
    SocketScene scene;
    scene.hear_trouble(0x40);
    scene.hear(frame_of(0x305, 0));
    EXPECT(scene.line.bus_state() == CanBusState::active);
}

TEST(lost_frames_and_late_ones_are_errors) {
    SocketScene scene;
    scene.hear_trouble(0x04, 0x01);
    scene.hear_trouble(0x01);
    scene.hear_trouble(0x20);  // not acknowledged: the counters of the controller tell
    EXPECT(scene.line.counters().errors == 2 && scene.client.states.size() == 1);
}

}  // namespace
