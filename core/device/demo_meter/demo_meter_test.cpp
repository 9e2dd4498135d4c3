// SPDX-License-Identifier: Apache-2.0
// The demo meter as a program meets it: made from its driver, polled, its relay switched. That the
// registers mean what devices/demo_meter.json says is tested there (register_device_test).
#include "core/device/demo_meter/demo_meter.h"

#include <array>

#include "core/base/test.h"
#include "core/device/registers/fake_device.h"
#include "core/device/registers/register_device.h"

using namespace jw;
using namespace jw::registers;

TEST(the_relay_of_the_demo_meter_can_be_opened) {
    std::array<std::uint16_t, 1> relay{1};
    std::array<std::uint16_t, 18> input{2300, 2300, 2300, 100, 0, 0, 0, 230, 230};
    FakeDevice meter;
    EXPECT(meter.shelves.push({Table::coil, 0, relay}));
    EXPECT(meter.shelves.push({Table::input, 0, input}));
    alignas(std::max_align_t) std::array<std::byte, 2048> memory{};
    Arena arena{memory};
    Recorder out;
    Device* device = demo_meter::driver.make(arena, {}, out);
    const Instant soon = meter.run(*device->modbus(), {}, Instant{500'000});
    EXPECT(out.last.values.find(Quantity::relay_closed)->number == 1);
    EXPECT(out.last.values.find(Quantity::power_w)->number == 230);
    EXPECT(device->act(Quantity::relay_closed, 0, soon).has_value());
    (void)meter.run(*device->modbus(), soon, soon + milliseconds(200));
    EXPECT(out.code == ResultCode::executed);
    EXPECT(out.last.values.find(Quantity::relay_closed)->number == 0);
}

TEST(the_driver_says_what_can_be_set) {
    int settable = 0;
    for (const Capability& capability : demo_meter::driver.capabilities) {
        if (capability.settable) {
            ++settable;
            EXPECT(capability.quantity == Quantity::relay_closed);
            EXPECT(capability.least == 0 && capability.most == 1);
        }
    }
    EXPECT(settable == 1);
    EXPECT(demo_meter::driver.line == LineKind::modbus);
}

TEST(the_demo_meter_takes_little_memory) {
    EXPECT(demo_meter::driver.memory < 1024);
}
