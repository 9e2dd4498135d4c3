// SPDX-License-Identifier: Apache-2.0
// The sentence that opens a battery's page: a table of cases, most severe first, and what to do.
import type { Alert, Battery } from '../api/battery_shapes';
import { age, amperes, clock, count, thin, timeLeft, wholeAge } from '../text/formats';
import { say, sayOr } from '../text/say';
import { limitOf, resting_ma, timeToEnd, whyOf, type Direction } from './battery';
import type { Line, StatusText } from './status';

/** An inverter speaks every second; one that is not heard so long does not listen either. */
export const inverter_silent_s = 10;

export interface BatterySituation {
  battery: Battery;
  elapsed_s: number; // since the gateway told
  now_ms: number;
  lost_since_ms: number | null;
  titleOf: (device: string) => string;
  alerts: readonly Alert[];
  over_s: number; // for how long more has flown than is allowed
}

interface Facts extends BatterySituation {
  current_ma: number | null;
  charge: number | null;
  discharge: number | null;
  silent: string[]; // devices of packs that do not answer
}

const rule = (f: Facts, name: string): boolean =>
  f.battery.charge_rule === name || f.battery.discharge_rule === name;
const amps = (ma: number): string => `${amperes(ma)}${thin}A`;
const flow = (ma: number): string => amperes(Math.round(Math.abs(ma) / 100) * 100);

const heardAge = (f: Facts): number | null =>
  f.battery.inverter?.heard_age_ms == null
    ? null
    : f.battery.inverter.heard_age_ms / 1000 + f.elapsed_s;

/** What becomes of the currents while something is wrong, as one sentence. */
function consequence(f: Facts): string {
  if (f.charge === null || f.discharge === null) {
    return say('bat_nothing_sent');
  }
  if (f.charge > 0) {
    return say('bat_falling', { charge: amps(f.charge), discharge: amps(f.discharge) });
  }
  return f.discharge > 0
    ? say('bat_charge_zero', { discharge: amps(f.discharge) })
    : say('bat_both_zero');
}

const packLine = (device: string): string => `#/devices/${encodeURIComponent(device)}`;

/** The gateway's reason of a rule, with the way to what can be done. */
function reason(f: Facts, name: string): Line {
  const found = f.battery.rules.find((one) => one.rule === name);
  const why = found ? whyOf(found, f.charge ?? 0) : null;
  return {
    mark: 'alarm',
    text: [why?.text, why?.told].filter(Boolean).join(' ') || sayOr(`because_${name}`, ''),
    to: packLine(f.battery.packs[Math.max(0, (found?.pack ?? 0) - 1)]?.device ?? ''),
  };
}

interface Case {
  which: string;
  holds: (f: Facts) => boolean;
  sentence: (f: Facts) => string;
  /** What it means and what to do; cases without trouble have none. */
  lines?: (f: Facts) => Line[];
}

const flows = (f: Facts, way: Direction): boolean =>
  f.current_ma !== null && (way === 'charge' ? f.current_ma >= resting_ma : f.current_ma <= -resting_ma);

/** An inverter needs some seconds to follow a limit that fell. */
const follows_within_s = 10;

/** More flows than is allowed: a tenth and an ampere beyond, since nobody controls more finely. */
export function isOver(battery: Battery, way: Direction): boolean {
  const limit = limitOf(battery, way);
  const current = (battery.measured.current_ma ?? 0) * (way === 'charge' ? 1 : -1);
  return limit !== null && current >= resting_ma && current > limit * 1.1 + 1000;
}

const allowed = (f: Facts, way: Direction): { now: string; limit: string } => ({
  now: flow(f.current_ma!),
  limit: amps(limitOf(f.battery, way)!),
});

