// SPDX-License-Identifier: Apache-2.0
// Opening a store, whatever its bytes are: find its parts, number its chains, count the boot.
#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/base/crc.h"
#include "core/outbox/outbox.h"

namespace jw {
namespace {

constexpr std::uint32_t none = ~0U;
constexpr unsigned sink_keys = record_classes + 2;

/// Spreads 64 bits (SplitMix64 of Steele, Lea and Flood, 2014), so that one random number gives
/// several.
std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15U;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
    value ^= value >> 31;
    return value == 0 ? 1 : value;
}

std::uint64_t u56(Reader& in) {
    const std::uint64_t low = in.u32_le();
    const std::uint64_t middle = in.u16_le();
    return low | middle << 32 | std::uint64_t{in.u8()} << 48;
}

bool blank(Bytes bytes) {
    const auto same = [&](std::uint8_t value) {
        return std::all_of(bytes.begin(), bytes.end(), [=](auto b) { return b == value; });
    };
    return same(0) || same(0xFF);
}

}  // namespace

std::size_t Outbox::segments_needed(Storage& storage, const OutboxSettings& settings) {
    Superblock shape;
    shape.segment_blocks = settings.segment_blocks;
    shape.sink_slots = settings.sink_slots;
    std::array<std::uint8_t, Superblock::size> bytes{};
    for (std::uint32_t copy = 0; copy < Superblock::copies; ++copy) {
        if (storage.read(std::uint64_t{copy} * Storage::block_size, bytes)) {
            const auto found = decode_superblock(bytes);
            if (found && found->serial >= shape.serial) {
                shape = *found;
            }
        }
    }
    return Geometry::of(storage.block_count(), shape.segment_blocks, shape.sink_slots).segments;
}

Status Outbox::open(std::span<const Name> sinks, std::uint64_t fresh, Instant now) {
    CHECK(!opened_);
    if (sinks.size() > sinks_.size() || sinks.size() > limits::sinks_max) {
        return JW_FAIL(out_of_range);
    }
    sinks_ = sinks_.first(sinks.size());
    fresh_ = fresh;
    nonce_ = static_cast<std::uint32_t>(mixed(fresh + 2));
    auto found = find_superblock();
    if (found && !*found) {
        found = rebuild_superblock();
    }
    if (!found) {
        return found.error();
    }
    if (!*found) {
        JW_TRY(create(fresh));
    }
    geometry_ =
        Geometry::of(medium_.storage.block_count(), super_.segment_blocks, super_.sink_slots);
    std::uint32_t reserved = 1;  // for writing again after a failed sync
    for (const ClassSettings& settings : settings_.classes) {
        reserved += settings.reserve_segments;
    }
    if (sinks.size() > super_.sink_slots) {
        return JW_FAIL(out_of_range);
    }
    JW_TRY(load(reserved));
    Numbers seen{};
    JW_TRY(open_sinks(sinks, seen));
    bool behind = false;
    for (std::size_t i = 0; i < record_classes; ++i) {
        Chain& ch = chains_[i];
        behind = behind || seen[i] > ch.appended;
        ch.appended = std::max(ch.appended, seen[i]);
        ch.found = ch.appended;
        ch.recorded = ch.appended;
    }
    // A segment taken before a power cut may be half there: its generation must not come again.
    generation_ += *found ? 2 * generations_ahead_max : 0;
    generation_safe_ = generation_;
    ++boot_;
    journal_.mark(static_cast<unsigned>(StoreKey::boot));
    store_due_ = now;
    const bool copied = super_.medium != 0 && super_.medium != settings_.medium;
    if (settings_.medium != 0 && super_.medium != settings_.medium) {
        super_.medium = settings_.medium;
        super_dirty_ = true;
        behind = behind || copied;
    }
    if (behind) {
        start_epoch(fresh);
    }
    opened_ = true;
    opened_at_ = now;
    recovering_ = true;
    begin_sync(now);
    return done;
}

