// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import type { Alert, History, Parameter } from '../src/api/battery_shapes';
import { alertNumber, alertNumbers, alertState, alertSummary, alertTitle, chosenAlerts } from '../src/site/alerts';
import { bytesText, frameName, signalName, signalValue } from '../src/site/can';
import { stepsOf } from '../src/site/history';
import {
  groupOfParameter,
  isAction,
  isReadable,
  parameterName,
  parameterText,
  typedParameter,
} from '../src/site/parameters';
import { thin } from '../src/text/formats';
import { chooseLanguage } from '../src/text/say';

beforeEach(() => chooseLanguage(['en-GB']));

const spaced = (text: string): string => text.replaceAll(thin, ' ');

describe('what is said on the line', () => {
  it('bytes stand in pairs', () => {
    expect(bytesText('2802E8')).toBe('28 02 E8');
    expect(bytesText('')).toBe('');
  });

  it.each([
    ['mV', 55200, '55.20 V'],
    ['mA', 47000, '47.0 A'],
    ['mdegC', -5300, '\u22125.3 °C'],
    ['0.01 %', 7532, '75.32 %'],
    ['0.1 %', 970, '97.0 %'],
    ['mAh', 280_000, '280 Ah'],
    ['Wh', 1_234_500, '1 234.5 kWh'],
    ['', 3, '3'],
    ['furlong', 3, '3 furlong'],
  ])('%s: %i is %s', (unit, value, text) =>
    expect(spaced(signalValue({ name: 'x', unit, value }))).toBe(text),
  );

  it('levels and texts are words, absent is a dash', () => {
    expect(signalValue({ name: 'high_voltage', unit: '', value: 'warning' })).toBe('warning');
    expect(signalValue({ name: 'manufacturer', unit: '', value: 'Jouleway' })).toBe('Jouleway');
    expect(signalValue({ name: 'voltage_mv', unit: 'mV', value: null })).toBe('–');
  });

  it('names of frames, of signals and of alarms; others by their own', () => {
    expect(frameName({ name: 'limits', known: true })).toBe('Limits');
    expect(frameName({ name: 'moon_phase', known: true })).toBe('Moon phase');
    expect(frameName({ name: null, known: false })).toBe('');
    expect(signalName({ name: 'charge_voltage_mv' })).toBe('Charge up to');
    expect(signalName({ name: 'cell_imbalance' })).toBe('The cells differ too much');
    expect(signalName({ name: 'moon_phase' })).toBe('Moon phase');
  });
});

const parameter = (more: Partial<Parameter> = {}): Parameter => ({
  name: 'capacity',
  unit: 'Ah',
  decimals: 2,
  writable: true,
  least: 10,
  most: 65_500,
  value: 28_000,
  ...more,
});

describe('settings of a device', () => {
  it('are written with as many decimals as they need', () => {
    expect(spaced(parameterText(parameter(), 28_000))).toBe('280 Ah');
    expect(spaced(parameterText(parameter(), 28_050))).toBe('280.5 Ah');
    expect(spaced(parameterText(parameter({ unit: 'degC', decimals: 0 }), -5))).toBe('\u22125 °C');
    expect(parameterText(parameter(), null)).toBe('–');
  });

  it.each([
    ['280', 28_000],
    ['280,5', 28_050],
    [' 2\u202f80.25 ', 28_025],
    ['280.255', null],
    ['655.01', null],
    ['0', null],
    ['', null],
    ['1e3', null],
    ['-5', null],
  ])('typed %j is %j', (text, value) => expect(typedParameter(text, parameter())).toBe(value));

  it('negative ones can be typed with either minus', () => {
    const cold = parameter({ decimals: 0, least: -40, most: 10 });
    expect(typedParameter('-20', cold)).toBe(-20);
    expect(typedParameter('\u221220', cold)).toBe(-20);
  });

  it('a range of one value is something to do', () => {
    const restart = parameter({ name: 'restart', least: 1, most: 1, value: null });
    expect(isAction(restart)).toBe(true);
    expect(groupOfParameter(restart)).toBe('actions');
    expect(isReadable(parameter({ name: 'set_state_of_charge', value: null }))).toBe(false);
  });

  it.each([
    ['over_voltage_cutoff', 'cells'],
    ['charge_current_cutoff', 'currents'],
    ['peak_discharge_cutoff', 'currents'],
    ['low_temperature_charge_cutoff', 'temperatures'],
    ['temperature_sensor_type', 'temperatures'],
    ['set_state_of_charge', 'capacity'],
    ['charge_finished_current', 'charger'],
    ['charger_switch_type', 'charger'],
    ['load_switch_type', 'switches'],
    ['broadcast_period', 'other'],
  ])('%s belongs to %s', (name, group) => expect(groupOfParameter(parameter({ name }))).toBe(group));

  it('what no table knows is told by its name', () =>
    expect(parameterName({ name: 'odd_register' })).toBe('Odd register'));
});

