// SPDX-License-Identifier: Apache-2.0
// CanBus and CanLine on real SocketCAN: virtual interfaces, queues that are full, interfaces that
// go, and Linux's own slcan driver as a controller that can be `off`. Runs as root in a guest
// kernel: see run_in_guest.py.
#include "host/can_bus.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <linux/tty.h>
#include <net/if.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/bus/can_line.h"
#include "core/bus/linux_can.h"

namespace jw {
namespace {

/// Runs a command whose arguments hold no spaces.
bool run(const std::string& command) {
    std::vector<std::string> words;
    std::istringstream in(command);
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    return posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) == 0 &&
           waitpid(child, &status, 0) == child && status == 0;
}

/// Another program on the interface.
class Peer {
  public:
    explicit Peer(const std::string& device) : fd_(socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK, 1)) {
        sockaddr_can address{};
        address.can_family = AF_CAN;
        address.can_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
        EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0)
            << std::strerror(errno);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { close(fd_); }
    void send(std::uint32_t id, std::vector<std::uint8_t> data = {}) const {
        can_frame frame{};
        frame.can_id = id;
        frame.len = static_cast<std::uint8_t>(data.size());
        std::copy(data.begin(), data.end(), frame.data);
        EXPECT_EQ(write(fd_, &frame, sizeof frame), static_cast<ssize_t>(sizeof frame))
            << std::strerror(errno);
    }
    /// The next frame; nothing where none comes within ten seconds.
    std::optional<CanFrame> receive() const {
        pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
        (void)poll(&ready, 1, 10'000);
        std::array<std::uint8_t, sizeof(can_frame)> bytes{};
        if (read(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            return std::nullopt;
        }
        const auto message = linux_can::read_frame(bytes);
        return message ? std::optional(message->frame) : std::nullopt;
    }

  private:
    int fd_;
};

struct Client final : CanClient {
    void received(const CanFrame& frame, Instant /*now*/) override { heard.push_back(frame); }
    void rivalled(const CanFrame& frame, Instant /*now*/) override { rivals.push_back(frame); }
    void bus_changed(std::optional<CanBusState> state, Instant /*now*/) override {
        states.push_back(state);
    }
    std::vector<CanFrame> heard;
    std::vector<CanFrame> rivals;
    std::vector<std::optional<CanBusState>> states;
};

CanFrame frame_of(std::uint32_t id, std::uint8_t first_byte) {
    return {id, false, 8, {first_byte}};
}

constexpr std::array<std::uint16_t, 1> own_ids{0x351};

/// A gateway's end of an interface.
struct Gateway {
    explicit Gateway(const std::string& device, std::vector<std::uint16_t> ids = {})
        : bus(loop,
              {.name = "can",
               .device = device,
               .ids = std::move(ids),
               .backoff = {.base = milliseconds(5),
                           .cap = milliseconds(20),
                           .stable = milliseconds(1)}}),
          line(bus, settings(), client, waiting) {
        loop.use_step([this](Instant now) { return line.step(now); });
        bus.start(line);
    }
    static CanLineSettings settings() {
        CanLineSettings settings;
        settings.own_ids = own_ids;
        return settings;
    }
    bool until(const std::function<bool()>& done) { return loop.run_until(done, seconds(10)); }
    /// Lets whatever is under way arrive.
    void settle() {
        (void)loop.run_until([] { return false; }, milliseconds(50));
    }
    void send(std::uint32_t id, std::uint8_t first_byte) {
        line.send(frame_of(id, first_byte), Loop::now());
        loop.ask_step();
    }

    Loop loop;
    Client client;
    std::array<WaitingCanFrame, 32> waiting;
    CanBus bus;
    CanLine line;
};

class CanBusOnVcan : public testing::Test {
  protected:
    CanBusOnVcan() {
        EXPECT_TRUE(run("ip link add vcan0 type vcan") && run("ip link set vcan0 up"));
    }
    ~CanBusOnVcan() override { EXPECT_TRUE(run("ip link del vcan0")); }
};

TEST_F(CanBusOnVcan, carries_frames_both_ways) {
    Gateway gateway("vcan0");
    const Peer peer("vcan0");
    gateway.send(0x351, 0x43);
    EXPECT_EQ(peer.receive(), frame_of(0x351, 0x43));
    peer.send(0x305, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(gateway.until([&] { return !gateway.client.heard.empty(); }));
    EXPECT_EQ(gateway.client.heard[0], frame_of(0x305, 0));
    EXPECT_EQ(gateway.line.bus_state(), CanBusState::active);
    EXPECT_EQ(gateway.bus.state().bytes_out, 16U);
}

TEST_F(CanBusOnVcan, hears_nothing_that_was_not_asked_for) {
    Gateway gateway("vcan0", {0x305, 0x351});
    const Peer peer("vcan0");
    peer.send(0x123);
    peer.send(0x305 | CAN_EFF_FLAG);
    peer.send(0x305 | CAN_RTR_FLAG);
    peer.send(0x7FF);
    peer.send(0x305, {1});
    ASSERT_TRUE(gateway.until([&] { return !gateway.client.heard.empty(); }));
    gateway.settle();
    ASSERT_EQ(gateway.client.heard.size(), 1U);
    EXPECT_EQ(gateway.client.heard[0].bytes()[0], 1);
    EXPECT_EQ(gateway.line.counters().malformed, 0U);
}

TEST_F(CanBusOnVcan, does_not_hear_itself_but_whoever_sends_the_same) {
    Gateway gateway("vcan0");
    gateway.send(0x351, 1);
    gateway.settle();
    EXPECT_TRUE(gateway.client.rivals.empty());
    EXPECT_EQ(gateway.line.counters().received, 0U);
    const Peer peer("vcan0");
    peer.send(0x351, {2});
    EXPECT_TRUE(gateway.until([&] { return gateway.client.rivals.size() == 1; }));
    EXPECT_TRUE(gateway.client.heard.empty());
}

TEST_F(CanBusOnVcan, hears_the_error_frames_of_a_controller) {
    Gateway gateway("vcan0", {0x305});
    const Peer peer("vcan0");
    peer.send(CAN_ERR_FLAG | 0x40, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(gateway.until([&] { return gateway.line.bus_state() == CanBusState::off; }));
    peer.send(CAN_ERR_FLAG | 0x100, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(gateway.until([&] { return gateway.line.bus_state() == CanBusState::active; }));
    peer.send(CAN_ERR_FLAG | 0x08, {0, 0, 0, 0, 0, 0, 0, 0});  // a violation: nobody asked
    gateway.settle();
    EXPECT_EQ(gateway.line.counters().bus_offs, 1U);
    EXPECT_EQ(gateway.line.counters().restarts, 1U);
    EXPECT_EQ(gateway.bus.state().bytes_in, 2 * sizeof(can_frame));
}

TEST_F(CanBusOnVcan, what_a_full_queue_does_not_take_leaves_later_in_order) {
    ASSERT_TRUE(run("tc qdisc add dev vcan0 root netem delay 40ms limit 2"));
    Gateway gateway("vcan0");
    const Peer peer("vcan0");
    for (std::uint32_t id = 0x370; id < 0x37A; ++id) {
        gateway.send(id, 1);
    }
    EXPECT_EQ(gateway.line.counters().sent, 2U);
    EXPECT_EQ(gateway.line.waiting(), 8U);
    gateway.send(0x375, 2);  // newer than the one that waits
    EXPECT_EQ(gateway.line.waiting(), 8U);
    ASSERT_TRUE(gateway.until([&] { return gateway.line.waiting() == 0; }));
    for (std::uint32_t id = 0x370; id < 0x37A; ++id) {
        EXPECT_EQ(peer.receive(), frame_of(id, id == 0x375 ? 2 : 1));
    }
    EXPECT_EQ(gateway.line.counters().dropped, 1U);
    EXPECT_TRUE(gateway.bus.state().connected);
}

TEST_F(CanBusOnVcan, what_a_full_queue_never_takes_is_dropped_when_it_is_too_old) {
    ASSERT_TRUE(run("tc qdisc add dev vcan0 root netem delay 3s limit 1"));
    Gateway gateway("vcan0");
    gateway.send(0x351, 1);
    gateway.send(0x355, 1);
    ASSERT_TRUE(gateway.until([&] { return gateway.line.counters().dropped == 1; }));
    EXPECT_EQ(gateway.line.waiting(), 0U);
}

TEST_F(CanBusOnVcan, an_interface_that_goes_down_and_comes_up_is_used_again) {
    Gateway gateway("vcan0");
    ASSERT_TRUE(gateway.bus.state().connected);
    ASSERT_TRUE(run("ip link set vcan0 down"));
    ASSERT_TRUE(gateway.until([&] { return !gateway.bus.state().connected; }));
    EXPECT_FALSE(gateway.line.bus_state());
    ASSERT_TRUE(gateway.until(
        [&] { return gateway.bus.state().trouble.find("is down") != std::string::npos; }));
    gateway.settle();
    EXPECT_EQ(gateway.bus.state().connects, 1U);  // no flapping meanwhile
    gateway.send(0x355, 7);
    ASSERT_TRUE(run("ip link set vcan0 up"));
    const Peer peer("vcan0");
    ASSERT_TRUE(gateway.until([&] { return gateway.bus.state().connected; }));
    EXPECT_TRUE(gateway.bus.state().trouble.empty());
    ASSERT_TRUE(gateway.until([&] { return gateway.line.waiting() == 0; }));
    EXPECT_EQ(peer.receive(), frame_of(0x355, 7));
}

TEST_F(CanBusOnVcan, sending_on_an_interface_that_just_went_down_tells_it) {
    Gateway gateway("vcan0");
    ASSERT_TRUE(run("ip link set vcan0 down"));
    gateway.send(0x355, 7);
    ASSERT_TRUE(gateway.until([&] { return !gateway.line.bus_state(); }));
    EXPECT_EQ(gateway.line.counters().sent, 0U);
}

TEST_F(CanBusOnVcan, an_interface_that_is_taken_away_and_made_anew_is_used_again) {
    Gateway gateway("vcan0");
    ASSERT_TRUE(run("ip link del vcan0"));
    ASSERT_TRUE(gateway.until(
        [&] { return gateway.bus.state().trouble.find("plugged in?") != std::string::npos; }));
    ASSERT_TRUE(run("ip link add vcan0 type vcan") && run("ip link set vcan0 up"));
    ASSERT_TRUE(gateway.until([&] { return gateway.bus.state().connected; }));
    const Peer peer("vcan0");
    peer.send(0x305, {1});
    EXPECT_TRUE(gateway.until([&] { return gateway.client.heard.size() == 1; }));
}

TEST_F(CanBusOnVcan, an_interface_that_is_no_can_is_refused) {
    Gateway gateway("lo");
    EXPECT_FALSE(gateway.bus.state().connected);
    EXPECT_NE(gateway.bus.state().trouble.find("no such CAN interface"), std::string::npos)
        << gateway.bus.state().trouble;
}

/// Linux's slcan driver is a CAN controller with states; its adapter is played here.
class CanBusOnKernelSlcan : public testing::Test {
  protected:
    CanBusOnKernelSlcan() {
        EXPECT_EQ(openpty(&adapter_, &tty_, nullptr, nullptr, nullptr), 0);
        (void)fcntl(adapter_, F_SETFL, O_NONBLOCK);
        const int discipline = N_SLCAN;
        EXPECT_EQ(ioctl(tty_, TIOCSETD, &discipline), 0) << std::strerror(errno);
        ifreq interface {};
        EXPECT_EQ(ioctl(tty_, SIOCGIFNAME, &interface), 0) << std::strerror(errno);
        name_ = interface.ifr_name;
        EXPECT_TRUE(run("ip link set " + name_ + " up"));
    }
    ~CanBusOnKernelSlcan() override {
        close(tty_);
        close(adapter_);
    }
    void adapter_says(std::string_view text) const {
        EXPECT_EQ(write(adapter_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string adapter_hears() const {
        std::array<char, 256> bytes{};
        const ssize_t size = read(adapter_, bytes.data(), bytes.size());
        return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }

    int adapter_ = -1;
    int tty_ = -1;
    std::string name_;
};

TEST_F(CanBusOnKernelSlcan, our_frames_are_what_linux_writes_and_reads_as_slcan) {
    Gateway gateway(name_);
    (void)adapter_hears();
    gateway.send(0x351, 0x43);
    std::string text;
    ASSERT_TRUE(gateway.until([&] { return !(text += adapter_hears()).empty(); }));
    std::array<std::uint8_t, slcan::line_max> room{};
    Writer out(room);
    slcan::put_frame(frame_of(0x351, 0x43), out);
    EXPECT_EQ(text, as_text(out.written()));
    out.clear();
    slcan::put_frame(frame_of(0x305, 1), out);
    adapter_says(as_text(out.written()));
    ASSERT_TRUE(gateway.until([&] { return !gateway.client.heard.empty(); }));
    EXPECT_EQ(gateway.client.heard[0], frame_of(0x305, 1));
}

TEST_F(CanBusOnKernelSlcan, a_controller_that_goes_passive_and_off_is_told) {
    Gateway gateway(name_);
    adapter_says("sp128000\r");
    ASSERT_TRUE(gateway.until([&] { return gateway.line.bus_state() == CanBusState::passive; }));
    adapter_says("sb000256\r");
    ASSERT_TRUE(gateway.until([&] { return gateway.line.bus_state() == CanBusState::off; }));
    EXPECT_EQ(gateway.line.counters().bus_offs, 1U);
    EXPECT_TRUE(gateway.bus.state().connected);
    // What an administrator does where restart-ms is not set.
    ASSERT_TRUE(run("ip link set " + name_ + " down") && run("ip link set " + name_ + " up"));
    ASSERT_TRUE(gateway.until([&] { return gateway.bus.state().connects == 2; }));
    EXPECT_EQ(gateway.line.bus_state(), CanBusState::active);
    (void)adapter_hears();
    gateway.send(0x351, 2);
    std::string text;
    ASSERT_TRUE(gateway.until([&] { return !(text += adapter_hears()).empty(); }));
    EXPECT_EQ(text, "t35180200000000000000\r");
}

}  // namespace
}  // namespace jw
