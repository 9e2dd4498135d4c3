// SPDX-License-Identifier: Apache-2.0
// Recorded register dumps of a TinyBMS: each register decodes to the number that was printed beside
// it, and a read that failed gives no value.
#include <cstdio>
#include <sstream>

#include "core/device/tinybms/dump.h"
#include "core/device/tinybms/fault_log.h"
#include "core/device/tinybms/pack_reading.h"
#include "core/device/tinybms/registers.h"
#include "tests/recorded/recorded.h"

namespace {

using namespace jw;
using namespace jw::tinybms;

struct Seen {
    int values = 0;  // with a number beside them, and equal to it
    int absent = 0;  // printed as the number that says so
    int parts = 0;   // words without a number beside them
    int failed = 0;
};

/// What stands behind a name and '='.
std::string after(std::string_view printed, std::string_view name) {
    const std::size_t at = printed.find(name);
    EXPECT_NE(at, std::string_view::npos) << printed;
    const std::string_view rest = printed.substr(at + name.size());
    return std::string(rest.substr(0, rest.find(',')));
}

void check_number(const DumpLine& line, const Register& what, Seen& seen) {
    SCOPED_TRACE("register " + std::to_string(line.address));
    ASSERT_EQ(line.count, words_of(what.type));
    const auto value = value_of(what, line.all());
    if (line.printed.find("LSB=") != std::string_view::npos) {
        ASSERT_TRUE(value && value->high);
        EXPECT_EQ(value->number, std::stoi(after(line.printed, "LSB=")));
        EXPECT_EQ(*value->high, std::stoi(after(line.printed, "MSB=")));
    } else if (what.type == Type::f32) {
        ASSERT_TRUE(value);
        char text[32];  // rounded as the sketch did, to two places
        std::snprintf(text, sizeof text, "%.2f", static_cast<double>(value->number) / 1000);
        EXPECT_EQ(text, after(line.printed, "="));
    } else if (!value) {
        EXPECT_TRUE(line.printed == "INT_16=-32768" || line.printed == "UINT_16=65535");
        ++seen.absent;
        return;
    } else {
        EXPECT_EQ(value->number, std::stoll(after(line.printed, "=")) * what.multiply);
    }
    ++seen.values;
}

void check(const std::filesystem::path& path, Seen& seen) {
    std::istringstream text(recorded::bytes_of(path));
    for (std::string row; std::getline(text, row);) {
        const auto line = parse_dump_line(row);
        ASSERT_TRUE(line.has_value()) << row;
        if (!*line) {
            EXPECT_EQ(row.find("HEX="), std::string::npos) << row;
            continue;
        }
        const auto place = place_of((*line)->address);
        ASSERT_TRUE(place.has_value()) << row;
        if ((*line)->failed) {
            EXPECT_TRUE((*line)->all().empty());
            ++seen.failed;
        } else if ((*line)->printed.empty()) {
            ++seen.parts;
        } else {
            check_number(**line, *place->what, seen);
        }
    }
}

/// All registers of a dump, those that it does not have 0.
std::array<std::uint16_t, 512> registers_of(const std::filesystem::path& path) {
    std::array<std::uint16_t, 512> registers{};
    std::istringstream text(recorded::bytes_of(path));
    for (std::string row; std::getline(text, row);) {
        const auto line = parse_dump_line(row);
        if (line && *line) {
            std::size_t at = (*line)->address;
            for (const std::uint16_t word : (*line)->all()) {
                registers.at(at++) = word;
            }
        }
    }
    return registers;
}

std::optional<std::int64_t> number(const Values& values,
                                   Quantity quantity,
                                   std::uint8_t index = 0) {
    const jw::Value* const found = values.find(quantity, index);
    return found == nullptr ? std::nullopt : std::optional(found->number);
}

TEST(recorded, tinybms_pack_of_14_cells_is_read_as_its_owner_printed_it) {
    const auto folder = recorded::folder("tinybms");
    JW_NEED_RECORDED(folder);
    const auto registers = registers_of(folder / "tinybms_registers_14s_hwserial.txt");
    const std::span<const std::uint16_t> all(registers);
    Values values;
    CellOrder order;
    EXPECT_EQ(put_live(all.first<live_words>(), order, values), 0U);
    EXPECT_EQ(number(values, Quantity::voltage_mv), 55'780);
    EXPECT_EQ(number(values, Quantity::current_ma), 0);
    EXPECT_EQ(number(values, Quantity::soc_permille), 836);
    EXPECT_EQ(number(values, Quantity::soh_permille), std::nullopt);
    EXPECT_EQ(number(values, Quantity::cell_voltage_min_mv), 3980);
    EXPECT_EQ(number(values, Quantity::cell_voltage_max_mv), 3990);
    EXPECT_EQ(number(values, Quantity::temperature_mc, 1), std::nullopt);
    EXPECT_EQ(number(values, Quantity::temperature_mc, 3), 9700);
    // The cells stand in registers 2 to 15 and have together what the pack has.
    std::int64_t sum_mv = 0;
    for (std::uint8_t cell = 1; cell <= 14; ++cell) {
        const std::int64_t mv = number(values, Quantity::cell_voltage_mv, cell).value_or(0);
        EXPECT_GE(mv, 3979) << int{cell};
        EXPECT_LE(mv, 3991) << int{cell};
        sum_mv += mv;
    }
    EXPECT_EQ(number(values, Quantity::cell_voltage_mv, 15), std::nullopt);
    EXPECT_NEAR(static_cast<double>(sum_mv), 55'780, 60);
    Values settings;
    EXPECT_EQ(put_settings(all.subspan<first_setting, setting_words>(), settings), 0U);
    EXPECT_EQ(number(settings, Quantity::capacity_mah), 66'000);
    EXPECT_EQ(number(settings, Quantity::cell_count), 14);
    DeviceInfo info;
    describe(all.subspan<first_version, version_words>(), info);
    EXPECT_TRUE(info.serial.empty());  // registers 504 to 509 are not in the dump
    EXPECT_EQ(info.version.view().substr(0, 6), "1.242,");
    FaultLog log;
    NewEvents fresh;
    log.status(registers[50], Instant{});
    log.read(all.subspan<first_event, event_words>(), 16'683'981, Instant{}, fresh);
    EXPECT_TRUE(fresh.empty());
    EXPECT_EQ(log.alarm_bits(), 0U);
}

TEST(recorded, tinybms_registers_decode_to_the_number_printed_beside_them) {
    const auto folder = recorded::folder("tinybms");
    JW_NEED_RECORDED(folder);
    Seen seen;
    check(folder / "tinybms_registers_14s_hwserial.txt", seen);
    EXPECT_EQ(seen.failed, 0);
    EXPECT_EQ(seen.absent, 3);
    EXPECT_EQ(seen.values + seen.absent + seen.parts, 71);
    EXPECT_EQ(seen.parts, 13);
}

TEST(recorded, tinybms_failed_reads_of_a_bad_line_give_no_value) {
    const auto folder = recorded::folder("tinybms");
    JW_NEED_RECORDED(folder);
    Seen seen;
    check(folder / "tinybms_registers_14s_swserial_badline.txt", seen);
    EXPECT_EQ(seen.failed, 18);
    EXPECT_EQ(seen.values + seen.absent + seen.parts, 124);
}

}  // namespace
