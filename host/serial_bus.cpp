// SPDX-License-Identifier: Apache-2.0
// SerialBus: open, lock, set up, hand the descriptor to the stream.
#include "host/serial_bus.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

namespace jw {
namespace {

struct Speed {
    std::uint32_t baud;
    speed_t code;
};
constexpr std::array<Speed, 12> speeds{{{2400, B2400},
                                        {4800, B4800},
                                        {9600, B9600},
                                        {19200, B19200},
                                        {38400, B38400},
                                        {57600, B57600},
                                        {115200, B115200},
                                        {230400, B230400},
                                        {460800, B460800},
                                        {500000, B500000},
                                        {576000, B576000},
                                        {921600, B921600}}};

std::optional<speed_t> speed_code(std::uint32_t baud) {
    for (const Speed& speed : speeds) {
        if (speed.baud == baud) {
            return speed.code;
        }
    }
    return std::nullopt;
}

// The slave of a pseudo terminal has no wire: it refuses parity or drops it, which is no trouble.
// Linux gives it the majors 136 to 143 (Documentation/admin-guide/devices.txt).
bool is_pseudo_terminal(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && major(status.st_rdev) >= 136 && major(status.st_rdev) <= 143;
}

}  // namespace

bool is_serial_speed(std::uint32_t baud) {
    return speed_code(baud).has_value();
}

SerialBus::SerialBus(Loop& loop, SerialBusSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      backoff_(
          settings_.backoff,
          std::hash<std::string>{}(settings_.name) ^ static_cast<std::uint64_t>(Loop::now().us)),
      stream_(loop) {}

void SerialBus::start(Line& line) {
    line_ = &line;
    attempt();
}

void SerialBus::attempt() {
    attempt_.renew();
    // Non-blocking, or open() would wait for a carrier.
    const int fd = open(settings_.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        retry(words(errno));
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        retry(fmt::format("{} (bus {}) is in use by another program: stop that one",
                          settings_.device,
                          settings_.name));
        return;
    }
    if (std::string wrong = configure(fd); !wrong.empty()) {
        close(fd);
        retry(std::move(wrong));
        return;
    }
    backoff_.connected(Loop::now());
    backoff_.proven();
    stream_.open(fd, *line_, state_, [this](int reason) { retry(words(reason)); });
}

std::string SerialBus::configure(int fd) const {
    const auto speed = speed_code(settings_.baud);
    termios wanted{};
    if (!speed) {
        return fmt::format(
            "bus {}: {} baud is not a speed of a serial line", settings_.name, settings_.baud);
    }
    if (tcgetattr(fd, &wanted) != 0) {
        return fmt::format("{} (bus {}) is not a serial line", settings_.device, settings_.name);
    }
    cfmakeraw(&wanted);
    wanted.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS | HUPCL);
    wanted.c_cflag |= CLOCAL | CREAD;
    wanted.c_cflag |= settings_.data_bits == 7 ? CS7 : CS8;
    wanted.c_cflag |= settings_.stop_bits == 2 ? CSTOPB : 0U;
    wanted.c_iflag |= IGNBRK;
    wanted.c_cc[VMIN] = 1;
    wanted.c_cc[VTIME] = 0;
    cfsetispeed(&wanted, *speed);
    cfsetospeed(&wanted, *speed);
    const bool pseudo = is_pseudo_terminal(fd);
    if (settings_.parity != SerialParity::none && !pseudo) {
        wanted.c_cflag |= PARENB | (settings_.parity == SerialParity::odd ? PARODD : 0U);
    }
    termios got{};
    // tcsetattr() succeeds where any part of it did, so what came of it is read back.
    constexpr tcflag_t checked = CSIZE | PARENB | PARODD | CSTOPB;
    if (tcsetattr(fd, TCSANOW, &wanted) != 0 || tcgetattr(fd, &got) != 0 ||
        (!pseudo &&
         ((got.c_cflag & checked) != (wanted.c_cflag & checked) || cfgetospeed(&got) != *speed))) {
        return fmt::format(
            "{} (bus {}) does not take {} baud, {} data bits, parity {}, {} stop bits: the adapter "
            "or its driver cannot do this",
            settings_.device,
            settings_.name,
            settings_.baud,
            settings_.data_bits,
            enum_names(SerialParity{})[static_cast<std::size_t>(settings_.parity)],
            settings_.stop_bits);
    }
    (void)tcflush(fd, TCIOFLUSH);
    return {};
}

void SerialBus::retry(std::string trouble) {
    state_.trouble = std::move(trouble);
    attempt_.renew();
    loop_.after(backoff_.lost(Loop::now()), attempt_, [this] { attempt(); });
}

std::string SerialBus::words(int reason) const {
    const char* advice = "";
    if (reason == ENOENT || reason == ENODEV || reason == ENXIO || reason == EIO || reason == 0) {
        advice = ": is the adapter plugged in?";
    } else if (reason == EACCES || reason == EPERM) {
        advice = ": the service's user must be in the group that owns it (dialout)";
    }
    return fmt::format("{} (bus {}): {}{}",
                       settings_.device,
                       settings_.name,
                       reason == 0 ? "the device is gone" : std::strerror(reason),
                       advice);
}

}  // namespace jw
