// SPDX-License-Identifier: Apache-2.0
#pragma once
// TaskQueue: the one loop of the core. What is due runs by priority, then by due time; a task whose
// time has passed runs at once, and never twice in one turn.
#include <cstdint>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"

namespace jw {

enum class Priority : std::uint8_t { control, line, storage, sink, housekeeping };

/// Something that runs at its time. Lives in its owner; the queue only points at it.
class Task {
  public:
    /// Does a bounded piece of work and says when it wants to run again.
    virtual Instant run(Instant now) = 0;

  protected:
    ~Task() = default;
};

class TaskQueue {
  public:
    struct Entry {
        Task* task = nullptr;
        Priority priority = Priority::housekeeping;
        Instant due = never;
        std::uint32_t turn = 0;
    };

    TaskQueue() = default;
    explicit TaskQueue(std::span<Entry> storage) : entries_(storage) {}

    /// False when the queue is full: the program sized it wrongly.
    [[nodiscard]] bool add(Task& task, Priority priority, Instant due);
    /// Makes a task due no later than `at`; a task that is not in the queue is left alone.
    void wake(const Task& task, Instant at);
    /// The same for every task of a priority.
    void wake(Priority priority, Instant at);
    /// One turn: everything that is due when it begins, and what that wakes, each once. Gives the
    /// next due time.
    Instant run(Instant now);
    [[nodiscard]] Instant next_due() const;

  private:
    List<Entry> entries_;
    std::uint32_t turn_ = 0;
};

}  // namespace jw
