// SPDX-License-Identifier: Apache-2.0
// What the words of registers say, and lines of dumps. The numbers are those of a real BMS.
#include "core/device/tinybms/registers.h"

#include "core/base/test.h"
#include "core/device/tinybms/dump.h"

using namespace jw;
using namespace jw::tinybms;

namespace {

constexpr std::int64_t nothing = -999'999;

/// The number at an address, `nothing` where there is none.
std::int64_t number(std::uint16_t address, std::initializer_list<std::uint16_t> words) {
    const auto place = place_of(address);
    if (!place || place->word != 0 || words.size() != words_of(place->what->type)) {
        return nothing;
    }
    const auto value = value_of(*place->what, {words.begin(), words.size()});
    return value ? value->number : nothing;
}

}  // namespace

TEST(tinybms_words_become_numbers_with_the_low_word_first) {
    EXPECT(number(5, {0x9B82}) == 39810);
    EXPECT(number(32, {0x93CD, 0x00FE}) == 16'683'981);
    EXPECT(number(36, {0x1EB8, 0x425F}) == 55'780);
    EXPECT(number(38, {0x6666, 0xC146}) == -12'400);
    EXPECT(number(46, {0xF208, 0x04FA}) == 83'554'824);
    EXPECT(number(306, {0x19C8}) == 6600);
    EXPECT(number(50, {0x97}) == 0x97);
    EXPECT(number(320, {0xFFD8}) == -40);
    EXPECT(number(332, {0xFF05}) == 5);
}

TEST(tinybms_a_health_of_485_is_not_97_percent) {
    // 0.002 % a step.
    EXPECT(number(45, {485}) == 970 && place_of(45)->what->decimals == 3);
    EXPECT(number(45, {48'500}) == 97'000);
}

TEST(tinybms_what_is_not_connected_or_taken_over_has_no_value) {
    EXPECT(number(42, {0x8000}) == nothing);
    EXPECT(number(43, {0x8000}) == nothing);
    EXPECT(number(43, {0x8001}) == -32767);
    EXPECT(number(328, {0xFFFF}) == nothing);
    EXPECT(number(328, {0x1234}) == 0x1234 * 2);
    EXPECT(number(36, {0x0000, 0x7FC0}) == nothing);
}

TEST(tinybms_pairs_have_a_sign_each_where_the_table_says_so) {
    const std::uint16_t word[] = {0x19F8};
    const auto temperatures = value_of(*place_of(113)->what, word);
    EXPECT(temperatures && temperatures->number == -8 && temperatures->high == 25);
    const auto causes = value_of(*place_of(114)->what, word);
    EXPECT(causes && causes->number == 0xF8 && causes->high == 0x19);
}

TEST(tinybms_events_have_24_bits_of_time_and_an_id) {
    const Event first = event_of(0x1226, 0x6500);
    EXPECT(first.time_s == 4646 && first.id == 0x65);
    EXPECT(event_name(first.id) == std::string_view("charger_disconnected"));
    const Event second = event_of(0x4E2B, 0x64B9);
    EXPECT(second.time_s == 12'144'171 && second.id == 0x64);
    EXPECT(event_name(0x40) == nullptr);
    EXPECT(status_name(0x97) == std::string_view("idle") && status_name(0) == nullptr);
}

TEST(tinybms_a_serial_number_is_24_hex_digits) {
    const std::array<std::uint16_t, 6> words{0x0026, 0x002C, 0x3437, 0x510D, 0x3133, 0x3732};
    std::array<char, 24> room{};
    Text text(room);
    put_serial(words, text);
    EXPECT(text.ok() && text.view() == "0026002c3437510d31333732");
}

TEST(tinybms_addresses_lie_where_the_table_says) {
    EXPECT(place_of(15)->item == 15 && place_of(15)->what->address == 0);
    EXPECT(!place_of(16) && !place_of(49) && !place_of(302) && !place_of(510));
    EXPECT(place_of(297)->item == 48 && place_of(297)->word == 1 && !place_of(298));
    std::array<char, 40> room{};
    Text text(room);
    put_name(*place_of(3), text);
    EXPECT(text.view() == "cell_voltage_4");
    text.clear();
    put_name(*place_of(36), text);
    EXPECT(text.view() == "pack_voltage");
}

TEST(tinybms_dump_lines_give_their_words) {
    const auto pair = parse_dump_line("Register 36: HEX=1eb8_425f, FLOAT=55.78\r");
    EXPECT(pair && *pair && (*pair)->address == 36 && (*pair)->count == 2);
    EXPECT((*pair)->words[0] == 0x1EB8 && (*pair)->words[1] == 0x425F);
    EXPECT((*pair)->printed == "FLOAT=55.78" && !(*pair)->failed);
    const auto spaced = parse_dump_line("Register 32: HEX=A149 BE, UINT_32=12493129");
    EXPECT(spaced && *spaced && (*spaced)->words[1] == 0xBE);
    const auto signed_one = parse_dump_line("Register 42: HEX=FFFF8000, INT_16=-32768");
    EXPECT(signed_one && *signed_one && (*signed_one)->words[0] == 0x8000);
    const auto bare = parse_dump_line("Register 200: HEX=1226");
    EXPECT(bare && *bare && (*bare)->count == 1 && (*bare)->printed.empty());
    const auto failed = parse_dump_line("Error reading register 12");
    EXPECT(failed && *failed && (*failed)->failed && (*failed)->address == 12);
}

TEST(tinybms_lines_about_no_register_are_passed_over_and_broken_ones_refused) {
    for (const char* line : {"",
                             "DONE",
                             "ERROR 227",
                             " Register output has been sorted",
                             "Register output has been sorted",
                             "Read 1:n=50,avg=2ms,err=0"}) {
        const auto parsed = parse_dump_line(line);
        EXPECT(parsed && !*parsed);
    }
    for (const char* line : {"Register 5",
                             "Register 5: HEX=",
                             "Register 5: HEX=xyz",
                             "Register 70000: HEX=1",
                             "Register 5: HEX=12345",
                             "Register 5: HEX=1_",
                             "Register 5: HEX=1_12345",
                             "Register 5: HEX=1 UINT_16=1",
                             "Register 5: HEX=123456789",
                             "Error reading register 5x",
                             "Register 5: HEX=1_-1"}) {
        const auto parsed = parse_dump_line(line);
        EXPECT(parsed.code() == Code::malformed);
    }
}
