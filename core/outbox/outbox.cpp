// SPDX-License-Identifier: Apache-2.0
// Appending, syncing and confirming.
#include "core/outbox/outbox.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"

namespace jw {
namespace {

constexpr Duration cursor_delay = seconds(1);  // how long a confirmation may stay in memory
// No store lives to count further: a far side that says it has more is wrong.
constexpr std::uint64_t number_max = 1ULL << 48;
constexpr Duration retry_delay = seconds(1);                  // between attempts while syncs fail
constexpr std::size_t head_max = Fragment::header_size + 10;  // with the longest varint
constexpr std::uint32_t none = ~0U;

void put_u56(Writer& out, std::uint64_t value) {
    out.u32_le(static_cast<std::uint32_t>(value)).u16_le(static_cast<std::uint16_t>(value >> 32));
    out.u8(static_cast<std::uint8_t>(value >> 48));
}

}  // namespace

Outbox::Outbox(Storage& storage, const OutboxSettings& settings, const OutboxMemory& memory)
    : medium_{storage},
      settings_(settings),
      segments_(memory.segments),
      sinks_(memory.sinks),
      record_(memory.record),
      wall_time_(memory.clocks) {
    CHECK(record_.size() > record_overhead);
    CHECK(record_.size() <= limits::record_payload_max + record_overhead);
    CHECK(memory.clocks.size() <= clocks_max);
}

Result<RecordId> Outbox::append(RecordClass record_class,
                                RecordKind kind,
                                Bytes payload,
                                Instant now) {
    CHECK(opened_);
    Chain& ch = chain(record_class);
    const auto index = static_cast<std::size_t>(record_class);
    if (inspecting_) {
        return JW_FAIL(denied);
    }
    if (payload.size() > record_.size() - record_overhead) {
        return JW_FAIL(out_of_range);
    }
    const std::uint64_t seq = ch.appended + 1;
    const std::int64_t up_ms = now.ms();
    if (failed_ || ch.unsure) {
        ++counters_.rejected[index];
        return JW_FAIL(internal);
    }
    if (auto placed = make_place(record_class, seq, head_max + payload.size(), up_ms, now);
        !placed) {
        ++counters_.rejected[index];
        if (placed.code() == Code::busy) {
            begin_sync(now);  // makes room: of segments, or of what the storage may hold unsynced
            return JW_FAIL(full);
        }
        ++counters_.write_failures;
        return placed.error();
    }
    if (!payload.empty()) {
        std::memcpy(record_.data() + record_overhead, payload.data(), payload.size());
    }
    const Status written = write_record(record_class, seq, kind, payload.size(), up_ms);
    if (written.code() == Code::busy && ch.open) {
        ++counters_.rejected[index];
        begin_sync(now);
        return JW_FAIL(full);
    }
    // Even of a write that failed something may be on the medium: the number is used up.
    ch.appended = seq;
    ch.due = earlier(ch.due, now + settings_of(record_class).commit);
    if (!written) {
        ++counters_.rejected[index];
        ++counters_.write_failures;
        return written.error();
    }
    ++counters_.appended[index];
    if (ch.due <= now || medium_.bytes_written - written_before_ >= settings_.unsynced_bytes_max) {
        begin_sync(now);
    }
    return RecordId{super_.epoch, record_class, seq};
}

bool Outbox::settling() const {
    return std::any_of(
        syncs_.begin(), syncs_.end(), [](const PendingSync& sync) { return sync.settles; });
}

bool Outbox::may_sync() const {
    // While something is being mended each answer counts before the next question.
    return syncs_.empty() || (syncs_.size() < syncs_max && !failed_ && !recovering_ && !unsure());
}

bool Outbox::unsure() const {
    return std::any_of(chains_.begin(), chains_.end(), [](const Chain& ch) { return ch.unsure; });
}

Instant Outbox::records_due() const {
    Instant due = never;
    for (const Chain& ch : chains_) {
        due = earlier(due, ch.due);
    }
    return due;
}

Instant Outbox::next_due() const {
    Instant due = records_due();
    if (!settling()) {
        due = earlier(due, sync_again_ ? Instant{INT64_MIN} : store_due_);
        for (const SinkCursor& sink : sinks_) {
            due = earlier(due, sink.due);
        }
    }
    return due;
}

Instant Outbox::step(Instant now) {
    CHECK(opened_);
    if (inspecting_ || !may_sync()) {
        return never;
    }
    if ((failed_ || unsure()) && now >= retry_at_) {
        write_again(now);
    } else if (!failed_ && next_due() <= now) {
        begin_sync(now);
    }
    if (!may_sync()) {
        return never;
    }
    return earlier(failed_ || unsure() ? retry_at_ : never, failed_ ? never : next_due());
}

void Outbox::flush(Instant now) {
    for (SinkCursor& sink : sinks_) {
        sink.due = sink.journal.dirty() ? now : never;
    }
    if (!failed_) {
        begin_sync(now);
    }
}

void Outbox::begin_sync(Instant now) {
    // Journals change their blocks by what the last sync told: only one at a time carries them.
    // Beside it others may be under way that carry records alone.
    const bool settles = !settling();
    if (inspecting_ || !may_sync() || (!settles && records_due() == never)) {
        sync_again_ = !inspecting_;
        return;
    }
    PendingSync sync;
    sync.ticket = ++ticket_;
    sync.generation = generation_;
    sync.settles = settles;
    if (settles) {
        settle(now);
    }
    for (std::size_t i = 0; i < record_classes; ++i) {
        Chain& ch = chains_[i];
        sync.accepted[i] = ch.unsure ? ch.accepted : ch.recorded;
        ch.due = never;
    }
    written_before_ = medium_.bytes_written;
    CHECK(syncs_.push(sync));
    asking_ = true;
    ++counters_.syncs;
    medium_.storage.sync(sync.ticket);
    asking_ = false;
}

void Outbox::settle(Instant now) {
    sync_again_ = false;
    write_journals(now);
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        Segment& segment = segments_[i];
        if (segment.washing) {
            wash(i);
        }
        segment.asked = segment.superseded || segment.washing;
    }
}

