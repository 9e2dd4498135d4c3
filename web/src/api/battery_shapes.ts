// SPDX-License-Identifier: Apache-2.0
// What the gateway's routes say of batteries, of what they tell the inverter, of alerts, of history.
import type { Severity } from './shapes';

export type ChargeStage =
  | 'bulk'
  | 'transition'
  | 'float_approach'
  | 'floating'
  | 'imbalance_hold'
  | 'sustain';

/** One rule of the battery's law, and what it allows; null: it says nothing about that. */
export interface RuleLimit {
  rule: string;
  why: string; // the gateway's own sentence, in English
  charge_current_ma: number | null;
  discharge_current_ma: number | null;
  charge_voltage_mv: number | null;
  input: number | null; // what it looked at: mV, m°C, permille, ms
  index: number; // of the cell or sensor, from 1
  pack: number; // from 1; 0: all of them, or there is only one
}

export interface Pack {
  device: string;
  online: boolean;
  age_ms: number | null;
  voltage_mv?: number;
  current_ma?: number;
  soc_permille?: number;
  soh_permille?: number;
  cells_mv: (number | null)[];
  balancing: boolean[];
  temperatures_mc: (number | null)[];
  board_temperature_mc: number | null;
  activity: 'idle' | 'charging' | 'full' | 'discharging' | 'fault' | null;
  cell_overvoltage_mv?: number;
  cell_undervoltage_mv?: number;
  cell_full_mv?: number;
  cell_empty_mv?: number;
}

export interface Inverter {
  profile: string;
  title: string;
  bus: string;
  bus_state: 'active' | 'passive' | 'off' | null;
  heard_age_ms: number | null;
  sent: number;
  received?: number;
  dropped: number;
  bus_offs: number;
}

export interface Battery {
  name: string;
  title: string;
  may_send: boolean;
  stage: ChargeStage;
  age_ms: number | null;
  limits: {
    charge_voltage_mv: number;
    charge_current_ma: number;
    discharge_current_ma: number;
    discharge_voltage_mv: number;
  } | null;
  bounds: { charge_current_ma: number; discharge_current_ma: number }; // the owner's
  charge_rule: string;
  discharge_rule: string;
  voltage_rule: string;
  rules: RuleLimit[];
  ramps: Record<string, [number, number][]>;
  alarms: { name: string; level: 'ok' | 'warning' | 'alarm' | 'unsupported' }[];
  measured: {
    voltage_mv?: number;
    current_ma?: number; // + into the battery
    power_w?: number;
    soc_permille?: number;
    soh_permille?: number;
    temperature_mc?: number;
    capacity_mah?: number;
    cell_minimum_mv?: number;
    cell_maximum_mv?: number;
    cell_minimum_id?: string;
    cell_maximum_id?: string;
  };
  packs: Pack[];
  energy: { charge_wh: number; discharge_wh: number };
  inverter: Inverter | null;
}

export interface CanSignal {
  name: string;
  unit: string;
  value: number | string | null;
}

export interface CanSeen {
  id: string; // hexadecimal
  name: string | null;
  from: 'battery' | 'inverter';
  known: boolean;
  count: number;
  age_ms: number | null;
  interval_ms: number | null;
  data: string; // hexadecimal
  signals: CanSignal[];
}

/** One of a device's own settings; numbers are in units of 10^-decimals. */
export interface Parameter {
  name: string;
  unit: string;
  decimals: number;
  writable: boolean;
  least: number;
  most: number;
  value: number | null;
}

export interface Alert {
  id: number | string;
  source: string;
  kind: string;
  severity: Severity;
  text: string;
  status: 'active' | 'acknowledged' | 'cleared';
  since: number | null; // Unix milliseconds
  since_age_s: number;
  cleared_age_s: number | null;
  acknowledged_by: string | null;
  value: number | null;
  threshold: number | null;
  unit: string;
}

export interface History {
  device: string;
  name: string;
  unit: string;
  step_s: number;
  points: [number, number, number, number][]; // Unix milliseconds, mean, least, most
}
