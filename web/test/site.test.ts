// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, Fault, Latest, Outbox, Sink, Status } from '../src/api/shapes';
import { followSink, progressOf, sinkCase } from '../src/site/delivery';
import { nextScale, scaleFor, shareOut } from '../src/site/flow';
import { likelyRole, rolesOf } from '../src/site/roles';
import { csvOf, decimalsFor, gapsOf } from '../src/site/series';
import { deliveryLine, statusOf, type Situation } from '../src/site/status';
import { groupOf, labelOf, written } from '../src/site/values';
import { isStale, powersOf, viewOf } from '../src/site/view';
import { wholeHour } from '../src/parts/recent';
import { typed } from '../src/parts/control';
import { thin, together } from '../src/text/formats';
import { chooseLanguage } from '../src/text/say';

beforeEach(() => chooseLanguage(['en-GB']));

const spaced = (text: string): string => text.replaceAll(thin, ' ');

const device = (name: string, driver: string, more: Partial<Device> = {}): Device => ({
  name,
  title: name,
  driver,
  bus: 'b',
  bus_type: 'modbus_tcp',
  address: '',
  maker: '',
  model: '',
  version: '',
  serial: '',
  state: 'online',
  poll_ms: 1000,
  keep_ms: 60_000,
  last_reading_age_ms: 300,
  readings: 1,
  errors: 0,
  settable: [],
  ...more,
});

const latest = (name: string, values: Record<string, number>, age_ms = 300): Latest => ({
  device: name,
  age_ms,
  values: Object.entries(values).map(([key, value]) => ({
    name: key,
    quantity: key.replace(/_[lst]\d(?=_)/, ''),
    index: 0,
    value,
    age_ms,
    stale: false,
  })),
});

const sink = (more: Partial<Sink> = {}): Sink => ({
  name: 'hub',
  type: 'mqtt',
  endpoint: 'hub:1883',
  state: 'connected',
  waiting: 3,
  oldest_age_s: 1,
  confirmed_to: [0, 0, 0, 100],
  durable_to: null,
  last_confirmed_age_s: 2,
  retry_in_s: null,
  reason: null,
  sent_bytes: 0,
  in_flight: 0,
  ...more,
});

const outbox = (...sinks: Sink[]): Outbox => ({
  epoch: '0',
  boot: 1,
  storage: { bytes_max: 100, bytes_used: 1, bytes_written: 1 },
  keep_every: 1,
  classes: [],
  sinks,
});

const now_ms = new Date(2026, 8, 18, 14, 20, 6).getTime();
const since = { devices: 0, readings: () => 0 };

interface Site {
  grid?: number;
  solar?: number;
  battery?: number;
  silent?: boolean;
  faults?: Fault[];
  sinks?: Sink[];
  time?: number | null;
}

function situation(site: Site): Situation {
  const devices: Device[] = [];
  const readings: Latest[] = [];
  const add = (name: string, driver: string, values: Record<string, number>, silent = false) => {
    const age_ms = silent ? 28 * 60_000 : 300;
    devices.push(
      device(name, driver, { state: silent ? 'asleep' : 'online', last_reading_age_ms: age_ms }),
    );
    readings.push(latest(name, values, age_ms));
  };
  if (site.grid !== undefined) {
    add('grid', 'p1', { power_w: site.grid }, site.silent);
  }
  if (site.solar !== undefined) {
    add('roof', 'sunspec', { power_w: site.solar, dc_power_w: site.solar });
  }
  if (site.battery !== undefined) {
    add('store', 'sunspec', { power_w: site.battery, soc_permille: 500 });
  }
  return {
    status: { time: site.time === undefined ? now_ms : site.time } as Status,
    views: viewOf(devices, readings, since),
    outbox: outbox(...(site.sinks ?? [sink()])),
    outbox_elapsed_s: 0,
    faults: site.faults ?? [],
    now_ms,
    lost_since_ms: null,
  };
}