Instant Outbox::later_try(Instant now) const {
    // A journal whose block was found full needs the first sync before it may change the block.
    return recovering_ ? now : now + retry_delay;
}

void Outbox::write_journals(Instant now) {
    // What fails here stays marked and goes with a later sync.
    if (store_due_ <= now) {
        write_store_journal(now);
    }
    for (SinkCursor& sink : sinks_) {
        if (!sink.journal.dirty()) {
            sink.due = never;
        } else if (sink.due <= now) {
            write_sink_journal(sink, now);
        }
    }
}

void Outbox::write_store_journal(Instant now) {
    Status written = super_dirty_ ? write_superblock() : done;
    super_dirty_ = !written;
    if (written) {
        written = journal_.write(
            medium_, [this](unsigned key, Writer& out) { return store_value(key, out); });
    }
    for (Chain& ch : chains_) {
        ch.released_written = written ? ch.released : ch.released_written;
    }
    store_due_ = written ? never : later_try(now);
    counters_.write_failures += written || written.code() == Code::busy ? 0 : 1;
}

void Outbox::write_sink_journal(SinkCursor& sink, Instant now) {
    const Status written = sink.journal.write(
        medium_, [&](unsigned key, Writer& out) { return sink_value(sink, key, out); });
    sink.failing = !written;
    sink.due = written ? never : later_try(now);
    counters_.write_failures += written || written.code() == Code::busy ? 0 : 1;
    if (written) {
        for (auto& numbers : sink.classes) {
            numbers.written = numbers.confirmed;
        }
    }
}

bool Outbox::store_value(unsigned key, Writer& out) const {
    constexpr auto released = static_cast<unsigned>(StoreKey::released);
    constexpr auto clocks = static_cast<unsigned>(StoreKey::clocks);
    if (key == static_cast<unsigned>(StoreKey::boot)) {
        out.u32_le(boot_);
        return true;
    }
    if (key < clocks) {
        out.u64_le(chains_[key - released].released);
        return true;
    }
    // Where a boot in between never learned the time, two of them have the same place: the later
    // one, which stands behind, takes it.
    const auto pairs = wall_time_.pairs();
    for (std::size_t i = pairs.size(); i > 0; --i) {
        const ClockPair& pair = pairs[i - 1];
        if (pair.boot % clocks_max == key - clocks) {
            out.u32_le(pair.boot).u64_le(static_cast<std::uint64_t>(pair.up_ms));
            out.u64_le(static_cast<std::uint64_t>(pair.unix_ms));
            return true;
        }
    }
    return false;
}

bool Outbox::sink_value(const SinkCursor& sink, unsigned key, Writer& out) const {
    // docs/formats/outbox.md: keys 0…3 are the classes, 4 and 5 the halves of the name.
    const std::string_view name = sink.name.view();
    if (key >= record_classes) {
        const std::size_t from = std::min<std::size_t>(name.size(), (key - record_classes) * 16);
        const std::size_t size = std::min<std::size_t>(name.size() - from, 16);
        out.put(std::string_view(name.data() + from, size));
        return true;
    }
    const auto& numbers = sink.classes[key];
    put_u56(out, numbers.confirmed);
    put_u56(out, numbers.durable);
    put_u56(out, chains_[key].accepted);
    out.u16_le(static_cast<std::uint16_t>(crc32c(as_bytes(name))));
    return true;
}