const alert = (more: Partial<Alert> = {}): Alert => ({
  id: 1,
  source: 'battery',
  kind: 'value_beyond',
  severity: 'warning',
  text: 'The highest cell is above its bound.',
  status: 'active',
  since: null,
  since_age_s: 90,
  cleared_age_s: null,
  acknowledged_by: '',
  value: 3520,
  threshold: 3450,
  unit: 'mV',
  ...more,
});

describe('alerts', () => {
  const three = [alert(), alert({ status: 'acknowledged' }), alert({ status: 'cleared' })];

  it.each([
    ['all', 3],
    ['new', 1],
    ['open', 2],
    ['over', 1],
  ] as const)('%s shows %i', (filter, n) => expect(chosenAlerts(three, filter)).toHaveLength(n));

  it('the worst state makes the sentence', () => {
    expect(alertSummary(three).sentence).toBe('One alert is new.');
    expect(alertSummary(three.slice(1)).sentence).toBe('One alert goes on; it was seen.');
    expect(alertSummary(three.slice(2)).sentence).toBe('Every alert is over.');
    expect(alertSummary([]).sentence).toBe('There was no alert.');
  });

  it('a number stands with its bound and its unit', () => {
    expect(spaced(alertNumbers(alert()))).toBe('3.520 V, where the bound is 3.450 V.');
    expect(alertNumbers(alert({ value: null }))).toBe('');
    expect(spaced(alertNumber(95, 'permille'))).toBe('9.5 %');
  });

  it('a kind that no table knows speaks the words of the gateway', () => {
    expect(alertTitle(alert(), 'Battery', '14:20')).toEqual({ text: alert().text, ours: false });
    expect(alertTitle(alert({ kind: 'device_silent' }), 'Pack 1', '14:20').text).toBe(
      'Pack 1 does not answer since 14:20',
    );
  });

  it('says whether it is over and who has seen it', () => {
    const now = Date.UTC(2026, 10, 20, 13, 20);
    expect(spaced(alertState(alert(), 0, now))).toBe('Goes on for 1 min.');
    expect(alertState(alert({ status: 'acknowledged', acknowledged_by: 'owner' }), 0, now)).toBe(
      'Acknowledged by the owner.',
    );
    const over = alert({ status: 'cleared', cleared_age_s: 30, acknowledged_by: 'karla' });
    expect(alertState(over, 0, now)).toMatch(/^Over since \d\d:19\. Acknowledged by karla\.$/);
  });
});

describe('history', () => {
  const minute = 60_000;
  const points = (...minutes: number[]): History => ({
    device: 'battery',
    name: 'soc_permille',
    unit: 'permille',
    step_s: 10,
    points: minutes.map((m) => [m * minute, m, m - 1, m + 1]),
  });

  it('what was not kept is absent, never a line across', () => {
    const steps = stepsOf(points(600, 605, 625), 0, 1440 * minute);
    expect(steps.step_s).toBe(300);
    expect(steps.mean).toHaveLength(289);
    expect(steps.mean.slice(120, 126)).toEqual([600, 605, null, null, null, 625]);
    expect(steps.least[120]).toBe(599);
    expect(steps.most[120]).toBe(601);
  });

  it('no point or one is a row of the same length', () => {
    for (const history of [points(), points(30)]) {
      const steps = stepsOf(history, 0, 1440 * minute);
      expect(steps.mean.length).toBeGreaterThan(100);
      expect(steps.mean.filter((one) => one !== null)).toHaveLength(history.points.length);
    }
  });

  it('points outside of the range do no harm', () => {
    const steps = stepsOf(points(-10, 30, 2000), 0, 1440 * minute);
    expect(steps.mean.filter((one) => one !== null)).toEqual([30]);
  });
});
