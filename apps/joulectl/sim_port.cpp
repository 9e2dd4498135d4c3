// SPDX-License-Identifier: Apache-2.0
// TCP ports and pseudo terminals of simulated devices.
#include "apps/joulectl/sim_port.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <list>

#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// A peer that does not read is not waited for: what it leaves unread is bounded.
constexpr std::size_t unsent_max = 64;

/// One connection to a device, over whatever Asio can read and write.
template <class Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
  public:
    Connection(Stream stream, SimPlace place, SimCounters& counters)
        : stream_(std::move(stream)),
          session_(place.device.connect()),
          faults_(place.faults),
          counters_(counters),
          timer_(place.io),
          answer_timer_(place.io) {}

    void read() {
        stream_.async_read_some(
            asio::buffer(in_),
            [self = this->shared_from_this()](boost::system::error_code error, std::size_t size) {
                if (error) {
                    self->close();
                    return;
                }
                ++self->counters_.heard;
                const jw::Bytes bytes(self->in_.data(), size);
                self->session_->received(bytes, sim_now());
                self->answer();
                self->read();
            });
    }

    void say(const std::string& bytes) {
        ++counters_.said;
        if (closed_ || faults_.asleep(sim_now()) || faults_.drops() || out_.size() >= unsent_max) {
            ++counters_.lost;
            return;
        }
        out_.push_back({bytes, Clock::now() + std::chrono::microseconds(faults_.delay().us)});
        if (!busy_) {
            wait_and_write();
        }
    }

    void close() {
        closed_ = true;
        timer_.cancel();
        answer_timer_.cancel();
        boost::system::error_code ignored;
        stream_.close(ignored);
    }

    [[nodiscard]] bool closed() const { return closed_; }
    [[nodiscard]] Stream& stream() { return stream_; }

  private:
    struct Said {
        std::string bytes;
        Clock::time_point due;
    };

    void answer() {
        const jw::Instant now = sim_now();
        while (session_->next() <= now) {
            say(session_->take(now));
        }
        if (session_->next() == jw::never) {
            return;
        }
        answer_timer_.expires_after(std::chrono::microseconds((session_->next() - now).us));
        answer_timer_.async_wait(
            [self = this->shared_from_this()](boost::system::error_code error) {
                if (!error && !self->closed_) {
                    self->answer();
                }
            });
    }

    void wait_and_write() {
        busy_ = true;
        timer_.expires_at(out_.front().due);
        timer_.async_wait([self = this->shared_from_this()](boost::system::error_code error) {
            if (!error && !self->closed_) {
                self->write();
            }
        });
    }

    void write() {
        asio::async_write(
            stream_,
            asio::buffer(out_.front().bytes),
            [self = this->shared_from_this()](boost::system::error_code error, std::size_t) {
                if (error) {
                    self->close();
                    return;
                }
                self->out_.pop_front();
                self->busy_ = false;
                if (!self->out_.empty()) {
                    self->wait_and_write();
                }
            });
    }

    Stream stream_;
    std::unique_ptr<SimSession> session_;
    SimFaults& faults_;
    SimCounters& counters_;
    asio::steady_timer timer_;         // until what was said is due
    asio::steady_timer answer_timer_;  // until the device says more
    std::array<std::uint8_t, 2048> in_{};
    std::deque<Said> out_;
    bool busy_ = false;
    bool closed_ = false;
};