describe('status sentence', () => {
  it.each<[string, Site, string]>([
    ['export_sun', { grid: -1520, solar: 4860, battery: 2200 }, 'The sun runs the house. 1.52 kW is going to the grid.'],
    ['export', { grid: -1520 }, '1.52 kW is going to the grid.'],
    ['even_sun', { grid: 5, solar: 900 }, 'The sun runs the house. Nothing comes from the grid.'],
    ['even_battery', { grid: 5, solar: 0, battery: -600 }, 'The battery runs the house. Nothing comes from the grid.'],
    ['even', { grid: 0 }, 'Nothing comes from the grid.'],
    ['import', { grid: 3400, solar: 0 }, 'The house draws 3.40 kW from the grid.'],
    ['import', { grid: 3400, solar: 900 }, 'The house draws 3.40 kW from the grid.'],
    ['import_sun', { grid: 400, solar: 900 }, 'The sun helps. The house draws 400 W from the grid.'],
    ['meter_silent', { grid: 3400, solar: 900, silent: true }, 'Power now is not known.'],
    ['devices_only', { solar: 900 }, 'The device answers.'],
    ['no_device', {}, 'No device yet.'],
  ])('%s', (which, site, sentence) => {
    const status = statusOf(situation(site));
    expect([status.which, spaced(status.sentence)]).toEqual([which, sentence]);
  });

  it('does not call it sun what may come from the battery of a hybrid inverter', () => {
    const values = { power_w: 1800, dc_power_s1_w: 6000, soc_permille: 550 };
    const night = situation({ grid: 5 });
    const views = viewOf(
      [device('grid', 'p1'), device('roof', 'sunspec')],
      [latest('grid', { power_w: 5 }), latest('roof', values)],
      since,
    );
    expect(statusOf({ ...night, views }).sentence).toBe(
      'Sun and battery run the house. Nothing comes from the grid.',
    );
  });

  it('never claims a sun that it does not know', () => {
    const odd = situation({ grid: -1520, solar: 4860 });
    const views = odd.views.map((view) =>
      view.role === 'solar' ? { ...view, main: { ...view.main!, stale: true } } : view,
    );
    expect(spaced(statusOf({ ...odd, views }).sentence)).toBe('1.52 kW is going to the grid.');
  });

  it('says since when the meter is silent', () => {
    expect(statusOf(situation({ grid: 1, silent: true })).lines[0]).toMatchObject({
      mark: 'alarm',
      text: 'grid does not answer since 13:52',
    });
  });

  it('a failing disk comes before everything', () => {
    const fault: Fault = {
      source: '',
      kind: 'storage_failed',
      severity: 'alarm',
      text: 'The disk refuses writes.',
      raised: true,
      since_age_s: 3,
    };
    const status = statusOf(situation({ grid: 100, faults: [fault] }));
    expect(status.sentence).toBe('New readings cannot be kept.');
    expect(status.lines[0]!.text).toBe('The disk refuses writes.');
  });

  it('blames no device while the gateway itself is not heard', () => {
    const lost = { ...situation({ grid: 1, solar: 5, silent: true }), lost_since_ms: now_ms - 4000 };
    expect(statusOf(lost)).toEqual({
      which: 'no_contact',
      sentence: 'Power now is not known.',
      lines: [{ mark: 'stale', text: 'The last values are from 14:20:02' }],
    });
  });

  it('says that the clock is not set', () => {
    const lines = statusOf(situation({ grid: 100, time: null })).lines;
    expect(lines[lines.length - 1]!.text).toMatch(/^The clock is not set yet/);
  });
});

describe('delivery', () => {
  it('everything delivered counts up between messages', () => {
    expect(spaced(deliveryLine(outbox(sink()), 3)!.text)).toBe('Everything delivered, 5 s ago');
  });

  it('is only as good as the slowest target', () => {
    const line = deliveryLine(outbox(sink(), sink({ name: 'b', last_confirmed_age_s: 9 })), 0);
    expect(spaced(line!.text)).toBe('Everything delivered, 9 s ago');
  });

  it('behind: how many, how old, for whom, why, when again', () => {
    const behind = sink({
      state: 'waiting',
      waiting: 4812,
      oldest_age_s: 1274,
      reason: 'the name is not found.',
      retry_in_s: 40,
    });
    const line = deliveryLine(outbox(behind), 0)!;
    expect(line.mark).toBe('warning');
    expect(spaced(line.text)).toBe(
      '4 812 readings wait, the oldest for 21 min: hub does not take them (the name is not found). Trying again in about 40 s.',
    );
  });

  it('without a target it says so', () => {
    expect(deliveryLine(outbox(), 0)!.text).toMatch(/^No target/);
  });

  it.each<[string, Partial<Sink>]>([
    ['up_to_date', {}],
    ['catching_up', { waiting: 900, oldest_age_s: 600, last_confirmed_age_s: 0 }],
    ['behind', { waiting: 900, oldest_age_s: 600, last_confirmed_age_s: 590 }],
    ['behind', { state: 'waiting', reason: 'refused', waiting: 9 }],
    ['behind', { state: 'connecting', oldest_age_s: 90 }],
    ['connecting', { state: 'connecting', oldest_age_s: 1 }],
    ['resting', { state: 'waiting', waiting: 50, oldest_age_s: 200, retry_in_s: 90 }],
    ['off', { state: 'off' }],
  ])('a target is %s', (which, more) => expect(sinkCase(sink(more))).toBe(which));

  it('a target that stops confirming falls behind while the page hears nothing new', () => {
    expect(sinkCase(sink({ oldest_age_s: 1 }), 60)).toBe('behind');
  });

  it('tells the share done and the time left while it catches up', () => {
    const away = sink({ state: 'waiting', reason: 'gone', waiting: 4800, oldest_age_s: 900 });
    const back = (waiting: number) => sink({ waiting, oldest_age_s: 800, last_confirmed_age_s: 0 });
    let followed = followSink(undefined, away, 0);
    followed = followSink(followed, back(3600), 1000);
    followed = followSink(followed, back(2400), 2000);
    expect(progressOf(followed, back(2400))).toEqual({ done: 2400, of: 4800, permille: 500, left_s: 2 });
    expect(followSink(followed, sink(), 3000)).toBeUndefined();
  });

  it('promises no time while nothing moves', () => {
    const away = sink({ state: 'waiting', reason: 'gone', waiting: 10 });
    expect(progressOf(followSink(undefined, away, 0), away)!.left_s).toBeNull();
  });
});

