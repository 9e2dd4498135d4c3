// SPDX-License-Identifier: Apache-2.0
// Drivers, a Modbus line and simulated devices together, through the faults that lines have.
#include <array>
#include <vector>

#include "core/base/arena.h"
#include "core/base/test.h"
#include "core/device/demo_meter/demo_meter.h"
#include "core/device/registers/fake_device.h"
#include "core/device/sunspec/sunspec.h"
#include "sim/demo_meter.h"
#include "sim/modbus_link.h"
#include "sim/sunspec.h"

using namespace jw;
using namespace jw::sim;

namespace {

/// A demo meter (unit 1) and an inverter (unit 2) on one line.
struct Polled {
    std::array<ModbusUnit, 2> units;
    ModbusLink link;
    std::array<registers::Recorder, 2> out;
    std::vector<std::byte> memory = std::vector<std::byte>(8192);
    Arena arena{memory};
    std::array<Device*, 2> devices;
    std::array<ModbusClient*, 2> clients;
    std::array<ModbusOpenRequest, 1> open{};
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> sent{};
    ModbusLine line;

    explicit Polled(ModbusFraming framing, std::uint64_t seed = 1)
        : units{sim::demo_meter({}), sunspec_inverter({.seed = 1, .unit = 2})},
          link(framing, units, seed),
          devices{jw::demo_meter::driver.make(arena, settings(1), out[0]),
                  sunspec::driver.make(arena, settings(2), out[1])},
          clients{devices[0]->modbus(), devices[1]->modbus()},
          line(link, line_settings(framing), clients, {open, in, sent}) {
        line.connected(link.now);
    }
    void run(Duration duration) { link.run(line, link.now + duration); }
    static DeviceSettings settings(std::uint8_t unit) {
        DeviceSettings made;
        made.unit = unit;
        return made;
    }
    static ModbusLineSettings line_settings(ModbusFraming framing) {
        ModbusLineSettings made;
        made.framing = framing;
        made.timeout = milliseconds(300);
        return made;
    }
};

}  // namespace

TEST(a_meter_and_an_inverter_share_a_line) {
    for (const ModbusFraming framing : {ModbusFraming::tcp, ModbusFraming::rtu}) {
        Polled polled(framing);
        polled.run(seconds(60));
        for (const auto& out : polled.out) {
            EXPECT(out.readings >= 58);
            EXPECT(out.failures == 0);
        }
        EXPECT(polled.out[0].last.values.find(Quantity::power_w)->number > 0);
        EXPECT(polled.out[0].last.values.size() == 15);
    }
}

TEST(a_relay_is_opened_over_the_line) {
    Polled polled(ModbusFraming::rtu);
    polled.run(seconds(3));
    EXPECT(polled.devices[0]->act(Quantity::relay_closed, 0, polled.link.now).has_value());
    polled.run(seconds(2));
    EXPECT(polled.out[0].code == ResultCode::executed);
    EXPECT(polled.units[0].coils.get(0) == 0);
    EXPECT(polled.out[0].last.values.find(Quantity::power_w)->number == 0);
}

TEST(a_line_that_loses_every_twentieth_answer_costs_few_readings) {
    Polled polled(ModbusFraming::rtu, 7);
    polled.link.server.faults.drop_percent = 5;
    polled.run(seconds(300));
    for (const auto& out : polled.out) {
        // Two losses in a row fail a poll: one in 400 questions.
        EXPECT(out.readings > 230);
        EXPECT(out.failures < 12);
    }
}

TEST(every_fault_of_the_line_leaves_both_devices_reading) {
    const auto hurt = [](auto&& set) {
        Polled polled(ModbusFraming::tcp, 3);
        set(polled.link.server.faults);
        polled.run(seconds(120));
        for (const auto& out : polled.out) {
            EXPECT(out.readings > 20);
            EXPECT(out.last.values.size() >= 15);
        }
    };
    hurt([](ModbusFaults& faults) { faults.wrong_id_percent = 10; });
    hurt([](ModbusFaults& faults) { faults.half_frame_percent = 5; });
    hurt([](ModbusFaults& faults) { faults.garbage_percent = 5; });
    hurt([](ModbusFaults& faults) { faults.exception_percent = 10; });
    hurt([](ModbusFaults& faults) { faults.delay = milliseconds(100); });
}

TEST(devices_that_slept_are_back_within_a_minute_and_told_nothing_meanwhile) {
    Polled polled(ModbusFraming::rtu);
    polled.run(seconds(10));
    polled.link.server.faults.asleep_from = polled.link.now;
    polled.link.server.faults.asleep_to = polled.link.now + seconds(400);
    polled.run(seconds(5));
    const std::array<int, 2> before{polled.out[0].readings, polled.out[1].readings};
    polled.run(seconds(394));
    EXPECT(polled.out[0].readings == before[0] && polled.out[1].readings == before[1]);
    EXPECT(polled.out[0].error == Code::timeout && polled.out[1].error == Code::timeout);
    polled.run(seconds(61));
    EXPECT(polled.out[0].readings > before[0] && polled.out[1].readings > before[1]);
}
