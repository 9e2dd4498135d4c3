// SPDX-License-Identifier: Apache-2.0
// The storage of a trial and the oracle.
#include "tests/power_cut/trial.h"

#include <algorithm>

namespace jw::power_cut {
namespace {

std::string text(const char* what, RecordClass c, std::uint64_t seq) {
    return std::string(what) + ", class " + std::to_string(static_cast<int>(c)) + " seq " +
           std::to_string(seq);
}

}  // namespace

Status TrialStorage::read(std::uint64_t at, MutableBytes out) {
    if (at > image_.size() || out.size() > image_.size() - at) {
        return JW_FAIL(internal);
    }
    std::memcpy(out.data(), image_.data() + at, out.size());
    return done;
}

void TrialStorage::save(std::size_t at, std::size_t size) {
    saved_.push_back({at, size, data_.size()});
    const auto from = image_.begin() + static_cast<std::ptrdiff_t>(at);
    data_.insert(data_.end(), from, from + static_cast<std::ptrdiff_t>(size));
}

void TrialStorage::make(const SimStorage::Change& change,
                        const std::uint8_t* data,
                        std::size_t size) {
    save(change.at, size);
    SimStorage::make(shape_, change, data, size, image_);
}

Status TrialStorage::write(std::uint64_t at, Bytes bytes) {
    make({at, bytes.size(), 0, false}, bytes.data(), bytes.size());
    return done;
}

Status TrialStorage::erase(std::uint32_t block) {
    if (shape_ == SimStorage::Shape::flash) {
        fill(std::size_t{block} * block_size, std::size_t{block + 1} * block_size, 0xFF);
    }
    return done;
}

void TrialStorage::sync(SyncTicket ticket) {
    outbox_->synced(ticket, done, Instant{});
}

void TrialStorage::flip_bit(std::uint64_t bit) {
    save(bit / 8, 1);
    image_[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
}

void TrialStorage::fill(std::size_t from, std::size_t to, std::uint8_t value) {
    save(from, to - from);
    std::memset(image_.data() + from, value, to - from);
}

void TrialStorage::forget() {
    while (!saved_.empty()) {
        const Saved& saved = saved_.back();
        std::memcpy(image_.data() + saved.at, data_.data() + saved.data, saved.size);
        saved_.pop_back();
    }
    data_.clear();
}

OutboxSettings settings_of(std::uint16_t segment_blocks) {
    OutboxSettings settings;
    settings.segment_blocks = segment_blocks;
    settings.sink_slots = 1;
    return settings;
}

Bytes Oracle::compose(RecordClass c, std::size_t size) {
    attempts_.push_back({0, c, static_cast<std::uint16_t>(size)});
    const std::uint64_t id = attempts_.size();
    Writer(payload_).u64_le(id);
    for (std::size_t i = 8; i < size; ++i) {
        payload_[i] = static_cast<std::uint8_t>(id * 7 + i);
    }
    return Bytes(payload_).first(size);
}

void Oracle::tell(RecordClass c, std::uint64_t seq, Outcome outcome) {
    auto& numbers = by_seq_[static_cast<std::size_t>(c)];
    attempts_.back().seq = outcome == Outcome::none ? 0 : seq;
    highest_[static_cast<std::size_t>(c)] =
        std::max(highest_[static_cast<std::size_t>(c)], attempts_.back().seq);
    numbers.resize(outcome == Outcome::none ? seq : seq + 1);
    if (outcome != Outcome::none) {
        numbers[seq] = outcome == Outcome::taken ? static_cast<std::uint32_t>(attempts_.size()) : 0;
    }
}

void Oracle::accept(const Outbox& outbox) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        const std::uint64_t now = outbox.accepted_to(static_cast<RecordClass>(i));
        if (now > accepted[i]) {
            records_accepted += now - accepted[i];
            accepted[i] = now;
        }
    }
}

void Oracle::confirm(RecordClass c, std::uint64_t seq) {
    auto& number = confirmed[static_cast<std::size_t>(c)];
    number = std::max(number, seq);
}

void Oracle::deliver(RecordClass c, std::uint64_t seq) {
    auto& numbers = delivered_[static_cast<std::size_t>(c)];
    numbers.resize(std::max<std::size_t>(numbers.size(), seq + 1));
    numbers[seq] = true;
}

void Oracle::keep(const Outbox& outbox) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        cursor_safe_[i] = outbox.sinks()[0].classes[i].safe;
    }
}

std::string Oracle::check_record(RecordClass c, const Record& record) {
    ++records_checked;
    Reader reader(record.payload);
    const std::uint64_t id = reader.u64_le();
    if (!reader.ok() || id == 0 || id > attempts_.size()) {
        return text("invented", c, record.id.seq);
    }
    const Attempt& attempt = attempts_[id - 1];
    if (attempt.record_class != c || attempt.seq != record.id.seq ||
        attempt.size != record.payload.size() || record.id.record_class != c) {
        return text("in a wrong place", c, record.id.seq);
    }
    for (std::size_t i = 8; i < attempt.size; ++i) {
        if (record.payload[i] != static_cast<std::uint8_t>(id * 7 + i)) {
            return text("changed", c, record.id.seq);
        }
    }
    const auto& numbers = by_seq_[static_cast<std::size_t>(c)];
    const std::uint32_t known = record.id.seq < numbers.size() ? numbers[record.id.seq] : 0;
    // Of a number that was never accepted an earlier attempt may come back.
    if (known != 0 && known != id && record.id.seq <= accepted[static_cast<std::size_t>(c)]) {
        return text("an earlier life's", c, record.id.seq);
    }
    if (record.id.epoch != epoch) {
        return text("of another epoch", c, record.id.seq);
    }
    return {};
}

