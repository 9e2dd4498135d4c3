// SPDX-License-Identifier: Apache-2.0
// Tests of the simulated meter against the driver that will read it.
#include "sim/p1.h"

#include <array>

#include "core/base/test.h"
#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"

using namespace jw;

namespace {

struct Bench {
    explicit Bench(const sim::P1Settings& settings) : meter(settings) {}

    /// Whether exactly one telegram was sent at that second, and held; its values are in `values`.
    bool hear(std::int64_t second) {
        Text out(room);
        next = meter.step(Instant{} + seconds(second), out);
        int held = 0;
        for (const char c : out.view()) {
            const auto ended = receiver.put(static_cast<std::uint8_t>(c));
            if (ended) {
                values = Values();
                checked = ended->checked;
                held += ended->code == Code::ok && p1::read_values(ended->telegram, 1, values);
            }
        }
        return out.ok() && held == 1;
    }
    [[nodiscard]] std::int64_t value(Quantity quantity, std::uint8_t index = 0) const {
        const Value* found = values.find(quantity, index);
        return found == nullptr ? -999'999'999 : found->number;
    }

    sim::P1Meter meter;
    std::array<char, sim::P1Meter::telegram_size_max> room{};
    std::array<std::uint8_t, 2048> buffer{};
    p1::Receiver receiver{buffer};
    Values values;
    Instant next;
    bool checked = false;
};

}  // namespace

TEST(sim_p1_sends_a_telegram_each_second_that_the_driver_takes) {
    Bench bench({});
    int held = 0;
    for (int second = 0; second < 600; ++second) {
        held += bench.hear(second) && bench.checked ? 1 : 0;
    }
    EXPECT(held == 600);
    EXPECT(bench.next == Instant{} + seconds(600));
    EXPECT(bench.value(Quantity::voltage_mv, 1) > 200'000);
    EXPECT(bench.value(Quantity::gas_volume_l) >= 981'443);
}

TEST(sim_p1_household_changes_and_says_what_it_is) {
    Bench bench({});
    bench.hear(0);
    const std::int64_t before = bench.value(Quantity::power_w);
    bench.hear(60);
    EXPECT(bench.value(Quantity::power_w) != before);
    EXPECT(bench.value(Quantity::power_w) == bench.meter.power_w());
    EXPECT(bench.value(Quantity::power_w, 1) + bench.value(Quantity::power_w, 2) +
               bench.value(Quantity::power_w, 3) ==
           bench.meter.power_w());
}

TEST(sim_p1_energy_is_the_sum_of_the_power) {
    Bench bench({});
    bench.hear(0);
    const std::int64_t import_wh = bench.value(Quantity::energy_import_wh);
    const std::int64_t export_wh = bench.value(Quantity::energy_export_wh);
    std::int64_t net_ws = 0;
    for (int second = 1; second <= 7200; ++second) {
        bench.hear(second);
        net_ws += bench.value(Quantity::power_w);
    }
    const std::int64_t net_wh = bench.value(Quantity::energy_import_wh) - import_wh -
                                (bench.value(Quantity::energy_export_wh) - export_wh);
    EXPECT(net_wh - net_ws / 3600 >= -2 && net_wh - net_ws / 3600 <= 2);
    EXPECT(net_wh < -1000);  // noon in June
}

TEST(sim_p1_no_counter_falls_in_a_night) {
    sim::P1Settings settings;
    settings.local_s += 10 * 3600;  // 22:00, an hour before the night tariff
    Bench bench(settings);
    EXPECT(bench.hear(0));
    struct Counter {
        Quantity quantity;
        std::uint8_t index;
        std::int64_t least;
        std::int64_t begun;
    };
    std::array<Counter, 7> counters{{{Quantity::energy_import_wh, 0, 0, 0},
                                     {Quantity::energy_import_wh, 1, 0, 0},
                                     {Quantity::energy_import_wh, 2, 0, 0},
                                     {Quantity::energy_export_wh, 0, 0, 0},
                                     {Quantity::energy_export_wh, 1, 0, 0},
                                     {Quantity::energy_export_wh, 2, 0, 0},
                                     {Quantity::gas_volume_l, 0, 0, 0}}};
    int heard = 0;
    int falls = 0;
    for (std::int64_t second = 1; second <= 10 * 3600; ++second) {
        heard += bench.hear(second) ? 1 : 0;
        for (Counter& counter : counters) {
            const std::int64_t value = bench.value(counter.quantity, counter.index);
            falls += value < counter.least ? 1 : 0;
            counter.least = value;
            counter.begun = counter.begun == 0 ? value : counter.begun;
        }
    }
    EXPECT(heard == 10 * 3600 && falls == 0);
    EXPECT(counters[1].least > counters[1].begun && counters[2].least > counters[2].begun);
    EXPECT(bench.value(Quantity::energy_import_wh) == bench.meter.energy_import_wh());
}

TEST(sim_p1_the_roof_gives_nothing_at_night) {
    sim::P1Settings settings;
    settings.local_s += 12 * 3600;  // midnight
    Bench bench(settings);
    EXPECT(bench.hear(10) && bench.value(Quantity::power_w) > 0);
    EXPECT(bench.value(Quantity::tariff) == 1);
}

TEST(sim_p1_counts_what_others_behind_it_take_and_give) {
    sim::P1Settings settings;
    settings.roof = false;
    Bench alone(settings);
    Bench together(settings);
    together.meter.set_others_w(-5000);
    EXPECT(alone.hear(10) && together.hear(10));
    EXPECT(alone.value(Quantity::power_w) > 0);
    EXPECT(together.value(Quantity::power_w) == alone.value(Quantity::power_w) - 5000);
    EXPECT(together.meter.energy_export_wh() > alone.meter.energy_export_wh());
}

TEST(sim_p1_one_seed_gives_one_run) {
    Bench a({7});
    Bench b({7});
    Bench c({8});
    a.hear(3000);
    b.hear(3000);
    c.hear(3000);
    EXPECT(std::equal(a.room.begin(), a.room.end(), b.room.begin()));
    EXPECT(!std::equal(a.room.begin(), a.room.end(), c.room.begin()));
}

TEST(sim_p1_old_meter_sends_every_ten_seconds_without_crc) {
    sim::P1Settings settings;
    settings.old = true;
    Bench bench(settings);
    EXPECT(bench.hear(0) && !bench.checked);
    EXPECT(!bench.hear(9));
    EXPECT(bench.hear(10) && bench.next == Instant{} + seconds(20));
    EXPECT(bench.value(Quantity::gas_volume_l) == 981'443);
}
