// SPDX-License-Identifier: Apache-2.0
#pragma once
// Talk: which frame of a profile leaves when. Every frame has its period; a limit that falls does
// not wait for it, a limit that rises does.
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/time.h"
#include "core/sink/can_out/frame.h"

namespace jw::can_out {

inline constexpr std::size_t frames_max = 24;
inline constexpr std::size_t limit_frames_max = 4;

class Talk {
  public:
    /// The profile outlives it; all of its frames are due at once.
    explicit Talk(const Profile& profile);

    /// The next frame that leaves now, built from `state`; to be called until it gives nothing.
    /// After a frame that left because a limit fell its period begins anew.
    std::optional<CanFrame> next(const BatteryState& state, Instant now);
    /// When the next frame's period is over.
    [[nodiscard]] Instant due() const;
    /// Nothing may be said any more; the next next() begins anew with everything.
    void pause();
    [[nodiscard]] const Profile& profile() const { return *profile_; }
    /// Frames with a value that must not be sent, as a charge voltage of 0.
    [[nodiscard]] std::uint32_t refused() const { return refused_; }

  private:
    struct Told {
        std::uint8_t frame = 0;  // index in the profile
        bool hurry = false;
        std::optional<CanFrame> last;
    };
    /// What falls has its numbers here.
    using Bounds = std::array<Number, 5>;

    std::optional<CanFrame> hurried(const BatteryState& state, Instant now);
    std::optional<CanFrame> build(std::size_t frame, const BatteryState& state);
    Told* told(std::size_t frame);

    const Profile* profile_;
    std::array<Instant, frames_max> due_{};
    std::array<Told, limit_frames_max> told_{};
    std::uint8_t told_count_ = 0;
    Bounds bounds_{};
    std::uint32_t refused_ = 0;
};

}  // namespace jw::can_out
