// SPDX-License-Identifier: Apache-2.0
// `joulectl can record`, `replay` and `convert`: frames from a bus into logs, from logs onto a bus,
// and from one form of log into another.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/joulectl/can.h"
#include "apps/joulectl/can_port.h"
#include "apps/joulectl/input.h"

namespace joulectl {
namespace {

using namespace jw;
using Json = nlohmann::ordered_json;

constexpr std::uint32_t files_max = 4;  // of a log on disk, with the one that grows

std::int64_t wall_clock_us() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

/// A log on disk that never takes more than so many bytes: FILE grows, FILE.1 is the one before,
/// and so on; the oldest is given up.
class RotatingLog {
  public:
    RotatingLog(std::string path, std::uint64_t bytes_max)
        : path_(std::move(path)), bytes_max_(bytes_max / files_max) {
        if (path_ != "-") {
            open_next();
        }
    }
    RotatingLog(const RotatingLog&) = delete;
    RotatingLog& operator=(const RotatingLog&) = delete;
    ~RotatingLog() {
        if (fd_ > STDOUT_FILENO) {
            close(fd_);
        }
    }
    void write_line(std::string_view line) {
        if (path_ != "-" && bytes_ + line.size() > bytes_max_) {
            open_next();
        }
        if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            throw Failure("can: " + path_ + ": " + std::strerror(errno));
        }
        bytes_ += line.size();
    }
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }

  private:
    [[nodiscard]] std::string place(std::uint32_t age) const {
        return age == 0 ? path_ : path_ + "." + std::to_string(age);
    }
    void open_next() {
        if (fd_ > STDOUT_FILENO) {
            close(fd_);
        }
        std::error_code error;
        given_up_ += std::filesystem::remove(place(files_max - 1), error) ? 1U : 0U;
        for (std::uint32_t age = files_max - 1; age > 0 && !error; --age) {
            if (std::filesystem::exists(place(age - 1), error)) {
                std::filesystem::rename(place(age - 1), place(age), error);
            }
        }
        fd_ = error ? -1 : open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd_ < 0) {
            throw Failure("can: " + path_ + ": " +
                          (error ? error.message() : std::string(std::strerror(errno))));
        }
        bytes_ = 0;
    }

    std::string path_;
    std::uint64_t bytes_max_;  // of one file
    std::uint64_t bytes_ = 0;
    std::uint64_t given_up_ = 0;
    int fd_ = STDOUT_FILENO;
};

int record(const CanTrafficOptions& options) {
    if (options.bytes_max < files_max * candump::line_max) {
        throw UsageError("can: --bytes must have room for a line in each of the four files: 288");
    }
    Loop loop;
    RotatingLog log(options.file, options.bytes_max);
    std::uint64_t frames = 0;
    std::string broken;
    CanPort* opened = nullptr;
    CanPort port(loop, options, [&](const CanFrame& frame) {
        if (!broken.empty() || (options.frames_max > 0 && frames == options.frames_max)) {
            return;
        }
        std::array<char, candump::line_max> room{};
        Text line(room);
        candump::put_line({frame, wall_clock_us(), std::string_view(opened->name())}, line);
        try {
            log.write_line(line.view());
            ++frames;
        } catch (const Failure& failure) {
            broken = failure.what();
        }
    });
    opened = &port;
    port.wait_open();
    bool asked_to_end = false;
    boost::asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code error, int) { asked_to_end = !error; });
    const Duration at_most = options.seconds > 0 ? seconds(options.seconds) : seconds(366 * 86'400);
    (void)loop.run_until(
        [&] {
            return asked_to_end || !broken.empty() ||
                   (options.frames_max > 0 && frames == options.frames_max);
        },
        at_most);
    const Json summary{{"frames", frames},
                       {"errors", port.counters().errors},
                       {"malformed", port.counters().malformed},
                       {"bus_offs", port.counters().bus_offs},
                       {"files_given_up", log.given_up()}};
    std::fprintf(stderr, "%s\n", summary.dump().c_str());
    if (!broken.empty()) {
        throw Failure(broken);
    }
    return 0;
}

