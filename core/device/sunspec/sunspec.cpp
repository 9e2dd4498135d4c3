// SPDX-License-Identifier: Apache-2.0
// The SunSpec driver and all that its models can give.
#include "core/device/sunspec/sunspec.h"

#include <array>

#include "core/device/sunspec/model_table.h"
#include "core/device/sunspec/sunspec_device.h"

namespace jw::sunspec {
namespace {

constexpr std::uint8_t listed_modules = 6;  // of which the capabilities tell; more are read too

struct CapabilityList {
    std::array<Capability, 128> items{};
    std::size_t size = 0;

    constexpr void add(const Point& point, std::uint8_t index) {
        if (point.quantity == Quantity::none) {
            return;
        }
        for (std::size_t i = 0; i < size; ++i) {
            if (items[i].quantity == point.quantity && items[i].index == index) {
                return;
            }
        }
        const bool settable = point.quantity == Quantity::power_limit_permille;
        items[size++] = {point.quantity, index, settable, 0, settable ? 1000 : 0};
    }
};

consteval CapabilityList all_capabilities() {
    CapabilityList list;
    // By number: g++ 12 cannot walk these spans with iterators while it compiles.
    for (std::size_t i = 0; i < std::size(model_table); ++i) {
        const Model& model = model_table[i];
        for (std::size_t part = 0; part < model.points.size(); ++part) {
            for (std::size_t at = 0; at < model.points[part].size(); ++at) {
                list.add(model.points[part][at], model.points[part][at].index);
            }
        }
        for (std::size_t at = 0; at < model.modules.points.size(); ++at) {
            for (std::uint8_t index = 1; index <= listed_modules; ++index) {
                list.add(model.modules.points[at], index);
            }
        }
    }
    return list;
}

constexpr CapabilityList list = all_capabilities();

Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    return &arena.make<SunSpecDevice>(settings, out);
}

}  // namespace

constexpr Driver driver{
    .name = "sunspec",
    .line = LineKind::modbus,
    .memory = sizeof(SunSpecDevice) + alignof(SunSpecDevice),
    .capabilities = {list.items.data(), list.size},
    .make = make,
};

}  // namespace jw::sunspec
