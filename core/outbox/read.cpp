// SPDX-License-Identifier: Apache-2.0
// Finding and reading records: a cursor walks blocks and segments and tells what is missing.
#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/base/crc.h"
#include "core/outbox/outbox.h"

namespace jw {
namespace {

constexpr std::uint32_t none = ~0U;
constexpr unsigned expired_per_call_max = 256;  // so that one call stays short

}  // namespace

std::optional<BlockHeader> Outbox::read_header(std::uint32_t segment, std::uint32_t block) {
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    if (!medium_.storage.read(place(segment, block * Storage::block_size), bytes)) {
        return std::nullopt;
    }
    const auto header = decode_block_header(bytes);
    const bool ours = header && header->uuid == super_.uuid &&
                      header->block == geometry_.block_of(segment) + block &&
                      header->generation != 0 && header->first_seq != 0;
    return ours ? header : std::nullopt;
}

bool Outbox::enter(Cursor& cursor, std::uint32_t segment, std::uint32_t block) {
    const Segment& s = segments_[segment];
    const auto header = read_header(segment, block);
    if (!header || header->generation != s.generation ||
        header->record_class != cursor.record_class) {
        return false;
    }
    cursor.segment = segment;
    cursor.generation = s.generation;
    cursor.offset = block * Storage::block_size + BlockHeader::size;
    cursor.at_seq = header->first_seq;
    cursor.chain = header->crc;
    cursor.epoch = header->epoch;
    cursor.up_ms = header->up_ms;
    cursor.boot = header->boot;
    cursor.ttl_s = header->ttl_s;
    return true;
}

bool Outbox::enter_next_block(Cursor& cursor) {
    std::uint32_t segment = cursor.segment;
    std::uint32_t block = (cursor.offset + Storage::block_size - 1) / Storage::block_size;
    for (std::uint32_t turn = 0; turn <= geometry_.segments; ++turn) {
        const Chain& ch = chain(cursor.record_class);
        const std::uint32_t written =
            segment == ch.newest ? (ch.offset + Storage::block_size - 1) / Storage::block_size
                                 : geometry_.segment_blocks;
        for (; block < written; ++block) {
            if (enter(cursor, segment, block)) {
                return true;
            }
        }
        segment = next_segment(cursor.record_class, segments_[segment].generation, cursor.upto);
        if (segment == none) {
            break;
        }
        block = 0;
        set_limit(cursor, segment);
    }
    cursor.segment = none;
    return false;
}

void Outbox::set_limit(Cursor& cursor, std::uint32_t segment) const {
    const std::uint32_t next =
        next_segment(cursor.record_class, segments_[segment].generation, cursor.upto);
    cursor.limit = next == none ? UINT64_MAX : segments_[next].first_seq;
}

bool Outbox::stale(const Cursor& cursor) const {
    return cursor.segment >= geometry_.segments || cursor.rewrites != rewrites_ ||
           segments_[cursor.segment].generation != cursor.generation;
}

void Outbox::find(Cursor& cursor) {
    // The segment that begins last before the number; of two that begin alike, the later one.
    std::uint32_t best = none;
    std::uint32_t after = none;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        const Segment& s = segments_[i];
        if (s.generation == 0 || s.record_class != cursor.record_class) {
            continue;
        }
        std::uint32_t& choice = s.first_seq <= cursor.seq ? best : after;
        const bool better = choice == none || (s.first_seq <= cursor.seq
                                                   ? s.generation > segments_[choice].generation
                                                   : s.generation < segments_[choice].generation);
        choice = better ? i : choice;
    }
    cursor.held = 0;
    cursor.rewrites = rewrites_;
    cursor.segment = best != none ? best : after;
    cursor.offset = 0;
    if (cursor.segment == none) {
        return;
    }
    set_limit(cursor, cursor.segment);
    if (!enter_next_block(cursor) || cursor.at_seq >= cursor.seq) {
        return;
    }
    // Skip whole blocks by their headers.
    for (;;) {
        Cursor ahead = cursor;
        if (!enter_next_block(ahead) || ahead.at_seq > cursor.seq) {
            return;
        }
        cursor = ahead;
    }
}

Result<Bytes> Outbox::fetch(Cursor& cursor, MutableBytes buffer, std::size_t size) {
    const std::uint64_t at = place(cursor.segment, cursor.offset);
    if (cursor.held != 0 && at >= cursor.held_at) {
        const std::uint64_t skipped = at - cursor.held_at;
        if (skipped <= cursor.held && size <= cursor.held - skipped &&
            cursor.held <= buffer.size()) {
            return Bytes(buffer).subspan(static_cast<std::size_t>(skipped), size);
        }
    }
    const std::size_t left = Storage::block_size - cursor.offset % Storage::block_size;
    const std::size_t count = std::min(left, buffer.size());
    if (size > count) {
        return JW_FAIL(truncated);
    }
    JW_TRY(medium_.storage.read(at, buffer.first(count)));
    cursor.held_at = at;
    cursor.held = static_cast<std::uint32_t>(count);
    return Bytes(buffer).first(size);
}

