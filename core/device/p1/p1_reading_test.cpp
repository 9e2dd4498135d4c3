// SPDX-License-Identifier: Apache-2.0
// Tests of what the rows of a P1 telegram mean.
#include "core/device/p1/p1_reading.h"

#include <array>

#include "core/base/test.h"

using namespace jw;
using Q = Quantity;

namespace {

/// A telegram around the given rows.
std::string_view telegram(std::string_view rows) {
    static std::array<char, 1024> buffer;
    static Text text(buffer);
    text = Text(buffer);
    text.put("/JWY5\\2TEST-1\r\n\r\n").put(rows).put('!');
    return text.view();
}

Values values(std::string_view rows, std::int8_t sign = 1) {
    Values out;
    EXPECT(p1::read_values(telegram(rows), sign, out));
    return out;
}

bool is(const Values& values, Quantity quantity, std::uint8_t index, std::int64_t number) {
    const Value* value = values.find(quantity, index);
    return value != nullptr && value->number == number;
}

}  // namespace

TEST(p1_power_is_import_minus_export) {
    const Values v = values(
        "1-0:1.7.0(00.244*kW)\r\n1-0:2.7.0(01.500*kW)\r\n1-0:21.7.0(00.100*kW)\r\n"
        "1-0:62.7.0(00.300*kW)\r\n");
    EXPECT(is(v, Q::power_w, 0, -1256) && is(v, Q::export_power_w, 0, 1500));
    EXPECT(is(v, Q::power_w, 1, 100) && is(v, Q::power_w, 3, -300));
    EXPECT(v.find(Q::power_w, 2) == nullptr);
}

TEST(p1_power_turns_around_for_a_meter_built_in_turned) {
    const Values v = values("1-0:1.7.0(00.244*kW)\r\n1-0:3.7.0(0.010*kVAr)\r\n", -1);
    EXPECT(is(v, Q::power_w, 0, -244) && is(v, Q::reactive_power_var, 0, -10));
}

TEST(p1_energy_of_tariffs_adds_up_to_index_0) {
    const Values v = values(
        "1-0:1.8.1(000004.426*kWh)\r\n1-0:1.8.2(000002.399*kWh)\r\n"
        "1-0:2.8.2(000001.000*kWh)\r\n");
    EXPECT(is(v, Q::energy_import_wh, 1, 4426) && is(v, Q::energy_import_wh, 2, 2399));
    EXPECT(is(v, Q::energy_import_wh, 0, 6825) && is(v, Q::energy_export_wh, 0, 1000));
}

TEST(p1_energy_that_the_meter_sums_itself_is_not_summed_again) {
    const Values v = values("1-0:1.8.1(000004.426*kWh)\r\n1-0:1.8.0(000009.000*kWh)\r\n");
    EXPECT(is(v, Q::energy_import_wh, 0, 9000));
}

TEST(p1_energy_without_its_row_is_absent) {
    EXPECT(values("1-0:1.7.0(00.244*kW)\r\n").find(Q::energy_import_wh) == nullptr);
}

TEST(p1_phases_frequency_and_states) {
    const Values v = values(
        "1-0:32.7.0(230.1*V)\r\n1-0:71.7.0(0.86*A)\r\n1-0:14.7.0(50.01*Hz)\r\n"
        "1-0:13.7.0(0.998)\r\n0-0:96.14.0(0002)\r\n0-0:96.7.21(00013)\r\n"
        "1-0:3.8.0(4.935*kVArh)\r\n1-0:31.4.0(060*A)\r\n");
    EXPECT(is(v, Q::voltage_mv, 1, 230100) && is(v, Q::current_ma, 3, 860));
    EXPECT(is(v, Q::frequency_mhz, 0, 50010) && is(v, Q::power_factor_permille, 0, 998));
    EXPECT(is(v, Q::tariff, 0, 2) && is(v, Q::power_failure_count, 0, 13));
    EXPECT(is(v, Q::reactive_energy_import_varh, 0, 4935) && is(v, Q::current_limit_ma, 0, 60000));
    EXPECT(v.size() == 8);
}

TEST(p1_demand_and_a_limit_that_is_none) {
    const Values v = values(
        "1-0:1.4.0(02.351*kW)\r\n1-0:1.6.0(200509134558S)(02.589*kW)\r\n1-0:31.4.0(999*A)\r\n"
        "0-0:17.0.0(999.9*kW)\r\n");
    EXPECT(is(v, Q::demand_average_w, 0, 2351) && is(v, Q::demand_peak_w, 0, 2589));
    EXPECT(v.size() == 2);
}

TEST(p1_a_value_in_a_strange_unit_is_absent) {
    EXPECT(values("1-0:1.7.0(00.244*kV)\r\n1-0:32.7.0(230.1)\r\n1-0:1.8.0()\r\n").empty());
}

TEST(p1_the_first_of_two_rows_with_one_name_counts) {
    EXPECT(is(values("1-0:1.7.0(1*kW)\r\n1-0:1.7.0(2*kW)\r\n"), Q::power_w, 0, 1000));
}

