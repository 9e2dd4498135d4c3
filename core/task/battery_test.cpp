// SPDX-License-Identifier: Apache-2.0
// A battery in the loop: from a pack's reading to the frames on the bus, on a simulated clock.
#include "core/task/battery.h"

#include "core/base/test.h"
#include "core/bus/can_line_scene.h"
#include "core/sink/can_out/profiles.h"

namespace jw::battery {
namespace {

constexpr std::size_t cells = 16;

struct FakeOut final : DeviceOut {
    void reading(const Reading& said, Instant /*now*/) override {
        last = said;
        ++readings;
    }
    void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
    void failed(Error /*error*/, Instant /*now*/) override { ++failures; }
    void acted(ResultCode code, std::optional<std::int64_t> /*value*/, Instant /*now*/) override {
        acted_code = code;
    }
    Reading last;
    std::uint32_t readings = 0;
    std::uint32_t failures = 0;
    std::optional<ResultCode> acted_code;
};

struct NoFaultOut final : FaultOut {
    void changed(const Fault& /*fault*/, Instant /*now*/) override {}
};

/// A battery of one pack beside its inverter.
struct Scene {
    explicit Scene(const char* profile = "victron") {
        values = List<LatestValue>(value_room);
        device.values = values;
        device.name = "pack-1";
        device.poll = milliseconds(250);
        snapshot = Snapshot({&device, 1});
        bus.socket = true;
        settings.law.cell_count = cells;
        settings.law.charge_current_max_ma = 100'000;
        settings.law.discharge_current_max_ma = 100'000;
        settings.identity.manufacturer = "Jouleway";
        settings.profile = can_out::profile_named(profile);
        for (const can_out::Frame& frame : settings.profile->sent) {
            (void)own_ids.push(frame.id);
        }
        CanLineSettings line_settings;
        line_settings.own_ids = own_ids.items();
        line.emplace(bus, line_settings, battery, waiting);
        line->connected(now);
        battery.wire({settings, &snapshot, packs, &faults, &*line});
    }

