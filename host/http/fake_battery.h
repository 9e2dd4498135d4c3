// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a battery of one healthy pack beside a bus that takes every frame.
#include <array>

#include "core/sink/can_out/profiles.h"
#include "host/http/battery_view.h"

namespace jw::http {

struct FakeBattery {
    FakeBattery() {
        pack.name = "pack-1";
        pack.values = List<LatestValue>(values);
        battery::BatterySettings settings;
        settings.profile = can_out::profile_named("victron");
        line.connected(Instant{});
        one.wire({settings, &snapshot, packs, &faults, &line});
    }
    /// All cells of the pack stand there.
    void read(std::int64_t cell_mv, Instant now) {
        Reading reading;
        const auto put = [&](Quantity quantity, std::int64_t number, std::uint8_t index = 0) {
            reading.values.put(quantity, index, number);
        };
        for (std::uint8_t cell = 1; cell <= 16; ++cell) {
            put(Quantity::cell_voltage_mv, cell_mv, cell);
        }
        put(Quantity::voltage_mv, 16 * cell_mv);
        put(Quantity::current_ma, 5000);
        put(Quantity::soc_permille, 600);
        put(Quantity::temperature_mc, 21'000, 1);
        put(Quantity::battery_state, 1);
        put(Quantity::battery_alarm_bits, 0);
        put(Quantity::balancing_bits, 2);
        put(Quantity::cell_count, 16);
        put(Quantity::cell_full_mv, 3450);
        put(Quantity::cell_empty_mv, 2900);
        put(Quantity::cell_overvoltage_mv, 3650);
        put(Quantity::cell_undervoltage_mv, 2500);
        put(Quantity::charge_current_max_ma, 60'000);
        put(Quantity::discharge_current_max_ma, 80'000);
        put(Quantity::temperature_max_mc, 60'000);
        put(Quantity::charge_temperature_min_mc, 0);
        put(Quantity::capacity_mah, 280'000);
        (void)snapshot.update(0, reading, now);
        pack.state = DeviceState::online;
        (void)one.run(now);
    }
    [[nodiscard]] BatteryView view() const {
        return {"house", "House battery", &one, {"pack-1"}, "can", &line, &traffic};
    }

    struct TakingBus final : Bus {
        Status send(Bytes /*bytes*/) override { return done; }
    };
    struct Deaf final : DeviceOut, FaultOut {
        void reading(const Reading& /*reading*/, Instant /*now*/) override {}
        void identified(const DeviceInfo& /*info*/, Instant /*now*/) override {}
        void failed(Error /*error*/, Instant /*now*/) override {}
        void acted(ResultCode /*code*/,
                   std::optional<std::int64_t> /*value*/,
                   Instant /*now*/) override {}
        void changed(const Fault& /*fault*/, Instant /*now*/) override {}
    };

    DeviceSnapshot pack;
    std::array<LatestValue, 64> values{};
    Snapshot snapshot{{&pack, 1}};
    std::array<std::uint8_t, 1> packs{0};
    Deaf deaf;
    std::array<ActiveFault, 8> fault_room{};
    Faults faults{fault_room, deaf};
    battery::Battery one{DeviceSettings{.name = "house", .driver = "battery"}, deaf};
    CanTraffic traffic{one};
    TakingBus bus;
    std::array<WaitingCanFrame, 24> waiting{};
    CanLine line{bus, {}, traffic, waiting};
};

}  // namespace jw::http
