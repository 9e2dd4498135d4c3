// SPDX-License-Identifier: Apache-2.0
#include "core/outbox/backlog_age.h"

#include <algorithm>

namespace jw {

std::optional<Duration> BacklogAge::of(Outbox& outbox, std::size_t sink, Instant now) {
    std::optional<Duration> age;
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        const std::uint64_t seq = outbox.first_waiting(sink, record_class);
        if (seq > outbox.accepted_to(record_class)) {
            continue;
        }
        Known& known = known_[i];
        if (known.seq != seq) {
            const auto read = outbox.oldest(sink, record_class);
            // What cannot be read now may be readable later: it is asked for again.
            known = read ? Known{seq, *read} : Known{};
        }
        if (known.seq != 0) {
            const Duration of_class = outbox.age(known.time, now);
            age = age ? std::max(*age, of_class) : of_class;
        }
    }
    return age;
}

}  // namespace jw
