// SPDX-License-Identifier: Apache-2.0
#pragma once
// The system's clock: what it says, and whether the kernel vouches for it.
#include <cstdint>

namespace jw {

/// Unix milliseconds as the system has them, right or wrong.
std::int64_t wall_clock_ms();

/// Whether adjtimex(2) that returned `outcome` vouches for the clock: it was allowed to look (-1: a
/// container or the service manager forbids it) and did not say TIME_ERROR (not synchronised).
bool clock_vouched(int outcome);

/// Asks the kernel.
bool clock_vouched();

}  // namespace jw
