// SPDX-License-Identifier: Apache-2.0
// CRC-32C by the processor's instruction, found at run time.
#include "host/crc32c.h"

#include <cstring>

#include "core/base/crc.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace jw {

#if defined(__x86_64__)
namespace {

__attribute__((target("sse4.2"))) std::uint32_t crc32c_hardware(Bytes bytes, std::uint32_t crc) {
    const std::uint8_t* data = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t sum = static_cast<std::uint32_t>(~crc);
    for (; left >= 8; left -= 8, data += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data, 8);
        sum = _mm_crc32_u64(sum, word);
    }
    auto rest = static_cast<std::uint32_t>(sum);
    for (; left > 0; --left) {
        rest = _mm_crc32_u8(rest, *data++);
    }
    return ~rest;
}

}  // namespace

bool use_hardware_crc32c() {
    if (__builtin_cpu_supports("sse4.2") == 0) {
        return false;
    }
    use_crc32c(&crc32c_hardware);
    return true;
}

#elif defined(__aarch64__)
namespace {

__attribute__((target("+crc"))) std::uint32_t crc32c_hardware(Bytes bytes, std::uint32_t crc) {
    const std::uint8_t* data = bytes.data();
    std::size_t left = bytes.size();
    crc = ~crc;
    for (; left >= 8; left -= 8, data += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data, 8);
        crc = __crc32cd(crc, word);
    }
    for (; left > 0; --left) {
        crc = __crc32cb(crc, *data++);
    }
    return ~crc;
}

}  // namespace

bool use_hardware_crc32c() {
    if ((getauxval(AT_HWCAP) & HWCAP_CRC32) == 0) {
        return false;
    }
    use_crc32c(&crc32c_hardware);
    return true;
}

#else

bool use_hardware_crc32c() {
    return false;
}

#endif

}  // namespace jw