void Outbox::synced(SyncTicket ticket, Status result, Instant now) {
    if (syncs_.empty() || ticket != syncs_[0].ticket) {
        return;
    }
    const PendingSync sync = syncs_[0];
    syncs_.remove(0);
    result ? sync_succeeded(sync, now) : sync_failed(now);
    if (!asking_) {
        (void)step(now);
    }
}

void Outbox::sync_succeeded(const PendingSync& sync, Instant now) {
    ++counters_.syncs_passed;
    failed_ = false;
    generation_safe_ = sync.generation;
    for (std::size_t i = 0; i < record_classes; ++i) {
        chains_[i].accepted = std::max(chains_[i].accepted, sync.accepted[i]);
    }
    if (sync.settles) {
        settled(now);
    }
}

void Outbox::settled(Instant now) {
    journal_.synced(true);
    for (Segment& segment : segments_.first(geometry_.segments)) {
        segment = segment.asked ? Segment{} : segment;
    }
    for (Chain& ch : chains_) {
        if (ch.released_safe != ch.released_written) {
            ch.released_safe = ch.released_written;
            retry_at_ = now;  // there is room again
        }
    }
    for (SinkCursor& sink : sinks_) {
        sink.journal.synced(true);
        for (auto& numbers : sink.classes) {
            numbers.safe = numbers.written;
        }
    }
    if (recovering_ || prepare_again_) {
        recovering_ = prepare_again_ = false;
        for (std::size_t i = 0; i < record_classes; ++i) {
            prepare(static_cast<RecordClass>(i));
        }
    }
}

void Outbox::sync_failed(Instant now) {
    ++counters_.sync_failures;
    retry_at_ = failed_ ? now + retry_delay : now;
    failed_ = true;
    journal_.synced(false);
    store_due_ = now;
    for (Segment& segment : segments_.first(geometry_.segments)) {
        segment.superseded = false;  // neither has the copy reached the medium
        segment.clean = false;
        segment.asked = false;
    }
    for (Chain& ch : chains_) {
        ch.released_written = ch.released_safe;
        ch.unsure = ch.appended > std::max(ch.accepted, ch.found);
    }
    for (SinkCursor& sink : sinks_) {
        sink.journal.synced(false);
        sink.due = now;
        for (auto& numbers : sink.classes) {
            numbers.written = numbers.safe;
        }
    }
    if (recovering_) {
        // What open() found may never reach the medium, and its numbers may come again.
        recovering_ = false;
        start_epoch(fresh_ + 1);
    }
}

void Outbox::write_again(Instant now) {
    // Nothing since the last success counts: what is not accepted goes into new segments. Where
    // there is none the sync goes all the same: cursors that reach the medium make room.
    retry_at_ = now + retry_delay;
    for (std::size_t i = 0; i < record_classes; ++i) {
        (void)write_again(static_cast<RecordClass>(i), now);
    }
    begin_sync(now);
}

void Outbox::forget(RecordClass c, std::uint32_t behind) {
    for (Segment& segment : segments_.first(geometry_.segments)) {
        if (segment.record_class == c && segment.generation > behind) {
            segment = {};
        }
    }
}

bool Outbox::write_again(RecordClass c, Instant now) {
    Chain& ch = chain(c);
    const std::uint64_t kept = std::max(ch.accepted, ch.found);
    if (!ch.unsure) {
        return true;
    }
    ++rewrites_;
    Cursor source;
    source.record_class = c;
    source.seq = kept + 1;
    const Chain before = ch;
    const std::uint32_t generation = generation_;
    source.upto = generation;
    find(source);
    ch.open = false;
    ch.closed = true;
    ch.recorded = kept;
    while (source.segment != none) {
        const auto record = read_record(source, record_);
        if (!record) {
            (void)enter_next_block(source);
            continue;
        }
        source.held = 0;  // the buffer serves the writing too
        const std::uint64_t seq = record->id.seq;
        if (seq <= kept || seq > before.appended) {
            continue;
        }
        const Bytes payload = record->payload;
        std::memmove(record_.data() + record_overhead, payload.data(), payload.size());
        const std::int64_t up_ms = record->time.up_ms;
        Status written = make_place(c, seq, head_max + payload.size(), up_ms, now);
        if (written) {
            written = write_record(c, seq, record->kind, payload.size(), up_ms);
        }
        if (!written) {
            forget(c, generation);  // half a copy is none
            ch.newest = before.newest;
            ch.offset = before.offset;
            keep_rest(c);
            counters_.write_failures += written.code() == Code::busy ? 0 : 1;
            return false;
        }
    }
    ch.unsure = false;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        Segment& segment = segments_[i];
        if (segment.record_class == c && segment.first_seq > kept &&
            segment.generation <= generation && i != ch.newest) {
            // The copy stands for it; but what the medium has of it is needed until then.
            segment.superseded = segment.generation <= generation_safe_;
            segment.generation = segment.superseded ? segment.generation : 0;
        }
    }
    return true;
}