std::string Oracle::check(RecordClass c,
                          const Item& item,
                          std::uint64_t& expected,
                          const Numbers& released) {
    const auto i = static_cast<std::size_t>(c);
    if (item.record) {
        if (item.record->id.seq != expected) {
            return text("out of order", c, item.record->id.seq);
        }
        ++expected;
        return check_record(c, *item.record);
    }
    const Gap& gap = item.gap;
    if (gap.from != expected || gap.to < gap.from || gap.record_class != c || gap.epoch != epoch) {
        return text("a gap that does not fit", c, gap.from);
    }
    if (gap.reason == GapReason::dropped ? gap.to > released[i]
                                         : gap.reason != GapReason::damaged) {
        return text(enum_names(gap.reason)[static_cast<std::size_t>(gap.reason)], c, gap.from) +
               " is no reason for a gap up to " + std::to_string(gap.to) + ", released " +
               std::to_string(released[i]);
    }
    for (std::uint64_t seq = gap.from; seq <= gap.to && gap.reason == GapReason::dropped; ++seq) {
        if (seq <= told_released_[i] && seq <= confirmed[i] && seq < delivered_[i].size() &&
            delivered_[i][seq]) {
            return text("told as dropped after it was confirmed", c, seq);
        }
    }
    for (std::uint64_t seq = gap.from; seq <= gap.to && gap.reason == GapReason::damaged; ++seq) {
        if (seq <= accepted[i] && by_seq_[i][seq] != 0) {
            return text("lost", c, seq);
        }
    }
    expected = gap.to + 1;
    return {};
}

std::string Oracle::verify(Outbox& trial, Numbers released, MutableBytes buffer) {
    told_released_ = released;
    // A full store may give up its oldest segment when it opens, so that the next one is ready.
    const std::uint64_t room = 6 * trial.segment_size();
    for (std::size_t i = 0; i < record_classes; ++i) {
        const std::uint64_t given_up = trial.released_to(static_cast<RecordClass>(i));
        if (given_up > released[i] && trial.bytes_used() + room < trial.bytes_max()) {
            return text("given up without need", static_cast<RecordClass>(i), given_up);
        }
        released[i] = std::max(released[i], given_up);
    }
    if (trial.epoch() != epoch) {
        return "a new epoch without need";
    }
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto c = static_cast<RecordClass>(i);
        const std::uint64_t appended = trial.appended_to(c);
        if (trial.confirmed_to(0, c) > confirmed[i]) {
            return text("confirmed what was not", c, trial.confirmed_to(0, c));
        }
        if (trial.confirmed_to(0, c) < cursor_safe_[i]) {
            return text("a cursor is lost", c, cursor_safe_[i]);
        }
        if (trial.accepted_to(c) < accepted[i]) {
            return text("lost at the end", c, accepted[i]);
        }
        if (appended != trial.accepted_to(c) || appended > highest_[i]) {
            return text("numbers that nobody gave", c, appended);
        }
        Cursor cursor = trial.cursor(0, c);
        std::uint64_t expected = cursor.seq;
        for (;;) {
            const auto item = trial.next(cursor, buffer, Instant{});
            if (!item) {
                break;
            }
            if (auto wrong = check(c, *item, expected, released); !wrong.empty()) {
                return wrong;
            }
        }
        if (expected != appended + 1) {
            return text("an end too early", c, expected);
        }
    }
    return {};
}

void Oracle::restart(Outbox& outbox, MutableBytes buffer) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto c = static_cast<RecordClass>(i);
        std::vector<std::uint32_t> found(outbox.appended_to(c) + 1);
        const auto kept = std::min<std::size_t>(accepted[i] + 1, found.size());
        std::copy_n(by_seq_[i].begin(), std::min(kept, by_seq_[i].size()), found.begin());
        Cursor cursor;
        cursor.record_class = c;
        cursor.seq = accepted[i] + 1;
        for (auto item = outbox.next(cursor, buffer, Instant{}); item;
             item = outbox.next(cursor, buffer, Instant{})) {
            if (item->record) {
                found[item->record->id.seq] =
                    static_cast<std::uint32_t>(Reader(item->record->payload).u64_le());
            }
        }
        by_seq_[i] = std::move(found);
    }
    accept(outbox);
}

void Oracle::reopen(const Outbox& outbox) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        // A cursor that never reached the medium is forgotten, and so is what it had passed.
        confirmed[i] = outbox.confirmed_to(0, static_cast<RecordClass>(i));
        delivered_[i].resize(std::min<std::size_t>(delivered_[i].size(), confirmed[i] + 1));
    }
}

}  // namespace jw::power_cut
