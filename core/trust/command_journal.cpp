// SPDX-License-Identifier: Apache-2.0
#include "core/trust/command_journal.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/crc.h"

namespace jw {
namespace {

constexpr std::uint32_t magic = 0x4A57434A;  // "JWCJ"
constexpr std::uint8_t version = 1;

constexpr std::size_t slot_bytes = 160;
using Slot = std::array<std::uint8_t, slot_bytes>;

/// The sum of a slot is bound to the generation of its half, so that entries of an earlier round do
/// not pass.
std::uint32_t sum(const Slot& slot, std::uint64_t generation) {
    std::array<std::uint8_t, 8> seed{};
    Writer(seed).u64_le(generation);
    return crc32c(Bytes(slot).subspan(4), crc32c(seed));
}

template <std::size_t N>
void put_text(Writer& out, const FixedText<N>& text) {
    out.u8(static_cast<std::uint8_t>(text.size())).put(text.view());
}

template <std::size_t N>
bool take_text(Reader& in, FixedText<N>& text) {
    const std::uint8_t size = in.u8();
    if (size > N) {
        return false;
    }
    text = as_text(in.take(size));
    return in.ok();
}

Slot encode(const JournalEntry& entry, std::uint64_t generation) {
    Slot slot{};
    Writer out(slot);
    out.u32_le(0).u8(static_cast<std::uint8_t>(entry.phase));
    out.u8(static_cast<std::uint8_t>(entry.code)).u8(entry.value.has_value() ? 1 : 0);
    out.u64_le(entry.counter).u64_le(static_cast<std::uint64_t>(entry.forget_ms));
    out.u64_le(static_cast<std::uint64_t>(entry.value.value_or(0)));
    out.u64_le(static_cast<std::uint64_t>(entry.written_ms));
    put_text(out, entry.id);
    put_text(out, entry.issuer);
    put_text(out, entry.target);
    out.u64_le(entry.asked.key).u64_le(entry.asked.request);
    CHECK(out.ok());
    Writer(slot).u32_le(sum(slot, generation));
    return slot;
}

bool decode(const Slot& slot, std::uint64_t generation, JournalEntry& entry) {
    Reader in(slot);
    if (in.u32_le() != sum(slot, generation)) {
        return false;
    }
    const std::uint8_t phase = in.u8();
    const std::uint8_t code = in.u8();
    const bool has_value = in.u8() != 0;
    if (phase > static_cast<std::uint8_t>(CommandPhase::reported) ||
        code >= enum_names(ResultCode{}).size()) {
        return false;
    }
    entry.phase = static_cast<CommandPhase>(phase);
    entry.code = static_cast<ResultCode>(code);
    entry.counter = in.u64_le();
    entry.forget_ms = static_cast<std::int64_t>(in.u64_le());
    const auto value = static_cast<std::int64_t>(in.u64_le());
    entry.written_ms = static_cast<std::int64_t>(in.u64_le());
    entry.value = has_value ? std::optional(value) : std::nullopt;
    if (!take_text(in, entry.id) || !take_text(in, entry.issuer) || !take_text(in, entry.target)) {
        return false;
    }
    entry.asked.key = in.u64_le();  // zeros in entries from before there were keys
    entry.asked.request = in.u64_le();
    return in.ok();
}

/// The first slot of a half: which round it is, and how many entries were copied into it. It holds
/// only if all of those are there: header and copies may reach the medium in any order.
Slot encode_header(std::uint64_t generation, std::size_t copied) {
    Slot slot{};
    Writer out(slot);
    out.u32_le(0).u32_le(magic).u8(version).u64_le(generation);
    out.u32_le(static_cast<std::uint32_t>(copied));
    Writer(slot).u32_le(sum(slot, 0));
    return slot;
}

bool is_newer(const Slot& slot) {
    Reader in(slot);
    return in.u32_le() == sum(slot, 0) && in.u32_le() == magic && in.u8() > version;
}

bool decode_header(const Slot& slot, std::uint64_t& generation, std::size_t& copied) {
    Reader in(slot);
    if (in.u32_le() != sum(slot, 0) || in.u32_le() != magic || in.u8() != version) {
        return false;
    }
    generation = in.u64_le();
    copied = in.u32_le();
    return true;
}

/// Free to write: never written, or left over from this half's round before (a file's erase leaves
/// the bytes of the former life). Anything else is damage or a torn write, which flash cannot
/// overwrite.
bool is_free(const Slot& slot, std::uint64_t generation) {
    JournalEntry former;
    if (generation >= 2 && decode(slot, generation - 2, former)) {
        return true;
    }
    const auto same = [&](std::uint8_t byte) {
        return std::all_of(slot.begin(), slot.end(), [&](std::uint8_t b) { return b == byte; });
    };
    return same(0x00) || same(0xFF);
}

}  // namespace

std::uint64_t CommandJournal::place(std::uint32_t half, std::size_t slot) const {
    static_assert(slot_size == slot_bytes);
    const std::uint64_t block = half * half_blocks() + slot / slots_per_block;
    return block * Storage::block_size + slot % slots_per_block * slot_size;
}

Status CommandJournal::open() {
    CHECK(storage_.block_count() >= 2);
    entries_.clear();
    std::array<std::uint64_t, 2> generations{};
    std::array<bool, 2> valid{};
    for (std::uint32_t half = 0; half < 2; ++half) {
        Slot slot{};
        if (storage_.read(place(half, 0), slot) && is_newer(slot)) {
            return JW_FAIL(unsupported);  // to begin anew would forget what was executed
        }
        valid[half] = read_half(half, generations[half], false);
    }
    if (!valid[0] && !valid[1]) {
        generation_ = std::max(generations[0], generations[1]);
        half_ = 1;
        JW_TRY(change_half());
        storage_.sync(settles_);
        return done;
    }
    half_ = valid[1] && (!valid[0] || generations[1] > generations[0]) ? 1 : 0;
    (void)read_half(half_, generation_, true);
    settled_ = !storage_.is_cached();
    storage_.sync(settles_);
    return done;
}

bool CommandJournal::read_half(std::uint32_t half, std::uint64_t& generation, bool keep) {
    Slot slot{};
    std::size_t copied = 0;
    if (!storage_.read(place(half, 0), slot) || !decode_header(slot, generation, copied) ||
        copied >= slots_per_half()) {
        return false;
    }
    std::size_t last_used = copied;
    for (std::size_t i = 1; i < slots_per_half(); ++i) {
        JournalEntry entry;
        const bool readable = storage_.read(place(half, i), slot).has_value();
        const bool good = readable && decode(slot, generation, entry);
        if (!good && i <= copied) {
            return false;
        }
        if (good || (readable && !is_free(slot, generation))) {
            last_used = i;
        }
        if (keep && good) {
            // The table forgets here as it did when the entry was written.
            if (entries_.full() && find(entry.id) == nullptr) {
                make_room(entry.written_ms);
            }
            (void)remember(entry);
        } else if (keep && readable && !is_free(slot, generation)) {
            ++damaged_;
        }
    }
    if (keep) {
        next_slot_ = last_used + 1;
    }
    return true;
}

const JournalEntry* CommandJournal::find(const CommandId& id) const {
    for (const JournalEntry& entry : entries_) {
        if (entry.id == id) {
            return &entry;
        }
    }
    return nullptr;
}

const JournalEntry* CommandJournal::find_key(std::uint64_t key,
                                             std::optional<std::int64_t> now_ms) const {
    const JournalEntry* latest = nullptr;
    for (const JournalEntry& entry : entries_) {
        const bool over = entry.phase == CommandPhase::reported && entry.forget_ms != 0 && now_ms &&
                          entry.forget_ms <= *now_ms;
        if (key != 0 && entry.asked.key == key && !over) {
            latest = &entry;
        }
    }
    return latest;
}

std::uint64_t CommandJournal::last_counter(const Name& issuer) const {
    std::uint64_t last = 0;
    for (const JournalEntry& entry : entries_) {
        if (entry.issuer == issuer) {
            last = std::max(last, entry.counter);
        }
    }
    return last;
}

bool CommandJournal::remember(const JournalEntry& entry) {
    for (JournalEntry& known : entries_) {
        if (known.id == entry.id) {
            // A command never goes back; but a change of the half that was cut short may have left
            // older entries behind newer ones.
            known = entry.phase < known.phase ? known : entry;
            return true;
        }
    }
    return entries_.push(entry);
}

bool CommandJournal::is_over(const JournalEntry& entry, std::int64_t now_ms) const {
    if (entry.phase != CommandPhase::reported || entry.forget_ms == 0 || entry.forget_ms > now_ms) {
        return false;
    }
    // An issuer's highest counter must outlive its command: older ones stay refused.
    return entry.counter == 0 || entry.counter != last_counter(entry.issuer);
}

/// The place of the oldest reported command from here, one without a key first: only the gateway
/// made its id, so nobody can send it again. The table's size: there is none.
std::size_t CommandJournal::giving_way() const {
    std::size_t oldest = entries_.size();
    for (std::size_t i = entries_.size(); i > 0; --i) {
        const JournalEntry& entry = entries_[i - 1];
        const bool keyed = entry.asked.key != 0;
        if (entry.phase == CommandPhase::reported && entry.is_local() &&
            (!keyed || oldest == entries_.size() || entries_[oldest].asked.key != 0)) {
            oldest = i - 1;
        }
    }
    return oldest;
}

bool CommandJournal::has_room(std::optional<std::int64_t> now_ms) const {
    return !entries_.full() || giving_way() < entries_.size() ||
           std::any_of(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
               return is_over(entry, now_ms.value_or(0));
           });
}