Cursor Outbox::cursor(std::size_t sink, RecordClass record_class) const {
    const SinkCursor& from = sinks_[sink];
    const auto& numbers = from.classes[static_cast<std::size_t>(record_class)];
    Cursor cursor;
    cursor.record_class = record_class;
    cursor.seq = (from.two_stage ? numbers.durable : numbers.confirmed) + 1;
    return cursor;
}

void Outbox::confirm(std::size_t sink, RecordClass record_class, std::uint64_t seq, Instant now) {
    SinkCursor& of = sinks_[sink];
    auto& numbers = of.classes[static_cast<std::size_t>(record_class)];
    seq = std::min(seq, chain(record_class).accepted);
    if (seq <= numbers.confirmed) {
        return;
    }
    numbers.confirmed = seq;
    of.journal.mark(static_cast<unsigned>(record_class));
    of.due = earlier(of.due, now + cursor_delay);
    take_claim(of, record_class, now);
}

bool Outbox::durable(std::size_t sink,
                     std::uint64_t epoch,
                     RecordClass record_class,
                     std::uint64_t seq,
                     Instant now) {
    SinkCursor& of = sinks_[sink];
    Chain& ch = chain(record_class);
    const auto index = static_cast<std::size_t>(record_class);
    bool behind = false;
    if (seq > number_max) {
        return false;
    }
    if (epoch == super_.previous_epoch && epoch != 0 && epoch != super_.epoch) {
        seq = std::min(
            seq, super_.epoch_from[index] - std::min<std::uint64_t>(super_.epoch_from[index], 1));
    } else if (epoch != super_.epoch) {
        return false;
    } else if (seq > ch.appended) {
        // What this store has not confirmed yet goes on its way all the same: who claims too much
        // may waste numbers, and nothing else.
        ch.found = ch.accepted == ch.appended ? seq : ch.found;
        ch.appended = seq;
        ch.recorded = seq;
        start_epoch(fresh_ ^ seq ^ static_cast<std::uint64_t>(now.us) << 20);
        behind = true;
    }
    of.classes[index].claimed = std::max(of.classes[index].claimed, seq);
    take_claim(of, record_class, now);
    return behind;
}

void Outbox::take_claim(SinkCursor& of, RecordClass record_class, Instant now) {
    // Nobody has made durable what never reached him.
    auto& numbers = of.classes[static_cast<std::size_t>(record_class)];
    const std::uint64_t seq = std::min(numbers.claimed, numbers.confirmed);
    if (seq > numbers.durable) {
        numbers.durable = seq;
        of.journal.mark(static_cast<unsigned>(record_class));
        of.due = earlier(of.due, now + cursor_delay);
    }
}

std::uint64_t Outbox::confirmed_to(std::size_t sink, RecordClass record_class) const {
    return sinks_[sink].classes[static_cast<std::size_t>(record_class)].confirmed;
}

std::uint64_t Outbox::durable_to(std::size_t sink, RecordClass record_class) const {
    return sinks_[sink].classes[static_cast<std::size_t>(record_class)].durable;
}

void Outbox::use_two_stage(std::size_t sink, bool on) {
    sinks_[sink].two_stage = on;
}

void Outbox::learn_time(std::int64_t unix_ms, Instant now) {
    if (wall_time_.learn({boot_, now.ms(), unix_ms})) {
        journal_.mark(static_cast<unsigned>(StoreKey::clocks) + boot_ % clocks_max);
        store_due_ = now;
    }
}

OutboxCounters Outbox::counters() const {
    OutboxCounters counters = counters_;
    counters.bytes_written = medium_.bytes_written;
    return counters;
}

std::uint64_t Outbox::waiting(std::size_t sink, RecordClass record_class) const {
    const std::uint64_t accepted = accepted_to(record_class);
    const std::uint64_t confirmed = confirmed_to(sink, record_class);
    return accepted > confirmed ? accepted - confirmed : 0;
}

std::uint64_t Outbox::bytes_max() const {
    return std::uint64_t{geometry_.segments} * geometry_.segment_size();
}

std::uint64_t Outbox::bytes_used() const {
    std::uint64_t used = 0;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        used += is_free(i) ? 0 : geometry_.segment_size();
    }
    return used;
}

}  // namespace jw