const cases: Case[] = [
  {
    which: 'lost',
    holds: (f) => f.lost_since_ms !== null && f.elapsed_s > inverter_silent_s,
    sentence: () => say('bat_lost'),
    lines: (f) => [
      { mark: 'stale', text: say('last_values', { time: clock(f.lost_since_ms!, f.now_ms, true) }) },
      { mark: 'none', text: say('bat_lost_what') },
    ],
  },
  {
    which: 'silent',
    holds: (f) => f.silent.length > 0 && f.silent.length === f.battery.packs.length,
    sentence: () => say('bat_silent'),
    lines: (f) => {
      const ages = f.battery.packs.flatMap((pack) => (pack.age_ms === null ? [] : [pack.age_ms]));
      const since = ages.length
        ? say('bat_silent_since', {
            time: clock(f.now_ms - Math.min(...ages) - f.elapsed_s * 1000, f.now_ms, true),
          })
        : say('bat_silent_never');
      return [
        { mark: 'alarm', text: `${since} ${consequence(f)}` },
        { mark: 'none', text: say('bat_silent_what'), to: packLine(f.silent[0]!) },
      ];
    },
  },
  {
    which: 'not_ready',
    holds: (f) => rule(f, 'not_ready'),
    sentence: () => say('bat_not_ready'),
    lines: (f) => [
      { ...reason(f, 'not_ready'), mark: 'warning' },
      { mark: 'none', text: consequence(f) },
    ],
  },
  {
    which: 'implausible',
    holds: (f) => rule(f, 'implausible'),
    sentence: () => say('bat_implausible'),
    lines: (f) => [reason(f, 'implausible'), { mark: 'none', text: consequence(f) }],
  },
  {
    which: 'stale',
    holds: (f) => rule(f, 'stale'),
    sentence: (f) =>
      say('bat_stale', { age: wholeAge((f.battery.age_ms ?? 0) / 1000 + f.elapsed_s) }),
    lines: (f) => [
      { mark: 'alarm', text: consequence(f) },
      { mark: 'none', text: say('bat_silent_what'), to: packLine(f.battery.packs[0]?.device ?? '') },
    ],
  },
  {
    which: 'bms_fault',
    holds: (f) => rule(f, 'bms_fault'),
    sentence: () => say('bat_bms_fault'),
    lines: (f) => [reason(f, 'bms_fault'), { mark: 'none', text: say('bat_bms_fault_what') }],
  },
  {
    which: 'bus_off',
    holds: (f) => f.battery.inverter?.bus_state === 'off',
    sentence: () => say('bat_bus_off'),
    lines: (f) => [{ mark: 'alarm', text: say('bat_bus_off_what', { bus: f.battery.inverter!.bus }) }],
  },
  {
    which: 'inverter_silent',
    holds: (f) => f.battery.inverter !== null && (heardAge(f) ?? Infinity) > inverter_silent_s,
    sentence: () => say('bat_inverter_silent'),
    lines: (f) => {
      const heard = heardAge(f);
      const places = { title: f.battery.inverter!.title, bus: f.battery.inverter!.bus };
      return [
        {
          mark: 'warning',
          text: heard === null ? say('bat_inverter_never') : say('bat_inverter_since', { age: wholeAge(heard) }),
        },
        { mark: 'none', text: say('bat_inverter_what', places) },
      ];
    },
  },
  ...(['charge', 'discharge'] as const).map(
    (way): Case => ({
      which: `over_${way}`,
      holds: (f) => f.over_s > follows_within_s && isOver(f.battery, way),
      sentence: (f) => say(`bat_over_${way}`, allowed(f, way)),
      lines: () => [{ mark: 'warning', text: say('bat_over_what') }],
    }),
  ),
  {
    which: 'unlimited',
    holds: (f) => f.charge === null || f.discharge === null,
    sentence: () => say('bat_no_limits'),
    lines: () => [{ mark: 'warning', text: say('bat_nothing_sent') }],
  },
  {
    which: 'current_unknown',
    holds: (f) => f.current_ma === null,
    sentence: () => say('bat_current_unknown'),
  },
  {
    which: 'charging',
    holds: (f) => flows(f, 'charge'),
    sentence: (f) => say('bat_charging', allowed(f, 'charge')),
  },
  {
    which: 'discharging',
    holds: (f) => flows(f, 'discharge'),
    sentence: (f) => say('bat_discharging', allowed(f, 'discharge')),
  },
  {
    which: 'stopped',
    holds: (f) => f.charge === 0 && f.discharge === 0,
    sentence: () => say('bat_stopped'),
  },
  {
    which: 'charge_stopped',
    holds: (f) => f.charge === 0,
    sentence: (f) => say('bat_charge_stopped', { limit: amps(f.discharge!) }),
  },
  {
    which: 'discharge_stopped',
    holds: (f) => f.discharge === 0,
    sentence: (f) => say('bat_discharge_stopped', { limit: amps(f.charge!) }),
  },
  {
    which: 'full',
    holds: (f) => f.battery.packs.every((pack) => pack.activity === 'full'),
    sentence: (f) => say('bat_full', { limit: amps(f.discharge!) }),
  },
  {
    which: 'resting',
    holds: () => true,
    sentence: (f) => say('bat_resting', { charge: amps(f.charge!), discharge: amps(f.discharge!) }),
  },
];

/** What stands below the sentence whatever the case is. */
function others(f: Facts, which: string): Line[] {
  const lines: Line[] = [];
  if (which !== 'silent') {
    for (const device of f.silent) {
      lines.push({
        mark: 'warning',
        text: say('bat_pack_silent', { title: f.titleOf(device) }),
        to: packLine(device),
      });
    }
  }
  const heard = heardAge(f);
  if (f.battery.inverter && heard !== null && heard <= inverter_silent_s && which !== 'bus_off') {
    lines.push({
      mark: 'ok',
      text: say('bat_inverter_heard', { age: age(heard) }),
    });
  }
  const left = timeToEnd(f.battery);
  if (left && /^(charging|discharging)$/.test(which)) {
    lines.push({ mark: 'none', text: say(`bat_time_${left.to}`, { age: timeLeft(left.left_s) }) });
  }
  const alarms = f.battery.alarms.filter((one) => one.level === 'alarm' || one.level === 'warning');
  for (const one of alarms.slice(0, 3)) {
    lines.push({
      mark: one.level === 'alarm' ? 'alarm' : 'warning',
      text: sayOr(`alarm_${one.name}`, one.name.replaceAll('_', ' ')),
    });
  }
  const active = f.alerts.filter((alert) => alert.status === 'active').length;
  if (active > 0) {
    lines.push({
      mark: 'warning',
      text: say('alerts_to_look_at', { count: active, n: count(active) }),
      to: '#/alerts',
    });
  }
  return lines;
}

export function batteryStatus(situation: BatterySituation): StatusText {
  const { battery } = situation;
  const facts: Facts = {
    ...situation,
    current_ma: battery.measured.current_ma ?? null,
    charge: limitOf(battery, 'charge'),
    discharge: limitOf(battery, 'discharge'),
    silent: battery.packs.filter((pack) => !pack.online).map((pack) => pack.device),
  };
  const found = cases.find((one) => one.holds(facts))!;
  return {
    which: `battery ${found.which}`,
    sentence: found.sentence(facts),
    lines: [
      ...(found.lines?.(facts) ?? []),
      ...(found.which === 'lost' ? [] : others(facts, found.which)),
    ],
  };
}
