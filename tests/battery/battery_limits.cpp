// SPDX-License-Identifier: Apache-2.0
// Random states of random batteries under random settings: no limit breaks an invariant.
//   battery_limits [--states N] [--from SEED] [--threads N]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/battery/oracle.h"
#include "tests/battery/world.h"
#include "tests/power_cut/arguments.h"

namespace jw::battery_campaign {
namespace {

constexpr std::uint64_t steps_per_seed = 1000;

struct Counts {
    std::atomic<std::uint64_t> states{0};
    std::atomic<std::uint64_t> charging{0};  // states that allow some charging
    std::atomic<std::uint64_t> discharging{0};
    std::atomic<std::uint64_t> silent{0};  // states in which nothing may be sent
    std::atomic<std::uint64_t> violations{0};
    std::mutex printing;
};

void explain(const battery::Verdict& verdict) {
    for (std::size_t row = 0; row < verdict.rule_count; ++row) {
        const battery::RuleLimit& limit = verdict.by_rule[row];
        std::array<char, 400> buffer{};
        Text out(buffer);
        out.put(battery::rule_name(limit.rule)).put(": ");
        out.put(limit.charge_current_ma.value_or(-1)).put(", ");
        out.put(limit.discharge_current_ma.value_or(-1)).put(" mA. ");
        put_why(limit, out);
        std::fprintf(stderr, "  %.*s\n", static_cast<int>(out.size()), buffer.data());
    }
}

/// One life of one battery.
void live(std::uint64_t seed, Counts& counts) {
    Random random(seed);
    const LawSettings settings = random_settings(random, true);
    BatteryWorld world(random, settings);
    Law law(settings);
    Oracle oracle(settings);
    std::uint64_t charging = 0;
    std::uint64_t discharging = 0;
    std::uint64_t silent = 0;
    for (std::uint64_t i = 0; i < steps_per_seed; ++i) {
        world.go_on();
        const Instant now = world.now();
        if (const auto lowering = world.command()) {
            law.lower(*lowering, now);
            oracle.lowered(*lowering, now);
        }
        if (random.one_in(50)) {
            law.release();
            oracle.released();
        }
        const auto& verdict = law.step(world.packs(), now);
        const Instant later = now + microseconds(static_cast<std::int64_t>(
                                        random.below(random.one_in(3) ? 20'000'000 : 2'000'000)));
        std::string broken = oracle.look(world.packs(), verdict, now, later);
        if (broken.empty() && verdict.hull_clamps > 0) {
            broken = "the last gate had to act";
        }
        if (!broken.empty()) {
            ++counts.violations;
            const std::lock_guard lock(counts.printing);
            std::fprintf(stderr,
                         "seed %llu, step %llu: %s\n",
                         static_cast<unsigned long long>(seed),
                         static_cast<unsigned long long>(i),
                         broken.c_str());
            explain(verdict);
            break;
        }
        const BatteryLimits limits = verdict.limits(now);
        charging += limits.charge_current_ma > 0 ? 1 : 0;
        discharging += limits.discharge_current_ma > 0 ? 1 : 0;
        silent += verdict.may_send ? 0 : 1;
    }
    counts.states += steps_per_seed;
    counts.charging += charging;
    counts.discharging += discharging;
    counts.silent += silent;
}

int run(int argc, char** argv) {
    const power_cut::Arguments arguments(argc, argv);
    const std::uint64_t states = arguments.number("--states", 10'000'000);
    const std::uint64_t from = arguments.number("--from", 1);
    const std::uint64_t seeds = (states + steps_per_seed - 1) / steps_per_seed;
    Counts counts;
    std::atomic<std::uint64_t> next{from};
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < arguments.number("--threads", 1); ++i) {
        threads.emplace_back([&] {
            for (std::uint64_t seed = next++; seed < from + seeds && counts.violations < 10;
                 seed = next++) {
                live(seed, counts);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf(
        "{\"campaign\":\"battery_limits\",\"states\":%llu,\"from\":%llu,\"charging\":%llu,"
        "\"discharging\":%llu,\"silent\":%llu,\"violations\":%llu,\"seconds\":%.1f}\n",
        static_cast<unsigned long long>(counts.states),
        static_cast<unsigned long long>(from),
        static_cast<unsigned long long>(counts.charging),
        static_cast<unsigned long long>(counts.discharging),
        static_cast<unsigned long long>(counts.silent),
        static_cast<unsigned long long>(counts.violations),
        took.count());
    // A campaign that hardly ever saw a limit has shown nothing.
    const bool lively = counts.charging > counts.states / 20 &&
                        counts.discharging > counts.states / 20 && counts.silent > 0;
    if (!lively) {
        std::fprintf(stderr, "too few of the states allow anything\n");
    }
    return counts.violations == 0 && lively ? 0 : 1;
}

}  // namespace
}  // namespace jw::battery_campaign

int main(int argc, char** argv) {
    return jw::battery_campaign::run(argc, argv);
}
