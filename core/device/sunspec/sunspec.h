// SPDX-License-Identifier: Apache-2.0
#pragma once
// SunSpec: inverters, meters and batteries that describe themselves in a chain of models.
#include "core/device/device.h"

namespace jw::sunspec {

extern const Driver driver;

}  // namespace jw::sunspec