TEST(p1_sub_meters_are_known_by_their_type_wherever_it_stands) {
    const Values v = values(
        "0-1:24.2.1(170102161005W)(00000.107*m3)\r\n0-1:24.1.0(003)\r\n0-2:24.1.0(007)\r\n"
        "0-2:24.2.1(170102161005W)(00872.234*m3)\r\n0-3:24.1.0(003)\r\n"
        "0-3:24.2.3(170102161005W)(00001.000*m3)\r\n0-4:24.1.0(004)\r\n"
        "0-4:24.2.1(170102161005W)(240.860*GJ)\r\n");
    EXPECT(is(v, Q::gas_volume_l, 0, 107) && is(v, Q::gas_volume_l, 2, 1000));
    EXPECT(is(v, Q::water_volume_l, 0, 872234) && is(v, Q::heat_energy_wh, 0, 66905556));
}

TEST(p1_sub_meters_of_unknown_type_or_channel_are_left_out) {
    EXPECT(values("0-1:24.2.1(170102161005W)(1*m3)\r\n0-9:24.1.0(003)\r\n"
                  "0-9:24.2.1(170102161005W)(1*m3)\r\n0-2:24.1.0(003)\r\n"
                  "0-2:24.2.1(170102161005W)(1*kWh)\r\n0-3:24.1.0(4)\r\n0-3:24.2.1(1*m3)\r\n")
               .empty());
}

TEST(p1_heat_is_read_in_each_of_its_units) {
    EXPECT(is(values("0-1:24.1.0(4)\r\n0-1:24.2.1(3.6*MJ)\r\n"), Q::heat_energy_wh, 0, 1000));
    EXPECT(is(values("0-1:24.1.0(12)\r\n0-1:24.2.1(3.6*MWh)\r\n"), Q::heat_energy_wh, 0, 3600000));
    EXPECT(is(values("0-1:24.1.0(12)\r\n0-1:24.2.1(3.6*kWh)\r\n"), Q::heat_energy_wh, 0, 3600));
}

TEST(p1_gas_of_old_meters_takes_its_unit_from_the_group_before) {
    const Values v = values(
        "0-1:24.1.0(03)\r\n0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n");
    EXPECT(is(v, Q::gas_volume_l, 0, 1001) && v.size() == 1);
}

TEST(p1_a_broken_telegram_gives_no_value_at_all) {
    Values out;
    const Status status =
        p1::read_values(telegram("1-0:1.7.0(1*kW)\r\n1-0:2.7.0(1*kW\r\n"), 1, out);
    EXPECT(status.code() == Code::malformed && out.empty());
}

TEST(p1_describes_the_meter) {
    const DeviceInfo info =
        p1::describe(telegram("1-3:0.2.8(50)\r\n0-0:96.1.1(4A57594D455445523031)\r\n"));
    EXPECT(info.maker == "JWY" && info.model == "TEST-1");
    EXPECT(info.version == "50" && info.serial == "JWYMETER01");
    EXPECT(p1::describe("/LGF5E360\r\n\r\n!").model == "E360");
    EXPECT(p1::describe("").maker.empty());
}

TEST(p1_numbers_that_no_meter_can_mean_are_left_out_and_counted) {
    const Values v = values("1-0:32.7.0(99999999999999999*V)\r\n1-0:31.7.0(1*A)\r\n");
    EXPECT(v.size() == 1 && is(v, Q::current_ma, 1, 1000) && v.left_out() == 1);
}

TEST(p1_power_of_which_one_part_is_impossible_is_left_out) {
    const Values v = values("1-0:1.7.0(9000000000000000*kW)\r\n1-0:2.7.0(9000000000000000*kW)\r\n");
    EXPECT(v.empty() && v.left_out() == 2);  // power and what is exported
}

TEST(p1_energy_of_tariffs_of_which_one_is_impossible_has_no_sum) {
    const Values v = values("1-0:1.8.1(9000000000000000*kWh)\r\n1-0:1.8.2(000002.399*kWh)\r\n");
    EXPECT(v.size() == 1 && is(v, Q::energy_import_wh, 2, 2399) && v.left_out() == 2);
}

TEST(p1_heat_near_the_end_of_the_type_is_left_out) {
    const Values v = values("0-1:24.1.0(4)\r\n0-1:24.2.1(1)(9223372036.854775*GJ)\r\n");
    EXPECT(v.empty() && v.left_out() == 1);
}

TEST(p1_sub_meters_keep_their_index_when_the_first_is_impossible) {
    const Values v = values(
        "0-1:24.1.0(3)\r\n0-2:24.1.0(3)\r\n0-1:24.2.1(1)(99999999999999999*m3)\r\n"
        "0-2:24.2.1(1)(12.5*m3)\r\n");
    EXPECT(v.size() == 1 && is(v, Q::gas_volume_l, 2, 12'500) && v.left_out() == 1);
}