Status Outbox::inspect() {
    CHECK(!opened_);
    const auto found = find_store();
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return JW_FAIL(not_found);
    }
    JW_TRY(load(1));
    std::size_t count = 0;
    for (std::uint32_t slot = 0; slot < super_.sink_slots && count < sinks_.size(); ++slot) {
        Numbers accepted{};
        read_sink(sinks_[count], slot, accepted);
        count += sinks_[count].name.empty() ? 0 : 1;
    }
    sinks_ = sinks_.first(count);
    for (Chain& ch : chains_) {
        ch.accepted = ch.appended;
    }
    opened_ = true;
    inspecting_ = true;
    return done;
}

Result<bool> Outbox::find_store() {
    const auto found = find_superblock();
    return found && !*found ? rebuild_superblock() : found;
}

Status Outbox::load(std::uint32_t segments_min) {
    geometry_ =
        Geometry::of(medium_.storage.block_count(), super_.segment_blocks, super_.sink_slots);
    if (geometry_.segments < segments_min || geometry_.segments > segments_.size()) {
        return JW_FAIL(out_of_range);
    }
    scan_segments();
    open_store_journal();
    for (std::size_t i = 0; i < record_classes; ++i) {
        recover(static_cast<RecordClass>(i));
    }
    return done;
}

Result<bool> Outbox::find_superblock() {
    std::array<std::uint8_t, Superblock::size> bytes{};
    bool found = false;
    bool readable = false;
    unsigned intact = 0;
    for (std::uint32_t copy = 0; copy < Superblock::copies; ++copy) {
        if (!medium_.storage.read(std::uint64_t{copy} * Storage::block_size, bytes)) {
            continue;
        }
        readable = true;
        const auto superblock = decode_superblock(bytes);
        if (superblock.code() == Code::unsupported) {
            return superblock.error();
        }
        if (superblock) {
            ++intact;
            if (!found || superblock->serial > super_.serial) {
                super_ = *superblock;
            }
            found = true;
        }
    }
    if (!readable) {
        return JW_FAIL(internal);
    }
    super_dirty_ = found && intact < Superblock::copies;  // the spare copy is damaged: mend it
    return found;
}

Result<bool> Outbox::rebuild_superblock() {
    // Both copies are lost: any block that is intact tells whose it is.
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    for (std::uint32_t block = 0; block < medium_.storage.block_count(); ++block) {
        if (!medium_.storage.read(std::uint64_t{block} * Storage::block_size, bytes)) {
            continue;
        }
        const auto header = decode_block_header(bytes);
        if (header && header->block == block && header->segment_blocks != 0) {
            super_ = {};
            super_.segment_blocks = header->segment_blocks;
            super_.sink_slots = header->sink_slots;
            super_.uuid = header->uuid;
            super_.epoch = header->epoch;
            super_dirty_ = true;
            return true;
        }
    }
    return false;
}

Status Outbox::create(std::uint64_t fresh) {
    super_ = {};
    super_.segment_blocks = settings_.segment_blocks;
    super_.sink_slots = settings_.sink_slots;
    super_.uuid = mixed(fresh);
    super_.epoch = mixed(fresh + 1);
    super_.medium = settings_.medium;
    for (std::uint32_t copy = 0; copy < Superblock::copies; ++copy) {
        JW_TRY(write_superblock());
    }
    return done;
}

Status Outbox::write_superblock() {
    ++super_.serial;
    std::array<std::uint8_t, Superblock::size> bytes{};
    encode(super_, bytes);
    const std::uint32_t block = super_.serial % Superblock::copies;
    JW_TRY(medium_.storage.erase(block));
    return medium_.write(std::uint64_t{block} * Storage::block_size, bytes);
}