describe('roles', () => {
  it.each<[string, string, string[]]>([
    ['grid', 'p1', []],
    ['gas', 'p1', ['gas_volume_l']],
    ['grid', 'p1', ['power_w', 'gas_volume_l']],
    ['solar', 'sunspec', ['power_w', 'dc_power_w']],
    ['solar', 'sunspec', []],
    ['solar', 'sunspec', ['power_w', 'energy_production_wh']],
    ['battery', 'sunspec', ['power_w', 'soc_permille', 'dc_power_w']],
    ['solar', 'sunspec', ['power_w', 'soc_permille', 'dc_power_s1_w']],
    ['load', 'demo_meter', ['power_w', 'energy_import_wh', 'relay_closed']],
    ['grid', 'sunspec', ['power_w', 'energy_import_wh']],
    ['load', 'demo_meter', ['power_w', 'energy_wh']],
    ['load', 'demo_meter', []],
  ])('%s from %s with %j', (role, driver, names) =>
    expect(likelyRole({ driver }, new Set(names))).toBe(role),
  );

  it('of several meters the P1 port is the grid and the rest are loads', () => {
    const values = { power_w: 1, energy_import_wh: 1 };
    const roles = rolesOf(
      [device('flat', 'em24'), device('main', 'p1'), device('cellar', 'em24')],
      [latest('flat', values), latest('main', values), latest('cellar', values)],
    );
    expect([...roles]).toEqual([['flat', 'load'], ['main', 'grid'], ['cellar', 'load']]);
  });
});

describe('view', () => {
  it('a value is stale after three intervals, but not before ten seconds', () => {
    expect(isStale(9.9, 1000)).toBe(false);
    expect(isStale(10.1, 1000)).toBe(true);
    expect(isStale(170, 60_000)).toBe(false);
    expect(isStale(181, 60_000)).toBe(true);
  });

  it('goes on ageing while no message comes', () => {
    const old = { devices: 60, readings: () => 60 };
    const [view] = viewOf([device('grid', 'p1')], [latest('grid', { power_w: 5 })], old);
    expect(view!.values[0]).toMatchObject({ age_s: 60.3, stale: true });
  });

  it('computes the house from the places around it', () => {
    const { views } = situation({ grid: -1520, solar: 4860, battery: 2200 });
    expect(powersOf(views)).toEqual({ grid: -1520, solar: 4860, battery: 2200, house: 1140, hybrid: false });
  });

  it('does not know the house where one place is silent', () => {
    const { views } = situation({ grid: 100, solar: 900, silent: true });
    expect(powersOf(views)).toEqual({ grid: null, solar: 900, battery: undefined, house: null, hybrid: false });
  });

  it('leaves the picture out where there is no grid meter', () => {
    expect(powersOf(situation({ solar: 900 }).views)).toBeNull();
  });
});

