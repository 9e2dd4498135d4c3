// SPDX-License-Identifier: Apache-2.0
#pragma once
// Journal: small values that change often (cursors, counts of boots) in two alternating blocks.
#include <array>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/crc.h"
#include "core/base/ports.h"

namespace jw {

/// The storage, and how much was written to it: what wears a flash out is counted in one place.
struct Medium {
    Storage& storage;
    std::uint64_t bytes_written = 0;

    Status write(std::uint64_t at, Bytes bytes) {
        bytes_written += bytes.size();
        return storage.write(at, bytes);
    }
};

/// Values by key. A new value is appended to the current block as a numbered entry; the highest
/// number of a key holds. When the block is full, all values go into the other block. The block
/// left behind stays untouched until the new one is known to be on the medium, so that every value
/// is always in at least one of them.
class Journal {
  public:
    static constexpr std::uint32_t entry_size = 32;
    static constexpr std::uint32_t body_size = 23;
    static constexpr std::uint32_t entries_per_block = Storage::block_size / entry_size;
    static constexpr unsigned keys_max = 24;

    /// Reads both blocks and calls restore(key, body); of several calls for a key the last one
    /// holds. Unreadable or damaged entries are passed over.
    template <class Restore>
    void open(Storage& storage,
              std::uint64_t uuid,
              std::uint32_t first_block,
              unsigned keys,
              Restore&& restore);
    /// The value of this key changed; the next write() writes it.
    void mark(unsigned key) { dirty_ |= 1U << key; }
    void mark_all() { dirty_ = (1U << keys_) - 1; }
    [[nodiscard]] bool dirty() const { return dirty_ != 0; }
    /// Writes the values that changed: store(key, writer) puts the body of a key, and says false
    /// where there is none yet. Errors: those of the storage; busy (both blocks are needed until a
    /// sync passes).
    template <class Store>
    Status write(Medium& medium, Store&& store);
    /// A sync that was asked for after write() passed, or failed.
    void synced(bool passed);
    [[nodiscard]] std::uint32_t number() const { return number_; }

  private:
    /// What is known to be on the medium.
    enum class Kept : std::uint8_t {
        unknown,  // perhaps values in both blocks: neither may be erased
        other,    // all values in the other block; the current one may be begun again
        current,  // all values in the current block; the other one may be erased
    };

    [[nodiscard]] std::uint64_t place(std::uint32_t block, std::uint32_t entry) const {
        return std::uint64_t{first_block_ + block} * Storage::block_size + entry * entry_size;
    }
    [[nodiscard]] std::uint32_t seed(std::uint32_t block) const {
        std::array<std::uint8_t, 12> bytes{};
        Writer(bytes).u64_le(uuid_).u32_le(first_block_ + block);
        return crc32c(bytes);
    }
    Status begin(Medium& medium, std::uint32_t block);
    [[nodiscard]] bool writable(Medium& medium, std::uint64_t at) const;
    Status put(Medium& medium, std::span<std::uint8_t, entry_size> entry);
    Status make_room(Medium& medium);
    Status write_again(Medium& medium);

    std::uint64_t uuid_ = 0;
    std::uint32_t first_block_ = 0;
    std::uint32_t number_ = 0;  // of the last entry
    std::uint32_t dirty_ = 0;
    std::uint8_t keys_ = 0;
    std::uint8_t block_ = 0;  // the current one, 0 or 1
    std::uint8_t next_ = 0;   // its next free entry
    Kept kept_ = Kept::unknown;
    bool begin_ = false;     // the current block must be begun (again)
    bool complete_ = false;  // the latest entry of every key stands in the current block
    bool whole_ = false;     // and all of them were written since the last sync that failed
};

template <class Restore>
void Journal::open(Storage& storage,
                   std::uint64_t uuid,
                   std::uint32_t first_block,
                   unsigned keys,
                   Restore&& restore) {
    CHECK(keys <= keys_max);
    uuid_ = uuid;
    first_block_ = first_block;
    keys_ = static_cast<std::uint8_t>(keys);
    std::array<std::uint32_t, keys_max> latest{};
    std::array<std::uint8_t, keys_max> latest_at{};
    std::uint32_t seen_in[2] = {0, 0};  // keys whose latest entry is in that block
    std::array<std::uint8_t, 8 * entry_size> bytes{};
    for (std::uint32_t block = 0; block < 2; ++block) {
        const std::uint32_t chain = seed(block);
        // From the end, where the latest entries are: the older ones need no checksum then.
        for (std::uint32_t i = entries_per_block; i-- > 0;) {
            if (i % 8 == 7 && !storage.read(place(block, i - 7), bytes)) {
                bytes.fill(0);
            }
            const Bytes entry = Bytes(bytes).subspan(i % 8 * entry_size, entry_size);
            Reader reader(entry);
            const std::uint32_t crc = reader.u32_le();
            const std::uint32_t number = reader.u32_le();
            const std::uint8_t key = reader.u8();
            if (number == 0 || key >= keys || number <= latest[key] ||
                crc != crc32c(entry.subspan(4), chain)) {
                continue;
            }
            latest[key] = number;
            latest_at[key] = static_cast<std::uint8_t>(i);
            seen_in[block] |= 1U << key;
            seen_in[1 - block] &= ~(1U << key);
            if (number > number_) {
                number_ = number;
                block_ = static_cast<std::uint8_t>(block);
            }
            restore(unsigned{key}, reader.rest());
        }
    }
    // A file keeps old entries when the block is begun again: what still holds lies before next_.
    for (unsigned key = 0; key < keys; ++key) {
        if ((seen_in[block_] >> key & 1U) != 0 && latest_at[key] >= next_) {
            next_ = static_cast<std::uint8_t>(latest_at[key] + 1);
        }
    }
    dirty_ = seen_in[1 - block_];  // what stands only in the other block is written again
    begin_ = number_ == 0;
    complete_ = whole_ = dirty_ == 0 && !begin_;
    if (begin_) {
        kept_ = Kept::other;
    } else if (complete_ && !storage.is_cached()) {
        kept_ = Kept::current;
    }
}

template <class Store>
Status Journal::write(Medium& medium, Store&& store) {
    // Twice at most: once on, and once from the beginning after a change of the block.
    for (unsigned key = 0; key < keys_; ++key) {
        if ((begin_ || next_ == entries_per_block) && dirty_ != 0) {
            JW_TRY(make_room(medium));
            key = 0;
        }
        if ((dirty_ >> key & 1U) == 0) {
            continue;
        }
        std::array<std::uint8_t, entry_size> entry{};
        Writer writer(entry);
        writer.u32_le(0).u32_le(0).u8(static_cast<std::uint8_t>(key));
        if (store(key, writer)) {
            CHECK(writer.ok());
            JW_TRY(put(medium, entry));
        }
        dirty_ &= ~(1U << key);
    }
    complete_ = whole_ = !begin_;
    return done;
}

}  // namespace jw