void CommandJournal::make_room(std::int64_t now_ms) {
    for (std::size_t i = entries_.size(); i > 0; --i) {
        if (is_over(entries_[i - 1], now_ms)) {
            entries_.remove(i - 1);
        }
    }
    if (const std::size_t place = giving_way(); entries_.full() && place < entries_.size()) {
        entries_.remove(place);
    }
}

void CommandJournal::date(std::int64_t forget_ms) {
    for (JournalEntry& entry : entries_) {
        entry.forget_ms = entry.forget_ms == 0 ? forget_ms : entry.forget_ms;
    }
}

Status CommandJournal::write_slot(std::size_t slot, const JournalEntry& entry) {
    return storage_.write(place(half_, slot), encode(entry, generation_));
}

Status CommandJournal::change_half() {
    half_ = 1 - half_;
    ++generation_;
    for (std::uint32_t block = 0; block < half_blocks(); ++block) {
        JW_TRY(storage_.erase(half_ * half_blocks() + block));
    }
    next_slot_ = 1;
    for (const JournalEntry& entry : entries_) {
        JW_TRY(write_slot(next_slot_++, entry));
    }
    return storage_.write(place(half_, 0), encode_header(generation_, entries_.size()));
}

Status CommandJournal::write_again() {
    // After a failed sync nobody knows what of this half is on the medium. The same bytes in the
    // same places: a power cut leaves what stood there or these.
    Slot bytes{};
    for (std::size_t slot = 0; slot < next_slot_; ++slot) {
        JW_TRY(storage_.read(place(half_, slot), bytes));
        JW_TRY(storage_.write(place(half_, slot), bytes));
    }
    return done;
}

