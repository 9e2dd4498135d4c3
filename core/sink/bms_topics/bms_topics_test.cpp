// SPDX-License-Identifier: Apache-2.0
// The metrics of the former gateway, member by member.
#include "core/sink/bms_topics/bms_topics.h"

#include <array>

#include "core/base/test.h"
#include "core/model/battery.h"

namespace jw::bms_topics {
namespace {

constexpr Instant now = Instant{} + seconds(1000);

struct Pack {
    std::array<LatestValue, 64> room{};
    DeviceSnapshot device;
    std::array<char, 4096> buffer{};
    Text text{buffer};
    Pack() {
        device.poll = milliseconds(250);
        device.values = List<LatestValue>(room);
    }
    void has(Quantity quantity, std::uint8_t index, std::int64_t number, Duration age = {}) {
        EXPECT(device.values.push({{quantity, index, number}, now - age}));
    }
};

TEST(a_battery_has_the_members_of_the_former_gateway) {
    Pack pack;
    pack.has(Quantity::voltage_mv, 0, 53120);
    pack.has(Quantity::current_ma, 0, -12500);
    pack.has(Quantity::soc_permille, 0, 805);
    pack.has(Quantity::temperature_mc, 1, 21000);
    pack.has(Quantity::temperature_mc, 2, 23000);
    pack.has(Quantity::temperature_mc, 3, 31500);
    pack.has(Quantity::cell_voltage_mv, 1, 3320);
    pack.has(Quantity::cell_voltage_mv, 3, 3322);
    pack.has(Quantity::balancing_bits, 0, 4);
    pack.has(Quantity::battery_alarm_bits,
             0,
             std::int64_t{1} << static_cast<unsigned>(BatteryAlarm::cell_imbalance));
    pack.has(Quantity::charge_current_max_ma, 0, 50000);
    EXPECT(is_battery(pack.device));
    put_metrics(pack.device, now, 1790000000123, pack.text);
    EXPECT(pack.text.view() ==
           "{\"type\":\"tinybms_metrics\",\"timestamp_ms\":1790000000123,\"pack_voltage_v\":53.120,"
           "\"pack_current_a\":-12.500,\"state_of_charge_pct\":80.5,"
           "\"mosfet_temperature_c\":31.500,\"balancing_bits\":4,\"average_temperature_c\":22.000,"
           "\"cell_voltages_mv\":[3320,null,3322],\"cell_balancing\":[0,0,1],"
           "\"alarms\":{\"high_charge\":0,\"high_discharge\":0,\"cell_imbalance\":2,"
           "\"raw_alarm_bits\":4096},\"limits\":{\"charge_overcurrent_limit_a\":50.000}}");
}

TEST(what_is_stale_is_absent) {
    Pack pack;
    pack.has(Quantity::voltage_mv, 0, 53120, seconds(11));
    pack.has(Quantity::cell_voltage_mv, 1, 3320, seconds(11));
    pack.has(Quantity::soc_permille, 0, 805);
    put_metrics(pack.device, now, std::nullopt, pack.text);
    EXPECT(pack.text.view() ==
           "{\"type\":\"tinybms_metrics\",\"state_of_charge_pct\":80.5,\"limits\":{}}");
}

TEST(a_meter_is_no_battery) {
    Pack meter;
    meter.has(Quantity::power_w, 0, 5);
    EXPECT(!is_battery(meter.device));
    EXPECT(topic("bms", "pack-1", "status").view() == "bms/pack-1/status");
}

}  // namespace
}  // namespace jw::bms_topics
