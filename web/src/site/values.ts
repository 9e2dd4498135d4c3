// SPDX-License-Identifier: Apache-2.0
// One value of a device: what it is called, how it is written, in which group it stands.
import type { Device, Value } from '../api/shapes';
import {
  age,
  count,
  current,
  decimal,
  energy,
  frequency,
  meterReading,
  power,
  scaled,
  share,
  temperature,
  voltage,
  volume,
  type Figure,
} from '../text/formats';
import { say, sayOr } from '../text/say';

export type Group = 'power' | 'energy' | 'electric' | 'battery' | 'state' | 'limits';
export const groups: Group[] = ['power', 'energy', 'battery', 'electric', 'state', 'limits'];

interface Unit {
  suffix: string;
  group: Group;
  write: (value: number, before?: number) => Figure;
  /** What a chart divides by, and the unit that it then names. */
  chart: [number, string];
}

const units: Unit[] = [
  { suffix: '_var', group: 'power', write: (v, p) => scaled(v, 'var', p), chart: [1, 'var'] },
  { suffix: '_va', group: 'power', write: (v, p) => scaled(v, 'VA', p), chart: [1, 'VA'] },
  { suffix: '_w', group: 'power', write: power, chart: [1, 'W'] },
  { suffix: '_varh', group: 'energy', write: (v) => meterReading(v, 'varh'), chart: [1e3, 'kvarh'] },
  { suffix: '_wh', group: 'energy', write: (v) => meterReading(v), chart: [1e3, 'kWh'] },
  { suffix: '_mv', group: 'electric', write: voltage, chart: [1e3, 'V'] },
  { suffix: '_ma', group: 'electric', write: current, chart: [1e3, 'A'] },
  {
    suffix: '_mah',
    group: 'battery',
    write: (v) => ({ number: decimal(v / 1e3, 1), unit: 'Ah' }),
    chart: [1e3, 'Ah'],
  },
  { suffix: '_mhz', group: 'electric', write: frequency, chart: [1e3, 'Hz'] },
  { suffix: '_mc', group: 'state', write: temperature, chart: [1e3, '°C'] },
  { suffix: '_permille', group: 'state', write: (v) => share(v, 1), chart: [10, '%'] },
  { suffix: '_l', group: 'energy', write: volume, chart: [1e3, 'm³'] },
  { suffix: '_s', group: 'state', write: (v) => ({ number: age(v), unit: '' }), chart: [1, 's'] },
];

const plain: Unit = {
  suffix: '',
  group: 'state',
  write: (v) => ({ number: count(v), unit: '' }),
  chart: [1, ''],
};

const unitOf = (quantity: string): Unit =>
  units.find((unit) => quantity.endsWith(unit.suffix)) ?? plain;

const stem = (quantity: string): string =>
  quantity.slice(0, quantity.length - unitOf(quantity).suffix.length);

const batteries = new Set(['soc', 'soh', 'cell_voltage', 'cell_voltage_min', 'cell_voltage_max', 'capacity', 'available_energy']);
const limits = new RegExp(
  '^(rated_|power_limit|(dis)?charge_(current_|voltage_)?limit|charge_power_max|discharge_power_max|current_limit|storage_control)',
);

export function groupOf(quantity: string): Group {
  const name = stem(quantity);
  return limits.test(name) ? 'limits' : batteries.has(name) ? 'battery' : unitOf(quantity).group;
}

/** "Voltage L1", "Power of string 2", "Energy in, tariff 1": the quantity and what its index counts. */
export function labelOf(value: Pick<Value, 'quantity' | 'index'>): string {
  const name = stem(value.quantity);
  const words = name.replaceAll('_', ' ');
  const label = sayOr(`q_${name}`, words.charAt(0).toUpperCase() + words.slice(1));
  if (value.index === 0) {
    return label;
  }
  const places = { label, index: value.index };
  if (name.startsWith('dc_')) {
    return say('label_string', places);
  }
  if (name === 'cell_voltage') {
    return say('label_cell', places);
  }
  if (name === 'line_voltage') {
    const pair = ['L1–L2', 'L2–L3', 'L3–L1'][value.index - 1];
    return `${label} ${pair ?? value.index}`;
  }
  if (/^(reactive_)?energy_(import|export)$/.test(name)) {
    return say('label_tariff', places);
  }
  return name === 'temperature' ? `${label} ${value.index}` : `${label} L${value.index}`;
}

/** Codes and switches are words, everything else is a figure. */
export function written(
  quantity: string,
  value: number,
  device?: Pick<Device, 'driver'>,
  before?: number,
): Figure {
  switch (quantity) {
    case 'relay_closed':
      return { number: say(value ? 'relay_is_closed' : 'relay_is_open'), unit: '' };
    case 'connected':
      return { number: say(value ? 'is_connected' : 'is_not_connected'), unit: '' };
    case 'power_limit_enabled':
      return { number: say(value ? 'is_on' : 'is_off'), unit: '' };
    case 'power_factor_permille':
      return { number: decimal(value / 1e3, 2), unit: '' };
    case 'operating_state':
      return {
        number:
          device?.driver === 'sunspec' ? sayOr(`sunspec_state_${value}`, `${value}`) : `${value}`,
        unit: '',
      };
    case 'event_bits':
      return { number: value ? `0x${value.toString(16)}` : say('none'), unit: '' };
    case 'cell_voltage_mv':
    case 'cell_voltage_min_mv':
    case 'cell_voltage_max_mv':
      return { number: decimal(value / 1e3, 3), unit: 'V' };
    case 'capacity_wh':
    case 'available_energy_wh':
      return energy(value);
    default:
      return unitOf(quantity).write(value, before);
  }
}

/** What a chart of the quantity divides by and the unit that it names. */
export function chartUnit(quantity: string, largest: number): { by: number; unit: string } {
  const unit = unitOf(quantity);
  if (unit.group === 'power' && largest >= 1000) {
    return { by: 1000, unit: 'k' + unit.chart[1] };
  }
  return { by: unit.chart[0], unit: unit.chart[1] };
}

/** Codes and switches change in steps, and so do counters. */
export function inSteps(quantity: string): boolean {
  return (
    /_(wh|varh|l)$/.test(quantity) ||
    /^(relay_closed|connected|operating_state|event_bits|tariff|pulse_count|cycle_count|power_failure_count)/.test(
      quantity,
    ) ||
    limits.test(quantity)
  );
}

/** Power and energy start at zero; voltage, temperature and the like fit what was measured. */
export const fromZero = (quantity: string): boolean => unitOf(quantity).group === 'power';
