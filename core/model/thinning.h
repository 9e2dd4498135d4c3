// SPDX-License-Identifier: Apache-2.0
#pragma once
// Thinning: how much less often readings are kept the fuller a store is that nobody collects.
#include <array>
#include <cstdint>

namespace jw {

struct ThinningStep {
    std::uint32_t keep_every;       // of so many keep intervals one becomes a record
    std::uint32_t full_sixteenths;  // from this fill on
};

/// Each step halves what is written when half of the room that was left is gone.
inline constexpr std::array thinning_steps{ThinningStep{1, 0},
                                           ThinningStep{2, 8},
                                           ThinningStep{4, 12},
                                           ThinningStep{8, 14},
                                           ThinningStep{16, 15}};

/// The step that holds now, given the one that held before: it rises at its fill, and falls only
/// one sixteenth below, so that it does not flutter. A store without room is full.
std::uint32_t keep_every(std::uint64_t bytes, std::uint64_t bytes_max, std::uint32_t before);

}  // namespace jw
