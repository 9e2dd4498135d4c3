// SPDX-License-Identifier: Apache-2.0
// Where the next record goes: segments are taken, given up and recycled here.
#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/outbox/outbox.h"

namespace jw {
namespace {

constexpr std::uint32_t none = ~0U;
constexpr std::uint64_t records_per_block_max =
    (Storage::block_size - BlockHeader::size) / (Fragment::header_size + 1);

std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        ++size;
    }
    return size;
}

}  // namespace

bool Outbox::is_free(std::uint32_t segment) const {
    const Segment& s = segments_[segment];
    const Chain& ch = chain(s.record_class);
    return !s.washing &&
           (s.generation == 0 || (segment != ch.newest && s.first_seq <= ch.released_safe));
}

std::uint32_t Outbox::next_segment(RecordClass c,
                                   std::uint32_t generation,
                                   std::uint32_t upto) const {
    std::uint32_t best = none;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        const Segment& s = segments_[i];
        if (s.record_class == c && s.generation > generation && s.generation <= upto &&
            (best == none || s.generation < segments_[best].generation)) {
            best = i;
        }
    }
    return best;
}

std::uint64_t Outbox::last_of(std::uint32_t segment) const {
    const Segment& s = segments_[segment];
    const std::uint32_t next = next_segment(s.record_class, s.generation);
    return next == none ? chain(s.record_class).appended : segments_[next].first_seq - 1;
}

std::uint64_t Outbox::confirmed_by_all(RecordClass c, bool durably) const {
    std::uint64_t least = UINT64_MAX;
    for (const SinkCursor& sink : sinks_) {
        const auto& numbers = sink.classes[static_cast<std::size_t>(c)];
        least = std::min(least, numbers.safe);
        if (durably && sink.two_stage) {
            least = std::min(least, numbers.durable);
        }
    }
    return least;
}

std::uint32_t Outbox::available(RecordClass c) const {
    std::uint32_t free = 0;
    std::array<std::uint32_t, record_classes> owned{};
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        if (is_free(i)) {
            ++free;
        } else {
            ++owned[static_cast<std::size_t>(segments_[i].record_class)];
        }
    }
    if (chain(c).unsure) {
        return free;
    }
    free -= std::min<std::uint32_t>(free, 1);  // one is kept for writing again after a failed sync
    for (std::size_t higher = 0; higher < static_cast<std::size_t>(c); ++higher) {
        const std::uint32_t reserve = settings_.classes[higher].reserve_segments;
        if (reserve > owned[higher]) {
            free -= std::min(free, reserve - owned[higher]);
        }
    }
    return free;
}

std::uint32_t Outbox::segments_waiting(RecordClass c) const {
    const Chain& ch = chain(c);
    const std::uint64_t had = std::max(confirmed_by_all(c, true), ch.released);
    if (ch.appended <= had) {
        return 0;
    }
    std::uint32_t behind = 0;  // segments that begin after the first number that is still wanted
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        const Segment& s = segments_[i];
        behind += s.generation != 0 && s.record_class == c && s.first_seq > had + 1 ? 1 : 0;
    }
    return behind + 1;
}

ClassFill Outbox::fill(RecordClass c) const {
    std::uint32_t segments = geometry_.segments;
    // One is kept for writing again, as in available(); and when the last one is taken, prepare()
    // gives the oldest up.
    segments -= std::min<std::uint32_t>(segments, 2);
    for (std::size_t i = 0; i < static_cast<std::size_t>(c); ++i) {
        const auto higher = static_cast<RecordClass>(i);
        const std::uint32_t taken =
            std::max(segments_waiting(higher), settings_of(higher).reserve_segments);
        segments -= std::min(segments, taken);
    }
    ClassFill fill;
    fill.bytes_max = std::uint64_t{segments} * geometry_.segment_size();
    if (const std::uint32_t waiting = segments_waiting(c); waiting > 0) {
        const Chain& ch = chain(c);
        fill.bytes = std::uint64_t{waiting} * geometry_.segment_size();
        fill.bytes -= ch.newest == none ? 0 : geometry_.segment_size() - ch.offset;
        fill.bytes = std::min(fill.bytes, fill.bytes_max);
    }
    return fill;
}