    /// A complete reading of a healthy pack, changed by `change`.
    template <class Change>
    void read(const Change& change) {
        Reading reading;
        reading.device = "pack-1";
        Values& put = reading.values;
        for (std::uint8_t i = 1; i <= cells; ++i) {
            put.put(Quantity::cell_voltage_mv, i, cell_mv);
        }
        put.put(Quantity::voltage_mv, 0, cell_mv * std::int64_t{cells});
        put.put(Quantity::current_ma, 0, current_ma += wiggle = -wiggle);
        put.put(Quantity::soc_permille, 0, 600);
        put.put(Quantity::soh_permille, 0, 970);
        put.put(Quantity::temperature_mc, 1, 23'500);
        put.put(Quantity::temperature_mc, 3, 30'000);
        put.put(Quantity::battery_state, 0, 1);
        put.put(Quantity::battery_alarm_bits, 0, 0);
        put.put(Quantity::cell_count, 0, cells);
        put.put(Quantity::cell_full_mv, 0, 3450);
        put.put(Quantity::cell_empty_mv, 0, 2900);
        put.put(Quantity::cell_overvoltage_mv, 0, 3650);
        put.put(Quantity::cell_undervoltage_mv, 0, 2500);
        put.put(Quantity::charge_current_max_ma, 0, 100'000);
        put.put(Quantity::discharge_current_max_ma, 0, 150'000);
        put.put(Quantity::temperature_max_mc, 0, 60'000);
        put.put(Quantity::charge_temperature_min_mc, 0, 0);
        put.put(Quantity::capacity_mah, 0, 280'000);
        change(reading);
        (void)snapshot.update(0, reading, now);
        device.state = DeviceState::online;
        (void)battery.run(now);
    }
    void read() {
        read([](Reading& /*reading*/) {});
    }
    /// Time goes on; the pack is read every 250 ms unless it is silent.
    void pass(Duration time, bool silent = false) {
        const Instant end = now + time;
        while (now < end) {
            now = now + milliseconds(10);
            if (!silent && now.ms() % 250 == 0) {
                read();
            } else if (now >= next) {
                next = battery.run(now);
            }
        }
    }
    void ready() {
        read();
        pass(seconds(120));  // whatever rises slowly has risen
        bus.frames.clear();
    }
    [[nodiscard]] std::size_t count(std::uint32_t id) const {
        return static_cast<std::size_t>(std::ranges::count(bus.frames.items(), id, &CanFrame::id));
    }
    [[nodiscard]] can_out::BatteryState told(std::uint32_t id) const {
        can_out::BatteryState state;
        for (const CanFrame& frame : bus.frames.items()) {
            if (frame.id == id) {
                (void)can_out::decode(*can_out::find(*settings.profile, id), frame, state);
            }
        }
        return state;
    }

    Instant now{1'000'000'000};
    Instant next = now;
    std::int64_t cell_mv = 3300;
    std::int64_t current_ma = 10'000;
    std::int64_t wiggle = 10;
    std::array<LatestValue, 64> value_room{};
    List<LatestValue> values;
    DeviceSnapshot device;
    Snapshot snapshot;
    NoFaultOut fault_out;
    std::array<ActiveFault, 8> fault_room{};
    Faults faults{fault_room, fault_out};
    FakeOut out;
    BatterySettings settings;
    Battery battery{DeviceSettings{.name = "battery", .driver = "battery"}, out};
    std::array<std::uint8_t, 1> packs{0};
    FixedList<std::uint16_t, 24> own_ids;
    can_scene::FakeBus bus;
    std::array<WaitingCanFrame, 24> waiting{};
    std::optional<CanLine> line;
};

TEST(before_the_first_complete_reading_nothing_is_sent) {
    Scene scene;
    scene.pass(seconds(5), true);
    EXPECT(scene.bus.frames.size() == 0);
    scene.read([](Reading& reading) {
        Values& values = reading.values;
        values.clear();
        values.put(Quantity::voltage_mv, 0, 52'800);
    });
    EXPECT(scene.bus.frames.size() == 0);
    EXPECT(scene.out.readings == 0);
    EXPECT(scene.out.failures > 0);
}

TEST(the_first_complete_reading_is_told_at_once_with_everything) {
    Scene scene;
    scene.read();
    EXPECT(scene.count(0x351) == 1);
    EXPECT(scene.count(0x35A) == 1);
    EXPECT(scene.count(0x373) == 1);
    EXPECT(scene.told(0x356).voltage_mv == 52'800);
    EXPECT(scene.told(0x355).soc_permyriad == 6000);
    EXPECT(scene.told(0x351).charge_voltage_mv > 0);
}

TEST(limits_leave_once_a_second) {
    Scene scene;
    scene.ready();
    scene.pass(seconds(3));
    EXPECT(scene.count(0x351) == 3);
}

TEST(a_cell_that_goes_over_its_limit_stops_charging_in_the_turn_of_its_reading) {
    Scene scene;
    scene.ready();
    scene.pass(milliseconds(400));
    scene.bus.frames.clear();
    scene.cell_mv = 3640;
    scene.read();
    EXPECT(scene.count(0x351) == 1);
    EXPECT(scene.told(0x351).charge_current_ma == 0);
    EXPECT(scene.told(0x351).discharge_current_ma > 0);
}

TEST(D6_silence_takes_charge_and_discharge_to_zero_within_ten_seconds) {
    Scene scene;
    scene.ready();
    scene.pass(milliseconds(9'990), true);
    scene.bus.frames.clear();
    scene.pass(milliseconds(300), true);
    EXPECT(scene.told(0x351).charge_current_ma == 0);
    EXPECT(scene.told(0x351).discharge_current_ma == 0);
    EXPECT(scene.told(0x351).charge_voltage_mv > 0);
    scene.pass(seconds(2), true);
    EXPECT(scene.faults.raised("battery", FaultKind::battery_stale));
    EXPECT(scene.told(0x372).modules_offline == 1);
}

TEST(after_a_minute_of_silence_nothing_is_sent_and_everything_again_when_it_is_over) {
    Scene scene;
    scene.ready();
    scene.pass(seconds(61), true);
    scene.bus.frames.clear();
    scene.pass(seconds(5), true);
    EXPECT(scene.bus.frames.size() == 0);
    scene.read();
    EXPECT(scene.count(0x351) == 1);
    EXPECT(!scene.faults.raised("battery", FaultKind::battery_stale));
}

TEST(measured_values_of_a_silent_pack_are_not_repeated) {
    Scene scene;
    scene.ready();
    scene.pass(seconds(11), true);
    scene.bus.frames.clear();
    scene.pass(seconds(3), true);
    EXPECT(scene.count(0x356) == 0);
    EXPECT(scene.count(0x355) == 0);
    EXPECT(scene.count(0x351) == 3);
}

TEST(a_rival_on_the_bus_silences_us_for_ten_seconds) {
    Scene scene;
    scene.ready();
    scene.battery.rivalled({.id = 0x351, .size = 8}, scene.now);
    EXPECT(scene.faults.raised("battery", FaultKind::can_rival));
    scene.pass(milliseconds(9'500));
    EXPECT(scene.bus.frames.size() == 0);
    scene.pass(seconds(2));
    EXPECT(scene.count(0x351) >= 1);
    EXPECT(!scene.faults.raised("battery", FaultKind::can_rival));
}

TEST(D15_an_inverter_that_falls_silent_is_told_and_changes_no_limit) {
    Scene scene;
    scene.ready();
    scene.battery.received({.id = 0x305, .size = 8}, scene.now);
    const auto before = scene.battery.verdict().limits(scene.now);
    scene.pass(milliseconds(9'900));
    EXPECT(!scene.faults.raised("battery", FaultKind::inverter_silent));
    scene.pass(seconds(1));
    EXPECT(scene.faults.raised("battery", FaultKind::inverter_silent));
    EXPECT(scene.battery.verdict().limits(scene.now) == before);
    scene.battery.received({.id = 0x305, .size = 8}, scene.now);
    scene.pass(milliseconds(300));
    EXPECT(!scene.faults.raised("battery", FaultKind::inverter_silent));
}

TEST(a_bus_that_is_off_is_told_after_three_seconds_and_everything_is_said_when_it_is_back) {
    Scene scene;
    scene.ready();
    scene.line->disconnected(scene.now);
    scene.pass(seconds(2));
    EXPECT(!scene.faults.raised("battery", FaultKind::can_trouble));
    scene.pass(seconds(2));
    EXPECT(scene.faults.raised("battery", FaultKind::can_trouble));
    scene.bus.frames.clear();
    scene.line->connected(scene.now);
    scene.pass(milliseconds(500));
    EXPECT(scene.count(0x351) >= 1);
    EXPECT(!scene.faults.raised("battery", FaultKind::can_trouble));
}

TEST(a_command_lowers_a_limit_and_is_forgotten_after_its_time) {
    Scene scene;
    scene.ready();
    EXPECT(scene.battery.act(Quantity::charge_current_limit_ma, 20'000, scene.now).has_value());
    EXPECT(scene.out.acted_code == ResultCode::executed);
    scene.pass(milliseconds(300));
    EXPECT(scene.told(0x351).charge_current_ma == 20'000);
    scene.pass(seconds(50));
    EXPECT(scene.battery.verdict().limits(scene.now).charge_current_ma == 20'000);
    scene.pass(seconds(120));
    EXPECT(scene.battery.verdict().limits(scene.now).charge_current_ma == 100'000);
}

TEST(a_command_cannot_set_what_is_no_limit_or_no_current) {
    Scene scene;
    scene.ready();
    EXPECT(scene.battery.act(Quantity::charge_voltage_limit_mv, 60'000, scene.now).code() ==
           Code::unsupported);
    EXPECT(scene.battery.act(Quantity::charge_current_limit_ma, -1, scene.now).code() ==
           Code::out_of_range);
}

TEST(what_is_latched_is_released_by_a_command_only) {
    Scene scene;
    scene.ready();
    scene.cell_mv = 3710;  // beyond the cut-off by more than 50 mV
    scene.pass(seconds(2));
    scene.cell_mv = 3300;
    scene.pass(seconds(120));
    EXPECT(scene.battery.verdict().limits(scene.now).charge_current_ma == 0);
    EXPECT(scene.battery.write_parameter("reset", 1, scene.now).code() == Code::not_found);
    EXPECT(scene.battery.write_parameter("release", 2, scene.now).code() == Code::out_of_range);
    EXPECT(scene.battery.write_parameter("release", 1, scene.now).has_value());
    EXPECT(scene.out.acted_code == ResultCode::executed);
    scene.pass(seconds(120));
    EXPECT(scene.battery.verdict().limits(scene.now).charge_current_ma > 0);
}

TEST(energy_is_counted_by_direction_and_not_over_gaps) {
    Scene scene;
    scene.cell_mv = 3125;  // 50 V
    scene.current_ma = 20'000;
    scene.wiggle = 0;
    scene.read();
    scene.pass(seconds(36));  // 1000 W for 36 s: 10 Wh
    EXPECT(scene.battery.energy().charge_wh == 10);
    EXPECT(scene.battery.energy().discharge_wh == 0);
    scene.pass(seconds(90), true);
    scene.current_ma = -20'000;
    scene.read();
    scene.pass(seconds(36));
    EXPECT(scene.battery.energy().charge_wh == 10);
    EXPECT(scene.battery.energy().discharge_wh == 10);
}

TEST(its_reading_is_what_it_tells_the_inverter) {
    Scene scene;
    scene.ready();
    scene.pass(seconds(1));
    const Values& values = scene.out.last.values;
    EXPECT(scene.out.last.device == "battery");
    const Value* const limit = values.find(Quantity::charge_current_limit_ma);
    EXPECT(limit != nullptr && limit->number == scene.told(0x351).charge_current_ma);
    const Value* const soc = values.find(Quantity::soc_permille);
    EXPECT(soc != nullptr && soc->number == 600);
    EXPECT(values.find(Quantity::battery_alarm_bits) != nullptr);
}

TEST(D13_the_extreme_cells_are_named_and_not_measured_in_their_frames) {
    Scene scene;
    scene.read([](Reading& reading) {
        for (Value& value : reading.values) {
            if (value.quantity == Quantity::cell_voltage_mv && value.index == 7) {
                value.number = 3310;
            }
        }
    });
    EXPECT(scene.told(0x375).cell_maximum_id == "C07");
    EXPECT(scene.told(0x374).cell_minimum_id == "C01");
}

TEST(D14_the_temperature_told_is_the_one_of_the_cells) {
    Scene scene;
    scene.read();
    EXPECT(scene.told(0x356).temperature_mc == 23'500);
}

}  // namespace
}  // namespace jw::battery
