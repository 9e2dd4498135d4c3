// SPDX-License-Identifier: Apache-2.0
// From the snapshot of a BMS to a pack: R1, D5, D8.
#include "core/steer/battery/pack.h"

#include "core/base/test.h"

namespace jw::battery {
namespace {

struct Device {
    std::array<LatestValue, 64> memory{};
    DeviceSnapshot snapshot;
    Device() { snapshot.values = List<LatestValue>(memory); }
    void put(Quantity quantity, std::uint8_t index, std::int64_t number, Instant at) {
        EXPECT(snapshot.values.push({{quantity, index, number}, at}));
    }
    void put_settings(Instant at) {
        for (const Quantity quantity : {Quantity::cell_count,
                                        Quantity::cell_full_mv,
                                        Quantity::cell_empty_mv,
                                        Quantity::cell_overvoltage_mv,
                                        Quantity::cell_undervoltage_mv,
                                        Quantity::charge_current_max_ma,
                                        Quantity::discharge_current_max_ma,
                                        Quantity::temperature_max_mc}) {
            put(quantity, 0, 1, at);
        }
    }
};

TEST(values_of_the_newest_reading_are_taken) {
    Device device;
    device.put(Quantity::voltage_mv, 0, 52'800, Instant{9'000'000});
    device.put(Quantity::cell_voltage_mv, 16, 3300, Instant{9'000'000});
    device.put(Quantity::temperature_mc, 2, 21'000, Instant{9'000'000});
    device.put(Quantity::temperature_mc, 3, 30'000, Instant{9'000'000});
    const Pack pack = pack_of(device.snapshot);
    EXPECT(pack.at == Instant{9'000'000});
    EXPECT(pack.voltage_mv == 52'800 && pack.cells_mv[15] == 3300);
    EXPECT(!pack.temperatures_mc[0] && pack.temperatures_mc[1] == 21'000);
    EXPECT(pack.board_temperature_mc == 30'000);
}

TEST(an_older_value_is_no_value_wherever_it_stands) {
    Device device;
    device.put(Quantity::soc_permille, 0, 500, Instant{8'000'000});
    device.put(Quantity::voltage_mv, 0, 52'800, Instant{9'000'000});
    device.put(Quantity::current_ma, 0, 1000, Instant{8'000'000});
    const Pack pack = pack_of(device.snapshot);
    EXPECT(pack.at == Instant{9'000'000} && pack.voltage_mv == 52'800);
    EXPECT(!pack.soc_permille && !pack.current_ma);
}

TEST(settings_of_the_bms_are_as_old_as_the_oldest_of_them) {
    Device device;
    device.put(Quantity::voltage_mv, 0, 52'800, Instant{9'000'000});
    device.put_settings(Instant{7'000'000});
    EXPECT(pack_of(device.snapshot).settings_at.us < 0);
    device.put(Quantity::charge_temperature_min_mc, 0, 0, Instant{6'000'000});
    const Pack pack = pack_of(device.snapshot);
    EXPECT(pack.settings_at == Instant{6'000'000} && pack.at == Instant{9'000'000});
}

TEST(a_reading_of_settings_alone_is_no_reading_of_the_battery) {
    Device device;
    device.put_settings(Instant{7'000'000});
    EXPECT(pack_of(device.snapshot).at.us < 0);
}

TEST(indices_that_no_pack_has_are_passed_over) {
    Device device;
    device.put(Quantity::cell_voltage_mv, 0, 3300, Instant{9'000'000});
    device.put(Quantity::cell_voltage_mv, 17, 3300, Instant{9'000'000});
    device.put(Quantity::temperature_mc, 4, 20'000, Instant{9'000'000});
    EXPECT(pack_of(device.snapshot).at.us < 0);
}

TEST(every_quantity_finds_its_place) {
    Device device;
    const Instant at{9'000'000};
    const Quantity whole[] = {Quantity::voltage_mv,
                              Quantity::current_ma,
                              Quantity::soc_permille,
                              Quantity::soh_permille,
                              Quantity::battery_state,
                              Quantity::battery_alarm_bits,
                              Quantity::balancing_bits,
                              Quantity::cell_count,
                              Quantity::cell_full_mv,
                              Quantity::cell_empty_mv,
                              Quantity::cell_overvoltage_mv,
                              Quantity::cell_undervoltage_mv,
                              Quantity::charge_current_max_ma,
                              Quantity::discharge_current_max_ma,
                              Quantity::temperature_max_mc,
                              Quantity::charge_temperature_min_mc,
                              Quantity::capacity_mah};
    std::int64_t number = 1;
    for (const Quantity quantity : whole) {
        device.put(quantity, 0, number++, at);
    }
    device.put(Quantity::power_w, 0, 99, at);
    device.put(Quantity::voltage_mv, 1, 99, at);
    device.put(Quantity::current_ma, 1, 99, at);
    const Pack pack = pack_of(device.snapshot);
    const Number* const places[] = {&pack.voltage_mv,
                                    &pack.current_ma,
                                    &pack.soc_permille,
                                    &pack.soh_permille,
                                    &pack.activity,
                                    &pack.alarm_bits,
                                    &pack.balancing_bits,
                                    &pack.cell_count,
                                    &pack.cell_full_mv,
                                    &pack.cell_empty_mv,
                                    &pack.cell_overvoltage_mv,
                                    &pack.cell_undervoltage_mv,
                                    &pack.charge_current_max_ma,
                                    &pack.discharge_current_max_ma,
                                    &pack.temperature_max_mc,
                                    &pack.charge_temperature_min_mc,
                                    &pack.capacity_mah};
    number = 1;
    for (const Number* const place : places) {
        EXPECT(*place == number++);
    }
    EXPECT(pack.settings_at == at && !pack.online);
}

}  // namespace
}  // namespace jw::battery