describe('power flow', () => {
  it('solar serves the house, then the battery, then the grid', () => {
    expect(shareOut({ solar: 4860, battery: 2200, grid: -1520, house: 1140 })).toEqual({
      solar_house: 1140,
      solar_battery: 2200,
      solar_grid: 1520,
      battery_house: 0,
      battery_grid: 0,
      grid_house: 0,
      grid_battery: 0,
    });
  });

  it('at night battery and grid share the house', () => {
    const bands = shareOut({ solar: 0, battery: -420, grid: 180, house: 600 });
    expect([bands.battery_house, bands.grid_house]).toEqual([420, 180]);
  });

  it('the scale is the next of 1, 2, 5', () => {
    expect([400, 1000, 1001, 4860, 7000, 45_000].map(scaleFor)).toEqual([
      1000, 1000, 2000, 5000, 10_000, 50_000,
    ]);
  });

  it('the scale follows only after thirty seconds', () => {
    let scale = nextScale(null, 900, 0);
    scale = nextScale(scale, 1500, 1000);
    expect(scale.watts).toBe(1000);
    scale = nextScale(scale, 1500, 30_999);
    expect(scale.watts).toBe(1000);
    scale = nextScale(scale, 1500, 31_000);
    expect(scale.watts).toBe(2000);
  });

  it('a short peak leaves the scale alone', () => {
    let scale = nextScale(nextScale(null, 900, 0), 1500, 1000);
    scale = nextScale(scale, 900, 20_000);
    expect(nextScale(scale, 1500, 40_000).watts).toBe(1000);
  });
});

describe('values', () => {
  it.each([
    ['voltage_mv', 1, 'Voltage L1'],
    ['line_voltage_mv', 2, 'Voltage L2–L3'],
    ['dc_power_w', 2, 'DC power, string 2'],
    ['energy_import_wh', 1, 'Energy in, tariff 1'],
    ['temperature_mc', 2, 'Temperature 2'],
    ['cell_voltage_mv', 7, 'Cell voltage 7'],
    ['from_a_later_version_w', 0, 'From a later version'],
  ])('%s with index %d', (quantity, index, label) =>
    expect(labelOf({ quantity, index })).toBe(label),
  );

  it.each([
    ['relay_closed', 1, 'closed'],
    ['power_factor_permille', 983, '0.98'],
    ['cell_voltage_mv', 3393, '3.393 V'],
    ['soc_permille', 782, '78.2 %'],
    ['reactive_power_var', 1200, '1.20 kvar'],
    ['apparent_power_va', 900, '900 VA'],
    ['power_failure_count', 4, '4'],
  ])('%s is written as a person reads it', (quantity, value, text) =>
    expect(spaced(together(written(quantity, value)))).toBe(text),
  );

  it.each([
    ['power_w', 'power'],
    ['energy_import_wh', 'energy'],
    ['voltage_mv', 'electric'],
    ['soc_permille', 'battery'],
    ['rated_power_w', 'limits'],
    ['relay_closed', 'state'],
  ])('%s stands in the group %s', (quantity, group) => expect(groupOf(quantity)).toBe(group));
});

describe('a limit that is typed', () => {
  const permille = { name: 'power_limit_permille', least: 0, most: 1000 };
  it.each([
    ['62,5', 625],
    ['62.5', 625],
    [' 100 ', 1000],
    ['100.1', null],
    ['-1', null],
    ['', null],
    ['1e3', null],
    ['abc', null],
  ])('%j per cent', (text, value) => expect(typed(text, 10, permille)).toBe(value));
});

describe('chart', () => {
  it('finds gaps from the wanted length on and ignores what was before the first value', () => {
    const values = [null, null, null, 1, null, 2, null, null, null, 3];
    expect(gapsOf(values, 10, 30)).toEqual([{ from: 5, to: 9 }]);
  });

  it('a gap may last until now', () => {
    expect(gapsOf([1, null, null], 10, 20)).toEqual([{ from: 0, to: 2 }]);
  });

  it('keeps the width of an hour where there is less', () => {
    const short = { device: 'd', name: 'n', step_s: 10, to: null, values: [5, 6] };
    const { values } = wholeHour(short);
    expect([values.length, values[357], values[358], values[359]]).toEqual([360, null, 5, 6]);
  });

  it('counts as finely as its steps', () => {
    expect([100, 1, 0.5, 0.25, 0.02].map(decimalsFor)).toEqual([0, 0, 1, 1, 2]);
  });

  it('writes a CSV with ISO times, plain numbers and absent left empty', () => {
    const series = { key: 'power_w', unit: 'kW', step_s: 10, to_unix_ms: 20_000, values: [1.5, null, -2] };
    expect(csvOf(series)).toBe(
      'time,power_w [kW]\r\n1970-01-01T00:00:00.000Z,1.5\r\n1970-01-01T00:00:10.000Z,\r\n1970-01-01T00:00:20.000Z,-2\r\n',
    );
  });
});
