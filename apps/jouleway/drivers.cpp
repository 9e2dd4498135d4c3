// SPDX-License-Identifier: Apache-2.0
// The drivers that this program has: a new one is a folder in core/device/ and a line here.
#include "apps/jouleway/drivers.h"

#include "core/device/demo_meter/demo_meter.h"
#include "core/device/node/node.h"
#include "core/device/p1/p1_device.h"
#include "core/device/sunspec/sunspec.h"
#include "core/device/tinybms/tinybms.h"
#include "generated/devices/devices.h"

namespace jw {
namespace {

const Driver* const list[] = {
    &demo_meter::driver,
    &em24::driver,
    &node::driver,
    &p1::driver,
    &sdm120::driver,
    &sdm630::driver,
    &sunspec::driver,
    &tinybms::driver,
};

}  // namespace

std::span<const Driver* const> drivers() {
    return list;
}

}  // namespace jw
