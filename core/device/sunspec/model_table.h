// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SunSpec models that we read: numbers, points, modules.
#include "core/device/sunspec/points_inverter.h"
#include "core/device/sunspec/points_meter.h"
#include "core/device/sunspec/points_resource.h"

namespace jw::sunspec {

constexpr Model model_table[] = {
    {1, {common}},
    {101, {inverter}},
    {102, {inverter}},
    {103, {inverter}},
    {111, {inverter_float}},
    {112, {inverter_float}},
    {113, {inverter_float}},
    {120, {nameplate}},
    {121, {settings}},
    {123, {controls}},
    {124, {storage}},
    {160, {mppt}, {"module", 10, 20, 0, mppt_module}},
    {201, {meter_front, meter_line_201, meter_rest}},
    {202, {meter_front, meter_line, meter_rest}},
    {203, {meter_front, meter_line, meter_rest}},
    {204, {meter_front, meter_line, meter_rest}},
    {211, {meter_float}},
    {212, {meter_float}},
    {213, {meter_float}},
    {214, {meter_float}},
    {701, {der_ac}},
    {702, {der_capacity}},
    {703, {der_enter_service}},
    {704, {der_ac_controls}},
    {713, {der_storage}},
    {714, {der_dc}, {"Prt", 20, 25, 4, der_dc_prt}},
    {802, {battery}},
};

}  // namespace jw::sunspec
