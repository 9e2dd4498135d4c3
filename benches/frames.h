// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inputs of the micro benches: many different frames, so that no branch learns them by heart.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace jw::bench {

inline constexpr std::size_t inputs_rotated = 1024;
/// A reply with 20 registers: ten floats.
inline constexpr std::size_t rtu_frame_size = 45;
inline constexpr std::size_t floats_per_frame = 10;

using RtuFrame = std::array<std::uint8_t, rtu_frame_size>;
std::vector<RtuFrame> rtu_frames();
/// The same registers behind an MBAP header.
std::vector<std::vector<std::uint8_t>> tcp_frames();
/// Live polls of a TinyBMS: 8 bytes of a question, or 117 of an answer with 56 registers.
std::vector<std::vector<std::uint8_t>> tinybms_frames(bool replies);
/// Of a DSMR 5 meter, second by second, with their CRC.
std::vector<std::string> p1_telegrams();
/// As many different ones of that size.
std::vector<std::vector<std::uint8_t>> random_bytes(std::size_t size);

}  // namespace jw::bench
