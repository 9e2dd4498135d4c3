// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loop: the one thread that runs the core. It waits in Asio, runs the handlers that are ready, then
// calls the program's step once.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "core/base/time.h"
#include "host/guard.h"
#include "host/histogram.h"

namespace jw {

class Loop {
  public:
    /// Does what is due and returns when it wants to be called again.
    using Step = std::function<Instant(Instant now)>;

    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// CLOCK_BOOTTIME: never set, and it counts the time that the machine is suspended, so that
    /// silence during a suspend is silence. Any thread.
    [[nodiscard]] static Instant now();
    boost::asio::io_context& io() { return io_; }

    /// The program's step; it is called once at the next turn.
    void use_step(Step step);
    /// Asks for a step at the end of this turn: something arrived. Loop thread only.
    void ask_step() { step_asked_ = true; }
    /// Runs `handler` after `wait`, unless `guard`'s owner is gone by then.
    void after(Duration wait, const Guard& guard, std::function<void()> handler);

    /// Runs until stop().
    void run();
    /// Runs until `done` says so after a turn, at most for `at_most`; says whether it did.
    bool run_until(const std::function<bool()>& done, Duration at_most);
    /// Ends run() after this turn. Loop thread only; from elsewhere post it to io().
    void stop() { stopped_ = true; }

    /// Metric loop_stall_us: how long each turn kept everybody else waiting.
    [[nodiscard]] const DurationHistogram& stall() const { return stall_; }
    void forget_stalls() { stall_ = {}; }

  private:
    void turn();
    void run_step();

    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
    Step step_;
    DurationHistogram stall_;
    Instant armed_ = never;
    bool step_asked_ = false;
    bool stopped_ = false;
};

}  // namespace jw
