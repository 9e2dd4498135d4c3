// SPDX-License-Identifier: Apache-2.0
// Formats, word orders, sentinels and scales of one value.
#include "core/device/registers/register_value.h"

#include <array>

#include "core/base/test.h"

using namespace jw;
using namespace jw::registers;

namespace {

Row row(Format format, std::uint32_t multiply = 1, std::uint32_t divide = 1) {
    Row made;
    made.format = format;
    made.multiply = multiply;
    made.divide = divide;
    return made;
}

}  // namespace

TEST(each_word_order_finds_the_same_number) {
    const std::array<std::uint8_t, 4> abcd{0x12, 0x34, 0x56, 0x78};
    const std::array<std::uint8_t, 4> cdab{0x56, 0x78, 0x12, 0x34};
    const std::array<std::uint8_t, 4> badc{0x34, 0x12, 0x78, 0x56};
    const std::array<std::uint8_t, 4> dcba{0x78, 0x56, 0x34, 0x12};
    EXPECT(raw_value(abcd, WordOrder::abcd) == 0x12345678);
    EXPECT(raw_value(cdab, WordOrder::cdab) == 0x12345678);
    EXPECT(raw_value(badc, WordOrder::badc) == 0x12345678);
    EXPECT(raw_value(dcba, WordOrder::dcba) == 0x12345678);
    const std::array<std::uint8_t, 8> wide{7, 8, 5, 6, 3, 4, 1, 2};
    EXPECT(raw_value(wide, WordOrder::cdab) == 0x0102030405060708);
}

TEST(what_is_written_reads_back_in_every_order) {
    for (const WordOrder order :
         {WordOrder::abcd, WordOrder::cdab, WordOrder::badc, WordOrder::dcba}) {
        for (const Format format : {Format::u16, Format::u32, Format::u64}) {
            Row written = row(format);
            written.order = order;
            std::array<std::uint8_t, 8> buffer{};
            Writer out{buffer};
            const std::uint64_t raw = format == Format::u16 ? 0x1234 : 0x12345678;
            put_raw(written, raw, out);
            EXPECT(out.size() == 2U * format_size(format));
            EXPECT(raw_value(out.written(), order) == raw);
        }
    }
}

TEST(formats_give_their_numbers) {
    EXPECT(number_of(row(Format::u16, 100), 0xFFFE, 0) == 6'553'400);
    EXPECT(number_of(row(Format::i16, 100), 0xFFFE, 0) == -200);
    EXPECT(number_of(row(Format::u32), 0xFFFFFFFE, 0) == 4'294'967'294);
    EXPECT(number_of(row(Format::i32), 0xFFFFFFFE, 0) == -2);
    EXPECT(number_of(row(Format::i64), 0xFFFFFFFFFFFFFFFE, 0) == -2);
    EXPECT(number_of(row(Format::u64), 0xFFFFFFFFFFFFFFFE, 0) == std::nullopt);
    EXPECT(number_of(row(Format::f32, 1000), 0x4366199A, 0) == 230'100);
    EXPECT(number_of(row(Format::f32), 0x7FC00000, 0) == std::nullopt);
    EXPECT(number_of(row(Format::f64, 1, 10), 0x4049'0000'0000'0000, 0) == 5);
    EXPECT(number_of(row(Format::bit), 1, 0) == 1);
}

TEST(a_scale_register_moves_the_point_and_a_senseless_one_makes_the_value_absent) {
    EXPECT(number_of(row(Format::i16, 1000), 5001, -2) == 50'010);
    EXPECT(number_of(row(Format::i16), 25, 2) == 2500);
    EXPECT(number_of(row(Format::i16), 25, 10) == 250'000'000'000);
    EXPECT(number_of(row(Format::i16), 25, 11) == std::nullopt);
    EXPECT(number_of(row(Format::i16), 25, INT16_MIN) == std::nullopt);
}

TEST(sentinels_are_absent_whatever_the_scale) {
    Row sent = row(Format::i16);
    const std::uint64_t patterns[] = {0x8000, 0x7FFF};
    sent.absent = patterns;
    EXPECT(number_of(sent, 0x8000, 0) == std::nullopt);
    EXPECT(number_of(sent, 0x7FFF, 2) == std::nullopt);
    EXPECT(number_of(sent, 0x7FFE, 0) == 0x7FFE);
}

TEST(a_value_to_be_set_becomes_bits_or_is_refused) {
    EXPECT(raw_of(row(Format::u16, 10), 600) == 60);
    EXPECT(raw_of(row(Format::i16), -5) == 0xFFFB);
    EXPECT(raw_of(row(Format::u16), -5) == std::nullopt);
    EXPECT(raw_of(row(Format::u16), 65536) == std::nullopt);
    EXPECT(raw_of(row(Format::i16), 32768) == std::nullopt);
    EXPECT(raw_of(row(Format::i32), -2'147'483'648) == 0x80000000);
    EXPECT(raw_of(row(Format::i64), -1) == UINT64_MAX);
    EXPECT(raw_of(row(Format::u16, 1, 1000), 60) == 60'000);
}

TEST(text_of_a_device_ends_at_nul_and_holds_no_surprises) {
    std::array<char, 32> buffer{};
    Text text{buffer};
    put_device_text(as_bytes(std::string_view("MD-G3t \x01\xC3  \0rest", 15)), text);
    EXPECT(text.view() == "MD-G3t ??");
}
