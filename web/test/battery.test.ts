// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import type { Battery } from '../src/api/battery_shapes';
import { cellScale } from '../src/parts/cells';
import { cellsOf, curveOf, permilleAt, reserveOf, ruleName, ruleRows, timeToEnd, whyOf } from '../src/site/battery';
import { batteryStatus, isOver, type BatterySituation } from '../src/site/battery_status';
import { niceStep } from '../src/site/series';
import { thin } from '../src/text/formats';
import { chooseLanguage } from '../src/text/say';
// @ts-expect-error plain scripts without types
import { batteryBody } from './fake_battery.mjs';

beforeEach(() => chooseLanguage(['en-GB']));

const body = (scene = 'nominal'): Battery => batteryBody(scene, null) as Battery;
const spaced = (text: string): string => text.replaceAll(thin, ' ');

const status = (battery: Battery, more: Partial<BatterySituation> = {}) =>
  batteryStatus({
    battery,
    elapsed_s: 0,
    now_ms: Date.UTC(2026, 10, 20, 13, 20),
    lost_since_ms: null,
    titleOf: (device) => device,
    alerts: [],
    over_s: 0,
    ...more,
  });

describe('the sentence of a battery', () => {
  it.each([
    ['nominal', 'battery charging'],
    ['discharging', 'battery discharging'],
    ['resting', 'battery resting'],
    ['full', 'battery full'],
    ['stale', 'battery stale'],
    ['silent', 'battery silent'],
    ['never', 'battery silent'],
    ['not_ready', 'battery not_ready'],
    ['implausible', 'battery implausible'],
    ['bms_fault', 'battery bms_fault'],
    ['inverter_silent', 'battery inverter_silent'],
    ['bus_off', 'battery bus_off'],
  ])('%s is %s', (scene, which) => expect(status(body(scene)).which).toBe(which));

  it('every case says something besides the sentence', () => {
    for (const scene of ['stale', 'silent', 'never', 'not_ready', 'implausible', 'bms_fault', 'bus_off']) {
      const { lines } = status(body(scene));
      expect([scene, lines.length > 0 && lines.every((line) => line.text.length > 10)]).toEqual([scene, true]);
    }
  });

  it('an inverter that grew silent since the gateway last told is not called heard', () => {
    expect(status(body(), { elapsed_s: 11 }).which).toBe('battery inverter_silent');
  });

  it('without contact nothing is told as true', () => {
    expect(status(body(), { elapsed_s: 11, lost_since_ms: 0 }).which).toBe('battery lost');
    expect(status(body(), { elapsed_s: 2, lost_since_ms: 0 }).which).toBe('battery charging');
  });

  it('names disobedience only after the time that an inverter needs', () => {
    const battery = body('disobedient');
    expect(isOver(battery, 'charge')).toBe(true);
    expect(status(battery, { over_s: 5 }).which).toBe('battery charging');
    expect(status(battery, { over_s: 11 }).which).toBe('battery over_charge');
    expect(isOver(body(), 'charge')).toBe(false);
  });

  it('a limit of zero with nothing flowing is told as stopped', () => {
    const battery = body('resting');
    battery.limits = { ...battery.limits!, charge_current_ma: 0 };
    expect(status(battery).which).toBe('battery charge_stopped');
    battery.limits.discharge_current_ma = 0;
    expect(status(battery).which).toBe('battery stopped');
  });

  it('points to alerts that nobody has looked at', () => {
    const alert = { id: 1, source: 'battery', kind: 'x', severity: 'warning', text: '', since: null } as const;
    const rest = { since_age_s: 1, cleared_age_s: null, acknowledged_by: null, value: null, threshold: null, unit: '' };
    const alerts = [
      { ...alert, ...rest, status: 'active' as const },
      { ...alert, ...rest, status: 'cleared' as const },
    ];
    expect(status(body(), { alerts }).lines.some((line) => line.text === '1 alert to look at')).toBe(true);
  });
});

