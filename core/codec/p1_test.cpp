// SPDX-License-Identifier: Apache-2.0
// Tests of the P1 receiver and parser with telegrams of our own; vectors/p1 has whole ones.
#include "core/codec/p1.h"

#include <array>
#include <cstring>

#include "core/base/test.h"
#include "core/base/text.h"

using namespace jw;
using namespace jw::p1;

namespace {

// CRC-16/ARC of everything up to '!': computed with an independent bitwise program.
constexpr std::string_view checked_telegram =
    "/JWY5\\2TEST-1\r\n\r\n1-0:1.8.1(000012.345*kWh)\r\n1-0:1.7.0(00.500*kW)\r\n!5B2E\r\n";
constexpr std::string_view old_telegram =
    "/JWY5\\2TEST-0\r\n\r\n0-1:24.3.0(201120080000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n"
    "(00012.345)\r\n!\r\n";

struct Heard {
    std::array<Received, 8> ends{};
    std::size_t count = 0;
};

std::array<std::uint8_t, 256> buffer;

Heard hear(Receiver& receiver, std::string_view text) {
    Heard heard;
    for (const char c : text) {
        const auto end = receiver.put(static_cast<std::uint8_t>(c));
        if (end && heard.count < heard.ends.size()) {
            heard.ends[heard.count++] = *end;
        }
    }
    return heard;
}

Heard hear(std::string_view text) {
    Receiver receiver(buffer);
    return hear(receiver, text);
}

Code code_of(std::string_view telegram) {
    Rows rows(telegram);
    while (rows.next()) {
    }
    return rows.code();
}

}  // namespace

TEST(p1_accepts_a_telegram_with_its_crc) {
    const Heard heard = hear(checked_telegram);
    EXPECT(heard.count == 1);
    EXPECT(heard.ends[0].code == Code::ok);
    EXPECT(heard.ends[0].checked);
    EXPECT(heard.ends[0].telegram.ends_with("kW)\r\n!"));
}

TEST(p1_accepts_an_old_telegram_and_says_that_nothing_proved_it) {
    const Heard heard = hear(old_telegram);
    EXPECT(heard.count == 1 && heard.ends[0].code == Code::ok);
    EXPECT(!heard.ends[0].checked);
}

TEST(p1_refuses_every_single_flipped_byte_of_a_telegram_with_crc) {
    std::array<char, 128> text{};
    std::copy(checked_telegram.begin(), checked_telegram.end(), text.begin());
    int accepted = 0;
    for (std::size_t i = 0; i < checked_telegram.size(); ++i) {
        for (int flip = 1; flip < 256; ++flip) {
            text[i] = static_cast<char>(checked_telegram[i] ^ flip);
            const Heard heard = hear({text.data(), checked_telegram.size()});
            for (std::size_t end = 0; end < heard.count; ++end) {
                const Received& received = heard.ends[end];
                accepted += received.code == Code::ok && code_of(received.telegram) == Code::ok;
            }
        }
        text[i] = checked_telegram[i];
    }
    EXPECT(accepted == 0);
}

TEST(p1_says_where_the_checksum_stands_that_does_not_hold) {
    const Heard heard = hear("/JWY5\\2TEST-1\r\n\r\n1-0:1.7.0(00.500*kW)\r\n!0000\r\n");
    EXPECT(heard.count == 1 && heard.ends[0].code == Code::bad_checksum);
    EXPECT(heard.ends[0].at == heard.ends[0].telegram.size());
    EXPECT(heard.ends[0].at == 40);
}

TEST(p1_takes_a_crc_without_leading_zeros) {
    // The CRC of this telegram is 0x01E3, printed with three digits.
    const Heard heard = hear("/JWY5\\2TEST-412\r\n\r\n1-0:1.7.0(00.500*kW)\r\n!1E3\r\n");
    EXPECT(heard.count == 1 && heard.ends[0].code == Code::ok && heard.ends[0].checked);
}

TEST(p1_skips_what_stands_between_telegrams) {
    Receiver receiver(buffer);
    EXPECT(hear(receiver, "00.500*kW)\r\n!9999\r\n\xFF").count == 0);
    EXPECT(hear(receiver, checked_telegram).ends[0].code == Code::ok);
}

TEST(p1_begins_anew_at_a_slash) {
    Receiver receiver(buffer);
    const Heard broken = hear(receiver, "/JWY5\\2TEST-1\r\n\r\n1-0:1.8.1(0000/");
    EXPECT(broken.count == 1 && broken.ends[0].code == Code::malformed);
    EXPECT(broken.ends[0].at == 31 && broken.ends[0].telegram.ends_with("(0000"));
    std::string_view rest = checked_telegram;
    rest.remove_prefix(1);
    const Heard whole = hear(receiver, rest);
    EXPECT(whole.count == 1 && whole.ends[0].code == Code::ok && whole.ends[0].checked);
}

