// SPDX-License-Identifier: Apache-2.0
#include "core/task/store_audit.h"

#include <algorithm>

namespace jw {

StoreNumbers numbers_of(const Outbox& outbox) {
    StoreNumbers numbers;
    numbers.epoch = outbox.epoch();
    const OutboxCounters counters = outbox.counters();
    const std::size_t sinks = std::min(outbox.sinks().size(), limits::sinks_max);
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        StoreNumbers::Class& of = numbers.classes[i];
        of.appended = outbox.appended_to(record_class);
        of.accepted = outbox.accepted_to(record_class);
        of.released = outbox.released_to(record_class);
        of.taken = counters.appended[i];
        of.refused = counters.rejected[i];
        for (std::size_t sink = 0; sink < sinks; ++sink) {
            of.confirmed[sink] = outbox.confirmed_to(sink, record_class);
            of.durable[sink] = outbox.durable_to(sink, record_class);
        }
    }
    return numbers;
}

const char* first_breach(const StoreNumbers& before, const StoreNumbers& now) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        const StoreNumbers::Class& was = before.classes[i];
        const StoreNumbers::Class& is = now.classes[i];
        if (is.appended < was.appended || is.accepted < was.accepted) {
            return "I-01: a number of a record fell.";
        }
        if (is.accepted > is.appended || is.released > is.appended || is.released < was.released) {
            return "I-02: more is accepted or given up than was appended.";
        }
        for (std::size_t sink = 0; sink < limits::sinks_max; ++sink) {
            if (is.durable[sink] > is.confirmed[sink] || is.confirmed[sink] > is.appended ||
                is.confirmed[sink] < was.confirmed[sink]) {
                return "I-02: a sink confirmed what was never appended, or went back.";
            }
        }
        // A number belongs to a record that was taken, or to one whose writing failed. A store that
        // is found behind goes on after the far side's number, under a new epoch.
        const std::uint64_t numbers = is.appended - was.appended;
        const std::uint64_t taken = is.taken - was.taken;
        const std::uint64_t refused = is.refused - was.refused;
        if (now.epoch == before.epoch && (numbers < taken || numbers > taken + refused)) {
            return "I-03: the numbers and the records do not add up.";
        }
    }
    return nullptr;
}

}  // namespace jw
