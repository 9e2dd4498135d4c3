// SPDX-License-Identifier: Apache-2.0
// SerialBus on pseudo terminals. What a wire adds (parity errors, real speeds) is not seen here.
#include "host/serial_bus.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "host/fakes.h"

namespace jw {
namespace {

class SerialBusTest : public ::testing::Test {
  protected:
    ~SerialBusTest() override { unplug(); }
    // The adapter: a symbolic link to a fresh pseudo terminal, as udev would make it.
    void plug() {
        int slave = -1;
        ASSERT_EQ(openpty(&master_, &slave, nullptr, nullptr, nullptr), 0);
        char name[64];
        ASSERT_EQ(ttyname_r(slave, name, sizeof name), 0);
        close(slave);
        std::error_code ignored;
        std::filesystem::remove(device_, ignored);
        std::filesystem::create_symlink(name, device_);
    }
    void unplug() {
        if (master_ >= 0) {
            close(master_);
            master_ = -1;
        }
    }
    SerialBusSettings settings() {
        return {.name = "rs485",
                .device = device_,
                .backoff = {
                    .base = milliseconds(2), .cap = milliseconds(10), .stable = milliseconds(1)}};
    }
    bool until(const std::function<bool()>& done) { return loop_.run_until(done, seconds(20)); }
    std::string read_master() {
        std::string got(64, ' ');
        const ssize_t size = read(master_, got.data(), got.size());
        got.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return got;
    }

    test::TempFolder folder_;
    std::string device_ = folder_.path() + "/ttyUSB0";
    int master_ = -1;
    Loop loop_;
    test::FakeLine line_;
};

TEST_F(SerialBusTest, carries_bytes_both_ways_as_they_are) {
    plug();
    SerialBus bus(loop_, settings());
    bus.start(line_);
    ASSERT_TRUE(line_.up);
    const std::string odd("\x00\x03\x04\x11\x13\x0A\x0D\x7F\xFF", 9);
    ASSERT_TRUE(bus.send(as_bytes(odd)));
    EXPECT_EQ(read_master(), odd);
    ASSERT_EQ(write(master_, odd.data(), odd.size()), static_cast<ssize_t>(odd.size()));
    EXPECT_TRUE(until([&] { return line_.text == odd; }));
}

TEST_F(SerialBusTest, sets_speed_and_stop_bits_and_takes_parity_on_a_pseudo_terminal) {
    for (const SerialParity parity : {SerialParity::none, SerialParity::even, SerialParity::odd}) {
        plug();
        SerialBusSettings wanted = settings();
        wanted.baud = 115200;
        wanted.stop_bits = 2;
        wanted.parity = parity;
        SerialBus bus(loop_, wanted);
        bus.start(line_);
        ASSERT_TRUE(line_.up) << bus.state().trouble;
        termios got{};
        ASSERT_EQ(tcgetattr(master_, &got), 0);
        EXPECT_EQ(cfgetospeed(&got), static_cast<speed_t>(B115200));
        EXPECT_NE(got.c_cflag & CSTOPB, 0U);
        unplug();
    }
}

TEST_F(SerialBusTest, takes_every_speed_it_promises) {
    for (const std::uint32_t baud :
         {2400U, 4800U, 9600U, 19200U, 38400U, 57600U, 115200U, 230400U, 460800U, 921600U}) {
        EXPECT_TRUE(is_serial_speed(baud));
        plug();
        SerialBusSettings wanted = settings();
        wanted.baud = baud;
        SerialBus bus(loop_, wanted);
        bus.start(line_);
        EXPECT_TRUE(bus.state().connected) << bus.state().trouble;
        unplug();
    }
    EXPECT_FALSE(is_serial_speed(12345));
}

TEST_F(SerialBusTest, says_in_words_that_the_adapter_is_missing_and_opens_it_when_it_comes) {
    SerialBus bus(loop_, settings());
    bus.start(line_);
    EXPECT_NE(bus.state().trouble.find("is the adapter plugged in?"), std::string::npos);
    EXPECT_EQ(bus.send(as_bytes("x")).code(), Code::not_found);
    plug();
    EXPECT_TRUE(until([&] { return line_.up; }));
    EXPECT_EQ(bus.state().trouble, "");
}

TEST_F(SerialBusTest, opens_the_adapter_again_after_it_was_unplugged) {
    plug();
    SerialBus bus(loop_, settings());
    bus.start(line_);
    unplug();
    ASSERT_TRUE(until([&] { return line_.disconnects == 1; }));
    plug();
    ASSERT_TRUE(until([&] { return line_.up; }));
    ASSERT_EQ(write(master_, "again", 5), 5);
    EXPECT_TRUE(until([&] { return line_.text == "again"; }));
}

TEST_F(SerialBusTest, refuses_a_line_that_another_program_has) {
    plug();
    SerialBus first(loop_, settings());
    first.start(line_);
    test::FakeLine other;
    SerialBus second(loop_, settings());
    second.start(other);
    EXPECT_FALSE(other.up);
    EXPECT_NE(second.state().trouble.find("in use by another program"), std::string::npos);
}

TEST_F(SerialBusTest, refuses_what_is_no_serial_line) {
    const int fd = open(device_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    SerialBus bus(loop_, settings());
    bus.start(line_);
    EXPECT_FALSE(line_.up);
    EXPECT_NE(bus.state().trouble.find("is not a serial line"), std::string::npos);
}

}  // namespace
}  // namespace jw
