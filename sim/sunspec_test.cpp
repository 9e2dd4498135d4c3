// SPDX-License-Identifier: Apache-2.0
// The simulated SunSpec inverter by itself, and our driver against it over a Modbus line.
#include "sim/sunspec.h"

#include <array>

#include "core/base/arena.h"
#include "core/base/test.h"
#include "core/device/registers/fake_device.h"
#include "core/device/sunspec/decode.h"
#include "core/device/sunspec/sunspec.h"
#include "sim/modbus_link.h"

using namespace jw;
using namespace jw::sim;

namespace {

constexpr Duration noon = seconds(12 * 3600);

/// Driver, line and inverter, wired.
struct Wired {
    std::array<ModbusUnit, 1> units;
    ModbusLink link;
    registers::Recorder out;
    alignas(std::max_align_t) std::array<std::byte, 4096> memory{};
    Arena arena{memory};
    Device* device;
    std::array<ModbusClient*, 1> clients;
    std::array<ModbusOpenRequest, 1> open{};
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> sent{};
    ModbusLine line;

    explicit Wired(ModbusFraming framing, const SunSpecSettings& settings = {})
        : units{sunspec_inverter(settings)},
          link(framing, units),
          device(sunspec::driver.make(arena, {}, out)),
          clients{device->modbus()},
          line(link, {framing, {}, {}}, clients, {open, in, sent}) {
        line.connected(link.now);
    }
    void run(Duration duration) { link.run(line, link.now + duration); }
    std::int64_t value(Quantity quantity, std::uint8_t index = 0) const {
        const Value* found = out.last.values.find(quantity, index);
        return found != nullptr ? found->number : -999'999;
    }
};

struct Count final : sunspec::DecodeOut {
    void model(std::uint16_t id,
               std::uint32_t /*address*/,
               std::uint16_t /*length*/,
               const sunspec::Model* known) override {
        ++models;
        EXPECT(known != nullptr && known->id == id);
    }
    void point(const sunspec::Point& /*point*/,
               std::uint16_t /*module*/,
               const sunspec::PointValue& value) override {
        present += value.kind != sunspec::PointValue::Kind::absent;
    }
    int models = 0;
    int present = 0;
};

}  // namespace

TEST(the_simulated_chain_is_whole) {
    const ModbusUnit unit = sunspec_inverter({});
    std::vector<std::uint8_t> bytes;
    for (std::uint32_t at = 40000; at < 41000; ++at) {
        const std::uint16_t word = unit.holding.get(static_cast<std::uint16_t>(at));
        bytes.push_back(static_cast<std::uint8_t>(word >> 8));
        bytes.push_back(static_cast<std::uint8_t>(word));
    }
    Count count;
    EXPECT(sunspec::decode(bytes, 40000, count).has_value());
    EXPECT(count.models == 7);
    EXPECT(count.present > 70);
}

TEST(the_driver_reads_the_simulated_inverter_over_tcp_and_serial) {
    for (const ModbusFraming framing : {ModbusFraming::tcp, ModbusFraming::rtu}) {
        SunSpecSettings settings;
        settings.start = noon;
        Wired wired(framing, settings);
        wired.run(seconds(10));
        EXPECT(wired.out.readings >= 8);
        EXPECT(wired.out.failures == 0);
        EXPECT(wired.out.info.serial == "SH10001");
        EXPECT(wired.value(Quantity::power_w) > 1'000);
        EXPECT(wired.value(Quantity::voltage_mv, 1) > 229'000);
        EXPECT(wired.value(Quantity::dc_power_w, 1) > wired.value(Quantity::dc_power_w, 2));
        EXPECT(wired.value(Quantity::soc_permille) >= 500);
        EXPECT(wired.value(Quantity::capacity_wh) == 10'240);
        EXPECT(wired.value(Quantity::rated_power_w) == 10'000);
    }
}

TEST(at_night_the_battery_carries_the_house_and_the_power_is_told_more_finely) {
    SunSpecSettings settings;
    settings.start = {};
    Wired wired(ModbusFraming::tcp, settings);
    wired.run(seconds(10));
    EXPECT(wired.value(Quantity::power_w) == 970);
    EXPECT(wired.value(Quantity::dc_power_w, 1) == 0);
}

TEST(the_inverter_obeys_its_limit_and_falls_back_when_nobody_renews_it) {
    SunSpecSettings settings;
    settings.start = noon;
    Wired wired(ModbusFraming::tcp, settings);
    wired.run(seconds(5));
    EXPECT(wired.device->act(Quantity::power_limit_permille, 50, wired.link.now).has_value());
    wired.run(seconds(5));
    EXPECT(wired.out.code == ResultCode::executed);
    EXPECT(wired.value(Quantity::power_w) <= 500);
    // The driver renews it …
    wired.run(seconds(900));
    EXPECT(wired.value(Quantity::power_w) <= 500);
    EXPECT(wired.value(Quantity::power_limit_permille) == 50);
    // … and once it is gone, the device takes the limit back.
    const Instant gone = wired.link.now;
    wired.units[0].live(wired.units[0], gone + seconds(190));
    EXPECT(wired.units[0].holding.get(40000 + 2 + 68 + 52 + 28 + 32 + 9) == 1);
    wired.units[0].live(wired.units[0], gone + seconds(302));
    EXPECT(wired.units[0].holding.get(40000 + 2 + 68 + 52 + 28 + 32 + 9) == 0);
}

TEST(only_the_controls_can_be_written_and_only_within_their_range) {
    ModbusUnit unit = sunspec_inverter({});
    const std::uint16_t controls = 40000 + 2 + 68 + 52 + 28 + 32;
    const auto code = [&](std::uint16_t address, std::uint16_t value) {
        std::array<std::uint8_t, 253> buffer{};
        Writer pdu{buffer};
        EXPECT(modbus::encode_write_register(pdu, address, value).has_value());
        std::array<std::uint8_t, 253> reply_buffer{};
        Writer reply{reply_buffer};
        answer_request(unit, pdu.written(), reply);
        return modbus::exception_code(reply.written());
    };
    EXPECT(code(40000, 1) == modbus::Exception::illegal_address);
    EXPECT(code(controls + 5, 10'001) == modbus::Exception::illegal_value);
    EXPECT(code(controls + 5, 9'999) == modbus::Exception::none);
}
