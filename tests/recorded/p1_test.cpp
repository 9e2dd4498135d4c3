// SPDX-License-Identifier: Apache-2.0
// Recorded P1 telegrams of ten meters: what each says was written down by reading it; those with a
// CRC are refused for every byte that is changed to any other.
#include <optional>
#include <set>
#include <vector>

#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"
#include "tests/recorded/recorded.h"

namespace {

using namespace jw;
using Q = Quantity;

struct Expected {
    const char* file;
    bool checked;
    const char* maker;
    const char* model;
    const char* version;
    const char* serial;
    std::vector<Value> values;  // all of them
};

const std::vector<Expected> expectations = {
    {"dsmr_TELEGRAM_ESY5Q3DA1004_V304.txt",
     false,
     "ESY",
     "Q3DA1004 V3.04",
     "",
     "1ESY1336001560",
     {{Q::energy_import_wh, 0, 32549506},
      {Q::power_w, 1, 557},
      {Q::power_w, 2, 522},
      {Q::power_w, 3, 609},
      {Q::power_w, 0, 1688}}},
    {"dsmr_TELEGRAM_ESY5Q3DB1024_V304.txt",
     false,
     "ESY",
     "Q3DB1024 V3.04",
     "",
     "1ESY1313002565",
     {{Q::energy_import_wh, 0, 52185783},
      {Q::energy_export_wh, 0, 19949322},
      {Q::power_w, 1, 748},
      {Q::power_w, 2, 737},
      {Q::power_w, 3, 640},
      {Q::power_w, 0, 2125}}},
    {"dsmr_TELEGRAM_FLUVIUS_V171.txt",
     true,
     "FLU",
     "53769484_A",
     "50217",
     "1SAG3101021605",
     {{Q::energy_import_wh, 0, 15792},
      {Q::energy_import_wh, 1, 34},
      {Q::energy_import_wh, 2, 15758},
      {Q::energy_export_wh, 0, 11},
      {Q::energy_export_wh, 1, 0},
      {Q::energy_export_wh, 2, 11},
      {Q::demand_average_w, 0, 2351},
      {Q::demand_peak_w, 0, 2589},
      {Q::tariff, 0, 1},
      {Q::power_w, 0, 0},
      {Q::export_power_w, 0, 0},
      {Q::power_w, 1, 0},
      {Q::power_w, 2, 0},
      {Q::power_w, 3, 0},
      {Q::voltage_mv, 1, 234700},
      {Q::voltage_mv, 2, 234700},
      {Q::voltage_mv, 3, 234700},
      {Q::current_ma, 1, 0},
      {Q::current_ma, 2, 0},
      {Q::current_ma, 3, 0},
      {Q::gas_volume_l, 0, 112384},
      {Q::water_volume_l, 0, 872234}}},
    {"dsmr_TELEGRAM_FLUVIUS_V171_ALT.txt",
     true,
     "FLU",
     "53769484_A",
     "50217",
     "1SAG3100721326",
     {{Q::energy_import_wh, 0, 571562},
      {Q::energy_import_wh, 1, 301548},
      {Q::energy_import_wh, 2, 270014},
      {Q::energy_export_wh, 0, 5},
      {Q::energy_export_wh, 1, 5},
      {Q::energy_export_wh, 2, 0},
      {Q::tariff, 0, 1},
      {Q::demand_average_w, 0, 52},
      {Q::demand_peak_w, 0, 3064},
      {Q::power_w, 0, 338},
      {Q::export_power_w, 0, 0},
      {Q::power_w, 1, 47},
      {Q::power_w, 2, 179},
      {Q::power_w, 3, 111},
      {Q::voltage_mv, 1, 232900},
      {Q::voltage_mv, 2, 228100},
      {Q::voltage_mv, 3, 228100},
      {Q::current_ma, 1, 270},
      {Q::current_ma, 2, 880},
      {Q::current_ma, 3, 520},
      {Q::gas_volume_l, 0, 92287},
      {Q::water_volume_l, 0, 8579}}},
    {"dsmr_TELEGRAM_UNPADDED_CRC.txt",
     true,
     "NWA",
     "WARMTELINK",
     "50",
     "ADC3100000158491",
     {{Q::heat_energy_wh, 0, 66905556}}},
    {"dsmr_TELEGRAM_V2_2.txt",
     false,
     "ISk",
     "MT382-1004",
     "",
     "00000000000000",
     {{Q::energy_import_wh, 0, 2002},
      {Q::energy_import_wh, 1, 1001},
      {Q::energy_import_wh, 2, 1001},
      {Q::energy_export_wh, 0, 2002},
      {Q::energy_export_wh, 1, 1001},
      {Q::energy_export_wh, 2, 1001},
      {Q::tariff, 0, 1},
      {Q::power_w, 0, 1010},
      {Q::export_power_w, 0, 0},
      {Q::gas_volume_l, 0, 1001}}},
    {"dsmr_TELEGRAM_V3.txt",
     false,
     "ISk",
     "MT382-1000",
     "",
     "K8EG004046395507",
     {{Q::energy_import_wh, 0, 24691356},
      {Q::energy_import_wh, 1, 12345678},
      {Q::energy_import_wh, 2, 12345678},
      {Q::energy_export_wh, 0, 24691356},
      {Q::energy_export_wh, 1, 12345678},
      {Q::energy_export_wh, 2, 12345678},
      {Q::tariff, 0, 2},
      {Q::power_w, 0, 1190},
      {Q::export_power_w, 0, 0},
      {Q::current_limit_ma, 0, 16000},
      {Q::gas_volume_l, 0, 1001}}},
    {"dsmr_TELEGRAM_V4_2.txt",
     true,
     "KFM",
     "KAIFA-METER",
     "42",
     "3960221976967177082151037881335713",
     {{Q::energy_import_wh, 0, 3016829},
      {Q::energy_import_wh, 1, 1581123},
      {Q::energy_import_wh, 2, 1435706},
      {Q::energy_export_wh, 0, 0},
      {Q::energy_export_wh, 1, 0},
      {Q::energy_export_wh, 2, 0},
      {Q::tariff, 0, 2},
      {Q::power_w, 0, 2027},
      {Q::export_power_w, 0, 0},
      {Q::power_failure_count, 0, 15},
      {Q::current_ma, 1, 0},
      {Q::current_ma, 2, 6000},
      {Q::current_ma, 3, 2000},
      {Q::power_w, 1, 170},
      {Q::power_w, 2, 1247},
      {Q::power_w, 3, 209},
      {Q::gas_volume_l, 0, 981443}}},
    {"dsmr_TELEGRAM_V5.txt",
     true,
     "ISk",
     "MT382-1000",
     "50",
     "K8EG004046395507",
     {{Q::energy_import_wh, 0, 6825},
      {Q::energy_import_wh, 1, 4426},
      {Q::energy_import_wh, 2, 2399},
      {Q::energy_export_wh, 0, 2444},
      {Q::energy_export_wh, 1, 2444},
      {Q::energy_export_wh, 2, 0},
      {Q::tariff, 0, 2},
      {Q::power_w, 0, 244},
      {Q::export_power_w, 0, 0},
      {Q::power_failure_count, 0, 13},
      {Q::voltage_mv, 1, 230000},
      {Q::voltage_mv, 2, 230000},
      {Q::voltage_mv, 3, 229000},
      {Q::current_ma, 1, 480},
      {Q::current_ma, 2, 440},
      {Q::current_ma, 3, 860},
      {Q::power_w, 1, 70},
      {Q::power_w, 2, 32},
      {Q::power_w, 3, 142},
      {Q::gas_volume_l, 0, 107}}},
    {"srcful_homewizard_LGF5E360.txt",
     true,
     "LGF",
     "E360",
     "",
     "",
     {{Q::energy_import_wh, 0, 10071342},
      {Q::energy_export_wh, 0, 0},
      {Q::reactive_energy_import_varh, 0, 4935},
      {Q::reactive_energy_export_varh, 0, 1949931},
      {Q::power_w, 0, 290},
      {Q::export_power_w, 0, 0},
      {Q::reactive_power_var, 0, -159},
      {Q::power_w, 1, 58},
      {Q::power_w, 2, 224},
      {Q::power_w, 3, 6},
      {Q::reactive_power_var, 1, -39},
      {Q::reactive_power_var, 2, -104},
      {Q::reactive_power_var, 3, -15},
      {Q::voltage_mv, 1, 234000},
      {Q::voltage_mv, 2, 231900},
      {Q::voltage_mv, 3, 232700},
      {Q::current_ma, 1, 300},
      {Q::current_ma, 2, 1000},
      {Q::current_ma, 3, 0}}},
};

/// The one telegram that the bytes hold, or nothing where it is refused.
std::optional<p1::Received> accepted(p1::Receiver& receiver, const std::string& bytes) {
    std::optional<p1::Received> result;
    receiver.reset();
    for (const char c : bytes) {
        const auto ended = receiver.put(static_cast<std::uint8_t>(c));
        if (ended && ended->code == Code::ok && !result) {
            Values values;
            if (p1::read_values(ended->telegram, 1, values)) {
                return ended;
            }
        }
    }
    return std::nullopt;
}

TEST(recorded, p1_telegrams_decode_to_what_they_say) {
    const auto folder = recorded::folder("inverters/p1");
    JW_NEED_RECORDED(folder);
    for (const Expected& expected : expectations) {
        SCOPED_TRACE(expected.file);
        std::vector<std::uint8_t> buffer(4096);
        p1::Receiver receiver(buffer);
        const auto received = accepted(receiver, recorded::bytes_of(folder / expected.file));
        ASSERT_TRUE(received.has_value());
        EXPECT_EQ(received->checked, expected.checked);
        const DeviceInfo info = p1::describe(received->telegram);
        EXPECT_EQ(info.maker.view(), expected.maker);
        EXPECT_EQ(info.model.view(), expected.model);
        EXPECT_EQ(info.version.view(), expected.version);
        EXPECT_EQ(info.serial, Label(std::string_view(expected.serial)));
        Values values;
        ASSERT_TRUE(p1::read_values(received->telegram, 1, values).has_value());
        EXPECT_EQ(values.size(), expected.values.size());
        for (const Value& value : expected.values) {
            const Value* found = values.find(value.quantity, value.index);
            ASSERT_NE(found, nullptr) << static_cast<int>(value.quantity);
            EXPECT_EQ(found->number, value.number) << static_cast<int>(value.quantity);
        }
    }
}

TEST(recorded, p1_every_file_has_its_expectation) {
    const auto folder = recorded::folder("inverters/p1");
    JW_NEED_RECORDED(folder);
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".txt") {
            files.insert(entry.path().filename().string());
        }
    }
    std::set<std::string> expected;
    for (const Expected& one : expectations) {
        expected.insert(one.file);
    }
    EXPECT_EQ(files, expected);
}

TEST(recorded, p1_telegrams_with_crc_are_refused_for_every_changed_byte) {
    const auto folder = recorded::folder("inverters/p1");
    JW_NEED_RECORDED(folder);
    std::vector<std::uint8_t> buffer(4096);
    p1::Receiver receiver(buffer);
    int telegrams = 0;
    for (const Expected& expected : expectations) {
        if (!expected.checked) {
            continue;
        }
        ++telegrams;
        std::string bytes = recorded::bytes_of(folder / expected.file);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const char original = bytes[i];
            // Each single bit, and all of them: every other value would take a minute.
            for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                bytes[i] = static_cast<char>(original ^ flip);
                ASSERT_FALSE(accepted(receiver, bytes)) << expected.file << " byte " << i;
            }
            bytes[i] = original;
        }
    }
    EXPECT_EQ(telegrams, 6);
}

}  // namespace