std::uint32_t Outbox::oldest_of(RecordClass c) const {
    std::uint32_t best = none;
    std::uint32_t after = 0;
    do {
        best = none;
        for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
            const Segment& s = segments_[i];
            if (s.generation > after && s.record_class == c && i != chain(c).newest &&
                s.first_seq > chain(c).released &&
                (best == none || s.generation < segments_[best].generation)) {
                best = i;
            }
        }
        after = best == none ? 0 : segments_[best].generation;
        // A copy that was accepted before a later sync failed may have left its source behind: that
        // has no number of its own, and goes with the copy.
    } while (best != none && last_of(best) < segments_[best].first_seq);
    return best;
}

std::uint32_t Outbox::oldest_confirmed(bool durably) const {
    std::uint32_t best = none;
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto c = static_cast<RecordClass>(i);
        const std::uint32_t segment = oldest_of(c);
        if (segment == none) {
            continue;
        }
        const std::uint64_t last = last_of(segment);
        if (last <= chain(c).accepted && last <= confirmed_by_all(c, durably) &&
            (best == none || segments_[segment].generation < segments_[best].generation)) {
            best = segment;
        }
    }
    return best;
}

std::uint32_t Outbox::victim_for(RecordClass c) const {
    for (std::size_t i = record_classes; i > static_cast<std::size_t>(c); --i) {
        const auto lower = static_cast<RecordClass>(i - 1);
        const std::uint32_t segment = oldest_of(lower);
        if (segment != none && settings_of(lower).when_full != WhenFull::reject_new &&
            last_of(segment) <= chain(lower).accepted) {
            return segment;
        }
    }
    return none;
}

void Outbox::keep_rest(RecordClass c) {
    // What was given up ended where a later segment began. If that one is lost, records behind the
    // end may stand here: the segment now begins with them.
    const std::uint64_t released = chain(c).released;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        Segment& s = segments_[i];
        if (s.generation != 0 && s.record_class == c && s.first_seq <= released &&
            last_of(i) > released) {
            s.first_seq = released + 1;
        }
    }
}

void Outbox::release(std::uint32_t segment, std::uint64_t last) {
    const RecordClass c = segments_[segment].record_class;
    Chain& ch = chain(c);
    std::uint64_t kept_from = ch.released;
    std::uint64_t confirmed = UINT64_MAX;
    for (const SinkCursor& sink : sinks_) {
        confirmed = std::min(confirmed, sink.classes[static_cast<std::size_t>(c)].confirmed);
    }
    kept_from = std::max(kept_from, confirmed);
    if (last > kept_from) {
        counters_.dropped[static_cast<std::size_t>(c)] += last - kept_from;
    }
    ch.released = std::max(ch.released, last);
    journal_.mark(static_cast<unsigned>(StoreKey::released) + static_cast<unsigned>(c));
    store_due_ = Instant{INT64_MIN};  // at once
}

bool Outbox::cursors_behind(std::uint32_t segment) {
    // What a sink has confirmed must never be told as dropped: first its cursor, then the segment.
    const auto index = static_cast<std::size_t>(segments_[segment].record_class);
    const std::uint64_t last = last_of(segment);
    bool behind = false;
    for (SinkCursor& sink : sinks_) {
        const auto& numbers = sink.classes[index];
        if (numbers.safe < std::min(numbers.confirmed, last)) {
            sink.due = sink.failing ? sink.due : Instant{INT64_MIN};  // at once
            behind = true;
        }
    }
    prepare_again_ = prepare_again_ || behind;
    return behind;
}

bool Outbox::release_pending() const {
    return std::any_of(chains_.begin(), chains_.end(), [](const Chain& ch) {
        return ch.released != ch.released_safe;
    });
}

