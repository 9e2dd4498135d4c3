// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import * as f from '../src/text/formats';
import { chooseLanguage } from '../src/text/say';

const plain = (figure: f.Figure): string => f.together(figure).replaceAll(f.thin, ' ');
const spaced = (text: string): string => text.replaceAll(f.thin, ' ');

beforeEach(() => chooseLanguage(['en-GB']));

describe('power', () => {
  it.each([
    [0, '0 W'],
    [612, '612 W'],
    [999, '999 W'],
    [1000, '1.00 kW'],
    [4861, '4.86 kW'],
    [12_380, '12.4 kW'],
    [113_000, '113 kW'],
    [1_200_000, '1.20 MW'],
    [-1520, '−1.52 kW'],
  ])('%d W is written with three figures', (watts, text) => {
    expect(plain(f.power(watts))).toBe(text);
  });

  it('keeps its prefix until it is two per cent beyond the threshold', () => {
    expect(f.prefixStep(1010, 0)).toBe(0);
    expect(f.prefixStep(1025, 0)).toBe(1);
    expect(f.prefixStep(985, 1)).toBe(1);
    expect(f.prefixStep(975, 1)).toBe(0);
    expect(plain(f.power(1010, 0))).toBe('1 010 W');
    expect(plain(f.power(990, 1))).toBe('0.99 kW');
  });

  it('changes at once where the value jumps by more than one prefix', () => {
    expect(f.prefixStep(5, 2)).toBe(0);
  });
});

describe('other quantities', () => {
  it.each([
    [f.energy(740), '740 Wh'],
    [f.energy(12_400), '12.4 kWh'],
    [f.energy(244_100), '244 kWh'],
    [f.energy(1_840_000), '1.84 MWh'],
    [f.meterReading(4_321_087), '4 321.1 kWh'],
    [f.voltage(3393), '3.393 V'],
    [f.voltage(53_900), '53.90 V'],
    [f.voltage(231_400), '231 V'],
    [f.current(40_800), '40.8 A'],
    [f.current(430), '0.43 A'],
    [f.temperature(24_600), '24.6 °C'],
    [f.share(780), '78 %'],
    [f.frequency(49_980), '49.98 Hz'],
    [f.volume(840), '0.84 m³'],
    [f.bytes(18_200_000), '18.2 MB'],
    [f.bytes(512_000_000), '512 MB'],
    [f.bytes(210), '210 B'],
  ])('%s', (figure, text) => expect(plain(figure)).toBe(text));

  it('groups counts by thin spaces', () => {
    expect(f.count(1_842_331)).toBe('1\u202f842\u202f331');
  });

  it('writes no minus before a zero', () => {
    expect(f.decimal(-0.004, 1)).toBe('0.0');
  });

  it('uses the decimal sign of the language', () => {
    chooseLanguage(['de-DE']);
    expect(plain(f.power(4861))).toBe('4,86 kW');
  });
});

describe('ages and times', () => {
  it.each([
    [0.3, '0.3 s'],
    [2.4, '2 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [1680, '28 min'],
    [11_760, '3 h 16 min'],
    [7200, '2 h'],
    [187_200, '2 d 4 h'],
  ])('%d s', (seconds, text) => expect(spaced(f.age(seconds))).toBe(text));

  it.each([
    [0, 'about 1 s'],
    [11.2, 'about 12 s'],
    [121, 'about 3 min'],
    [4000, 'about 1 h 10 min'],
  ])('time left is rounded up: %d s', (seconds, text) =>
    expect(spaced(f.timeLeft(seconds))).toBe(text),
  );

  const now = new Date(2026, 8, 18, 14, 20, 6).getTime();
  it('today is a time', () => expect(f.clock(now, now)).toBe('14:20'));
  it('live values have seconds', () => expect(f.clock(now, now, true)).toBe('14:20:06'));
  it('another day has its date', () => {
    expect(f.clock(new Date(2026, 8, 17, 13, 41).getTime(), now)).toMatch(/^17 Sept? 13:41$/);
  });
  it('another year has its year', () => {
    expect(f.clock(new Date(2025, 8, 17, 13, 41).getTime(), now)).toMatch(/2025/);
  });
});
