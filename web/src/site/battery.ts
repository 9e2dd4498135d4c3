// SPDX-License-Identifier: Apache-2.0
// What a battery does, and what holds it back: rows of rules, the curve of a rule, its reason.
import type { Battery, Pack, RuleLimit } from '../api/battery_shapes';
import { age, amperes, share, temperature, thin, together, voltage } from '../text/formats';
import { chosenLanguage, say, sayOr } from '../text/say';

export type Direction = 'charge' | 'discharge';

/** Below this nothing worth a word flows. */
export const resting_ma = 500;

export const limitOf = (battery: Battery, way: Direction): number | null =>
  battery.limits === null
    ? null
    : way === 'charge'
      ? battery.limits.charge_current_ma
      : battery.limits.discharge_current_ma;

export const boundOf = (battery: Battery, way: Direction): number =>
  way === 'charge' ? battery.bounds.charge_current_ma : battery.bounds.discharge_current_ma;

export const ruleOf = (battery: Battery, way: Direction): string =>
  way === 'charge' ? battery.charge_rule : battery.discharge_rule;

const allowedBy = (rule: RuleLimit, way: Direction): number | null =>
  way === 'charge' ? rule.charge_current_ma : rule.discharge_current_ma;

export interface RuleRow {
  rule: RuleLimit;
  limit_ma: number;
  permille: number; // of what the owner allows, at most 1000
  now: boolean; // it holds the current down
}

const bare = (rule: string): RuleLimit => ({
  rule,
  why: '',
  charge_current_ma: null,
  discharge_current_ma: null,
  charge_voltage_mv: null,
  input: null,
  index: 0,
  pack: 0,
});

/** Every rule that bounds that direction, the lowest first; the one that limits is among them. */
export function ruleRows(battery: Battery, way: Direction): RuleRow[] {
  const bound = Math.max(1, boundOf(battery, way));
  const limiting = ruleOf(battery, way);
  const limit = limitOf(battery, way);
  const rows = battery.rules
    .map((rule) => ({ rule, limit_ma: allowedBy(rule, way) }))
    .filter((row): row is { rule: RuleLimit; limit_ma: number } => row.limit_ma !== null);
  if (limit !== null && limiting !== 'none' && !rows.some((row) => row.rule.rule === limiting)) {
    rows.push({ rule: battery.rules.find((one) => one.rule === limiting) ?? bare(limiting), limit_ma: limit });
  }
  rows.sort(
    (a, b) => a.limit_ma - b.limit_ma || Number(b.rule.rule === limiting) - Number(a.rule.rule === limiting),
  );
  const now = rows.findIndex((row) => row.rule.rule === limiting);
  return rows.map((row, i) => ({
    ...row,
    permille: Math.max(0, Math.min(1000, Math.round((1000 * row.limit_ma) / bound))),
    now: i === now,
  }));
}

/** Whether something less than the owner's own setting holds that direction down. */
export const isReduced = (battery: Battery, way: Direction): boolean => {
  const limit = limitOf(battery, way);
  return limit === null || limit < boundOf(battery, way);
};

/** What a rule looked at, with its unit: 3.393 V, 24.6 °C. Empty where it is no quantity. */
export function inputText(rule: Pick<RuleLimit, 'rule' | 'input'>): string {
  if (rule.input === null) {
    return '';
  }
  switch (rule.rule) {
    case 'cell_high':
    case 'cell_low':
      return together(voltage(rule.input));
    case 'temperature':
    case 'board_temperature':
      return together(temperature(rule.input));
    case 'soc':
      return together(share(rule.input));
    case 'stale':
    case 'remote':
      return age(rule.input / 1000);
    default:
      return '';
  }
}

/** "Highest cell voltage", "Temperature, 24.6 °C". */
export function ruleName(rule: RuleLimit): string {
  const name = sayOr(`rule_${rule.rule}`, rule.rule.replaceAll('_', ' '));
  const input = /temperature|soc|stale/.test(rule.rule) ? inputText(rule) : '';
  return ofPack(rule, input ? `${name}, ${input}` : name);
}

/** Where there are several packs a rule says in which one it looked. */
const ofPack = (rule: Pick<RuleLimit, 'pack'>, text: string): string =>
  rule.pack > 0 ? say('rule_of_pack', { n: rule.pack, text }) : text;

/** Rules whose words of the gateway say what no sentence of ours can. */
const tells_more = new Set(['implausible', 'not_ready', 'bms_fault', 'hull']);

export interface Why {
  text: string;
  told: string; // the gateway's own words besides, in English; often empty
  lifts: string; // what changes it
}

/** Why a rule limits: the gateway's sentence for who reads English, else one of ours. */
export function whyOf(rule: RuleLimit, limit_ma: number): Why {
  const lifts = sayOr(`lifts_${rule.rule}`, '');
  if (chosenLanguage() === 'en' && rule.why) {
    return { text: rule.why, told: '', lifts };
  }
  const key = rule.index === 0 || rule.input === null ? 'because_any_' : 'because_';
  const places = {
    index: rule.index,
    value: inputText(rule),
    limit: `${amperes(limit_ma)}${thin}A`,
  };
  const plain = sayOr(`because_${rule.rule}`, '', places);
  const text = sayOr(`${key}${rule.rule}`, plain, places);
  return {
    text: text ? ofPack(rule, text) : rule.why || ruleName(rule),
    told: text && tells_more.has(rule.rule) ? rule.why : '',
    lifts,
  };
}

