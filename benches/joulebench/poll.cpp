// SPDX-License-Identifier: Apache-2.0
// Poll to acknowledgement: what a tag costs the gateway, beside a loop that does only the polling.
#include <fmt/format.h>
#include <mosquitto.h>

#include <cstdio>
#include <fstream>
#include <optional>

#include "benches/joulebench/bare_poller.h"
#include "benches/joulebench/broker.h"
#include "benches/joulebench/devices.h"
#include "benches/joulebench/gateway.h"
#include "benches/joulebench/mix.h"
#include "benches/joulebench/scenarios.h"

namespace jw::bench {
namespace {

constexpr std::size_t connections = 60;
constexpr double poll_s = 0.1;
constexpr double ratio_most = 3;
constexpr double memory_kb_most = 12 * 1024;

/// Who acknowledges: our minimal broker, or a mosquitto with a subscriber that counts.
class Broker {
  public:
    Broker(const std::string& kind, const Scratch& folder) {
        if (kind == "own") {
            const Fd listener = listen_on_loopback(port_);
            first_ = Child::run([&] { serve_broker(listener, {}, *counters_); });
            return;
        }
        (void)listen_on_loopback(port_);  // free again at once
        const std::string path = folder.path() + "/mosquitto.conf";
        std::ofstream(path) << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\n"
                            << "max_queued_messages 0\nuser root\n";
        first_ = Child::exec({"/usr/sbin/mosquitto", "-c", path}, folder.path() + "/mosquitto.log");
        second_ = Child::run([this] { subscribe(); });
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const BrokerCounters& counters() const { return *counters_; }

  private:
    [[noreturn]] void subscribe() {
        mosquitto_lib_init();
        mosquitto* session = mosquitto_new(nullptr, true, &*counters_);
        mosquitto_message_callback_set(
            session, [](mosquitto*, void* counters, const mosquitto_message* message) {
                count_tags({static_cast<const std::uint8_t*>(message->payload),
                            static_cast<std::size_t>(message->payloadlen)},
                           *static_cast<BrokerCounters*>(counters));
            });
        wait_for([&] { return mosquitto_connect(session, "127.0.0.1", port_, 60) == 0; },
                 "the broker listens",
                 seconds(10));
        mosquitto_subscribe(session, nullptr, "jouleway/v1/+/readings", 0);
        mosquitto_loop_forever(session, -1, 1);
        throw std::runtime_error("the subscriber has lost its broker");
    }

    std::uint16_t port_ = 0;
    Shared<BrokerCounters> counters_;
    Child first_;
    Child second_;
};

struct Measured {
    double us_per_tag = 0;
    double tags_per_s = 0;
};

/// CPU time of a child over the window, by what `tags` counts meanwhile.
Measured measure(const Child& child, const std::atomic<std::uint64_t>& tags, Duration window) {
    const Instant began = now();
    const Duration cpu = child.cpu_time();
    const std::uint64_t count = tags;
    wait(window);
    const Duration used = child.cpu_time() - cpu;
    const auto done = static_cast<double>(tags - count);
    const Duration took = now() - began;
    if (done <= 0) {
        throw std::runtime_error("nothing was polled or acknowledged");
    }
    return {static_cast<double>(used.us) / done, done * 1e6 / static_cast<double>(took.us)};
}

class PollBench {
  public:
    PollBench(const Options& options, Mix mix) : options_(options), mix_(std::move(mix)) {
        const Fd listener = listen_on_loopback(devices_port_);
        devices_ = Child::run([&] { serve_devices(listener); });
        const auto per_device = static_cast<double>(mix_.tags()) / poll_s;
        count_ = static_cast<std::size_t>(static_cast<double>(options.tags) / per_device + 0.999);
    }

    std::vector<Row> run() {
        for (unsigned i = 0; i <= options_.repetitions; ++i) {
            const Measured bare = run_bare();
            const Measured ours = run_gateway();
            std::printf(
                "  poll %s %u: gateway %.3f us a tag at %.0f tags/s, bare loop %.3f us at "
                "%.0f, memory +%.0f KiB%s\n",
                mix_.driver.c_str(),
                i,
                ours.us_per_tag,
                ours.tags_per_s,
                bare.us_per_tag,
                bare.tags_per_s,
                memory_.back(),
                i == 0 ? " (warm-up)" : "");
            (void)std::fflush(stdout);
            if (i == 0 && options_.repetitions > 1) {
                memory_.clear();
                continue;
            }
            ours_.push_back(ours.us_per_tag);
            rate_.push_back(ours.tags_per_s);
            bare_.push_back(bare.us_per_tag);
            if (options_.repetitions <= 1) {
                break;
            }
        }
        return rows();
    }

