// SPDX-License-Identifier: Apache-2.0
#include "core/task/task_queue.h"

#include <array>

#include "core/base/test.h"

using namespace jw;

namespace {

struct Log {
    std::array<int, 16> ran{};
    std::size_t count = 0;
};

struct Probe : Task {
    Log* log = nullptr;
    int id = 0;
    Instant next = never;
    TaskQueue* queue = nullptr;
    const Task* wakes = nullptr;
    Instant run(Instant now) override {
        log->ran[log->count++] = id;
        if (queue != nullptr && wakes != nullptr) {
            queue->wake(*wakes, now);
        }
        return next;
    }
};

}  // namespace

TEST(priority_goes_before_due_time_and_due_time_orders_equals) {
    std::array<TaskQueue::Entry, 4> storage{};
    TaskQueue queue(storage);
    Log log;
    std::array<Probe, 3> probes{};
    for (int i = 0; i < 3; ++i) {
        probes[static_cast<std::size_t>(i)].log = &log;
        probes[static_cast<std::size_t>(i)].id = i;
    }
    EXPECT(queue.add(probes[0], Priority::sink, Instant{1}));
    EXPECT(queue.add(probes[1], Priority::line, Instant{3}));
    EXPECT(queue.add(probes[2], Priority::line, Instant{2}));
    EXPECT(queue.run(Instant{10}) == never);
    EXPECT(log.count == 3 && log.ran[0] == 2 && log.ran[1] == 1 && log.ran[2] == 0);
}

TEST(a_task_that_is_past_due_runs_at_once_and_never_twice_in_a_turn) {
    std::array<TaskQueue::Entry, 1> storage{};
    TaskQueue queue(storage);
    Log log;
    Probe probe;
    probe.log = &log;
    probe.next = Instant{5};  // wants a time that has passed
    EXPECT(queue.add(probe, Priority::line, Instant{0}));
    EXPECT(queue.run(Instant{10}) == Instant{5});
    EXPECT(log.count == 1);
    queue.run(Instant{10});
    EXPECT(log.count == 2);
    queue.run(Instant{4});
    EXPECT(log.count == 2);
}

TEST(a_task_can_wake_another_one_in_the_same_turn_but_not_itself) {
    std::array<TaskQueue::Entry, 2> storage{};
    TaskQueue queue(storage);
    Log log;
    std::array<Probe, 2> probes{};
    probes[0].log = probes[1].log = &log;
    probes[1].id = 1;
    probes[0].queue = probes[1].queue = &queue;
    probes[0].wakes = &probes[1];
    probes[1].wakes = &probes[1];
    EXPECT(queue.add(probes[0], Priority::line, Instant{0}));
    EXPECT(queue.add(probes[1], Priority::sink, never));
    EXPECT(queue.run(Instant{7}) == Instant{7});
    EXPECT(log.count == 2 && log.ran[1] == 1);
}

TEST(a_full_queue_refuses) {
    std::array<TaskQueue::Entry, 1> storage{};
    TaskQueue queue(storage);
    Log log;
    Probe probe;
    probe.log = &log;
    EXPECT(queue.add(probe, Priority::line, never));
    EXPECT(!queue.add(probe, Priority::line, never));
    EXPECT(queue.next_due() == never);
}

TEST(all_tasks_of_a_priority_are_woken_at_once_and_no_others) {
    std::array<TaskQueue::Entry, 3> storage{};
    TaskQueue queue(storage);
    struct Counted : Task {
        int runs = 0;
        Instant run(Instant) override {
            ++runs;
            return never;
        }
    };
    Counted line;
    Counted other_line;
    Counted sink;
    EXPECT(queue.add(line, Priority::line, never));
    EXPECT(queue.add(other_line, Priority::line, never));
    EXPECT(queue.add(sink, Priority::sink, never));
    queue.wake(Priority::line, Instant{5});
    EXPECT(queue.next_due() == Instant{5});
    (void)queue.run(Instant{5});
    EXPECT(line.runs == 1 && other_line.runs == 1 && sink.runs == 0);
}
