// SPDX-License-Identifier: Apache-2.0
// Random states, then silence: how long each current outlives the last reading that counts.
//   battery_silence [--states N] [--from SEED]
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "tests/battery/oracle.h"
#include "tests/battery/world.h"
#include "tests/power_cut/arguments.h"

namespace jw::battery_campaign {
namespace {

/// The longest that a current outlived its readings.
struct Worst {
    std::int64_t charge_ms = 0;
    std::int64_t discharge_grid_ms = 0;
    std::int64_t discharge_off_grid_ms = 0;  // the last cells lay in the middle band
    std::int64_t discharge_outside_ms = 0;   // off the grid, they did not
    std::int64_t send_grid_ms = 0;
    std::int64_t send_off_grid_ms = 0;
    std::uint64_t states = 0;
    std::uint64_t charging = 0;  // allowed some charging when the silence began
    std::uint64_t discharging = 0;
};

void longest(std::int64_t& worst, Duration time) {
    // The first whole millisecond at which nothing is left.
    worst = std::max(worst, (time.us + 999) / 1000);
}

/// The law is asked every 200 ms as in the product, and its verdict by the sender at any time.
void watch(Law& law, BatteryWorld& world, const Oracle& oracle, Random& random, Worst& worst) {
    const LawSettings& settings = law.settings();
    const Instant last = oracle.newest_good();
    bool middle = false;
    for (std::size_t i = 0; i < world.packs().size(); ++i) {
        middle |= oracle.middle(i);
    }
    std::int64_t& discharge = !settings.off_grid ? worst.discharge_grid_ms
                              : middle           ? worst.discharge_off_grid_ms
                                                 : worst.discharge_outside_ms;
    std::int64_t& send = settings.off_grid ? worst.send_off_grid_ms : worst.send_grid_ms;
    ++worst.states;
    const BatteryLimits first = law.verdict().limits(world.now());
    worst.charging += first.charge_current_ma > 0 ? 1 : 0;
    worst.discharging += first.discharge_current_ma > 0 ? 1 : 0;
    const Instant end = world.now() + seconds(settings.off_grid ? 310 : 70);
    const Duration phase = microseconds(static_cast<std::int64_t>(random.below(10'000)));
    Instant step = world.now();
    for (Instant at = world.now() + phase; at < end; at = at + milliseconds(10)) {
        if (at - step >= milliseconds(200)) {
            step = at;
            law.step(world.packs(), at);
        }
        const BatteryLimits limits = law.verdict().limits(at);
        if (limits.charge_current_ma > 0) {
            longest(worst.charge_ms, at - last);
        }
        if (limits.discharge_current_ma > 0) {
            longest(discharge, at - last);
        }
        if (law.verdict().may_send) {
            longest(send, at - last);
        }
    }
}

void fall_silent(std::uint64_t seed, Worst& worst) {
    Random random(seed);
    const LawSettings settings = random_settings(random, false);
    BatteryWorld world(random, settings);
    Law law(settings);
    Oracle oracle(settings);
    world.begin();
    const auto step = [&] {
        law.step(world.packs(), world.now());
        oracle.look(world.packs(), law.verdict(), world.now(), world.now());
    };
    step();
    for (std::uint64_t i = random.below(200); i > 0; --i) {
        world.go_on();
        step();
    }
    // Half of them have a quiet minute before, so that there is something to lose.
    if (random.one_in(2)) {
        for (int i = 0; i < 600; ++i) {
            world.wait(milliseconds(250));
            world.begin();
            step();
        }
    }
    watch(law, world, oracle, random, worst);
}

int run(int argc, char** argv) {
    const power_cut::Arguments arguments(argc, argv);
    const std::uint64_t from = arguments.number("--from", 1);
    const std::uint64_t states = arguments.number("--states", 10'000);
    const auto begun = std::chrono::steady_clock::now();
    Worst worst;
    for (std::uint64_t seed = from; seed < from + states; ++seed) {
        fall_silent(seed, worst);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf(
        "{\"campaign\":\"battery_silence\",\"states\":%llu,\"charging\":%llu,"
        "\"discharging\":%llu,\"charge_ms\":%lld,\"discharge_grid_ms\":%lld,"
        "\"discharge_off_grid_ms\":%lld,\"discharge_outside_ms\":%lld,\"send_grid_ms\":%lld,"
        "\"send_off_grid_ms\":%lld,\"seconds\":%.1f}\n",
        static_cast<unsigned long long>(worst.states),
        static_cast<unsigned long long>(worst.charging),
        static_cast<unsigned long long>(worst.discharging),
        static_cast<long long>(worst.charge_ms),
        static_cast<long long>(worst.discharge_grid_ms),
        static_cast<long long>(worst.discharge_off_grid_ms),
        static_cast<long long>(worst.discharge_outside_ms),
        static_cast<long long>(worst.send_grid_ms),
        static_cast<long long>(worst.send_off_grid_ms),
        took.count());
    const bool lively = worst.charging > states / 10 && worst.discharging > states / 10;
    const bool good = worst.charge_ms <= 10'000 && worst.discharge_grid_ms <= 10'000 &&
                      worst.discharge_outside_ms <= 10'000 &&
                      worst.discharge_off_grid_ms <= 300'000 && worst.charge_ms > 9000;
    if (!good || !lively) {
        std::fprintf(stderr,
                     "%s\n",
                     good ? "too few states allowed anything" : "a current outlives its readings");
    }
    return good && lively ? 0 : 1;
}

}  // namespace
}  // namespace jw::battery_campaign

int main(int argc, char** argv) {
    return jw::battery_campaign::run(argc, argv);
}
