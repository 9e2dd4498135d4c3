// SPDX-License-Identifier: Apache-2.0
// The operations of a history, and the trial of one image.
#include "tests/power_cut/history.h"

#include <algorithm>

namespace jw::power_cut {

History::History(SimStorage::Shape shape,
                 std::uint16_t segment_blocks,
                 std::uint32_t segments,
                 std::uint64_t seed)
    : settings_(settings_of(segment_blocks)),
      storage_(shape, Geometry::journal_block(2) + segment_blocks * segments, seed),
      trial_(shape, storage_.block_count()),
      random_(seed) {
    trial_.image() = storage_.medium();
    open();
    answer();
    oracle_.epoch = outbox().epoch();
}

void History::fail(std::string wrong) {
    if (wrong_.empty()) {
        wrong_ = std::move(wrong);
    }
}

void History::open() {
    box_ = std::make_unique<Box>(storage_, settings_);
    recovering_ = true;
    if (!outbox().open(sink_names, random_.next(), now_)) {
        fail("does not open");
    } else if (oracle_.epoch != 0) {
        oracle_.reopen(outbox());
    }
}

void History::answer(unsigned count) {
    for (; storage_.syncing() && count > 0; --count) {
        const auto changes = storage_.unsynced();
        const auto answer = storage_.answer();
        for (const auto& change : changes) {
            std::copy_n(storage_.medium().begin() + static_cast<std::ptrdiff_t>(change.at),
                        change.size,
                        trial_.image().begin() + static_cast<std::ptrdiff_t>(change.at));
        }
        outbox().synced(answer->ticket, answer->result, now_);
        if (recovering_ && answer->result) {
            recovering_ = false;
            if (oracle_.epoch != 0) {
                // Everything that was found counts as accepted now.
                auto wrong = oracle_.verify(outbox(), released(), buffer_);
                if (!wrong.empty()) {
                    fail("after a restart: " + wrong);
                }
                oracle_.restart(outbox(), buffer_);
            }
        }
        oracle_.accept(outbox());
        oracle_.keep(outbox());
    }
}

Oracle::Numbers History::released() const {
    Oracle::Numbers numbers{};
    for (std::size_t i = 0; i < record_classes; ++i) {
        numbers[i] = box_->outbox.released_to(static_cast<RecordClass>(i));
    }
    return numbers;
}

void History::append(RecordClass c, std::size_t size) {
    if (recovering_) {
        answer();
    }
    const Bytes payload = oracle_.compose(c, size);
    const std::uint64_t before = outbox().appended_to(c);
    oracle_.tell(c, before + 1, Oracle::Outcome::taken);  // a cut inside may find it
    const auto id = outbox().append(c, RecordKind::reading, payload, now_);
    const std::uint64_t after = outbox().appended_to(c);
    if (id && (id->seq != before + 1 || after != before + 1)) {
        fail("a number that does not follow");
    }
    if (!id) {
        oracle_.tell(
            c, before + 1, after == before ? Oracle::Outcome::none : Oracle::Outcome::lost);
    }
    oracle_.accept(outbox());
}

void History::flush() {
    outbox().flush(now_);
    answer();
}

void History::wait(Duration duration) {
    now_ = now_ + duration;
    (void)outbox().step(now_);
    oracle_.accept(outbox());
}

void History::deliver(RecordClass c, unsigned count) {
    Cursor cursor = outbox().cursor(0, c);
    std::uint64_t expected = cursor.seq;
    for (unsigned i = 0; i < count; ++i) {
        const auto item = outbox().next(cursor, buffer_, now_);
        if (!item) {
            break;
        }
        if (auto wrong = oracle_.check(c, *item, expected, released()); !wrong.empty()) {
            fail("while running: " + wrong);
            return;
        }
        if (item->record) {
            oracle_.deliver(c, item->record->id.seq);
        }
    }
    if (expected > 1 && expected - 1 > outbox().confirmed_to(0, c)) {
        oracle_.confirm(c, expected - 1);
        outbox().confirm(0, c, expected - 1, now_);
    }
}

void History::restart() {
    cut(Persistence::kept);
}

void History::cut(Persistence persistence) {
    storage_.cut_power(persistence);
    trial_.image() = storage_.medium();
    now_ = Instant{};
    open();
    answer();
}

void History::try_image() {
    ++cuts;
    Box box(trial_, settings_);
    trial_.answer_to(&box.outbox);
    if (!box.outbox.open(sink_names, random_.next(), Instant{})) {
        fail("does not open after a cut");
    } else if (auto wrong = oracle_.verify(box.outbox, released(), buffer_); !wrong.empty()) {
        fail(wrong);
    } else if (cuts % 8 == 0) {
        const std::uint64_t before = box.outbox.appended_to(RecordClass::alarm);
        const auto id = box.outbox.append(
            RecordClass::alarm, RecordKind::event, Bytes(buffer_).first(100), Instant{});
        if (id &&
            (id->seq != before + 1 || box.outbox.accepted_to(RecordClass::alarm) != id->seq)) {
            fail("a record after the cut is not accepted");
        }
    }
    trial_.forget();
}

}  // namespace jw::power_cut
