// SPDX-License-Identifier: Apache-2.0
// A device's own settings in groups that belong together, with names and what they mean.
import type { Parameter } from '../api/battery_shapes';
import { absent, decimal, thin } from '../text/formats';
import { sayOr } from '../text/say';

export type ParameterGroup =
  | 'cells'
  | 'currents'
  | 'temperatures'
  | 'capacity'
  | 'charger'
  | 'switches'
  | 'other'
  | 'actions';

export const parameter_groups: ParameterGroup[] = [
  'cells',
  'currents',
  'temperatures',
  'capacity',
  'charger',
  'switches',
  'other',
  'actions',
];

const belongs: [ParameterGroup, RegExp][] = [
  ['temperatures', /temperature|over_heat|cold|hot/],
  ['charger', /^charger_|^charge_(restart|finished)|^charge_state/],
  ['cells', /cell|voltage|balancing/],
  ['capacity', /capacity|cycles|state_of_|soc|soh/],
  ['switches', /switch|ignition|precharge|operation_mode|flags|recovery/],
  ['currents', /current|discharge_cutoff/],
];

/** One that can only be done, not set: restart, clear. */
export const isAction = (parameter: Parameter): boolean =>
  parameter.writable && parameter.least === parameter.most;

/** What a device only takes and never tells: it is neither an action nor late. */
export const isReadable = (parameter: Parameter): boolean =>
  !isAction(parameter) && !parameter.name.startsWith('set_');

export function groupOfParameter(parameter: Parameter): ParameterGroup {
  if (isAction(parameter)) {
    return 'actions';
  }
  return belongs.find(([, names]) => names.test(parameter.name))?.[0] ?? 'other';
}

export function parameterName(parameter: Pick<Parameter, 'name'>): string {
  const words = parameter.name.replaceAll('_', ' ');
  return sayOr(`p_${parameter.name}`, words.charAt(0).toUpperCase() + words.slice(1));
}

/** What it means, in a sentence or two; empty where the tables know it only by name. */
export const parameterMeaning = (parameter: Pick<Parameter, 'name'>): string =>
  sayOr(`p_${parameter.name}_what`, '');

export const parameterUnit = (parameter: Pick<Parameter, 'unit'>): string =>
  parameter.unit === 'degC' ? '°C' : parameter.unit;

const scale = (parameter: Pick<Parameter, 'decimals'>): number => 10 ** parameter.decimals;

/** With as many decimals as it has, and no more than it needs. */
export function parameterNumber(parameter: Pick<Parameter, 'decimals'>, value: number): string {
  const shown = value / scale(parameter);
  let digits = parameter.decimals;
  while (digits > 0 && Number(shown.toFixed(digits - 1)) === shown) {
    digits--;
  }
  return decimal(shown, digits);
}

export function parameterText(parameter: Parameter, value: number | null): string {
  if (value === null) {
    return absent;
  }
  const unit = parameterUnit(parameter);
  return `${parameterNumber(parameter, value)}${unit ? thin + unit : ''}`;
}

/** What was typed, in the units of the device, or null where it does not fit. */
export function typedParameter(text: string, parameter: Parameter): number | null {
  const plain = text.replace(/[\s\u202f]/g, '').replace('\u2212', '-').replace(',', '.');
  if (!/^-?\d+(\.\d+)?$/.test(plain)) {
    return null;
  }
  const wanted = Number(plain) * scale(parameter);
  const whole = Math.round(wanted);
  const exact = Math.abs(wanted - whole) < 1e-6;
  return exact && whole >= parameter.least && whole <= parameter.most ? whole : null;
}
