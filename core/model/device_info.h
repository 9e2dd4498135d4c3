// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who a device is: what it says of itself, apart from what it measures.
#include <cstdint>

#include "core/base/fields.h"
#include "core/base/text.h"
#include "core/model/reading.h"

namespace jw {

using Label = FixedText<32>;

struct DeviceInfo {
    Name name;  // in the settings
    Name driver;
    Label maker;
    Label model;
    Label version;
    Label serial;

    static constexpr auto fields() {
        return Fields{Field{1, "name", &DeviceInfo::name},
                      Field{2, "driver", &DeviceInfo::driver},
                      Field{3, "maker", &DeviceInfo::maker},
                      Field{4, "model", &DeviceInfo::model},
                      Field{5, "version", &DeviceInfo::version},
                      Field{6, "serial", &DeviceInfo::serial}};
    }
};

}  // namespace jw
