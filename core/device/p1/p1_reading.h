// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the rows of a P1 telegram mean: the pure step from codec/p1 to values and identity.
#include <string_view>

#include "core/model/device_info.h"
#include "core/model/reading.h"

namespace jw::p1 {

/// Appends the values of a telegram ('/' to '!', as Receiver gives it). Rows that are not known, or
/// whose number or unit does not fit, are left out. Where a meter tells only its tariffs, index 0
/// of the energy is their sum. `sign` -1 turns active and reactive power around.
/// Errors: malformed (the telegram breaks the format; nothing was appended).
Status read_values(std::string_view telegram, std::int8_t sign, Values& out);

/// Maker and model from the header, version from 1-3:0.2.8 or 0-0:96.1.4, serial from 0-0:96.1.1.
/// Name and driver are the caller's. Call it only with what read_values() took.
DeviceInfo describe(std::string_view telegram);

}  // namespace jw::p1
