// SPDX-License-Identifier: Apache-2.0
// How a journal changes its block and survives syncs that fail.
#include "core/outbox/journal.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw {

Status Journal::begin(Medium& medium, std::uint32_t block) {
    JW_TRY(medium.storage.erase(first_block_ + block));
    block_ = static_cast<std::uint8_t>(block);
    next_ = 0;
    begin_ = false;
    complete_ = whole_ = false;
    kept_ = Kept::other;
    mark_all();
    return done;
}

Status Journal::make_room(Medium& medium) {
    if (begin_ || kept_ == Kept::other) {
        return begin(medium, block_);
    }
    if (kept_ == Kept::current) {
        return begin(medium, 1U - block_);
    }
    if (complete_ && !whole_ && medium.storage.is_cached()) {
        JW_TRY(write_again(medium));
    }
    return JW_FAIL(busy);
}

Status Journal::write_again(Medium& medium) {
    // After a failed sync nobody knows what of this block, full as it was found, is on the medium.
    // The same bytes in the same places: a power cut leaves older entries or these.
    std::array<std::uint8_t, 8 * entry_size> bytes{};
    for (std::uint32_t entry = 0; entry < entries_per_block; entry += 8) {
        JW_TRY(medium.storage.read(place(block_, entry), bytes));
        JW_TRY(medium.write(place(block_, entry), bytes));
    }
    whole_ = true;
    return done;
}

bool Journal::writable(Medium& medium, std::uint64_t at) const {
    // What a power cut tore may lie in the way, and flash is written once between two erases. Blank
    // is fine, and so is an old entry: only a file keeps those over an erase.
    std::array<std::uint8_t, entry_size> bytes{};
    if (!medium.storage.read(at, bytes)) {
        return false;
    }
    Reader reader(bytes);
    const std::uint32_t crc = reader.u32_le();
    const std::uint32_t number = reader.u32_le();
    const auto is = [&](std::uint8_t value) {
        return std::all_of(bytes.begin(), bytes.end(), [=](auto b) { return b == value; });
    };
    return is(0xFF) || is(0) ||
           (number <= number_ && crc == crc32c(Bytes(bytes).subspan(4), seed(block_)));
}

Status Journal::put(Medium& medium, std::span<std::uint8_t, entry_size> entry) {
    while (next_ < entries_per_block) {
        const std::uint64_t at = place(block_, next_++);
        if (!writable(medium, at)) {
            continue;
        }
        Writer(entry.subspan<4, 4>()).u32_le(++number_);
        Writer(entry.first<4>()).u32_le(crc32c(entry.subspan<4>(), seed(block_)));
        JW_TRY(medium.write(at, entry));
        std::array<std::uint8_t, entry_size> back{};
        JW_TRY(medium.storage.read(at, back));
        if (equal(back, entry)) {
            return done;
        }
    }
    return JW_FAIL(busy);  // the next write() changes the block
}

void Journal::synced(bool passed) {
    if (passed) {
        if (whole_) {
            kept_ = Kept::current;
        }
        return;
    }
    // Nothing since the last success counts.
    mark_all();
    whole_ = false;
    if (kept_ == Kept::other) {
        begin_ = true;
    }
}

}  // namespace jw
