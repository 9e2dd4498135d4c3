// SPDX-License-Identifier: Apache-2.0
// The wall clock of Linux, and whether it was set.
#include "host/wall_clock.h"

#include <sys/timex.h>

#include <ctime>

namespace jw {

std::int64_t wall_clock_ms() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

bool clock_vouched(int outcome) {
    return outcome >= TIME_OK && outcome != TIME_ERROR;
}

bool clock_vouched() {
    timex state{};
    return clock_vouched(adjtimex(&state));
}

}  // namespace jw
