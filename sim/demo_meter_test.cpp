// SPDX-License-Identifier: Apache-2.0
// Tests of the simulated demo meter: its registers, its relay, its energy.
#include "sim/demo_meter.h"

#include "core/base/test.h"

using namespace jw;

namespace {

std::int64_t number_32(const sim::RegisterTable& table, std::uint16_t first) {
    return std::int64_t{table.get(first)} << 16 | table.get(static_cast<std::uint16_t>(first + 1));
}

void live(sim::ModbusUnit& unit, std::int64_t second) {
    unit.live(unit, Instant{} + seconds(second));
}

}  // namespace

TEST(demo_meter_has_all_registers_of_its_map) {
    const sim::ModbusUnit unit = sim::demo_meter({});
    EXPECT(unit.coils.holds(0, 1));
    EXPECT(unit.input.holds(0, 18));
    EXPECT(unit.holding.holds(256, 14));
    EXPECT(unit.holding.get(256) == ('D' << 8 | 'e'));
    EXPECT(number_32(unit.holding, 268) == 123456);
}

TEST(demo_meter_power_is_the_sum_of_its_phases_and_changes) {
    sim::ModbusUnit unit = sim::demo_meter({});
    live(unit, 10);
    const std::int64_t before = number_32(unit.input, 6);
    EXPECT(before > 400);
    EXPECT(before == unit.input.get(8) + unit.input.get(9) + unit.input.get(10));
    live(unit, 11);
    EXPECT(number_32(unit.input, 6) != before);
}

TEST(demo_meter_energy_is_the_sum_of_its_power) {
    sim::ModbusUnit unit = sim::demo_meter({});
    const std::int64_t before = number_32(unit.input, 14);
    std::int64_t used_ws = 0;
    for (std::int64_t second = 1; second <= 3600; ++second) {
        live(unit, second);
        used_ws += number_32(unit.input, 6);
    }
    const std::int64_t counted = number_32(unit.input, 14) - before;
    EXPECT(counted >= used_ws / 36'000 - 1 && counted <= used_ws / 36'000 + 1);
}

TEST(demo_meter_behind_an_open_relay_uses_nothing) {
    sim::ModbusUnit unit = sim::demo_meter({});
    live(unit, 10);
    const std::int64_t before = number_32(unit.input, 14);
    unit.coils.set(0, 0);
    live(unit, 3600);
    EXPECT(number_32(unit.input, 6) == 0 && unit.input.get(3) == 0);
    EXPECT(number_32(unit.input, 14) == before);
    unit.coils.set(0, 1);
    live(unit, 3601);
    EXPECT(number_32(unit.input, 6) > 400);
}

TEST(demo_meter_runs_alike_with_one_seed) {
    sim::ModbusUnit a = sim::demo_meter({.seed = 7});
    sim::ModbusUnit b = sim::demo_meter({.seed = 7});
    sim::ModbusUnit c = sim::demo_meter({.seed = 8});
    for (sim::ModbusUnit* unit : {&a, &b, &c}) {
        live(*unit, 500);
    }
    EXPECT(number_32(a.input, 14) == number_32(b.input, 14) && a.input.get(6) == b.input.get(6));
    EXPECT(number_32(a.input, 14) != number_32(c.input, 14));
}
