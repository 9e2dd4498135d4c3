// SPDX-License-Identifier: Apache-2.0
// Loop: one turn after the other.
#include "host/loop.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <utility>

#include "core/base/check.h"

namespace jw {
namespace {

// Handlers that one turn runs at most before the program's step has its turn.
constexpr int handlers_per_turn_max = 64;

thread_local Instant turn_began;
thread_local bool turn_noted = false;

std::chrono::microseconds to_chrono(Duration duration) {
    return std::chrono::microseconds(duration.us);
}

}  // namespace

void note_turn() {
    if (!turn_noted) {
        turn_noted = true;
        turn_began = Loop::now();
    }
}

Loop::Loop() {
    // A peer that closed while we write is an error of that write, not of the process.
    (void)std::signal(SIGPIPE, SIG_IGN);
}

Instant Loop::now() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return {static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000};
}

void Loop::use_step(Step step) {
    CHECK(step != nullptr);
    step_ = std::move(step);
    ask_step();
}

void Loop::after(Duration wait, const Guard& guard, std::function<void()> handler) {
    auto timer = std::make_unique<boost::asio::steady_timer>(io_, to_chrono(wait));
    auto& waiting = *timer;
    waiting.async_wait(
        [timer = std::move(timer), run = guard(std::move(handler))](const auto& error) mutable {
            if (!error) {
                run();
            }
        });
}

void Loop::run() {
    stopped_ = false;
    const auto work = boost::asio::make_work_guard(io_);
    while (!stopped_) {
        turn();
    }
}

bool Loop::run_until(const std::function<bool()>& done, Duration at_most) {
    const Instant deadline = now() + at_most;
    const auto work = boost::asio::make_work_guard(io_);
    boost::asio::steady_timer end(io_, to_chrono(at_most));
    end.async_wait([](const auto&) {});
    while (!done()) {
        if (now() >= deadline) {
            return false;
        }
        turn();
    }
    return true;
}

void Loop::turn() {
    turn_noted = false;
    if (step_asked_) {
        note_turn();
        io_.poll_one();
    } else {
        io_.run_one();
    }
    for (int i = 1; i < handlers_per_turn_max && io_.poll_one() > 0; ++i) {
    }
    if (step_asked_) {
        run_step();
    }
    if (turn_noted) {
        stall_.add(now() - turn_began);
    }
}

void Loop::run_step() {
    step_asked_ = false;
    if (!step_) {
        return;
    }
    const Instant next = step_(now());
    // A timer that is due earlier stays: one step too many costs less than setting it again.
    if (next >= armed_) {
        return;
    }
    armed_ = next;
    timer_.expires_after(to_chrono(std::max(next - now(), Duration{})));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            armed_ = never;
            step_asked_ = true;
        }
    });
}

}  // namespace jw