/// What a log says of one line after the other; lines that are wrong are told and counted.
class LogReader {
  public:
    explicit LogReader(const std::string& file) : text_(read_all(file)) {}
    void each(const std::function<void(const candump::LoggedFrame& logged)>& take) {
        std::size_t number = 0;
        each_line(text_, [&](std::string_view line, std::size_t) {
            ++number;
            const candump::Line read = candump::read_line(line);
            if (read.code != Code::ok) {
                ++refusals_;
                std::fprintf(stderr,
                             "joulectl: line %zu, column %zu: expected %s\n",
                             number,
                             read.at + 1,
                             read.wrong);
            } else if (read.logged) {
                take(*read.logged);
            }
        });
    }
    [[nodiscard]] int refusals() const { return refusals_; }

  private:
    std::string text_;
    int refusals_ = 0;
};

int replay(const CanTrafficOptions& options) {
    if (!(options.speed > 0)) {
        throw UsageError("can: --speed must be above 0: 2 is twice as fast as it was");
    }
    LogReader log(options.file);
    Loop loop;
    CanPort port(loop, options, {});
    port.wait_open();
    std::optional<std::int64_t> first_us;
    const Instant begun = Loop::now();
    std::uint64_t frames = 0;
    std::int64_t late_us = 0;
    log.each([&](const candump::LoggedFrame& logged) {
        if (!logged.time_us) {
            throw Failure(
                "can: the log has no times: record one with `joulectl can record`, or "
                "with `candump -L`");
        }
        first_us = first_us.value_or(*logged.time_us);
        const double after_us =
            static_cast<double>(std::max<std::int64_t>(*logged.time_us - *first_us, 0)) /
            options.speed;
        constexpr double day_us = 86'400e6;
        const Instant due =
            begun + microseconds(static_cast<std::int64_t>(std::min(after_us, 366 * day_us)));
        if (const Duration wait = due - Loop::now(); wait.us > 0) {
            (void)loop.run_until([] { return false; }, wait);
        }
        port.send(logged.frame);
        late_us = std::max(late_us, (Loop::now() - due).us);
        ++frames;
    });
    (void)loop.run_until([] { return false; }, milliseconds(20));  // a serial port drains
    const Json summary{{"frames", frames}, {"refused", log.refusals()}, {"late_us", late_us}};
    std::printf("%s\n", summary.dump().c_str());
    return log.refusals() == 0 && frames > 0 ? 0 : 1;
}

/// SavvyCAN has numbers where candump has names.
candump::LoggedFrame with_name(candump::LoggedFrame logged) {
    const std::string bus(logged.bus.view());
    if (!bus.empty() && bus.find_first_not_of("0123456789") == std::string::npos) {
        logged.bus = std::string_view("can" + bus);
    }
    return logged;
}

int convert(const CanTrafficOptions& options) {
    const bool csv = options.form == "savvycan";
    LogReader log(options.file);
    std::string out(csv ? candump::savvycan_head : std::string_view());
    log.each([&](const candump::LoggedFrame& logged) {
        std::array<char, candump::line_max> room{};
        Text line(room);
        if (csv) {
            candump::put_savvycan(logged, line);
        } else {
            candump::put_line(with_name(logged), line);
        }
        out += line.view();
    });
    std::fwrite(out.data(), 1, out.size(), stdout);
    return log.refusals() == 0 ? 0 : 1;
}

}  // namespace

int can_traffic(const CanTrafficOptions& options) {
    if (options.action == "convert") {
        return convert(options);
    }
    if (!slcan::is_bitrate(options.bitrate)) {
        throw UsageError(
            "can: --bitrate must be 10000, 20000, 50000, 100000, 125000, 250000, "
            "500000, 800000 or 1000000");
    }
    return options.action == "record" ? record(options) : replay(options);
}

}  // namespace joulectl
