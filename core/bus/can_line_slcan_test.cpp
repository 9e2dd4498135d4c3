// SPDX-License-Identifier: Apache-2.0
// A CAN line through an slcan adapter: how it is opened, watched and opened again.
#include "core/base/test.h"
#include "core/bus/can_line.h"
#include "core/bus/can_line_scene.h"

namespace {

using namespace jw;
using can_scene::frame_of;
using can_scene::Scene;

struct AdapterScene : Scene {
    AdapterScene() : Scene(CanFraming::slcan) {}
};
struct OpenScene : AdapterScene {
    OpenScene() { open_adapter(); }
};

TEST(an_adapter_is_closed_set_and_opened_before_the_first_frame) {
    AdapterScene scene;
    scene.line.connected(scene.now);
    scene.line.send(frame_of(0x351, 1), scene.now);
    (void)scene.line.step(scene.now);
    EXPECT(scene.told() == "\r\rC\r");
    scene.hear_text("\a\a\a");  // it was closed, and had half a line
    scene.run(milliseconds(49));
    EXPECT(scene.told().empty());
    scene.run(milliseconds(2));
    EXPECT(scene.told() == "S6\r");
    scene.hear_text("\r");
    (void)scene.line.step(scene.now);
    EXPECT(scene.told() == "O\r" && scene.client.states.empty());
    scene.hear_text("\r");
    (void)scene.line.step(scene.now);
    EXPECT(scene.told() == "t35180100000000000000\r");
    EXPECT(scene.line.bus_state() == CanBusState::active && scene.line.counters().openings == 1);
}

TEST(an_adapter_that_never_answers_is_talked_to_all_the_same) {
    AdapterScene scene;
    scene.line.connected(scene.now);
    scene.run(milliseconds(300));
    scene.line.send(frame_of(0x351, 1), scene.now);
    EXPECT(scene.told() == "\r\rC\rS6\rO\rt35180100000000000000\r");
    EXPECT(!scene.line.bus_state());  // nothing is known
}

TEST(an_adapter_that_does_not_know_the_speed_is_not_opened_but_asked_again) {
    AdapterScene scene;
    scene.line.connected(scene.now);
    scene.run(milliseconds(51));
    scene.hear_text("\a");
    scene.run(milliseconds(900));
    EXPECT(scene.told() == "\r\rC\rS6\r" && scene.line.counters().errors == 1);
    scene.run(milliseconds(200));
    EXPECT(scene.told().starts_with("\r\rC\rS6\r"));
}

TEST(frames_of_an_adapter_are_given_on_and_those_of_ours_told) {
    OpenScene scene;
    scene.hear_text("t30580000000000000000\rt351");
    scene.hear_text("80900000000000000\r");
    EXPECT(scene.client.heard.size() == 1 && scene.client.heard[0] == frame_of(0x305, 0));
    EXPECT(scene.client.rivals.size() == 1 && scene.client.rivals[0] == frame_of(0x351, 9));
}

TEST(a_refused_frame_opens_the_adapter_again_once_a_second_at_most) {
    OpenScene scene;
    int openings = 0;
    for (int i = 0; i < 100; ++i) {
        scene.hear_text("\a");
        scene.run(milliseconds(50));
        openings += scene.told().find("C\r") != std::string_view::npos ? 1 : 0;
    }
    EXPECT(openings >= 3 && openings <= 5);
    EXPECT(scene.line.counters().errors > 0);
}

TEST(frames_wait_while_the_adapter_is_opened_again) {
    OpenScene scene;
    scene.run(milliseconds(990));
    scene.hear_text("\a");
    scene.run(milliseconds(20));
    EXPECT(scene.told() == "\r\rC\r");
    scene.line.send(frame_of(0x351, 1), scene.now);
    EXPECT(scene.told().empty() && scene.line.waiting() == 1);
    scene.run(milliseconds(300));
    EXPECT(scene.told() == "S6\rO\rt35180100000000000000\r");
}

TEST(an_adapter_is_asked_for_its_flags_each_second) {
    OpenScene scene;
    scene.run(milliseconds(1001));
    EXPECT(scene.told() == "F\r");
    scene.hear_text("F28\r");
    EXPECT(scene.line.bus_state() == CanBusState::passive && scene.line.counters().errors == 1);
    scene.run(seconds(1));
    EXPECT(scene.told() == "F\r");
    scene.hear_text("F00\r");
    EXPECT(scene.line.bus_state() == CanBusState::active);
}

TEST(an_adapter_without_flags_is_not_asked_again_nor_closed_for_it) {
    OpenScene scene;
    scene.run(milliseconds(1001));
    EXPECT(scene.told() == "F\r");
    scene.hear_text("\a");
    for (int i = 0; i < 5; ++i) {
        scene.run(seconds(1));
        scene.hear_text("\r");
    }
    EXPECT(scene.told().empty() && scene.line.counters().errors == 0);
}

TEST(silence_is_told_and_opens_the_adapter_again) {
    OpenScene scene;
    scene.run(milliseconds(2900));
    EXPECT(scene.told() == "F\rF\r" && scene.line.bus_state());
    scene.run(milliseconds(110));
    EXPECT(scene.told() == "\r\rC\r" && !scene.line.bus_state());
    scene.run(seconds(1));
    EXPECT(scene.told().starts_with("S6\rO\r"));
    scene.hear_text("\r");
    EXPECT(scene.line.bus_state() == CanBusState::active);
}

TEST(an_adapter_whose_controller_is_off_is_opened_again_and_recovers) {
    OpenScene scene;
    scene.run(milliseconds(1500));
    (void)scene.told();
    scene.hear_text("sb000256\r");
    EXPECT(scene.line.bus_state() == CanBusState::off && scene.line.counters().bus_offs == 1);
    (void)scene.line.step(scene.now);
    EXPECT(scene.told() == "\r\rC\r");
    scene.run(milliseconds(51));
    scene.hear_text("\r");
    (void)scene.line.step(scene.now);
    scene.hear_text("\r");
    EXPECT(scene.told() == "S6\rO\r" && scene.line.bus_state() == CanBusState::active);
    EXPECT(scene.line.counters().restarts == 1);
}

TEST(flags_do_not_end_what_they_do_not_know) {
    OpenScene scene;
    scene.hear_text("sb000256\rF00\r");
    EXPECT(scene.line.bus_state() == CanBusState::off);
    scene.hear_text("sa000000\r");
    EXPECT(scene.line.bus_state() == CanBusState::active);
}

TEST(noise_is_counted_and_the_next_frame_is_heard) {
    OpenScene scene;
    scene.hear_text("\xFF\xFE$$\rt3058000000000000\rt30580000000000000000\r");
    EXPECT(scene.line.counters().malformed == 2 && scene.client.heard.size() == 1);
}

TEST(half_a_line_of_the_last_connection_is_forgotten) {
    OpenScene scene;
    scene.hear_text("t30581");
    scene.line.disconnected(scene.now);
    scene.open_adapter();
    scene.hear_text("t30580000000000000000\r");
    EXPECT(scene.client.heard.size() == 1 && scene.line.counters().malformed == 0);
}

TEST(a_busy_port_delays_the_opening_and_loses_none_of_it) {
    AdapterScene scene;
    scene.bus.refusal = Code::busy;
    scene.line.connected(scene.now);
    scene.run(milliseconds(100));
    EXPECT(scene.told().empty());
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(300));
    EXPECT(scene.told() == "\r\rC\rS6\rO\r");
}

TEST(a_silent_adapter_on_a_busy_port_is_opened_when_the_port_is_free) {
    OpenScene scene;
    scene.bus.refusal = Code::busy;
    scene.run(seconds(5));  // the scene checks that no step asks for another one at once
    EXPECT(!scene.line.bus_state() && scene.told().empty());
    scene.bus.refusal = Code::ok;
    scene.run(milliseconds(300));
    EXPECT(scene.told() == "\r\rC\rS6\rO\r");
}

}  // namespace