void Outbox::scan_segments() {
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        scan_segment(i);
        const Segment& segment = segments_[i];
        generation_ = std::max(generation_, segment.generation);
        Chain& ch = chain(segment.record_class);
        if (segment.generation != 0 &&
            (ch.newest == none || segment.generation > segments_[ch.newest].generation)) {
            ch.newest = i;
        }
    }
    const std::uint32_t latest = generation_;
    for (std::uint32_t i = 0; i < geometry_.segments; ++i) {
        Segment& segment = segments_[i];
        if (segment.generation == 0) {
            continue;
        }
        const auto all = segments_.first(geometry_.segments);
        const bool copied = std::any_of(all.begin(), all.end(), [&](const Segment& later) {
            return later.record_class == segment.record_class &&
                   later.generation > segment.generation && later.first_seq <= segment.first_seq;
        });
        if (copied) {
            segment.generation = 0;  // a later copy stands for it
        } else if (segment.generation == latest && latest >= super_.epoch_generation) {
            const auto header = read_header(i, 0);
            super_.epoch = header ? header->epoch : super_.epoch;
        }
    }
}

void Outbox::scan_segment(std::uint32_t index) {
    Segment& segment = segments_[index];
    segment = {};
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    // The first block tells. Where it is damaged any other does; where it is blank a few are tried,
    // so that the many segments that were never used cost little.
    bool sparse = false;
    for (std::uint32_t block = 0; block < geometry_.segment_blocks;
         block = sparse && block > 0 ? 2 * block : block + 1) {
        const auto header = read_header(index, block);
        if (header) {
            sparse = false;
            boot_ = std::max(boot_, header->boot);
            if (header->generation > segment.generation) {
                segment = {header->first_seq, header->generation, header->record_class};
            }
        }
        if (block == 0) {
            if (header) {
                return;
            }
            sparse = !medium_.storage.read(place(index, 0), bytes) || blank(bytes);
        }
    }
}

void Outbox::open_store_journal() {
    constexpr auto released = static_cast<unsigned>(StoreKey::released);
    constexpr auto clocks = static_cast<unsigned>(StoreKey::clocks);
    std::array<ClockPair, clocks_max> pairs{};
    journal_.open(medium_.storage,
                  super_.uuid,
                  Geometry::journal_block(0),
                  clocks + clocks_max,
                  [&](unsigned key, Bytes body) {
                      Reader reader(body);
                      if (key == static_cast<unsigned>(StoreKey::boot)) {
                          boot_ = std::max(boot_, reader.u32_le());
                      } else if (key < clocks) {
                          chains_[key - released].released = reader.u64_le();
                      } else {
                          ClockPair& pair = pairs[key - clocks];
                          pair.boot = reader.u32_le();
                          pair.up_ms = static_cast<std::int64_t>(reader.u64_le());
                          pair.unix_ms = static_cast<std::int64_t>(reader.u64_le());
                      }
                  });
    for (Chain& ch : chains_) {
        ch.released_written = ch.released;  // safe once the first sync has passed
    }
    std::sort(pairs.begin(), pairs.end(), [](const ClockPair& a, const ClockPair& b) {
        return a.boot < b.boot;
    });
    for (const ClockPair& pair : pairs) {
        if (pair.boot != 0) {
            (void)wall_time_.learn(pair);
        }
    }
}

void Outbox::read_sink(SinkCursor& sink, std::uint32_t slot, Numbers& accepted) {
    sink = {};
    sink.slot = static_cast<std::uint8_t>(slot);
    std::array<char, 2 * 16> name{};
    std::array<std::uint16_t, record_classes> whose{};
    const auto restore = [&](unsigned key, Bytes body) {
        Reader reader(body);
        if (key >= record_classes) {
            std::memcpy(name.data() + (key - record_classes) * 16, body.data(), 16);
            return;
        }
        sink.classes[key].confirmed = u56(reader);
        sink.classes[key].durable = u56(reader);
        accepted[key] = u56(reader);
        whose[key] = reader.u16_le();
    };
    sink.journal.open(
        medium_.storage, super_.uuid, Geometry::journal_block(1 + slot), sink_keys, restore);
    const auto end = std::find(name.begin(), name.end(), '\0');
    sink.name = std::string_view(name.data(), static_cast<std::size_t>(end - name.begin()));
    const auto own = static_cast<std::uint16_t>(crc32c(as_bytes(sink.name.view())));
    for (std::size_t i = 0; i < record_classes; ++i) {
        if (whose[i] != own) {
            sink.classes[i] = {};  // of the sink that had this slot before
            accepted[i] = 0;
        }
        sink.classes[i].written = sink.classes[i].confirmed;
    }
}

