// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <limits>

#include "core/base/bytes.h"
#include "core/base/crc.h"
#include "core/base/duration_counts.h"
#include "core/base/list.h"
#include "core/base/test.h"
#include "core/base/text.h"
#include "core/base/time.h"

using namespace jw;

TEST(checksums_give_the_check_values_of_the_catalogue) {
    const Bytes nine = as_bytes("123456789");
    EXPECT(crc16_modbus(nine) == 0x4B37);
    EXPECT(crc16_arc(nine) == 0xBB3D);
    EXPECT(crc16_x25(nine) == 0x906E);
    EXPECT(crc32c(nine) == 0xE3069283);
    EXPECT(crc32c_portable(nine) == 0xE3069283);
}

TEST(checksums_can_be_taken_in_pieces_of_any_size) {
    std::array<std::uint8_t, 300> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 37 + (i >> 3));
    }
    const Bytes all(bytes);
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        EXPECT(crc16_modbus(all.subspan(cut), crc16_modbus(all.first(cut))) == crc16_modbus(all));
        EXPECT(crc16_x25(all.subspan(cut), crc16_x25(all.first(cut))) == crc16_x25(all));
        EXPECT(crc32c(all.subspan(cut), crc32c(all.first(cut))) == crc32c(all));
    }
}

TEST(a_reader_remembers_an_overrun_and_gives_nothing_afterwards) {
    const std::array<std::uint8_t, 3> bytes{1, 2, 3};
    Reader in(bytes);
    EXPECT(in.u16_be() == 0x0102);
    EXPECT(in.u16_be() == 0);
    EXPECT(!in.ok());
    EXPECT(in.u8() == 0);
    EXPECT(in.take(1).empty());
}

TEST(a_writer_remembers_an_overflow_and_writes_nothing_afterwards) {
    std::array<std::uint8_t, 3> buffer{};
    Writer out(buffer);
    out.u16_le(0x0201).u32_be(7).u8(9);
    EXPECT(!out.ok());
    EXPECT(out.size() == 2);
    EXPECT(buffer[0] == 1 && buffer[1] == 2 && buffer[2] == 0);
}

TEST(varints_round_trip_at_their_edges_and_refuse_an_eleventh_byte) {
    for (const std::uint64_t value : {std::uint64_t{0},
                                      std::uint64_t{127},
                                      std::uint64_t{128},
                                      std::uint64_t{16383},
                                      std::uint64_t{16384},
                                      std::numeric_limits<std::uint64_t>::max()}) {
        std::array<std::uint8_t, 10> buffer{};
        Writer out(buffer);
        out.varint(value);
        EXPECT(out.ok());
        Reader in(out.written());
        EXPECT(in.varint() == value);
        EXPECT(in.ok() && in.remaining() == 0);
    }
    std::array<std::uint8_t, 11> endless{};
    endless.fill(0xFF);
    Reader in(endless);
    (void)in.varint();
    EXPECT(!in.ok());
}

TEST(text_is_cut_never_overrun_and_json_escapes_what_must_be) {
    std::array<char, 12> buffer{};
    Text out(buffer);
    out.put(std::int64_t{-1520}).put(',').hex(0xAB, 4);
    EXPECT(out.view() == "-1520,00ab");
    out.put("long");
    EXPECT(!out.ok());
    std::array<char, 64> wide{};
    Text quoted(wide);
    quoted.json("a\"b\\c\n");
    EXPECT(quoted.view() == "\"a\\\"b\\\\c\\u000a\"");
    EXPECT(FixedText<4>("longer") == "long");
}

TEST(a_list_is_full_at_its_storage_and_keeps_order_when_one_is_removed) {
    std::array<int, 3> storage{};
    List<int> list(storage);
    EXPECT(list.push(1) && list.push(2) && list.push(3));
    EXPECT(!list.push(4));
    list.remove(1);
    EXPECT(list.size() == 2 && list[0] == 1 && list[1] == 3);
}

TEST(instants_and_durations_keep_their_kinds) {
    const Instant start{5'000'000};
    EXPECT((start + seconds(2)).ms() == 7000);
    EXPECT((start - Instant{1'000'000}).ms() == 4000);
    EXPECT(start < never && earlier(start, never) == start);
}

TEST(bytes_are_equal_only_in_size_and_content) {
    const std::array<std::uint8_t, 3> a{1, 2, 3};
    const std::array<std::uint8_t, 3> b{1, 2, 4};
    EXPECT(equal(a, a) && !equal(a, b) && !equal(a, Bytes(a).first(2)) && equal({}, {}));
}

TEST(a_duration_counts_up_to_its_bound_and_a_negative_one_as_none) {
    DurationCounts counts;
    counts.add(milliseconds(1));
    counts.add(microseconds(1001));
    counts.add(seconds(5));
    counts.add(seconds(5) + microseconds(1));
    counts.add(microseconds(-7));
    EXPECT(counts.counts.front() == 2 && counts.counts[1] == 1);
    EXPECT(counts.counts[DurationCounts::bounds_count - 1] == 1 && counts.counts.back() == 1);
    EXPECT(counts.sum == seconds(10) + microseconds(2002));
}
