// SPDX-License-Identifier: Apache-2.0
#include "core/task/task_queue.h"

namespace jw {

bool TaskQueue::add(Task& task, Priority priority, Instant due) {
    return entries_.push({&task, priority, due, turn_});
}

void TaskQueue::wake(const Task& task, Instant at) {
    for (Entry& entry : entries_) {
        if (entry.task == &task) {
            entry.due = earlier(entry.due, at);
        }
    }
}

void TaskQueue::wake(Priority priority, Instant at) {
    for (Entry& entry : entries_) {
        if (entry.priority == priority) {
            entry.due = earlier(entry.due, at);
        }
    }
}

Instant TaskQueue::run(Instant now) {
    ++turn_;
    for (std::size_t ran = 0; ran < entries_.size(); ++ran) {
        Entry* chosen = nullptr;
        for (Entry& entry : entries_) {
            if (entry.turn == turn_ || entry.due > now) {
                continue;
            }
            if (chosen == nullptr || entry.priority < chosen->priority ||
                (entry.priority == chosen->priority && entry.due < chosen->due)) {
                chosen = &entry;
            }
        }
        if (chosen == nullptr) {
            break;
        }
        chosen->turn = turn_;
        chosen->due = never;  // a wake() from inside run() counts
        const Instant again = chosen->task->run(now);
        chosen->due = earlier(chosen->due, again);
    }
    return next_due();
}

Instant TaskQueue::next_due() const {
    Instant next = never;
    for (const Entry& entry : entries_) {
        next = earlier(next, entry.due);
    }
    return next;
}

}  // namespace jw