Status Outbox::open_sinks(std::span<const Name> names, Numbers& seen) {
    std::array<bool, limits::sinks_max> placed{};
    std::array<bool, limits::sinks_max> taken{};
    const std::size_t slots = std::min<std::size_t>(super_.sink_slots, limits::sinks_max);
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        SinkCursor sink;
        Numbers accepted{};
        read_sink(sink, slot, accepted);
        for (std::size_t i = 0; i < record_classes; ++i) {
            const auto& numbers = sink.classes[i];
            seen[i] = std::max({seen[i], accepted[i], numbers.confirmed, numbers.durable});
        }
        const auto* const name = std::find(names.data(), names.data() + names.size(), sink.name);
        const auto index = static_cast<std::size_t>(name - names.data());
        if (!sink.name.empty() && index < names.size() && !placed[index]) {
            sinks_[index] = sink;
            placed[index] = true;
            taken[slot] = true;
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (placed[i]) {
            continue;
        }
        const auto free = static_cast<std::uint32_t>(
            std::find(taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(slots), false) -
            taken.begin());
        if (free >= slots) {
            return JW_FAIL(out_of_range);
        }
        Numbers accepted{};
        read_sink(sinks_[i], free, accepted);
        taken[free] = true;
        sinks_[i].name = names[i];
        for (std::size_t c = 0; c < record_classes; ++c) {
            // A new sink begins with the oldest record that is still there.
            sinks_[i].classes[c] = {};
            sinks_[i].classes[c].confirmed = chains_[c].released;
            sinks_[i].classes[c].durable = chains_[c].released;
        }
        sinks_[i].journal.mark_all();
        sinks_[i].due = Instant{INT64_MIN};  // at once
    }
    return done;
}

void Outbox::recover(RecordClass c) {
    Chain& ch = chain(c);
    if (ch.newest != none) {
        ch.offset = geometry_.segment_size();
        Cursor cursor;
        cursor.record_class = c;
        cursor.limit = UINT64_MAX;
        std::uint32_t block = geometry_.segment_blocks;
        while (block > 0 && !enter(cursor, ch.newest, block - 1)) {
            --block;
        }
        if (block > 0) {
            boot_ = std::max(boot_, cursor.boot);
            while (read_record(cursor, record_)) {
            }
            ch.appended = cursor.at_seq - 1;
        }
        // The rest of that block may hold what a power cut left: go on with the next one.
        ch.offset = block * Storage::block_size;
    }
    keep_rest(c);
    ch.appended = std::max(ch.appended, ch.released);
    const std::uint64_t from = super_.epoch_from[static_cast<std::size_t>(c)];
    ch.appended = std::max(ch.appended, from - std::min<std::uint64_t>(from, 1));
}

void Outbox::start_epoch(std::uint64_t random) {
    super_.previous_epoch = super_.epoch;
    super_.epoch = mixed(random + 1);
    super_.epoch_generation = generation_ + 1;
    for (std::size_t i = 0; i < record_classes; ++i) {
        super_.epoch_from[i] = chains_[i].appended + 1;
        chains_[i].open = false;
        chains_[i].closed = true;
    }
    super_dirty_ = true;
    store_due_ = Instant{INT64_MIN};  // at once
}

}  // namespace jw