  private:
    Measured run_bare() {
        Shared<BareCounters> counters;
        const BareSettings settings{devices_port_,
                                    std::min(connections, count_),
                                    count_,
                                    {static_cast<std::int64_t>(poll_s * 1e6)},
                                    &mix_};
        const Child child = Child::run([&] { poll_barely(settings, *counters); });
        wait(options_.warm_up);
        return measure(child, counters->tags, options_.window);
    }

    Measured run_gateway() {
        const Scratch folder(options_.folder);
        const Broker broker(options_.broker, folder);
        SiteOfBench site{.driver = mix_.driver,
                         .connections = std::min(connections, count_),
                         .poll_s = poll_s,
                         .devices_port = devices_port_,
                         .broker_port = broker.port()};
        if (idle_kb_ < 0) {
            // The same gateway before it has any device.
            const Child idle = start_gateway(options_.jouleway, settings_of(site, folder), folder);
            wait(options_.warm_up);
            idle_kb_ = static_cast<double>(idle.private_dirty_kb());
        }
        site.devices = count_;
        const Child child = start_gateway(options_.jouleway, settings_of(site, folder), folder);
        wait_for([&] { return broker.counters().tags > 0; }, "the first reading", seconds(20));
        wait(options_.warm_up);
        const Measured measured = measure(child, broker.counters().tags, options_.window);
        memory_.push_back(static_cast<double>(child.private_dirty_kb()) - idle_kb_);
        return measured;
    }

    [[nodiscard]] std::vector<Row> rows() const {
        const Spread ratio = paired(ours_, bare_);
        const Spread memory = spread(memory_);
        const std::string mix = fmt::format(
            "{} simulated {} ({} tags in {} questions a poll) polled every {} s over {} "
            "connections, every reading kept, acknowledged by {} at {:.0f} tags/s; bare loop "
            "{:.3f} µs, guide 0.3 µs",
            count_,
            mix_.name,
            mix_.tags(),
            mix_.questions.size(),
            poll_s,
            std::min(connections, count_),
            options_.broker == "own" ? "the bench's broker" : options_.broker,
            spread(rate_).median,
            spread(bare_).median);
        const bool fast = spread(rate_).median > 0.95 * static_cast<double>(options_.tags);
        return {
            {.what =
                 "poll 100 k tags/s of " + mix_.name + ", keep on disk, acknowledged: CPU a tag",
             .beside = "a bare epoll loop that polls, decodes and drops",
             .figure = spread(ours_).median,
             .unit = "µs",
             .ratio = ratio,
             .target = fmt::format("≤ {}×", ratio_most),
             .reached = fast && ratio.median <= ratio_most,
             .note = mix},
            {.what = "poll 100 k tags/s of " + mix_.name + ": memory of its own above idle",
             .beside = "the gateway without devices",
             .figure = memory.median / 1024,
             .unit = "MiB",
             .ratio = std::nullopt,
             .target = "≤ 12 MiB",
             .reached = memory.most <= memory_kb_most,
             .note = fmt::format(
                 "private dirty, {:.1f} to {:.1f} MiB", memory.least / 1024, memory.most / 1024)}};
    }

    const Options& options_;
    Mix mix_;
    std::uint16_t devices_port_ = 0;
    Child devices_;
    std::size_t count_ = 0;
    double idle_kb_ = -1;
    std::vector<double> ours_;
    std::vector<double> rate_;
    std::vector<double> bare_;
    std::vector<double> memory_;
};

}  // namespace

std::vector<Row> poll_scenario(const Options& options) {
    std::vector<Row> rows;
    for (const Mix& mix : {inverters(), meters()}) {
        if (options.mix.empty() || mix.driver == options.mix) {
            for (Row& row : PollBench(options, mix).run()) {
                rows.push_back(std::move(row));
            }
        }
    }
    return rows;
}

}  // namespace jw::bench