export interface Curve {
  points: [number, number][]; // in the unit, A
  unit: string;
  at: [number, number]; // where it is now
  say: string; // the whole picture as one sentence
  name: string;
}

const curves: Record<string, Record<Direction, string[]>> = {
  cell_high: { charge: ['charge_by_cell', 'cell_high'], discharge: [] },
  cell_low: { charge: [], discharge: ['discharge_by_cell', 'cell_low'] },
  temperature: {
    charge: ['charge_by_temperature', 'temperature'],
    discharge: ['discharge_by_temperature', 'temperature'],
  },
  board_temperature: {
    charge: ['by_board_temperature', 'board_temperature'],
    discharge: ['by_board_temperature', 'board_temperature'],
  },
  soc: { charge: ['charge_by_soc', 'soc'], discharge: ['discharge_by_soc', 'soc'] },
};

const axes: Record<string, [number, string]> = {
  cell_high: [1000, 'V'],
  cell_low: [1000, 'V'],
  temperature: [1000, '°C'],
  board_temperature: [1000, '°C'],
  soc: [10, '%'],
};

/** Straight between the points, level beyond them. */
export function permilleAt(points: readonly [number, number][], at: number): number {
  const next = points.findIndex(([x]) => x >= at);
  if (next <= 0) {
    return points[next === 0 ? 0 : points.length - 1]![1];
  }
  const [x0, y0] = points[next - 1]!;
  const [x1, y1] = points[next]!;
  return y0 + ((y1 - y0) * (at - x0)) / Math.max(1, x1 - x0);
}

/** The curve of a rule with the present point; null where the rule has none. */
export function curveOf(battery: Battery, row: RuleRow, way: Direction): Curve | null {
  const { rule } = row;
  const names = curves[rule.rule]?.[way] ?? [];
  const points = names.map((name) => battery.ramps[name]).find((one) => one && one.length > 1);
  if (!points || rule.input === null) {
    return null;
  }
  const rating = battery.rules.find((one) => one.rule === 'bms_rating');
  const whole = Math.min(boundOf(battery, way), (rating && allowedBy(rating, way)) ?? Infinity);
  // Of several packs a curve is the share of one, which nobody tells: the point lies on it.
  const permille = permilleAt(points, rule.input);
  const base =
    battery.packs.length > 1 && permille > 0 && row.limit_ma > 0 ? (row.limit_ma * 1000) / permille : whole;
  const [by, unit] = axes[rule.rule]!;
  const name = say(`curve_${rule.rule as 'cell_high'}`);
  const places = { value: inputText(rule), limit: `${amperes(row.limit_ma)}${thin}A` };
  return {
    points: points.map(([at, of]) => [at / by, (of * base) / 1e6]),
    unit,
    at: [rule.input / by, row.limit_ma / 1000],
    say: `${name}. ${say('curve_now', places)}.`,
    name,
  };
}

export interface Cells {
  mean_mv: number;
  highest: number; // index
  lowest: number;
  difference_mv: number;
  balancing: number[]; // numbers as people count, from 1
}

/** What there is to say of a pack's cells; null where not one is known. */
export function cellsOf(pack: Pick<Pack, 'cells_mv' | 'balancing'>): Cells | null {
  const known = pack.cells_mv.flatMap((mv, i) => (mv === null ? [] : [{ mv, i }]));
  if (known.length === 0) {
    return null;
  }
  const highest = known.reduce((a, b) => (b.mv > a.mv ? b : a));
  const lowest = known.reduce((a, b) => (b.mv < a.mv ? b : a));
  return {
    mean_mv: known.reduce((sum, one) => sum + one.mv, 0) / known.length,
    highest: highest.i,
    lowest: lowest.i,
    difference_mv: highest.mv - lowest.mv,
    balancing: pack.balancing.flatMap((on, i) => (on ? [i + 1] : [])),
  };
}

/** Seconds until full or empty at the present current; null where that cannot be told. */
export function timeToEnd(battery: Battery): { to: 'full' | 'empty'; left_s: number } | null {
  const { capacity_mah, soc_permille, current_ma } = battery.measured;
  if (capacity_mah === undefined || soc_permille === undefined || current_ma === undefined) {
    return null;
  }
  if (Math.abs(current_ma) < Math.max(resting_ma, capacity_mah / 100)) {
    return null;
  }
  const to = current_ma > 0 ? 'full' : 'empty';
  const missing = (capacity_mah * (to === 'full' ? 1000 - soc_permille : soc_permille)) / 1000;
  const left_s = (3600 * missing) / Math.abs(current_ma);
  return left_s > 60 && left_s < 86_400 ? { to, left_s } : null;
}

/** The charge below which the owner lets discharging fall, in permille; null where no rule says so. */
export function reserveOf(battery: Battery): number | null {
  const points = battery.ramps.discharge_by_soc ?? [];
  const full = points.find(([, permille]) => permille >= 1000);
  return full ? full[0] : null;
}
