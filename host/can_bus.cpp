// SPDX-License-Identifier: Apache-2.0
// CanBus: a raw CAN socket, its filters, and what an interface may be short of.
#include "host/can_bus.h"

#include <fmt/format.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "core/bus/linux_can.h"

namespace jw {
namespace {

static_assert(sizeof(can_frame) == linux_can::frame_size);

// Below this the kernel takes its own least. A frame that waits in the kernel can neither be
// replaced nor grow too old, so few may.
constexpr int send_buffer_least = 1;

}  // namespace

CanBus::CanBus(Loop& loop, CanBusSettings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      backoff_(
          settings_.backoff,
          std::hash<std::string>{}(settings_.name) ^ static_cast<std::uint64_t>(Loop::now().us)),
      stream_(loop) {}

void CanBus::start(Line& line) {
    line_ = &line;
    attempt();
}

void CanBus::attempt() {
    attempt_.renew();
    const int fd = socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
    const int reason = fd < 0 ? errno : set_up(fd);
    if (reason != 0) {
        if (fd >= 0) {
            close(fd);
        }
        retry(words(reason));
        return;
    }
    backoff_.connected(Loop::now());
    backoff_.proven();
    fd_ = fd;
    stream_.open(fd, *line_, state_, [this](int lost) { retry(words(lost)); });
}

int CanBus::set_up(int fd) const {
    ifreq interface {};
    if (settings_.device.size() >= sizeof interface.ifr_name) {
        return ENODEV;
    }
    std::copy(settings_.device.begin(), settings_.device.end(), interface.ifr_name);
    if (ioctl(fd, SIOCGIFFLAGS, &interface) != 0) {
        return errno;
    }
    if ((interface.ifr_flags & IFF_UP) == 0) {
        return ENETDOWN;
    }
    if (ioctl(fd, SIOCGIFINDEX, &interface) != 0) {
        return errno;
    }
    if (const int reason = filter(fd); reason != 0) {
        return reason;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_least, sizeof send_buffer_least);
    sockaddr_can address{};
    address.can_family = AF_CAN;
    address.can_ifindex = interface.ifr_ifindex;
    return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

int CanBus::filter(int fd) const {
    const can_err_mask_t troubles =
        CAN_ERR_TX_TIMEOUT | CAN_ERR_CRTL | CAN_ERR_BUSOFF | CAN_ERR_RESTARTED;
    if (setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &troubles, sizeof troubles) != 0) {
        return errno;
    }
    std::vector<can_filter> filters;
    for (const std::uint16_t id : settings_.ids) {
        filters.push_back({id, CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG});
    }
    const auto size = static_cast<socklen_t>(filters.size() * sizeof(can_filter));
    if (!filters.empty() &&
        setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FILTER, filters.data(), size) != 0) {
        return errno;
    }
    return 0;
}

Status CanBus::send(Bytes bytes) {
    if (!stream_.is_open()) {
        return JW_FAIL(not_found);
    }
    // Not through the stream, which would keep a frame that the kernel did not take.
    if (write(fd_, bytes.data(), bytes.size()) >= 0) {
        state_.bytes_out += bytes.size();
        return done;
    }
    const int reason = errno;
    if (reason == ENOBUFS || reason == EAGAIN || reason == EINTR) {
        return JW_FAIL(busy);
    }
    // The line is in the middle of its step: it hears of the loss afterwards.
    boost::asio::post(loop_.io(), attempt_([this, reason] {
                          stream_.close();
                          retry(words(reason));
                      }));
    return JW_FAIL(not_found);
}

void CanBus::retry(std::string trouble) {
    state_.trouble = std::move(trouble);
    attempt_.renew();
    loop_.after(backoff_.lost(Loop::now()), attempt_, [this] { attempt(); });
}

std::string CanBus::words(int reason) const {
    std::string advice;
    if (reason == ENODEV || reason == ENXIO) {
        advice = "there is no such CAN interface: is the adapter plugged in?";
    } else if (reason == ENETDOWN) {
        advice = fmt::format(
            "the interface is down: ip link set {} up type can bitrate 500000 restart-ms 100",
            settings_.device);
    } else if (reason == EAFNOSUPPORT || reason == EPROTONOSUPPORT) {
        advice = "this kernel has no CAN: load its module can_raw";
    } else {
        advice = std::strerror(reason);
    }
    return fmt::format("{} (bus {}): {}", settings_.device, settings_.name, advice);
}

}  // namespace jw
