// SPDX-License-Identifier: Apache-2.0
// `joulectl sim`: one device or a whole site, in one process, until it is told to end.
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "apps/joulectl/input.h"
#include "apps/joulectl/sim_devices.h"
#include "apps/joulectl/sim_faults.h"
#include "apps/joulectl/sim_port.h"
#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

void print(const Json& line) {
    std::printf("%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    std::fflush(stdout);
}

/// Everything that runs in this process: devices, their ports, and what ends them.
class World {
  public:
    explicit World(const SimOptions& options) : options_(options), faults_(options) {
        (void)sim_now();
    }

    /// Adds what the options ask for; gives the line to print.
    Json build() {
        if (options_.kind == "p1") {
            return add_p1("p1", options_.tcp, options_.pty);
        }
        if (options_.kind == "site") {
            return build_site();
        }
        if (options_.kind == "tinybms") {
            battery_ = std::make_unique<SimTinybms>(options_);
            if (options_.control) {
                take_control();
            }
            return open("tinybms", "tinybms", *battery_, options_.tcp, options_.pty);
        }
        return add_modbus(options_.kind.c_str(), options_.kind, options_.tcp, options_.pty);
    }

    void run() {
        asio::signal_set signals(io_, SIGINT, SIGTERM);
        signals.async_wait([this](boost::system::error_code error, int) {
            if (!error) {
                stop();
            }
        });
        if (isatty(STDERR_FILENO) != 0) {
            show_progress();
        }
        io_.run();
    }

  private:
    using Tcp = std::optional<int>;

    /// One of each kind, so that a gateway has something to do on every wire. The grid meter counts
    /// what the others take and give, and a household beside them.
    Json build_site() {
        const int first = options_.tcp.value_or(0);
        const auto port = [&](int n) { return Tcp(first == 0 ? 0 : first + n); };
        Json devices = Json::array();
        devices.push_back(add_modbus("workshop", "demo_meter", port(0), ""));
        devices.push_back(add_modbus("roof", "sunspec", port(1), ""));
        devices.push_back(add_p1("grid", port(2), "", [this](jw::Instant now) {
            std::int64_t power_w = 0;
            for (const auto& device : modbus_) {
                power_w += device->power_w(now);
            }
            return power_w;
        }));
        devices.push_back(add_modbus("heat-pump", "demo_meter", std::nullopt, options_.pty));
        return {{"devices", std::move(devices)}};
    }

    Json open(const char* name,
              const std::string& driver,
              SimDevice& device,
              Tcp tcp,
              const std::string& pty) {
        const SimPlace place{io_, device, faults_};
        ports_.push_back(tcp ? open_tcp(place, options_.address, static_cast<std::uint16_t>(*tcp))
                             : open_pty(place, pty));
        Json line{{"name", name}, {"driver", driver}};
        line.update(ports_.back()->address());
        return line;
    }

    Json add_p1(const char* name,
                Tcp tcp,
                const std::string& pty,
                std::function<std::int64_t(jw::Instant now)> others_w = {}) {
        meters_.push_back(std::make_unique<SimP1>(io_, options_, std::move(others_w)));
        Json line = open(name, "p1", *meters_.back(), tcp, pty);
        meters_.back()->start(
            [port = ports_.back().get()](const std::string& telegram) { port->say(telegram); });
        return line;
    }

    Json add_modbus(const char* name, const std::string& driver, Tcp tcp, const std::string& pty) {
        const auto framing = tcp ? jw::ModbusFraming::tcp : jw::ModbusFraming::rtu;
        modbus_.push_back(std::make_unique<SimModbus>(
            framing,
            driver == "sunspec" ? sim_sunspec(options_) : sim_demo_meter(options_, name),
            options_));
        Json line = open(name, driver, *modbus_.back(), tcp, pty);
        line["type"] = tcp ? "modbus_tcp" : "modbus_rtu";
        line["unit"] = modbus_.back()->unit();
        return line;
    }

    /// Lines of standard input change the battery; what it answers is printed.
    void take_control() {
        battery_->watch([](const std::string& said) {
            const auto now = std::chrono::system_clock::now().time_since_epoch();
            const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
            print({{"time_us", us}, {"said", to_hex(said)}});
        });
        input_.emplace(io_, dup(STDIN_FILENO));
        read_control();
    }

    void read_control() {
        asio::async_read_until(
            *input_,
            asio::dynamic_buffer(typed_, 4096),
            '\n',
            [this](boost::system::error_code error, std::size_t size) {
                if (error) {
                    return;  // nobody is there any more; it goes on as it is
                }
                const std::string line = typed_.substr(0, size - 1);
                typed_.erase(0, size);
                if (!battery_->control(line)) {
                    print({{"error", "not one of set REGISTER WORD…, silent, speak: " + line}});
                }
                read_control();
            });
    }

    void stop() {
        input_.reset();
        for (const auto& meter : meters_) {
            meter->stop();
        }
        for (const auto& port : ports_) {
            port->close();
        }
        progress_.cancel();
        if (isatty(STDERR_FILENO) != 0) {
            std::fputc('\n', stderr);
        }
    }

    void show_progress() {
        SimCounters sum;
        for (const auto& port : ports_) {
            sum.connections += port->counters().connections;
            sum.heard += port->counters().heard;
            sum.said += port->counters().said;
            sum.lost += port->counters().lost;
        }
        std::fprintf(stderr,
                     "\r%llu connections, %llu heard, %llu said, %llu lost ",
                     static_cast<unsigned long long>(sum.connections),
                     static_cast<unsigned long long>(sum.heard),
                     static_cast<unsigned long long>(sum.said),
                     static_cast<unsigned long long>(sum.lost));
        progress_.expires_after(std::chrono::seconds(1));
        progress_.async_wait([this](boost::system::error_code error) {
            if (!error) {
                show_progress();
            }
        });
    }

    const SimOptions& options_;
    asio::io_context io_;
    SimFaults faults_;
    std::vector<std::unique_ptr<SimP1>> meters_;
    std::vector<std::unique_ptr<SimModbus>> modbus_;
    std::unique_ptr<SimTinybms> battery_;
    std::optional<asio::posix::stream_descriptor> input_;
    std::string typed_;
    std::vector<std::unique_ptr<SimPort>> ports_;
    asio::steady_timer progress_{io_};
};

}  // namespace

int simulate(const SimOptions& options) {
    if (options.kind != "site" && options.tcp.has_value() == !options.pty.empty()) {
        throw UsageError("sim: give either --tcp PORT or --pty PATH, to say where the device is");
    }
    std::signal(SIGPIPE, SIG_IGN);
    World world(options);
    const Json line = world.build();
    print(line);
    world.run();
    return 0;
}

}  // namespace joulectl
