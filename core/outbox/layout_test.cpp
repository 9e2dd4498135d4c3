// SPDX-License-Identifier: Apache-2.0
// The fixed parts of a store where their bytes are short, old, or say what cannot be.
#include "core/outbox/layout.h"

#include <array>

#include "core/base/crc.h"
#include "core/base/test.h"

using namespace jw;

namespace {

TEST(a_superblock_that_says_what_cannot_be_is_malformed) {
    Superblock superblock;
    superblock.segment_blocks = 2;
    superblock.sink_slots = 1;
    std::array<std::uint8_t, Superblock::size> bytes{};
    encode(superblock, bytes);
    EXPECT(decode_superblock(bytes).has_value());
    EXPECT(decode_superblock(Bytes(bytes).first(Superblock::size - 1)).code() == Code::truncated);
    const auto sealed = [&](std::size_t at, std::uint8_t value) {
        auto changed = bytes;
        changed[at] = value;
        Writer(MutableBytes(changed).last(4))
            .u32_le(crc32c(Bytes(changed).first(Superblock::size - 4)));
        return decode_superblock(changed).code();
    };
    EXPECT(sealed(8, 1) == Code::ok);
    EXPECT(sealed(8, 0) == Code::malformed);       // a version that never was
    EXPECT(sealed(10, 0) == Code::malformed);      // segments of no blocks
    EXPECT(sealed(9, 1) == Code::unsupported);     // version 257
    EXPECT(sealed(0, 'j') == Code::bad_checksum);  // not a superblock
}

TEST(a_block_header_is_none_where_any_of_its_marks_is_wrong) {
    BlockHeader header;
    header.segment_blocks = 2;
    std::array<std::uint8_t, BlockHeader::size> bytes{};
    (void)encode(header, bytes);
    EXPECT(decode_block_header(bytes).has_value());
    EXPECT(!decode_block_header(Bytes(bytes).first(BlockHeader::size - 1)));
    for (std::size_t at = 0; at < BlockHeader::size; ++at) {
        auto changed = bytes;
        changed[at] ^= 1;
        EXPECT(!decode_block_header(changed));
    }
    for (const std::size_t at : {4U, 5U, 6U, 7U}) {  // magic, version, class; under a right sum
        auto changed = bytes;
        changed[at] = static_cast<std::uint8_t>(changed[at] + 4);
        Writer(MutableBytes(changed).first(4)).u32_le(crc32c(Bytes(changed).subspan(4)));
        EXPECT(!decode_block_header(changed));
    }
}

TEST(a_fragment_without_length_or_of_an_unknown_kind_is_none) {
    std::array<std::uint8_t, Fragment::header_size + 1> bytes{};
    (void)seal_fragment(bytes, FragmentType::full, RecordKind::result, 0);
    EXPECT(decode_fragment(bytes).type == FragmentType::full);
    EXPECT(decode_fragment(bytes).kind == RecordKind::result && decode_fragment(bytes).length == 1);
    EXPECT(decode_fragment(Bytes(bytes).first(6)).type == FragmentType::none);
    auto changed = bytes;
    changed[4] = 0;
    EXPECT(decode_fragment(changed).type == FragmentType::none);
    changed = bytes;
    changed[6] = static_cast<std::uint8_t>(changed[6] + 4);  // the kind behind the last
    EXPECT(decode_fragment(changed).type == FragmentType::none);
}

TEST(a_storage_without_room_for_segments_has_none) {
    EXPECT(Geometry::of(8, 2, 2).segments == 0);  // superblocks and journals fill it
    EXPECT(Geometry::of(9, 2, 2).segments == 0);
    EXPECT(Geometry::of(10, 2, 2).segments == 1);
    EXPECT(Geometry::of(4, 2, 2).segments == 0);
    EXPECT(Geometry::of(100, 0, 2).segments == 0);
}

}  // namespace
