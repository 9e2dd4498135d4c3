// SPDX-License-Identifier: Apache-2.0
// The fixed parts of an outbox store to bytes and back.
#include "core/outbox/layout.h"

#include "core/base/check.h"
#include "core/base/crc.h"

namespace jw {
namespace {

constexpr std::string_view superblock_magic = "JWOUTBOX";
constexpr std::uint16_t block_magic = 0x424A;  // "JB"
constexpr std::size_t superblock_crc_at = Superblock::size - 4;

}  // namespace

void encode(const Superblock& superblock, std::span<std::uint8_t, Superblock::size> out) {
    Writer writer(out);
    writer.put(superblock_magic).u16_le(outbox_version).u16_le(superblock.segment_blocks);
    writer.u8(superblock.sink_slots).u8(0).u16_le(0);
    writer.u64_le(superblock.uuid).u64_le(superblock.epoch).u64_le(superblock.previous_epoch);
    writer.u32_le(superblock.serial).u32_le(superblock.epoch_generation);
    for (const std::uint64_t from : superblock.epoch_from) {
        writer.u64_le(from);
    }
    writer.u64_le(superblock.medium);
    while (writer.size() < superblock_crc_at) {
        writer.u8(0);
    }
    writer.u32_le(crc32c(writer.written()));
    CHECK(writer.ok() && writer.size() == Superblock::size);
}

Result<Superblock> decode_superblock(Bytes bytes) {
    if (bytes.size() < Superblock::size) {
        return JW_FAIL(truncated);
    }
    Reader reader(bytes);
    const std::string_view magic = as_text(reader.take(superblock_magic.size()));
    // Magic, version and the place of the checksum stay in every version to come.
    const std::uint16_t version = reader.u16_le();
    Reader tail(bytes.subspan(superblock_crc_at));
    if (magic != superblock_magic || tail.u32_le() != crc32c(bytes.first(superblock_crc_at))) {
        return JW_FAIL(bad_checksum);
    }
    if (version > outbox_version) {
        return JW_FAIL(unsupported);
    }
    Superblock superblock;
    superblock.segment_blocks = reader.u16_le();
    superblock.sink_slots = reader.u8();
    reader.skip(3);
    superblock.uuid = reader.u64_le();
    superblock.epoch = reader.u64_le();
    superblock.previous_epoch = reader.u64_le();
    superblock.serial = reader.u32_le();
    superblock.epoch_generation = reader.u32_le();
    for (std::uint64_t& from : superblock.epoch_from) {
        from = reader.u64_le();
    }
    superblock.medium = reader.u64_le();
    if (version == 0 || superblock.segment_blocks == 0) {
        return JW_FAIL(malformed);
    }
    return superblock;
}

std::uint32_t encode(const BlockHeader& header, std::span<std::uint8_t, BlockHeader::size> out) {
    Writer writer(out);
    writer.u32_le(0).u16_le(block_magic).u8(outbox_version);
    writer.u8(static_cast<std::uint8_t>(header.record_class));
    writer.u64_le(header.uuid).u64_le(header.epoch).u64_le(header.first_seq);
    writer.u64_le(static_cast<std::uint64_t>(header.up_ms));
    writer.u32_le(header.generation).u32_le(header.boot).u32_le(header.ttl_s).u32_le(header.nonce);
    writer.u32_le(header.block).u16_le(header.segment_blocks).u8(header.sink_slots).u8(0);
    CHECK(writer.ok() && writer.size() == BlockHeader::size);
    const std::uint32_t crc = crc32c(Bytes(out).subspan(4));
    Writer(out.first<4>()).u32_le(crc);
    return crc;
}

std::optional<BlockHeader> decode_block_header(Bytes bytes) {
    if (bytes.size() < BlockHeader::size) {
        return std::nullopt;
    }
    Reader reader(bytes);
    BlockHeader header;
    header.crc = reader.u32_le();
    const std::uint16_t magic = reader.u16_le();
    const std::uint8_t version = reader.u8();
    const std::uint8_t record_class = reader.u8();
    if (magic != block_magic || version != outbox_version || record_class >= record_classes ||
        header.crc != crc32c(bytes.subspan(4, BlockHeader::size - 4))) {
        return std::nullopt;
    }
    header.record_class = static_cast<RecordClass>(record_class);
    header.uuid = reader.u64_le();
    header.epoch = reader.u64_le();
    header.first_seq = reader.u64_le();
    header.up_ms = static_cast<std::int64_t>(reader.u64_le());
    header.generation = reader.u32_le();
    header.boot = reader.u32_le();
    header.ttl_s = reader.u32_le();
    header.nonce = reader.u32_le();
    header.block = reader.u32_le();
    header.segment_blocks = reader.u16_le();
    header.sink_slots = reader.u8();
    return header;
}

std::uint32_t seal_fragment(MutableBytes header_and_body,
                            FragmentType type,
                            RecordKind kind,
                            std::uint32_t chain) {
    const std::size_t length = header_and_body.size() - Fragment::header_size;
    Writer writer(header_and_body);
    writer.u32_le(0).u16_le(static_cast<std::uint16_t>(length));
    writer.u8(
        static_cast<std::uint8_t>(static_cast<unsigned>(type) | static_cast<unsigned>(kind) << 2));
    const std::uint32_t crc = crc32c(header_and_body.subspan(4), chain);
    Writer(header_and_body.first(4)).u32_le(crc);
    return crc;
}

Fragment decode_fragment(Bytes header) {
    Reader reader(header);
    Fragment fragment;
    fragment.crc = reader.u32_le();
    fragment.length = reader.u16_le();
    const std::uint8_t what = reader.u8();
    fragment.type = static_cast<FragmentType>(what & 3U);
    fragment.kind = static_cast<RecordKind>(what >> 2);
    if (!reader.ok() || fragment.length == 0 ||
        (what >> 2) > static_cast<unsigned>(RecordKind::result)) {
        fragment.type = FragmentType::none;
    }
    return fragment;
}

Geometry Geometry::of(std::uint32_t block_count,
                      std::uint32_t segment_blocks,
                      std::uint32_t sink_slots) {
    Geometry geometry;
    geometry.segment_blocks = segment_blocks;
    geometry.first_segment_block = journal_block(1 + sink_slots);
    if (segment_blocks != 0 && block_count > geometry.first_segment_block) {
        geometry.segments = (block_count - geometry.first_segment_block) / segment_blocks;
    }
    return geometry;
}

}  // namespace jw
