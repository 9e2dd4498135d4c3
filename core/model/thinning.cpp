// SPDX-License-Identifier: Apache-2.0
#include "core/model/thinning.h"

#include <algorithm>

namespace jw {
namespace {

std::uint32_t step_at(std::uint64_t sixteenths) {
    std::uint32_t every = 1;
    for (const ThinningStep& step : thinning_steps) {
        every = sixteenths >= step.full_sixteenths ? step.keep_every : every;
    }
    return every;
}

}  // namespace

std::uint32_t keep_every(std::uint64_t bytes, std::uint64_t bytes_max, std::uint32_t before) {
    const std::uint64_t full = bytes_max == 0 ? 16 : std::min(bytes, bytes_max) * 16 / bytes_max;
    return std::max(step_at(full), std::min(before, step_at(full + 1)));
}

}  // namespace jw
