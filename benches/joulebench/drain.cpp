// SPDX-License-Identifier: Apache-2.0
// The backlog of a day over a line of 50 ms: how long, how much memory, and what fresh readings
// feel of it.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "benches/joulebench/backlog.h"
#include "benches/joulebench/broker.h"
#include "benches/joulebench/devices.h"
#include "benches/joulebench/gateway.h"
#include "benches/joulebench/scenarios.h"

namespace jw::bench {
namespace {

constexpr Duration one_way = milliseconds(25);
constexpr unsigned size_mb = 256;
constexpr double seconds_most = 10;
constexpr double memory_kb_most = 4 * 1024;
constexpr double latency_most = 2;
constexpr double one_by_one_s = 36 * 60;

struct Drained {
    double seconds = 0;
    double memory_kb = 0;  // above idle, at most
    double p99_ms = 0;     // of fresh readings while it went on
    double idle_p99_ms = 0;
    std::uint32_t under_way = 0;
    std::size_t fresh = 0;
    std::uint64_t messages = 0;
    std::uint64_t repeated = 0;
    std::uint64_t disordered = 0;
};

class DrainBench {
  public:
    explicit DrainBench(const Options& options) : options_(options), kept_(options.folder) {
        const Fd listener = listen_on_loopback(devices_port_);
        devices_ = Child::run([&] { serve_devices(listener); });
        const Child writer =
            Child::run([&] { write_backlog(kept_.path() + "/backlog", options.backlog, size_mb); });
        wait_for([&] { return !writer.running(); }, "the backlog is written", seconds(120));
    }

    /// One way of draining, repeated; `order` as in the settings of a sink.
    std::vector<Drained> run(std::uint16_t receive_maximum, const char* order) {
        std::vector<Drained> all;
        const double idle = idle_kb(order);
        for (unsigned i = 0; i < options_.repetitions; ++i) {
            const Drained drained = once(receive_maximum, order, idle);
            std::printf(
                "  drain %u, Receive Maximum %u, %s: %.2f s in %llu messages, %u under way "
                "at most, memory +%.0f KiB, p99 of %zu fresh readings %.0f ms, idle %.0f "
                "ms\n",
                i,
                receive_maximum,
                order,
                drained.seconds,
                static_cast<unsigned long long>(drained.messages),
                drained.under_way,
                drained.memory_kb,
                drained.fresh,
                drained.p99_ms,
                drained.idle_p99_ms);
            (void)std::fflush(stdout);
            all.push_back(drained);
        }
        return all;
    }

  private:
    [[nodiscard]] SiteOfBench site(std::uint16_t broker_port, const char* order) const {
        return {.driver = "sdm120",
                .devices = 10,
                .connections = 10,
                .poll_s = 0.1,
                .devices_port = devices_port_,
                .broker_port = broker_port,
                .commit_s = 0.1,
                .size_mb = size_mb,
                .sink = {{"batch", {{"age_ms", 100}}}, {"order", order}}};
    }

    /// Memory of the same gateway with an empty store.
    double idle_kb(const char* order) const {
        const Scratch folder(options_.folder);
        Shared<BrokerCounters> counters;
        std::uint16_t port = 0;
        const Fd listener = listen_on_loopback(port);
        const Child broker =
            Child::run([&] { serve_broker(listener, {.delay = one_way}, *counters); });
        const Child gateway =
            start_gateway(options_.jouleway, settings_of(site(port, order), folder), folder);
        wait_for([&] { return counters->readings > 0; }, "the first reading", seconds(20));
        wait(options_.warm_up);
        return static_cast<double>(gateway.private_dirty_kb());
    }

