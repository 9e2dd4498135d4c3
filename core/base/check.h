// SPDX-License-Identifier: Apache-2.0
#pragma once
// CHECK: for programmer errors only, never for input. It stays on in release builds.
#include <cstdint>

#include "core/base/result.h"

namespace jw {

/// Supplied by the program: makes outputs safe, records the place and does not return
/// (Linux: logs and aborts; microcontroller: records and resets).
[[noreturn]] void check_failed(std::uint16_t file, std::uint16_t line);

}  // namespace jw

#define CHECK(condition_)                                                                      \
    do {                                                                                       \
        if (!(condition_)) {                                                                   \
            ::jw::check_failed(::jw::file_id(__FILE__), static_cast<std::uint16_t>(__LINE__)); \
        }                                                                                      \
    } while (false)