TEST(p1_refuses_a_telegram_longer_than_the_buffer_and_takes_the_next) {
    std::array<std::uint8_t, 80> small{};
    Receiver receiver(small);
    const Heard heard = hear(receiver, old_telegram);
    EXPECT(heard.count == 1 && heard.ends[0].code == Code::full && heard.ends[0].at == 80);
    EXPECT(hear(receiver, checked_telegram).ends[0].code == Code::ok);
}

TEST(p1_takes_nothing_into_an_empty_buffer) {
    Receiver receiver{MutableBytes()};
    EXPECT(hear(receiver, checked_telegram).count == 0);
}

TEST(p1_tells_of_a_telegram_that_the_end_of_the_stream_cut) {
    Receiver receiver(buffer);
    hear(receiver, "/JWY5\\2TEST-1\r\n\r\n1-0");
    const auto cut = receiver.finish();
    EXPECT(cut && cut->code == Code::truncated && cut->at == 20);
    EXPECT(!receiver.finish());
}

TEST(p1_reset_forgets_a_telegram_that_was_begun) {
    Receiver receiver(buffer);
    hear(receiver, "/JWY5\\2TEST-1\r\n\r\n1-0");
    receiver.reset();
    EXPECT(hear(receiver, checked_telegram).count == 1);
}

TEST(p1_rows_give_name_and_groups) {
    Rows rows(
        "/JWY5\\2T\r\n\r\n0-1:24.2.1(200512134558S)(00112.384*m3)\r\n1-0:0.0.0*255()\r\n"
        "0-0:96.13.0\r\n!");
    EXPECT(rows.identification() == "JWY5\\2T");
    const auto gas = rows.next();
    EXPECT(gas && gas->obis == (Obis{0, 1, 24, 2, 1}) && gas->count() == 2);
    EXPECT(gas && gas->group(0) == "200512134558S" && gas->last() == "00112.384*m3");
    EXPECT(gas && gas->group(2).empty());
    const auto empty = rows.next();
    EXPECT(empty && empty->count() == 1 && empty->last().empty());
    const auto none = rows.next();
    EXPECT(none && none->obis.c == 96 && none->count() == 0 && none->last().empty());
    EXPECT(!rows.next() && rows.code() == Code::ok);
}

TEST(p1_rows_join_the_two_lines_of_an_old_gas_row) {
    std::string_view telegram = old_telegram;
    telegram.remove_suffix(2);
    Rows rows(telegram);
    const auto row = rows.next();
    EXPECT(row && row->count() == 7 && row->group(5) == "m3" && row->last() == "00012.345");
    EXPECT(!rows.next() && rows.code() == Code::ok);
}

TEST(p1_rows_say_where_the_format_is_broken) {
    Rows rows("/JWY5\\2T\r\n\r\n1-0:1.7.0(00.5\r\n!");
    EXPECT(!rows.next() && rows.code() == Code::malformed && rows.position() == 26);
    EXPECT(!rows.next());
}

