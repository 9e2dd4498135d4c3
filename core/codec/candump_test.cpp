// SPDX-License-Identifier: Apache-2.0
#include "core/codec/candump.h"

#include "core/base/test.h"

namespace {

using namespace jw;
using candump::read_line;

bool is_limits(const candump::Line& line, std::optional<std::int64_t> time_us, const char* bus) {
    const CanFrame limits{0x351, false, 8, {0x43, 2, 0xE8, 3, 0x9E, 7, 0xD0, 1}};
    return line.code == Code::ok && line.logged && line.logged->frame == limits &&
           line.logged->time_us == time_us && line.logged->bus == bus;
}

TEST(lines_of_candump_l_are_read) {
    constexpr auto line = "(1436509052.249713) can0 351#4302E8039E07D001";
    EXPECT(is_limits(read_line(line), 1'436'509'052'249'713, "can0"));
    EXPECT(is_limits(read_line("(1.5) can0 351#4302e8039e07d001 R\r\n"), 1'500'000, "can0"));
    EXPECT(is_limits(read_line("(1.123456789) c 351#4302E8039E07D001"), 1'123'456, "c"));
}

TEST(lines_of_plain_candump_are_read) {
    EXPECT(is_limits(read_line("  can8  351   [8]  43 02 E8 03 9E 07 D0 01"), {}, "can8"));
    constexpr auto timed = " (000.010000)  can0  351   [8]  43 02 E8 03 9E 07 D0 01   'C.......'";
    EXPECT(is_limits(read_line(timed), 10'000, "can0"));
    constexpr auto crossed = "can0  RX - -  351   [8]  43 02 E8 03 9E 07 D0 01";
    EXPECT(read_line(crossed).code == Code::malformed);  // candump -x is not read
    EXPECT(is_limits(read_line("(7.250) RX0 351 [8] 43 02 E8 03 9E 07 D0 01"), 7'250'000, "RX0"));
}

TEST(lines_of_savvycan_are_read_in_both_versions) {
    constexpr auto second = "1436509052249713,00000351,false,Rx,0,8,43,02,E8,03,9E,07,D0,01,";
    EXPECT(is_limits(read_line(second), 1'436'509'052'249'713, "0"));
    constexpr auto first = "42,00000351,false,1,8,43,02,E8,03,9E,07,D0,01";
    EXPECT(is_limits(read_line(first), 42, "1"));
    const auto extended = read_line("42,1FFFFFFF,true,Rx,0,0,");
    EXPECT(extended.logged && extended.logged->frame.extended && extended.logged->frame.size == 0);
}

TEST(lines_without_a_frame_are_no_error) {
    for (const char* line : {"", "  \r\n", "# source", "Time Stamp,ID,Extended,Dir,Bus,LEN,D1"}) {
        EXPECT(read_line(line).code == Code::ok && !read_line(line).logged);
    }
}

TEST(bad_lines_say_what_and_where) {
    struct {
        const char* line;
        Code code;
        std::size_t at;
    } constexpr cases[] = {
        {"can0 351#123", Code::malformed, 12},
        {"can0 351#4302E8039E07D00100", Code::malformed, 25},
        {"can0 3511#00", Code::malformed, 9},
        {"can0 FFF#00", Code::out_of_range, 5},
        {"can0 3FFFFFFF#00", Code::unsupported, 5},
        {"can0 351#R8", Code::unsupported, 9},
        {"can0 351##100", Code::unsupported, 9},
        {"can0 351 [8] 43 02", Code::malformed, 18},
        {"can0 351 [1] 43 02", Code::malformed, 16},
        {"can0 351 [9] 43", Code::out_of_range, 10},
        {"can0 351 [2] remote request", Code::unsupported, 13},
        {"(1.x) can0 351#", Code::malformed, 3},
        {"hello", Code::malformed, 5},
        {"12,351,false,Rx,0,2,11", Code::malformed, 22},
        {"12,351,false,No,0,0", Code::malformed, 13},
        {"12,800,false,Rx,0,0", Code::out_of_range, 3},
    };
    for (const auto& c : cases) {
        const auto read = read_line(c.line);
        EXPECT(read.code == c.code && read.at == c.at && !read.logged && *read.wrong != 0);
    }
}

TEST(a_written_line_reads_as_the_same_frame) {
    std::array<char, candump::line_max> room{};
    for (const candump::LoggedFrame& logged :
         {candump::LoggedFrame{{0x351, false, 2, {0xC0, 0x0F}}, 1'436'509'052'000'013, "can0"},
          candump::LoggedFrame{{5, true, 0, {}}, 0, "a-bus-of-16-char"}}) {
        Text text(room);
        candump::put_line(logged, text);
        EXPECT(text.ok() && read_line(text.view()).logged == logged);
    }
}

TEST(a_line_is_written_as_candump_does) {
    std::array<char, candump::line_max> room{};
    Text text(room);
    candump::put_line({{0x35C, false, 2, {0xC0, 0}}, 1'500'000, "can1"}, text);
    EXPECT(text.view() == "(1.500000) can1 35C#C000\n");
}

TEST(a_line_of_savvycan_is_written_as_it_writes_it_and_reads_the_same) {
    std::array<char, candump::line_max> room{};
    Text text(room);
    candump::put_savvycan({{0x35C, false, 2, {0xC0, 0}}, 1'500'000, "can12"}, text);
    EXPECT(text.view() == "1500000,0000035C,false,Rx,12,2,C0,00,\n");
    EXPECT(!read_line(candump::savvycan_head).logged);
    for (const candump::LoggedFrame& logged :
         {candump::LoggedFrame{{0x1FFF'FFFF, true, 8, {1, 2, 3}}, 999'999'999'999'999'999, "9999"},
          candump::LoggedFrame{{5, false, 0, {}}, 0, "0"}}) {
        text.clear();
        candump::put_savvycan(logged, text);
        EXPECT(text.ok() && read_line(text.view()).logged == logged);
    }
}

}  // namespace
