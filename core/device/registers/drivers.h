// SPDX-License-Identifier: Apache-2.0
#pragma once
// The drivers of devices/*.json, compiled in. A program that wants only some names them one by one
// (demo_meter::driver) and leaves the rest to the linker.
#include <span>

#include "core/device/device.h"

namespace jw::registers {

/// All of them, by name.
std::span<const Driver* const> drivers();

}  // namespace jw::registers