void CommandJournal::synced(SyncTicket ticket, bool passed) {
    if (passed) {
        settled_ = settled_ || (!write_again_ && ticket >= settles_);
    } else if (storage_.is_cached()) {
        write_again_ = true;
        settled_ = false;
    }
}

Status CommandJournal::put(const JournalEntry& wanted,
                           SyncTicket ticket,
                           std::optional<std::int64_t> now_ms) {
    JournalEntry entry = wanted;
    entry.written_ms = now_ms.value_or(0);
    if (entries_.full() && find(entry.id) == nullptr) {
        make_room(entry.written_ms);
    }
    if (!remember(entry)) {
        return JW_FAIL(full);
    }
    if (write_again_) {
        JW_TRY(write_again());
        write_again_ = false;
        settles_ = ticket;
    }
    if (next_slot_ < slots_per_half()) {
        JW_TRY(write_slot(next_slot_++, entry));
    } else if (entries_.size() + 1 >= slots_per_half()) {
        return JW_FAIL(full);
    } else if (settled_) {
        const std::uint64_t generation = generation_;
        if (const Status changed = change_half(); !changed) {
            half_ = 1 - half_;  // half a change is none
            generation_ = generation;
            next_slot_ = slots_per_half();
            return changed;
        }
        settled_ = false;
        settles_ = ticket;
    } else {
        storage_.sync(ticket);
        return JW_FAIL(busy);
    }
    storage_.sync(ticket);
    return done;
}

}  // namespace jw