describe('rules', () => {
  it('stand the lowest first, and one of them limits now', () => {
    const rows = ruleRows(body(), 'charge');
    expect(rows[0]).toMatchObject({ limit_ma: 47_000, permille: 470, now: true });
    expect(rows.filter((row) => row.now)).toHaveLength(1);
    expect(ruleRows(body(), 'discharge').map((row) => row.rule.rule)).not.toContain('cell_high');
  });

  it('the one that limits has a row even where the gateway gives none', () => {
    const battery = { ...body(), rules: [], charge_rule: 'recovering' };
    expect(ruleRows(battery, 'charge')).toMatchObject([{ now: true, limit_ma: 47_000 }]);
  });

  it('a rule of a later version is told by its name', () => {
    const battery = { ...body(), rules: [], charge_rule: 'moon_phase' };
    const row = ruleRows(battery, 'charge')[0]!;
    expect(whyOf(row.rule, row.limit_ma).text).toBe('moon phase');
  });

  it('the reason is the gateway’s for who reads English, else ours', () => {
    const rule = body().rules[0]!;
    expect(whyOf(rule, 47_000).text).toBe(rule.why);
    chooseLanguage(['de-DE']);
    expect(spaced(whyOf(rule, 47_000).text)).toContain('Zelle 11 liegt bei 3,393 V: Noch 47 A');
  });

  it('a curve has the present point in its own units, on the curve', () => {
    const battery = body();
    const curve = curveOf(battery, ruleRows(battery, 'charge')[0]!, 'charge')!;
    expect(curve.unit).toBe('V');
    expect(curve.at).toEqual([3.393, 47]);
    expect(curve.points[1]).toEqual([3.4, 25]);
    expect(spaced(curve.say)).toBe('Limit by highest cell voltage. now 3.393 V, 47 A.');
  });

  it('of several packs a rule says which, and its point still lies on its curve', () => {
    const battery = body('two_packs');
    const row = ruleRows(battery, 'charge')[0]!;
    const rule = { ...row.rule, pack: 2 };
    expect(ruleName(rule)).toBe('Pack 2: Highest cell voltage');
    const curve = curveOf(battery, { ...row, rule, limit_ma: 23_000 }, 'charge')!;
    expect(permilleAt(battery.ramps.charge_by_cell!, 3393)).toBe(460);
    expect(curve.points[0]![1]).toBeCloseTo(50);
  });

  it.each([
    [3000, 1000],
    [3375, 1000],
    [3400, 250],
    [3500, 0],
    [4000, 0],
  ])('a ramp at %i mV gives %i', (mv, permille) =>
    expect(permilleAt(body().ramps.charge_by_cell!, mv)).toBe(permille),
  );

  it('what has no curve draws none', () => {
    const battery = body('silent');
    expect(curveOf(battery, ruleRows(battery, 'charge')[0]!, 'charge')).toBeNull();
  });
});

describe('cells', () => {
  it('leave out what is not known', () => {
    const cells = cellsOf({ cells_mv: [3331, 3340, null, 3325], balancing: [false, true, false, false] })!;
    expect(cells).toMatchObject({ highest: 1, lowest: 3, difference_mv: 15, balancing: [2] });
    expect(cells.mean_mv).toBe(3332);
    expect(cellsOf({ cells_mv: [null], balancing: [] })).toBeNull();
  });

  it('all alike still have a scale', () => {
    const { least, most, ticks } = cellScale([0, 0, 0, 0], 'difference');
    expect(most).toBeGreaterThan(least);
    expect(ticks.length).toBeGreaterThan(1);
  });

  it('the scale holds every bar and counts in 1, 2, 5', () => {
    const { least, most, ticks } = cellScale([-7, 24], 'difference');
    expect([least, most]).toEqual([-10, 30]);
    expect(ticks).toEqual([-10, 0, 10, 20, 30]);
    expect(niceStep(0.125, 4)).toBeCloseTo(0.05);
  });
});

describe('time and reserve', () => {
  it('until full, from capacity and current', () => {
    expect(timeToEnd(body())).toMatchObject({ to: 'full' });
    expect(Math.round(timeToEnd(body())!.left_s / 60)).toBe(90);
    expect(timeToEnd(body('resting'))).toBeNull();
    expect(timeToEnd(body('never'))).toBeNull();
  });
  it('the reserve is where discharging begins to slow', () => {
    expect(reserveOf(body())).toBe(100);
    expect(reserveOf({ ...body(), ramps: {} })).toBeNull();
  });
});