bool Outbox::release_for(RecordClass c) {
    if (release_pending()) {
        return true;  // it is free once the medium knows
    }
    std::uint32_t segment = oldest_confirmed(true);
    if (segment == none) {
        segment = oldest_confirmed(false);
    }
    if (segment == none) {
        segment = victim_for(c);
        if (segment != none && cursors_behind(segment)) {
            return true;
        }
    }
    if (segment == none) {
        return false;
    }
    release(segment, last_of(segment));
    return true;
}

void Outbox::prepare(RecordClass c) {
    // A segment is free only once the medium knows that it was given up: do that in time.
    if (chain(c).newest != none && available(c) == 0) {
        (void)release_for(c);
    }
}

std::uint32_t Outbox::choose_free(RecordClass c) const {
    const Chain& own = chain(c);
    if (available(c) == 0) {
        const bool given_up = own.newest != none && own.appended <= own.released_safe;
        return given_up ? own.newest : none;
    }
    std::uint32_t best = none;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        if (is_free(i) && (best == none || segments_[i].generation < segments_[best].generation)) {
            best = i;  // never used ones have generation 0 and go first
        }
    }
    return best;
}

bool Outbox::clean(std::uint32_t segment) {
    if (segments_[segment].clean) {
        return true;
    }
    // A power cut may have left blocks of a segment whose first block was lost: nobody sees them
    // until the first block is written and torn again. Numbers that were given up do no harm.
    for (std::uint32_t block = 1; block < geometry_.segment_blocks; ++block) {
        const auto header = read_header(segment, block);
        if (header && header->generation != segments_[segment].generation &&
            header->first_seq + records_per_block_max > chain(header->record_class).released_safe) {
            return false;
        }
    }
    return true;
}

void Outbox::wash(std::uint32_t segment) {
    constexpr std::array<std::uint8_t, BlockHeader::size> nothing{};
    for (std::uint32_t block = 1; block < geometry_.segment_blocks; ++block) {
        // A failure here fails the sync, or shows when the segment is looked at again.
        (void)medium_.storage.erase(geometry_.block_of(segment) + block);
        (void)medium_.write(place(segment, block * Storage::block_size), nothing);
    }
}

std::uint32_t Outbox::choose_clean(RecordClass c) {
    std::uint32_t segment = choose_free(c);
    while (segment != none && segment != chain(c).newest && !clean(segment)) {
        segments_[segment].washing = true;
        store_due_ = Instant{INT64_MIN};  // at once
        segment = choose_free(c);
    }
    return segment;
}

Status Outbox::take_segment(RecordClass c,
                            std::uint64_t first_seq,
                            std::int64_t up_ms,
                            Instant now) {
    Chain& ch = chain(c);
    if (generation_ - generation_safe_ >= generations_ahead_max) {
        return JW_FAIL(busy);
    }
    std::uint32_t segment = choose_clean(c);
    if (segment == none) {
        if (!release_for(c) && ch.newest != none && ch.appended == ch.accepted &&
            (settings_of(c).when_full != WhenFull::reject_new ||
             ch.appended <= confirmed_by_all(c, true)) &&
            !cursors_behind(ch.newest)) {
            release(ch.newest, ch.appended);  // the only one of its class: it starts again
        }
        if (next_due() <= now) {
            begin_sync(now);
            segment = choose_clean(c);
        }
        if (segment == none) {
            return JW_FAIL(busy);
        }
    }
    const bool looked_at = segment != ch.newest || segments_[segment].clean;
    segments_[segment] = {first_seq, ++generation_, c};
    segments_[segment].clean = looked_at;
    ch.newest = segment;
    ch.offset = 0;
    ch.open = false;
    ch.closed = false;
    JW_TRY(enter_block(c, 0, first_seq, up_ms));
    prepare(c);
    if (next_due() <= now) {
        begin_sync(now);
    }
    return done;
}

