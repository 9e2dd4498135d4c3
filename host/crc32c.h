// SPDX-License-Identifier: Apache-2.0
#pragma once
// The machine's own CRC-32C, where it has one.

namespace jw {

/// Registers the processor's CRC-32C instruction (SSE 4.2, or the CRC extension of ARMv8) with
/// use_crc32c(). Says whether there is one; without it the portable one stays.
bool use_hardware_crc32c();

}  // namespace jw
