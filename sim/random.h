// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random numbers from a seed: a run that fails is repeated by its seed.
#include <cstdint>

namespace jw {

/// A small generator of random numbers (SplitMix64 of Steele, Lea and Flood, 2014), the same on
/// every machine.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t value = state_ += 0x9E3779B97F4A7C15U;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
        return value ^ (value >> 31);
    }
    /// 0 … bound - 1.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

  private:
    std::uint64_t state_;
};

}  // namespace jw
