// SPDX-License-Identifier: Apache-2.0
// Many simulated worlds on all cores. A seed that breaks is printed; `joulectl world --seed` runs
// it again.
#include "sim/world.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "tests/power_cut/arguments.h"

namespace {

using namespace jw;
using namespace jw::sim;

struct Totals {
    std::mutex mutex;
    WorldCounts counts;
    std::uint64_t device_ms = 0;
    std::uint64_t power_cuts = 0;
    std::uint64_t thinned = 0;
    std::uint64_t failed_syncs = 0;
    std::uint64_t breaks = 0;
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    std::uint32_t faults = 0;  // that occurred at all

    void add(const WorldReport& report) {
        const std::lock_guard lock(mutex);
        const WorldCounts& one = report.counts;
        counts.accepted += one.accepted;
        counts.delivered += one.delivered;
        counts.repeated += one.repeated;
        counts.gaps += one.gaps;
        counts.lost += one.lost;
        counts.invented += one.invented;
        counts.changed += one.changed;
        counts.disordered += one.disordered;
        counts.commands += one.commands;
        counts.executed += one.executed;
        counts.executed_twice += one.executed_twice;
        counts.unreported += one.unreported;
        device_ms += static_cast<std::uint64_t>(report.device_ms);
        power_cuts += report.power_cuts;
        thinned += report.thinned;
        failed_syncs += report.failed_syncs;
        breaks += report.breaks;
        faults |= report.faults;
        (report.broken.empty() ? passed : failed) += 1;
        if (!report.broken.empty()) {
            std::printf("BROKEN %s\n", to_json(report).c_str());
            std::fflush(stdout);
        }
    }
    void print(std::uint64_t from, std::uint64_t to, double seconds) const {
        std::printf("{\"campaign\":\"world\",\"seeds\":\"%llu..%llu\",\"device_hours\":%llu,",
                    static_cast<unsigned long long>(from),
                    static_cast<unsigned long long>(to),
                    static_cast<unsigned long long>(device_ms / 3'600'000));
        const auto put = [](const char* name, std::uint64_t value) {
            std::printf("\"%s\":%llu,", name, static_cast<unsigned long long>(value));
        };
        put("accepted", counts.accepted);
        put("delivered", counts.delivered);
        put("repeated", counts.repeated);
        put("gaps", counts.gaps);
        put("lost", counts.lost);
        put("invented", counts.invented);
        put("changed", counts.changed);
        put("disordered", counts.disordered);
        put("commands", counts.commands);
        put("executed", counts.executed);
        put("executed_twice", counts.executed_twice);
        put("unreported", counts.unreported);
        put("power_cuts", power_cuts);
        put("thinned", thinned);
        put("failed_syncs", failed_syncs);
        put("breaks", breaks);
        std::printf("\"seconds\":%.1f}\n", seconds);
    }
};

}  // namespace

int main(int argc, char** argv) {
    const power_cut::Arguments arguments(argc, argv);
    const std::uint64_t from = arguments.number("--from", 1);
    const std::uint64_t seeds = arguments.number("--seeds", 200);
    const auto minutes = static_cast<std::int64_t>(arguments.number("--minutes", 600));
    const auto started = std::chrono::steady_clock::now();
    Totals totals;
    std::atomic<std::uint64_t> next{from};
    const auto work = [&] {
        for (std::uint64_t seed = next++; seed < from + seeds; seed = next++) {
            totals.add(run_world({seed, seconds(60) * minutes}));
        }
    };
    std::vector<std::thread> threads(std::max(1U, std::thread::hardware_concurrency()));
    for (std::thread& thread : threads) {
        thread = std::thread(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
    totals.print(from, from + seeds - 1, spent.count());
    bool all = totals.failed == 0 && totals.counts.lost == 0;
    if (seeds >= 200 && totals.faults != (1U << world_faults) - 1) {
        std::printf("some fault never occurred: %05X\n", totals.faults);
        all = false;
    }
    if (seeds >= 200 && totals.thinned == 0) {
        std::printf("no reading was ever thinned\n");
        all = false;
    }
    std::printf("%llu passed, %llu failed, 0 skipped\n",
                static_cast<unsigned long long>(totals.passed),
                static_cast<unsigned long long>(totals.failed));
    return all && totals.passed > 0 ? 0 : 1;
}
