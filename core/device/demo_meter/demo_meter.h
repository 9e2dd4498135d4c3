// SPDX-License-Identifier: Apache-2.0
#pragma once
// The blueprint of a device that is a register map: all that it is stands in
// devices/demo_meter.json. A folder here is only for devices with a protocol of their own.
#include "core/device/device.h"

namespace jw::demo_meter {

extern const Driver driver;

}  // namespace jw::demo_meter
