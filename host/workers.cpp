// SPDX-License-Identifier: Apache-2.0
// Workers: threads that take jobs from a bounded queue and post the results to the loop.
#include "host/workers.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace jw {

Workers::Workers(Loop& loop, std::size_t threads, std::size_t jobs_max)
    : loop_(loop), threads_max_(threads), jobs_max_(jobs_max) {}

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

Status Workers::run(std::function<void()> job, const Guard& guard, std::function<void()> done) {
    {
        const std::lock_guard lock(mutex_);
        if (jobs_.size() >= jobs_max_) {
            return JW_FAIL(full);
        }
        jobs_.push_back({std::move(job), guard(std::move(done))});
    }
    if (threads_.size() < threads_max_) {
        threads_.emplace_back([this] { work(); });
    }
    wake_.notify_one();
    return jw::done;
}

void Workers::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) {
            return;
        }
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job.run();
        job.run = nullptr;
        boost::asio::post(loop_.io(), std::move(job.done));
        lock.lock();
    }
}

}  // namespace jw