Result<Record> Outbox::read_record(Cursor& cursor, MutableBytes buffer) {
    const bool ahead = cursor.held != 0;
    const Cursor before = cursor;
    auto record = read_fragments(cursor, buffer);
    if (!record && ahead) {
        // What was read ahead may be older than the record, or overwritten in the buffer.
        cursor = before;
        cursor.held = 0;
        record = read_fragments(cursor, buffer);
    }
    return record;
}

Result<Record> Outbox::read_fragments(Cursor& cursor, MutableBytes buffer) {
    constexpr std::uint32_t block_size = Storage::block_size;
    // Twice at most: the end of a record whose beginning was not read is passed over.
    for (int turn = 0; turn < 2; ++turn) {
        const std::uint32_t room = (block_size - cursor.offset % block_size) % block_size;
        if (room < Fragment::room_min || cursor.at_seq >= cursor.limit) {
            return JW_FAIL(truncated);
        }
        auto header = fetch(cursor, buffer, Fragment::header_size);
        if (!header) {
            return header.error();
        }
        const Fragment fragment = decode_fragment(*header);
        if (fragment.type == FragmentType::none || fragment.length > room - Fragment::header_size) {
            return JW_FAIL(malformed);
        }
        const std::uint32_t size = Fragment::header_size + fragment.length;
        const auto bytes = fetch(cursor, buffer, size);
        if (!bytes) {
            return bytes.error();
        }
        if (crc32c(bytes->subspan(4), cursor.chain) != fragment.crc) {
            return JW_FAIL(bad_checksum);
        }
        cursor.chain = fragment.crc;
        cursor.offset += size;
        if (fragment.type == FragmentType::last) {
            continue;
        }
        Record record;
        record.id = {cursor.epoch, cursor.record_class, cursor.at_seq};
        record.kind = fragment.kind;
        record.time = {cursor.boot, cursor.up_ms};
        record.ttl_s = cursor.ttl_s;
        Bytes body = bytes->subspan(Fragment::header_size);
        if (fragment.type == FragmentType::first) {
            std::memmove(buffer.data(), body.data(), body.size());
            std::size_t whole = body.size();
            cursor.held = 0;
            if (!read_rest(cursor, buffer, whole)) {
                return JW_FAIL(malformed);
            }
            body = Bytes(buffer).first(whole);
        } else {
            ++cursor.at_seq;
        }
        Reader reader(body);
        const std::uint64_t up_ms = static_cast<std::uint64_t>(record.time.up_ms) + reader.varint();
        record.payload = reader.rest();
        if (!reader.ok() || up_ms > time_ms_most) {
            return JW_FAIL(malformed);
        }
        record.time.up_ms = static_cast<std::int64_t>(up_ms);
        return record;
    }
    return JW_FAIL(malformed);
}

bool Outbox::read_rest(Cursor& cursor, MutableBytes buffer, std::size_t& size) {
    const std::uint32_t block = cursor.offset / Storage::block_size;  // its end is the next's begin
    Cursor next = cursor;
    std::array<std::uint8_t, Fragment::header_size> bytes{};
    if (cursor.offset % Storage::block_size != 0 || block >= geometry_.segment_blocks ||
        !enter(next, cursor.segment, block) || next.at_seq != cursor.at_seq + 1 ||
        next.boot != cursor.boot ||
        !medium_.storage.read(place(next.segment, next.offset), bytes)) {
        return false;
    }
    const Fragment fragment = decode_fragment(bytes);
    if (fragment.type != FragmentType::last || fragment.length > buffer.size() - size ||
        fragment.length > Storage::block_size - BlockHeader::size - Fragment::header_size) {
        return false;
    }
    const MutableBytes rest = buffer.subspan(size, fragment.length);
    if (!medium_.storage.read(place(next.segment, next.offset + Fragment::header_size), rest) ||
        crc32c(rest, crc32c(Bytes(bytes).subspan(4), next.chain)) != fragment.crc) {
        return false;
    }
    size += fragment.length;
    next.chain = fragment.crc;
    next.offset += Fragment::header_size + fragment.length;
    next.held = 0;
    cursor = next;
    return true;
}

