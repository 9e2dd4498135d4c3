// SPDX-License-Identifier: Apache-2.0
// Numbers, units, ages and times as people read them: SI, thin no-break space, true minus.
import { chosenLocale, say } from './say';

export const thin = '\u202f';
export const absent = '\u2013';

/** A figure apart from its unit, because units are set lighter. An empty unit stands for none. */
export interface Figure {
  number: string;
  unit: string;
}

const number_formats = new Map<string, Intl.NumberFormat>();

/** `value` with so many decimals: grouped by thin spaces, with the language's decimal sign. */
export function decimal(value: number, decimals = 0): string {
  const key = `${chosenLocale()} ${decimals}`;
  let format = number_formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(chosenLocale(), {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: true,
    });
    number_formats.set(key, format);
  }
  const parts = format.formatToParts(Number(value.toFixed(decimals)) === 0 ? 0 : value);
  return parts
    .map((part) =>
      part.type === 'group' ? thin : part.type === 'minusSign' ? '\u2212' : part.value,
    )
    .join('');
}

export const count = (value: number): string => decimal(value);

export const together = (figure: Figure): string =>
  figure.unit ? `${figure.number}${thin}${figure.unit}` : figure.number;

/** How many decimals leave three figures. */
const threeFigures = (size: number): number => (size < 9.995 ? 2 : size < 99.95 ? 1 : 0);

const prefixes = ['', 'k', 'M', 'G'];

/**
 * The step of a thousand in which a value is written. A live value gives the step that it had
 * before and keeps it until it is 2 % beyond the threshold, so that it does not flicker.
 */
export function prefixStep(value: number, before?: number): number {
  const size = Math.abs(value);
  const fresh = size < 999.5 ? 0 : size < 999_500 ? 1 : size < 999_500_000 ? 2 : 3;
  if (before === undefined || before === fresh) {
    return fresh;
  }
  const edge = 1000 ** Math.max(before, fresh);
  const held = fresh > before ? size < edge * 1.02 : size > edge * 0.98;
  return held && Math.abs(fresh - before) === 1 ? before : fresh;
}

/** Whole below a thousand, then three figures: 612 W, 4.86 kW, 12.4 kW, 113 kW, 1.20 MW. */
export function scaled(value: number, unit: string, before?: number): Figure {
  const step = prefixStep(value, before);
  const shown = value / 1000 ** step;
  return {
    number: decimal(shown, step === 0 ? 0 : threeFigures(Math.abs(shown))),
    unit: prefixes[step]! + unit,
  };
}

export const power = (watts: number, before?: number): Figure => scaled(watts, 'W', before);

/** Whole Wh, then kWh with at most one decimal, then MWh. */
export function energy(wh: number, unit = 'Wh'): Figure {
  const size = Math.abs(wh);
  if (size < 999.5) {
    return { number: decimal(wh), unit };
  }
  if (size < 999_500) {
    return { number: decimal(wh / 1e3, size < 99_950 ? 1 : 0), unit: 'k' + unit };
  }
  return { number: decimal(wh / 1e6, threeFigures(size / 1e6)), unit: 'M' + unit };
}

/** A counter's reading, comparable with the meter's own display: 4 321.1 kWh. */
export const meterReading = (wh: number, unit = 'Wh'): Figure =>
  Math.abs(wh) < 999.5
    ? { number: decimal(wh), unit }
    : { number: decimal(wh / 1e3, 1), unit: 'k' + unit };

/** Cells 3.393 V, packs 53.90 V, mains 231 V. */
export function voltage(mv: number): Figure {
  const size = Math.abs(mv);
  return { number: decimal(mv / 1e3, size < 9_000 ? 3 : size < 100_000 ? 2 : 0), unit: 'V' };
}

export const current = (ma: number): Figure => ({
  number: decimal(ma / 1e3, threeFigures(Math.abs(ma) / 1e3)),
  unit: 'A',
});

/** A limit: whole where it is whole, else to a tenth. 47 A, 47.3 A. */
export const amperes = (ma: number): string => decimal(ma / 1e3, ma % 1000 === 0 ? 0 : 1);

export const temperature = (mc: number): Figure => ({ number: decimal(mc / 1e3, 1), unit: '°C' });
export const share = (permille: number, decimals = 0): Figure => ({
  number: decimal(permille / 10, decimals),
  unit: '%',
});
export const volume = (litres: number): Figure => ({ number: decimal(litres / 1e3, 2), unit: 'm³' });
export const frequency = (mhz: number): Figure => ({ number: decimal(mhz / 1e3, 2), unit: 'Hz' });

/** Powers of 1000: 18.2 MB. */
export function bytes(size: number): Figure {
  const step = prefixStep(size);
  const shown = size / 1000 ** step;
  return {
    number: decimal(shown, step === 0 || shown >= 99.95 ? 0 : 1),
    unit: ['B', 'kB', 'MB', 'GB'][step]!,
  };
}

/** 0.3 s, 2 s, 28 min, 3 h 16 min, 2 d 4 h. */
export function age(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 0.95) {
    return `${decimal(s, 1)}${thin}s`;
  }
  if (s < 60) {
    return `${Math.floor(s + 0.05)}${thin}s`;
  }
  const minutes = Math.floor(s / 60);
  if (minutes < 60) {
    return `${minutes}${thin}min`;
  }
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours < 24) {
    return rest ? `${hours}${thin}h ${rest}${thin}min` : `${hours}${thin}h`;
  }
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days}${thin}d ${hours % 24}${thin}h` : `${days}${thin}d`;
}

/** An age that is told in whole seconds: never finer than it was measured. */
export const wholeAge = (seconds: number): string => age(Math.max(1, seconds));

/** Rounded up, so that it does not promise too much: about 12 s, about 3 min. */
export function timeLeft(seconds: number): string {
  const s = Math.max(1, Math.ceil(seconds));
  if (s < 60) {
    return say('about', { age: `${s}${thin}s` });
  }
  const minutes = Math.ceil(s / 60);
  return say('about', {
    age: minutes < 60 ? `${minutes}${thin}min` : age(Math.ceil(minutes / 10) * 600),
  });
}

const sameDay = (a: Date, b: Date): boolean =>
  a.getFullYear() === b.getFullYear() &&
  a.getMonth() === b.getMonth() &&
  a.getDate() === b.getDate();

const hours: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** 14:20 today; 17 Sep 13:41; the year only where it is another; seconds for live values. */
export function clock(unix_ms: number, now_ms: number, seconds = false): string {
  const at = new Date(unix_ms);
  const now = new Date(now_ms);
  const time: Intl.DateTimeFormatOptions = seconds ? { ...hours, second: '2-digit' } : hours;
  const text = new Intl.DateTimeFormat(chosenLocale(), time).format(at);
  if (sameDay(at, now)) {
    return text;
  }
  const day: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };
  if (at.getFullYear() !== now.getFullYear()) {
    day.year = 'numeric';
  }
  return `${new Intl.DateTimeFormat(chosenLocale(), day).format(at)} ${text}`;
}

/** 17 Sep */
export const dayOf = (unix_ms: number): string =>
  new Intl.DateTimeFormat(chosenLocale(), { day: 'numeric', month: 'short' }).format(new Date(unix_ms));
