// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the bytes of an outbox store mean: superblock, block header, fragment. Numbers are little
// endian. docs/formats/outbox.md explains the layout and shows it byte by byte.
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/ports.h"
#include "core/base/result.h"
#include "core/model/record.h"

namespace jw {

inline constexpr std::uint16_t outbox_version = 1;

/// Stands in the first two blocks; the one with the higher serial holds.
struct Superblock {
    static constexpr std::uint32_t size = 96;
    static constexpr std::uint32_t copies = 2;

    std::uint16_t segment_blocks = 0;
    std::uint8_t sink_slots = 0;
    std::uint32_t serial = 0;
    std::uint64_t uuid = 0;
    std::uint64_t epoch = 0;             // of what is appended now
    std::uint64_t previous_epoch = 0;    // 0: none
    std::uint32_t epoch_generation = 0;  // segments from this generation on are of `epoch`
    std::array<std::uint64_t, record_classes> epoch_from{};  // first number of `epoch` per class
    std::uint64_t medium = 0;  // of the storage itself, which a copy does not share; 0: unknown
};

void encode(const Superblock& superblock, std::span<std::uint8_t, Superblock::size> out);
/// Errors: bad_checksum (not a superblock), unsupported (of a newer version), malformed.
Result<Superblock> decode_superblock(Bytes bytes);

/// Begins every block of a segment, so that each block can be understood alone.
struct BlockHeader {
    static constexpr std::uint32_t size = 64;

    RecordClass record_class = RecordClass::telemetry;
    std::uint8_t sink_slots = 0;
    std::uint16_t segment_blocks = 0;
    std::uint32_t block = 0;       // its place in the store
    std::uint32_t generation = 0;  // of its segment
    std::uint32_t boot = 0;        // in which it was written
    std::uint32_t ttl_s = 0;       // of the records that begin in it
    std::uint32_t nonce = 0;       // of the opening in which it was written
    std::uint64_t uuid = 0;        // of the store
    std::uint64_t epoch = 0;
    std::uint64_t first_seq = 0;  // of the first record that begins in it
    std::int64_t up_ms = 0;       // records count from here
    std::uint32_t crc = 0;        // the chain of the block begins with it
};

/// Gives the checksum with which the chain of the block begins.
std::uint32_t encode(const BlockHeader& header, std::span<std::uint8_t, BlockHeader::size> out);
/// Nothing where the bytes are no header.
std::optional<BlockHeader> decode_block_header(Bytes bytes);

/// A record stands in one block (full), or begins in one and ends in the next (first, last). It
/// never needs a third: the largest record is smaller than a block.
enum class FragmentType : std::uint8_t { none, full, first, last };

/// Before the bytes of a fragment: its checksum over all that follows, continued from the fragment
/// (or header) before it; its length; its type and the record's kind.
struct Fragment {
    static constexpr std::uint32_t header_size = 7;
    /// Where less room is left, the block is over.
    static constexpr std::uint32_t room_min = 16;

    std::uint32_t crc = 0;
    std::uint16_t length = 0;  // without the header
    FragmentType type = FragmentType::none;
    RecordKind kind = RecordKind::reading;
};

/// Writes the header in front of the body that stands behind it; gives the new running checksum.
std::uint32_t seal_fragment(MutableBytes header_and_body,
                            FragmentType type,
                            RecordKind kind,
                            std::uint32_t chain);
Fragment decode_fragment(Bytes header);

/// Where the parts of a store stand.
struct Geometry {
    std::uint32_t segment_blocks = 0;
    std::uint32_t first_segment_block = 0;
    std::uint32_t segments = 0;

    static Geometry of(std::uint32_t block_count,
                       std::uint32_t segment_blocks,
                       std::uint32_t sink_slots);
    [[nodiscard]] std::uint32_t block_of(std::uint32_t segment) const {
        return first_segment_block + segment * segment_blocks;
    }
    [[nodiscard]] std::uint32_t segment_size() const {
        return segment_blocks * Storage::block_size;
    }
    /// Of journal i: 0 belongs to the store, 1… to the sinks.
    static std::uint32_t journal_block(std::uint32_t journal) {
        return Superblock::copies + 2 * journal;
    }
};

}  // namespace jw