Item Outbox::gap(Cursor& cursor, std::uint64_t to, GapReason reason) {
    const auto index = static_cast<std::size_t>(cursor.record_class);
    const std::uint64_t epoch_from = super_.epoch_from[index];
    Item item;
    item.gap.epoch = super_.epoch;
    if (cursor.seq < epoch_from && super_.previous_epoch != 0) {
        item.gap.epoch = super_.previous_epoch;
        to = std::min(to, epoch_from - 1);
    }
    item.gap.record_class = cursor.record_class;
    item.gap.from = cursor.seq;
    item.gap.to = to;
    item.gap.reason = reason;
    Chain& ch = chain(cursor.record_class);
    std::uint64_t* counted = reason == GapReason::damaged   ? &ch.damage_counted
                             : reason == GapReason::expired ? &ch.expiry_counted
                                                            : nullptr;
    if (counted != nullptr && to > *counted) {
        // Several sinks see the same gap; it counts once.
        const std::uint64_t numbers = to - std::max(*counted, cursor.seq - 1);
        (reason == GapReason::damaged ? counters_.damaged : counters_.expired)[index] += numbers;
        *counted = to;
    }
    cursor.seq = to + 1;
    return item;
}

Item Outbox::next_written(Cursor& cursor, MutableBytes buffer) {
    const std::uint64_t accepted = chain(cursor.record_class).accepted;
    // Each turn leaves a record or a block behind.
    for (;;) {
        if (cursor.segment == none) {
            return gap(cursor, accepted, GapReason::damaged);
        }
        const Cursor before = cursor;
        auto record = read_record(cursor, buffer);
        if (!record) {
            (void)enter_next_block(cursor);
            continue;
        }
        const std::uint64_t seq = record->id.seq;
        if (seq < cursor.seq) {
            continue;
        }
        if (seq > cursor.seq) {
            cursor = before;
            return gap(cursor, std::min(seq - 1, accepted), GapReason::damaged);
        }
        cursor.seq = seq + 1;
        Item item;
        item.record = *record;
        return item;
    }
}

Duration Outbox::age(const BootTime& time, Instant now) const {
    if (time.boot == boot_) {
        return milliseconds(now.ms() - time.up_ms);
    }
    const auto then = wall_time_.unix_ms(time);
    const auto today = wall_time_.unix_ms({boot_, now.ms()});
    // A clock that was set back in between makes nothing younger than this opening.
    const Duration open_for = now - opened_at_;
    return then && today ? std::max(milliseconds(*today - *then), open_for) : open_for;
}

std::int64_t Outbox::remaining_ms(const Record& record, Instant now) const {
    return std::int64_t{record.ttl_s} * 1000 - age(record.time, now).ms();
}

bool Outbox::expired(const Record& record, Instant now) const {
    return record.ttl_s != 0 && !inspecting_ && remaining_ms(record, now) < 0;
}

Result<Item> Outbox::next(Cursor& cursor, MutableBytes buffer, Instant now) {
    CHECK(opened_ && buffer.size() >= record_.size());
    const Chain& ch = chain(cursor.record_class);
    cursor.seq = std::max<std::uint64_t>(cursor.seq, 1);
    if (cursor.seq <= std::min(ch.released, ch.accepted)) {
        return gap(cursor, std::min(ch.released, ch.accepted), GapReason::dropped);
    }
    if (cursor.seq > ch.accepted) {
        return JW_FAIL(not_found);
    }
    if (stale(cursor)) {
        find(cursor);
    }
    const std::uint64_t from = cursor.seq;
    std::uint64_t expired_to = 0;
    for (unsigned count = 0; count < expired_per_call_max; ++count) {
        const Cursor before = cursor;
        Item item;
        if (cursor.seq > ch.accepted || (item = next_written(cursor, buffer), !item.record) ||
            !expired(*item.record, now)) {
            if (expired_to == 0) {
                return item;
            }
            cursor = before;
            break;
        }
        expired_to = cursor.seq - 1;
    }
    cursor.seq = from;
    Item item = gap(cursor, expired_to, GapReason::expired);
    if (item.gap.to < expired_to) {
        cursor.segment = none;  // the gap ends with an epoch; go back for the rest
    }
    return item;
}

std::optional<BootTime> Outbox::oldest(std::size_t sink, RecordClass record_class) {
    Cursor cursor;
    cursor.record_class = record_class;
    cursor.seq = first_waiting(sink, record_class);
    if (cursor.seq > accepted_to(record_class)) {
        return std::nullopt;
    }
    find(cursor);
    for (;;) {
        if (cursor.segment == none) {
            return std::nullopt;
        }
        const auto record = read_record(cursor, record_);
        if (!record) {
            (void)enter_next_block(cursor);
        } else if (record->id.seq >= cursor.seq) {
            return record->time;
        }
    }
}

}  // namespace jw