TEST(p1_rows_refuse_what_is_no_telegram) {
    EXPECT(code_of("") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n1-0:1.7.0(1)\r\n!") == Code::malformed);
    EXPECT(code_of("/JW\r\n\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\x07T\r\n\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:256.7.0(1)\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:1.7(1)\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:1.7.0((1)\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:1.7.0(1)x\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:1.7.0(\x80)\r\n!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n1-0:1.7.0(1)\r\n") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n!!") == Code::malformed);
    EXPECT(code_of("/JWY5\\2T\r\n\r\n!") == Code::ok);
}

TEST(p1_rows_refuse_a_name_of_which_any_part_is_missing) {
    for (const std::string_view row :
         {"1-0:1.7.0(1)\r\n", "1-0:1.7.0*255(1)\r\n", "255-255:255.255.255(1)\r\n"}) {
        std::array<char, 64> telegram{};
        EXPECT(code_of(Text(telegram).put("/JWY5\\2T\r\n\r\n").put(row).put("!").view()) ==
               Code::ok);
    }
    for (const std::string_view row : {"(1)\r\n",
                                       "-0:1.7.0(1)\r\n",
                                       "1(1)\r\n",
                                       "1-(1)\r\n",
                                       "1-:1.7.0(1)\r\n",
                                       "1-0(1)\r\n",
                                       "1-0:(1)\r\n",
                                       "1-0:.7.0(1)\r\n",
                                       "1-0:1(1)\r\n",
                                       "1-0:1.(1)\r\n",
                                       "1-0:1..0(1)\r\n",
                                       "1-0:1.7(1)\r\n",
                                       "1-0:1.7.(1)\r\n",
                                       "1-0:1.7.0*(1)\r\n",
                                       "1-0:1.7.0*256(1)\r\n",
                                       "1-0:1.7.0(1)",
                                       "256-0:1.7.0(1)\r\n",
                                       "1-256:1.7.0(1)\r\n",
                                       "1-0:1.256.0(1)\r\n",
                                       "1-0:1.7.256(1)\r\n",
                                       "1-0:1.7.0(1)\r",
                                       "1-0:1.7.0(1)\n",
                                       "1-0:1.7.0(1)\r\n(",
                                       "1-0:1.7.0(1)\r\n(2\r\n"}) {
        std::array<char, 64> telegram{};
        EXPECT(code_of(Text(telegram).put("/JWY5\\2T\r\n\r\n").put(row).put("!").view()) ==
               Code::malformed);
    }
}

TEST(p1_groups_that_are_none_are_not_counted) {
    for (const std::string_view groups : {"", "(", ")", ")(", "1)"}) {
        const Row row{.obis = {}, .groups = groups};
        EXPECT(row.count() == 0 && row.last().empty() && row.group(0).empty());
    }
    const Row two{.obis = {}, .groups = "(a)(b)("};
    EXPECT(two.count() == 2 && two.group(0) == "a" && two.group(1) == "b");
    EXPECT(two.group(2).empty() && two.group(5).empty());
}

TEST(p1_decimals_stay_exact) {
    const auto energy = parse_decimal("00032549.5061662*kWh");
    EXPECT(energy && energy->digits == 325495061662 && energy->decimals == 7);
    EXPECT(energy && energy->unit == "kWh");
    EXPECT(energy && energy->scaled(3) == 32549506);
    EXPECT(parse_decimal("000557.50*W")->scaled(0) == 558);
    EXPECT(parse_decimal("-000557.50*W")->scaled(0) == -558);
    EXPECT(parse_decimal("557.49")->scaled(0) == 557 && parse_decimal("557.49")->unit.empty());
    EXPECT(parse_decimal("0230.1*V")->scaled(3) == 230100);
}

TEST(p1_decimals_refuse_what_is_no_number) {
    EXPECT(!parse_decimal(""));
    EXPECT(!parse_decimal("*kWh"));
    EXPECT(!parse_decimal("-"));
    EXPECT(!parse_decimal("1.2.3*V"));
    EXPECT(!parse_decimal("200512134558S"));
    EXPECT(!parse_decimal("0-1:24.2.1"));
    EXPECT(!parse_decimal("123456789012345678"));
    EXPECT(!parse_decimal("0.1234567890"));
    EXPECT(!parse_decimal("99999999999999999")->scaled(3));
}

TEST(p1_timestamps_are_dates_or_nothing) {
    const auto time = parse_timestamp("200512134558S");
    EXPECT(time && time->year == 2020 && time->month == 5 && time->day == 12);
    EXPECT(time && time->hour == 13 && time->minute == 45 && time->second == 58);
    EXPECT(time && time->season == 'S');
    EXPECT(parse_timestamp("161107190000") && parse_timestamp("161107190000")->season == ' ');
    EXPECT(!parse_timestamp("632525252525W"));
    EXPECT(parse_timestamp("201231235959W") && parse_timestamp("200101000000W"));
    for (const char* beyond : {"201331235959W",
                               "200031235959W",
                               "201232235959W",
                               "201200235959W",
                               "201231245959W",
                               "201231236059W",
                               "201231235960W",
                               "x01231235959W"}) {
        EXPECT(!parse_timestamp(beyond));
    }
    EXPECT(!parse_timestamp("20051213455xS"));
    EXPECT(!parse_timestamp("200512134558X"));
    EXPECT(!parse_timestamp("2005121345"));
    EXPECT(!parse_timestamp("200512134558SS"));
}

TEST(p1_equipment_ids_are_text_where_their_hex_is) {
    std::array<char, 32> room{};
    EXPECT(parse_equipment_id("4A57594D455445523031", room) == "JWYMETER01");
    EXPECT(parse_equipment_id("3960221976967177082151037881335713", room) ==
           "3960221976967177082151037881335713");
    EXPECT(parse_equipment_id("ABC", room) == "ABC");
    EXPECT(parse_equipment_id("1JWY4711", room) == "1JWY4711");
    EXPECT(parse_equipment_id("4A07", room) == "4A07" && parse_equipment_id("7E20", room) == "~ ");
    EXPECT(parse_equipment_id("4A7F", room) == "4A7F" &&
           parse_equipment_id("4a4B", room) == "4a4B");
    EXPECT(parse_equipment_id("G04B", room) == "G04B" && parse_equipment_id("4G", room) == "4G");
    EXPECT(parse_equipment_id("", room).empty());
    EXPECT(parse_equipment_id("4A57", std::span<char>()) == "4A57");
}