    Drained once(std::uint16_t receive_maximum, const char* order, double idle) {
        const Scratch folder(options_.folder);
        std::filesystem::copy(kept_.path() + "/backlog", folder.path() + "/state");
        Shared<BrokerCounters> counters;
        std::uint16_t port = 0;
        const Fd listener = listen_on_loopback(port);
        const Child broker = Child::run([&] {
            serve_broker(listener, {receive_maximum, one_way, options_.backlog}, *counters);
        });
        const Instant start = now();
        const std::int64_t start_unix_ms = unix_us() / 1000;
        const Child gateway =
            start_gateway(options_.jouleway, settings_of(site(port, order), folder), folder);
        Drained drained;
        wait_for(
            [&] {
                wait(milliseconds(20));
                drained.memory_kb = std::max(
                    drained.memory_kb, static_cast<double>(gateway.private_dirty_kb()) - idle);
                return counters->drained_us > 0;
            },
            "the backlog is acknowledged",
            seconds(300));
        wait(one_way * 2);
        const Duration took = Instant{counters->drained_us} - start;
        drained.seconds = static_cast<double>(took.us) / 1e6;
        drained.messages = counters->messages;
        const std::int64_t end_unix_ms = start_unix_ms + took.ms();
        // The first second after the drain belongs to neither.
        const std::int64_t idle_unix_ms = end_unix_ms + 1000;
        wait(seconds(1) + options_.window / 2);
        drained.under_way = counters->under_way_most;
        std::vector<double> during;
        std::vector<double> later;
        for (std::size_t i = 0; i < counters->latencies; ++i) {
            const auto& [unix_ms, us] = counters->latency[i];
            if (unix_ms < end_unix_ms) {
                during.push_back(static_cast<double>(us) / 1000);
            } else if (unix_ms >= idle_unix_ms) {
                later.push_back(static_cast<double>(us) / 1000);
            }
        }
        drained.fresh = during.size();
        drained.p99_ms = percentile(during, 99);
        drained.idle_p99_ms = percentile(later, 99);
        drained.repeated = counters->repeated;
        drained.disordered = counters->disordered;
        return drained;
    }

    const Options& options_;
    Scratch kept_;
    std::uint16_t devices_port_ = 0;
    Child devices_;
};

std::vector<double> each(const std::vector<Drained>& all, double Drained::*member) {
    std::vector<double> values;
    values.reserve(all.size());
    for (const Drained& drained : all) {
        values.push_back(drained.*member);
    }
    return values;
}

std::vector<Row> rows_of(const Options& options,
                         std::uint16_t receive_maximum,
                         const char* order,
                         const std::vector<Drained>& all) {
    std::vector<double> ratios;
    std::vector<double> latencies;
    std::uint32_t under_way = 0;
    std::uint64_t repeated = 0;
    std::uint64_t disordered = 0;
    for (const Drained& drained : all) {
        const double share = static_cast<double>(options.backlog) / 864'000;
        ratios.push_back(one_by_one_s * share / drained.seconds);
        latencies.push_back(drained.p99_ms / drained.idle_p99_ms);
        under_way = std::max(under_way, drained.under_way);
        repeated += drained.repeated;
        disordered += drained.disordered;
    }
    const Spread took = spread(each(all, &Drained::seconds));
    const Spread memory = spread(each(all, &Drained::memory_kb));
    const Spread latency = spread(latencies);
    const std::string name = fmt::format("backlog of {} readings at 50 ms RTT, Receive Maximum {}",
                                         options.backlog,
                                         receive_maximum);
    return {
        {.what = name,
         .beside = "one by one: 36 minutes for a day (times as fast)",
         .figure = took.median,
         .unit = "s",
         .ratio = spread(ratios),
         .target = fmt::format("≤ {} s for a day, Receive Maximum obeyed", seconds_most),
         .reached = took.median <= seconds_most && under_way <= receive_maximum && disordered == 0,
         .note = fmt::format("{:.2f} to {:.2f} s from the start of the program, order {}, at most "
                             "{} messages under way, {} readings twice, {} out of order",
                             took.least,
                             took.most,
                             order,
                             under_way,
                             repeated,
                             disordered)},
        {.what = name + ": memory of its own above idle",
         .beside = "the gateway with an empty store",
         .figure = memory.median / 1024,
         .unit = "MiB",
         .ratio = std::nullopt,
         .target = "≤ 4 MiB whatever the backlog",
         .reached = memory.most <= memory_kb_most,
         .note = fmt::format(
             "private dirty, {:.1f} to {:.1f} MiB", memory.least / 1024, memory.most / 1024)},
        {.what = name + ": p99 of fresh readings",
         .beside = "the same gateway when nothing waits",
         .figure = spread(each(all, &Drained::p99_ms)).median,
         .unit = "ms",
         .ratio = latency,
         .target = fmt::format("≤ {}×", latency_most),
         .reached = latency.median <= latency_most,
         .note =
             fmt::format("from the reading to its acknowledgement, {} fresh readings, order {}, "
                         "commit_s 0.1, age_ms 100",
                         all.front().fresh,
                         order)}};
}

}  // namespace

std::vector<Row> drain_scenario(const Options& options) {
    DrainBench bench(options);
    std::vector<Row> rows;
    const auto narrow = bench.run(20, "fresh_first");
    for (Row& row : rows_of(options, 20, "fresh_first", narrow)) {
        rows.push_back(std::move(row));
    }
    if (options.quick) {
        return rows;
    }
    const auto wide = bench.run(100, "oldest_first");
    std::vector<Row> more = rows_of(options, 100, "oldest_first", wide);
    more.resize(2);  // in this order fresh readings wait behind the backlog
    for (Row& row : more) {
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace jw::bench
