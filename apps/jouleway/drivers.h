// SPDX-License-Identifier: Apache-2.0
#pragma once
// The drivers that the gateway is built with.
#include <span>

#include "core/device/device.h"

namespace jw {

std::span<const Driver* const> drivers();

}  // namespace jw
