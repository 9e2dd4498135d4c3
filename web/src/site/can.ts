// SPDX-License-Identifier: Apache-2.0
// What battery and inverter say on their line, in words and units.
import type { CanSeen, CanSignal } from '../api/battery_shapes';
import { absent, count, current, decimal, meterReading, share, temperature, thin, together, voltage } from '../text/formats';
import { sayOr } from '../text/say';

/** "2802E803" as "28 02 E8 03". */
export const bytesText = (data: string): string => data.replace(/(..)(?=.)/g, '$1 ');

const words = (name: string): string => {
  const plain = name.replaceAll('_', ' ');
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

/** What the frame is about; empty where nobody knows. */
export const frameName = (seen: Pick<CanSeen, 'name' | 'known'>): string =>
  seen.known && seen.name ? sayOr(`frame_${seen.name}`, words(seen.name)) : '';

const unit_suffix = /_(mv|ma|mc|mah|wh|permille|permyriad)$/;

export function signalName(signal: Pick<CanSignal, 'name'>): string {
  const stem = signal.name.replace(unit_suffix, '');
  return sayOr(`signal_${stem}`, sayOr(`alarm_${stem}`, words(stem)));
}

const writers: Record<string, (value: number) => string> = {
  mV: (v) => together(voltage(v)),
  mA: (v) => together(current(v)),
  mAh: (v) => `${decimal(v / 1e3)}${thin}Ah`,
  mdegC: (v) => together(temperature(v)),
  Wh: (v) => together(meterReading(v)),
  '0.1 %': (v) => together(share(v, 1)),
  '0.01 %': (v) => `${decimal(v / 100, 2)}${thin}%`,
};

/** A level in words, a number in its unit, a text as it is; a dash where the frame says "absent". */
export function signalValue(signal: CanSignal): string {
  const { value, unit } = signal;
  if (value === null || value === '') {
    return absent;
  }
  if (typeof value === 'string') {
    return sayOr(`level_${value}`, value);
  }
  const write = writers[unit];
  return write ? write(value) : unit ? `${count(value)}${thin}${unit}` : count(value);
}
