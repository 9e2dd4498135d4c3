// SPDX-License-Identifier: Apache-2.0
// When frames leave: by their periods, and at once where a limit fell.
#include "core/sink/can_out/talk.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw::can_out {
namespace {

constexpr std::array bounds_of_state{&BatteryState::charge_voltage_mv,
                                     &BatteryState::charge_current_ma,
                                     &BatteryState::discharge_current_ma,
                                     &BatteryState::charge_allowed,
                                     &BatteryState::discharge_allowed};

constexpr Instant at_once{-1};

bool says_a_limit(const Frame& frame) {
    return std::ranges::any_of(frame.signals, [](const Signal& signal) {
        return signal.field != nullptr &&
               std::ranges::find(bounds_of_state, signal.field->member) != bounds_of_state.end();
    });
}

}  // namespace

Talk::Talk(const Profile& profile) : profile_(&profile) {
    CHECK(profile.sent.size() <= frames_max);
    due_.fill(at_once);
    for (std::size_t i = 0; i < profile.sent.size(); ++i) {
        if (says_a_limit(profile.sent[i])) {
            CHECK(told_count_ < limit_frames_max);
            told_[told_count_++].frame = static_cast<std::uint8_t>(i);
        }
    }
}

std::optional<CanFrame> Talk::next(const BatteryState& state, Instant now) {
    if (auto frame = hurried(state, now)) {
        return frame;
    }
    for (std::size_t i = 0; i < profile_->sent.size(); ++i) {
        if (due_[i] > now) {
            continue;
        }
        const Duration period = milliseconds(profile_->sent[i].period_ms);
        // On its grid, unless it has none yet or a turn came too late for that.
        const Instant on_grid = due_[i].us < 0 ? now + period : due_[i] + period;
        due_[i] = on_grid > now ? on_grid : now + period;
        if (auto frame = build(i, state)) {
            return frame;
        }
    }
    return std::nullopt;
}

std::optional<CanFrame> Talk::hurried(const BatteryState& state, Instant now) {
    bool fell = false;
    for (std::size_t i = 0; i < bounds_of_state.size(); ++i) {
        const Number& bound = state.*bounds_of_state[i];
        fell = fell || (bound && bounds_[i] && *bound < *bounds_[i]);
    }
    const std::span<Told> all{told_.data(), told_count_};
    if (fell) {
        for (std::size_t i = 0; i < bounds_of_state.size(); ++i) {
            bounds_[i] = state.*bounds_of_state[i];
        }
        for (Told& told : all) {
            told.hurry = true;
        }
    }
    for (Told& told : all) {
        if (!std::exchange(told.hurry, false)) {
            continue;
        }
        const std::optional<CanFrame> before = told.last;
        const auto frame = build(told.frame, state);
        if (frame && frame != before) {  // it may have fallen by less than the frame can say
            due_[told.frame] = now + milliseconds(profile_->sent[told.frame].period_ms);
            return frame;
        }
    }
    return std::nullopt;
}

std::optional<CanFrame> Talk::build(std::size_t frame, const BatteryState& state) {
    const auto encoded = encode(profile_->sent[frame], state);
    if (!encoded) {
        refused_ += encoded.code() == Code::out_of_range ? 1U : 0U;
        return std::nullopt;
    }
    if (Told* const of_limits = told(frame)) {
        of_limits->last = *encoded;
        of_limits->hurry = false;
        for (std::size_t i = 0; i < bounds_of_state.size(); ++i) {
            bounds_[i] = state.*bounds_of_state[i];
        }
    }
    return *encoded;
}

Talk::Told* Talk::told(std::size_t frame) {
    const std::span<Told> all{told_.data(), told_count_};
    const auto found = std::ranges::find(all, frame, &Told::frame);
    return found == all.end() ? nullptr : &*found;
}

Instant Talk::due() const {
    Instant first = never;
    for (std::size_t i = 0; i < profile_->sent.size(); ++i) {
        first = earlier(first, due_[i]);
    }
    return first;
}

void Talk::pause() {
    due_.fill(at_once);
    bounds_ = {};
    for (Told& told : told_) {
        told.last.reset();
        told.hurry = false;
    }
}

}  // namespace jw::can_out
