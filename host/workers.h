// SPDX-License-Identifier: Apache-2.0
#pragma once
// Workers: a few threads behind one bounded queue, for what would block the loop.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "host/loop.h"

namespace jw {

/// The threads start with the first job. Destroying it waits for the jobs that run; those that wait
/// are dropped.
class Workers {
  public:
    Workers(Loop& loop, std::size_t threads, std::size_t jobs_max);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    /// Runs `job` on one of the threads and then `done` on the loop, unless `guard`'s owner is gone
    /// by then. `job` must not touch what belongs to the loop; what it finds it leaves where `done`
    /// takes it. Errors: full. Loop thread only.
    Status run(std::function<void()> job, const Guard& guard, std::function<void()> done);

  private:
    struct Job {
        std::function<void()> run;
        std::function<void()> done;
    };
    void work();

    Loop& loop_;
    std::size_t threads_max_;
    std::size_t jobs_max_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    std::vector<std::thread> threads_;
    bool stopping_ = false;
};

}  // namespace jw