class TcpPort : public SimPort {
  public:
    TcpPort(SimPlace place, const std::string& host, std::uint16_t port)
        : place_(place), acceptor_(place.io) {
        try {
            const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(host), port);
            acceptor_.open(endpoint.protocol());
            acceptor_.set_option(asio::socket_base::reuse_address(true));
            acceptor_.bind(endpoint);
            acceptor_.listen();
        } catch (const boost::system::system_error& error) {
            throw Failure("sim: cannot listen on " + host + " port " + std::to_string(port) + ": " +
                          error.code().message() + "; take another with --tcp, 0 picks a free one");
        }
        accept();
    }

    [[nodiscard]] nlohmann::ordered_json address() const override {
        const auto local = acceptor_.local_endpoint();
        return {{"type", "tcp"}, {"host", local.address().to_string()}, {"port", local.port()}};
    }

    void say(const std::string& bytes) override {
        for (const auto& connection : connections_) {
            connection->say(bytes);
        }
    }

    void close() override {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        for (const auto& connection : connections_) {
            connection->close();
        }
        connections_.clear();
    }

    [[nodiscard]] const SimCounters& counters() const override { return counters_; }

  private:
    void accept() {
        acceptor_.async_accept(
            [this](boost::system::error_code error, asio::ip::tcp::socket socket) {
                if (error == asio::error::operation_aborted) {
                    return;
                }
                connections_.remove_if([](const auto& connection) { return connection->closed(); });
                if (!error) {
                    ++counters_.connections;
                    boost::system::error_code ignored;
                    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
                    connections_.push_back(std::make_shared<Connection<asio::ip::tcp::socket>>(
                        std::move(socket), place_, counters_));
                    connections_.back()->read();
                }
                accept();
            });
    }

    SimPlace place_;
    asio::ip::tcp::acceptor acceptor_;
    std::list<std::shared_ptr<Connection<asio::ip::tcp::socket>>> connections_;
    SimCounters counters_;
};

Failure pty_failure(const std::string& what) {
    return Failure("sim: " + what + ": " + std::strerror(errno));
}

class PtyPort : public SimPort {
  public:
    PtyPort(SimPlace place, const std::string& link) : link_(link) {
        const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
            throw pty_failure("cannot open a pseudo terminal");
        }
        std::array<char, 64> name{};
        if (ptsname_r(master, name.data(), name.size()) != 0) {
            throw pty_failure("cannot name the pseudo terminal");
        }
        name_ = name.data();
        // Held open, so that the master does not fail while nobody listens.
        slave_ = open(name_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios settings{};
        if (slave_ < 0 || tcgetattr(slave_, &settings) != 0) {
            throw pty_failure("cannot open " + name_);
        }
        cfmakeraw(&settings);
        if (tcsetattr(slave_, TCSANOW, &settings) != 0) {
            throw pty_failure("cannot set up " + name_);
        }
        connection_ = std::make_shared<Connection<asio::posix::stream_descriptor>>(
            asio::posix::stream_descriptor(place.io, master), place, counters_);
        connection_->read();
        if (!link_.empty()) {
            make_link();
        }
    }

    ~PtyPort() override {
        try {
            PtyPort::close();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "joulectl: %s: %s\n", name_.c_str(), error.what());
        }
    }

    [[nodiscard]] nlohmann::ordered_json address() const override {
        return {{"type", "serial"}, {"device", link_.empty() ? name_ : link_}};
    }

    void say(const std::string& bytes) override {
        // A real meter talks into the air while nobody listens; a terminal would keep it all.
        int unread = 0;
        if (ioctl(slave_, FIONREAD, &unread) == 0 && unread > 2048) {
            tcflush(slave_, TCIFLUSH);
        }
        connection_->say(bytes);
    }

    void close() override {
        connection_->close();
        if (slave_ >= 0) {
            ::close(slave_);
            slave_ = -1;
            std::error_code ignored;
            if (!link_.empty() && std::filesystem::read_symlink(link_, ignored) == name_) {
                std::filesystem::remove(link_, ignored);
            }
        }
    }

    [[nodiscard]] const SimCounters& counters() const override { return counters_; }

  private:
    void make_link() {
        std::error_code error;
        if (std::filesystem::is_symlink(link_, error)) {
            std::filesystem::remove(link_, error);  // left by a run that was killed
        }
        std::filesystem::create_symlink(name_, link_, error);
        if (error) {
            throw Failure("sim: cannot make the link " + link_ + ": " + error.message() +
                          "; give --pty a path that is free and in a folder that can be written");
        }
    }

    std::string link_;
    std::string name_;
    int slave_ = -1;
    std::shared_ptr<Connection<asio::posix::stream_descriptor>> connection_;
    SimCounters counters_;
};

}  // namespace

jw::Instant sim_now() {
    static const Clock::time_point start = Clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    return jw::Instant{passed.count()};
}

std::unique_ptr<SimPort> open_tcp(SimPlace place, const std::string& host, std::uint16_t port) {
    return std::make_unique<TcpPort>(place, host, port);
}

std::unique_ptr<SimPort> open_pty(SimPlace place, const std::string& link) {
    return std::make_unique<PtyPort>(place, link);
}

}  // namespace joulectl
