// SPDX-License-Identifier: Apache-2.0
#include "host/version.h"

namespace jw {

const char* version() {
    return JW_VERSION;
}

}  // namespace jw