Status Outbox::enter_block(RecordClass c,
                           std::uint32_t block,
                           std::uint64_t first_seq,
                           std::int64_t up_ms) {
    Chain& ch = chain(c);
    ch.open = false;
    Segment& segment = segments_[ch.newest];
    if (block == 0) {
        segment.first_seq = first_seq;
    }
    BlockHeader header;
    header.record_class = c;
    header.sink_slots = super_.sink_slots;
    header.segment_blocks = super_.segment_blocks;
    header.block = geometry_.block_of(ch.newest) + block;
    header.generation = segment.generation;
    header.boot = boot_;
    header.ttl_s = settings_of(c).ttl_s;
    header.nonce = nonce_;
    header.uuid = super_.uuid;
    header.epoch = super_.epoch;
    header.first_seq = first_seq;
    header.up_ms = up_ms;
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    const std::uint32_t crc = encode(header, bytes);
    JW_TRY(medium_.storage.erase(header.block));
    const std::uint32_t offset = block * Storage::block_size;
    JW_TRY(medium_.write(place(ch.newest, offset), bytes));
    ch.offset = offset + BlockHeader::size;
    ch.running = crc;
    ch.block_up_ms = up_ms;
    ch.next_seq = first_seq;
    ch.recorded = std::max(ch.recorded, first_seq - 1);
    ch.open = true;
    return done;
}

Status Outbox::make_place(
    RecordClass c, std::uint64_t seq, std::size_t size, std::int64_t up_ms, Instant now) {
    Chain& ch = chain(c);
    const std::uint32_t used_blocks =
        (ch.offset + Storage::block_size - 1) / Storage::block_size;  // a block's end is its own
    if (ch.open && ch.next_seq == seq && up_ms >= ch.block_up_ms) {
        const std::uint32_t room = used_blocks * Storage::block_size - ch.offset;
        const bool last_block = used_blocks == geometry_.segment_blocks;
        if (room >= size || (room >= Fragment::room_min && !last_block)) {
            return done;
        }
    }
    if (ch.newest != none && !ch.closed && used_blocks < geometry_.segment_blocks) {
        return enter_block(c, used_blocks, seq, up_ms);
    }
    return take_segment(c, seq, up_ms, now);
}

Status Outbox::write_record(RecordClass c,
                            std::uint64_t seq,
                            RecordKind kind,
                            std::size_t payload_size,
                            std::int64_t up_ms) {
    // The payload lies at record_[record_overhead]; what belongs before it is put right in front.
    Chain& ch = chain(c);
    const auto delta = static_cast<std::uint64_t>(up_ms - ch.block_up_ms);
    const std::size_t head = Fragment::header_size + varint_size(delta);
    const MutableBytes bytes = record_.subspan(record_overhead - head, head + payload_size);
    Writer(bytes.subspan(Fragment::header_size)).varint(delta);
    const std::uint32_t block = (ch.offset - 1) / Storage::block_size;
    const std::uint32_t room = (block + 1) * Storage::block_size - ch.offset;
    ch.open = false;  // until all is written
    const bool whole = bytes.size() <= room;
    const MutableBytes first = whole ? bytes : bytes.first(room);
    const std::uint32_t running =
        seal_fragment(first, whole ? FragmentType::full : FragmentType::first, kind, ch.running);
    if (const Status written = medium_.write(place(ch.newest, ch.offset), first); !written) {
        ch.open = written.code() == Code::busy;  // then nothing was written: the place is as it was
        return written;
    }
    if (whole) {
        ch.running = running;
        ch.offset += static_cast<std::uint32_t>(bytes.size());
    } else {
        JW_TRY(enter_block(c, block + 1, seq + 1, up_ms));
        ch.open = false;
        const MutableBytes last = bytes.subspan(room - Fragment::header_size);
        ch.running = seal_fragment(last, FragmentType::last, kind, ch.running);
        JW_TRY(medium_.write(place(ch.newest, ch.offset), last));
        ch.offset += static_cast<std::uint32_t>(last.size());
    }
    // Of a segment that goes on after all of it was given up only the rest counts.
    std::uint64_t& first_seq = segments_[ch.newest].first_seq;
    first_seq = std::max(first_seq, ch.released + 1);
    ch.next_seq = seq + 1;
    ch.recorded = std::max(ch.recorded, seq);
    ch.open = true;
    return done;
}

}  // namespace jw
