// SPDX-License-Identifier: Apache-2.0
#pragma once
// Points of SunSpec models 1, 101 to 160: common, inverters, their ratings, controls and inputs.
#include "core/device/sunspec/models.h"

namespace jw::sunspec {

using Q = Quantity;

constexpr Point common[] = {
    {"Mn", 2, Type::string, 16, 0},
    {"Md", 18, Type::string, 16, 0},
    {"Opt", 34, Type::string, 8, 0},
    {"Vr", 42, Type::string, 8, 0},
    {"SN", 50, Type::string, 16, 0},
    {"DA", 66, Type::uint16, 1, 0},
};

// 101 one phase, 102 split phase, 103 three phases.
constexpr Point inverter[] = {
    {"A", 2, Type::uint16, 1, 6, Q::current_ma, 0, 3},
    {"AphA", 3, Type::uint16, 1, 6, Q::current_ma, 1, 3},
    {"AphB", 4, Type::uint16, 1, 6, Q::current_ma, 2, 3},
    {"AphC", 5, Type::uint16, 1, 6, Q::current_ma, 3, 3},
    {"PPVphAB", 7, Type::uint16, 1, 13, Q::line_voltage_mv, 1, 3},
    {"PPVphBC", 8, Type::uint16, 1, 13, Q::line_voltage_mv, 2, 3},
    {"PPVphCA", 9, Type::uint16, 1, 13, Q::line_voltage_mv, 3, 3},
    {"PhVphA", 10, Type::uint16, 1, 13, Q::voltage_mv, 1, 3},
    {"PhVphB", 11, Type::uint16, 1, 13, Q::voltage_mv, 2, 3},
    {"PhVphC", 12, Type::uint16, 1, 13, Q::voltage_mv, 3, 3},
    {"W", 14, Type::int16, 1, 15, Q::power_w},
    {"Hz", 16, Type::uint16, 1, 17, Q::frequency_mhz, 0, 3},
    {"VA", 18, Type::int16, 1, 19, Q::apparent_power_va},
    {"VAr", 20, Type::int16, 1, 21, Q::reactive_power_var},
    {"PF", 22, Type::int16, 1, 23, Q::power_factor_permille, 0, 1},
    {"WH", 24, Type::acc32, 2, 26, Q::energy_production_wh},
    {"DCA", 27, Type::uint16, 1, 28, Q::dc_current_ma, 0, 3},
    {"DCV", 29, Type::uint16, 1, 30, Q::dc_voltage_mv, 0, 3},
    {"DCW", 31, Type::int16, 1, 32, Q::dc_power_w},
    {"TmpCab", 33, Type::int16, 1, 37, Q::temperature_mc, 0, 3},
    {"TmpSnk", 34, Type::int16, 1, 37, Q::temperature_mc, 1, 3},
    {"TmpTrns", 35, Type::int16, 1, 37, Q::temperature_mc, 2, 3},
    {"TmpOt", 36, Type::int16, 1, 37, Q::temperature_mc, 3, 3},
    {"St", 38, Type::enum16, 1, 0, Q::operating_state},
    {"StVnd", 39, Type::enum16, 1, 0},
    {"Evt1", 40, Type::bitfield32, 2, 0, Q::event_bits},
    {"Evt2", 42, Type::bitfield32, 2, 0},
    {"EvtVnd1", 44, Type::bitfield32, 2, 0},
    {"EvtVnd2", 46, Type::bitfield32, 2, 0},
    {"EvtVnd3", 48, Type::bitfield32, 2, 0},
    {"EvtVnd4", 50, Type::bitfield32, 2, 0},
};

// 111 to 113: the same with floats.
constexpr Point inverter_float[] = {
    {"A", 2, Type::float32, 2, 0, Q::current_ma, 0, 3},
    {"AphA", 4, Type::float32, 2, 0, Q::current_ma, 1, 3},
    {"AphB", 6, Type::float32, 2, 0, Q::current_ma, 2, 3},
    {"AphC", 8, Type::float32, 2, 0, Q::current_ma, 3, 3},
    {"PPVphAB", 10, Type::float32, 2, 0, Q::line_voltage_mv, 1, 3},
    {"PPVphBC", 12, Type::float32, 2, 0, Q::line_voltage_mv, 2, 3},
    {"PPVphCA", 14, Type::float32, 2, 0, Q::line_voltage_mv, 3, 3},
    {"PhVphA", 16, Type::float32, 2, 0, Q::voltage_mv, 1, 3},
    {"PhVphB", 18, Type::float32, 2, 0, Q::voltage_mv, 2, 3},
    {"PhVphC", 20, Type::float32, 2, 0, Q::voltage_mv, 3, 3},
    {"W", 22, Type::float32, 2, 0, Q::power_w},
    {"Hz", 24, Type::float32, 2, 0, Q::frequency_mhz, 0, 3},
    {"VA", 26, Type::float32, 2, 0, Q::apparent_power_va},
    {"VAr", 28, Type::float32, 2, 0, Q::reactive_power_var},
    {"PF", 30, Type::float32, 2, 0, Q::power_factor_permille, 0, 1},
    {"WH", 32, Type::float32, 2, 0, Q::energy_production_wh},
    {"DCA", 34, Type::float32, 2, 0, Q::dc_current_ma, 0, 3},
    {"DCV", 36, Type::float32, 2, 0, Q::dc_voltage_mv, 0, 3},
    {"DCW", 38, Type::float32, 2, 0, Q::dc_power_w},
    {"TmpCab", 40, Type::float32, 2, 0, Q::temperature_mc, 0, 3},
    {"TmpSnk", 42, Type::float32, 2, 0, Q::temperature_mc, 1, 3},
    {"TmpTrns", 44, Type::float32, 2, 0, Q::temperature_mc, 2, 3},
    {"TmpOt", 46, Type::float32, 2, 0, Q::temperature_mc, 3, 3},
    {"St", 48, Type::enum16, 1, 0, Q::operating_state},
    {"StVnd", 49, Type::enum16, 1, 0},
    {"Evt1", 50, Type::bitfield32, 2, 0, Q::event_bits},
    {"Evt2", 52, Type::bitfield32, 2, 0},
    {"EvtVnd1", 54, Type::bitfield32, 2, 0},
    {"EvtVnd2", 56, Type::bitfield32, 2, 0},
    {"EvtVnd3", 58, Type::bitfield32, 2, 0},
    {"EvtVnd4", 60, Type::bitfield32, 2, 0},
};

constexpr Point nameplate[] = {
    {"DERTyp", 2, Type::enum16, 1, 0},
    {"WRtg", 3, Type::uint16, 1, 4, Q::rated_power_w},
    {"VARtg", 5, Type::uint16, 1, 6, Q::rated_apparent_power_va},
    {"VArRtgQ1", 7, Type::int16, 1, 11},
    {"VArRtgQ2", 8, Type::int16, 1, 11},
    {"VArRtgQ3", 9, Type::int16, 1, 11},
    {"VArRtgQ4", 10, Type::int16, 1, 11},
    {"ARtg", 12, Type::uint16, 1, 13},
    {"PFRtgQ1", 14, Type::int16, 1, 18},
    {"PFRtgQ2", 15, Type::int16, 1, 18},
    {"PFRtgQ3", 16, Type::int16, 1, 18},
    {"PFRtgQ4", 17, Type::int16, 1, 18},
    {"WHRtg", 19, Type::uint16, 1, 20, Q::capacity_wh},
    {"AhrRtg", 21, Type::uint16, 1, 22},
    {"MaxChaRte", 23, Type::uint16, 1, 24, Q::charge_power_max_w},
    {"MaxDisChaRte", 25, Type::uint16, 1, 26, Q::discharge_power_max_w},
};

constexpr Point settings[] = {
    {"WMax", 2, Type::uint16, 1, 22},      {"VRef", 3, Type::uint16, 1, 23},
    {"VRefOfs", 4, Type::int16, 1, 24},    {"VMax", 5, Type::uint16, 1, 25},
    {"VMin", 6, Type::uint16, 1, 25},      {"VAMax", 7, Type::uint16, 1, 26},
    {"VArMaxQ1", 8, Type::int16, 1, 27},   {"VArMaxQ2", 9, Type::int16, 1, 27},
    {"VArMaxQ3", 10, Type::int16, 1, 27},  {"VArMaxQ4", 11, Type::int16, 1, 27},
    {"WGra", 12, Type::uint16, 1, 28},     {"PFMinQ1", 13, Type::int16, 1, 29},
    {"PFMinQ2", 14, Type::int16, 1, 29},   {"PFMinQ3", 15, Type::int16, 1, 29},
    {"PFMinQ4", 16, Type::int16, 1, 29},   {"VArAct", 17, Type::enum16, 1, 0},
    {"ClcTotVA", 18, Type::enum16, 1, 0},  {"MaxRmpRte", 19, Type::uint16, 1, 30},
    {"ECPNomHz", 20, Type::uint16, 1, 31}, {"ConnPh", 21, Type::enum16, 1, 0},
};

constexpr Point controls[] = {
    {"Conn_WinTms", 2, Type::uint16, 1, 0},
    {"Conn_RvrtTms", 3, Type::uint16, 1, 0},
    {"Conn", 4, Type::enum16, 1, 0, Q::connected},
    {"WMaxLimPct", 5, Type::uint16, 1, 23, Q::power_limit_permille, 0, 1},
    {"WMaxLimPct_WinTms", 6, Type::uint16, 1, 0},
    {"WMaxLimPct_RvrtTms", 7, Type::uint16, 1, 0},
    {"WMaxLimPct_RmpTms", 8, Type::uint16, 1, 0},
    {"WMaxLim_Ena", 9, Type::enum16, 1, 0, Q::power_limit_enabled},
    {"OutPFSet", 10, Type::int16, 1, 24},
    {"OutPFSet_WinTms", 11, Type::uint16, 1, 0},
    {"OutPFSet_RvrtTms", 12, Type::uint16, 1, 0},
    {"OutPFSet_RmpTms", 13, Type::uint16, 1, 0},
    {"OutPFSet_Ena", 14, Type::enum16, 1, 0},
    {"VArWMaxPct", 15, Type::int16, 1, 25},
    {"VArMaxPct", 16, Type::int16, 1, 25},
    {"VArAvalPct", 17, Type::int16, 1, 25},
    {"VArPct_WinTms", 18, Type::uint16, 1, 0},
    {"VArPct_RvrtTms", 19, Type::uint16, 1, 0},
    {"VArPct_RmpTms", 20, Type::uint16, 1, 0},
    {"VArPct_Mod", 21, Type::enum16, 1, 0},
    {"VArPct_Ena", 22, Type::enum16, 1, 0},
};

constexpr Point storage[] = {
    {"WChaMax", 2, Type::uint16, 1, 18, Q::charge_power_max_w},
    {"WChaGra", 3, Type::uint16, 1, 19},
    {"WDisChaGra", 4, Type::uint16, 1, 19},
    {"StorCtl_Mod", 5, Type::bitfield16, 1, 0, Q::storage_control},
    {"VAChaMax", 6, Type::uint16, 1, 20},
    {"MinRsvPct", 7, Type::uint16, 1, 21},
    {"ChaState", 8, Type::uint16, 1, 22, Q::soc_permille, 0, 1},
    {"StorAval", 9, Type::uint16, 1, 23},
    {"InBatV", 10, Type::uint16, 1, 24},
    {"ChaSt", 11, Type::enum16, 1, 0},
    {"OutWRte", 12, Type::int16, 1, 25, Q::discharge_limit_permille, 0, 1},
    {"InWRte", 13, Type::int16, 1, 25, Q::charge_limit_permille, 0, 1},
    {"InOutWRte_WinTms", 14, Type::uint16, 1, 0},
    {"InOutWRte_RvrtTms", 15, Type::uint16, 1, 0},
    {"InOutWRte_RmpTms", 16, Type::uint16, 1, 0},
    {"ChaGriSet", 17, Type::enum16, 1, 0},
};

constexpr Point mppt[] = {
    {"Evt", 6, Type::bitfield32, 2, 0},
    {"N", 8, Type::count, 1, 0},
    {"TmsPer", 9, Type::uint16, 1, 0},
};
constexpr Point mppt_module[] = {
    {"ID", 0, Type::uint16, 1, 0},
    {"IDStr", 1, Type::string, 8, 0},
    {"DCA", 9, Type::uint16, 1, 2, Q::dc_current_ma, 0, 3},
    {"DCV", 10, Type::uint16, 1, 3, Q::dc_voltage_mv, 0, 3},
    {"DCW", 11, Type::uint16, 1, 4, Q::dc_power_w},
    {"DCWH", 12, Type::acc32, 2, 5, Q::dc_energy_wh},
    {"Tms", 14, Type::uint32, 2, 0},
    {"Tmp", 16, Type::int16, 1, 0},
    {"DCSt", 17, Type::enum16, 1, 0},
    {"DCEvt", 18, Type::bitfield32, 2, 0},
};

}  // namespace jw::sunspec
