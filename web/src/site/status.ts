// SPDX-License-Identifier: Apache-2.0
// The sentence that opens Home and the facts below it: a table of cases, most severe first.
import type { Fault, Outbox, Status } from '../api/shapes';
import { clock, count, power, timeLeft, together, wholeAge } from '../text/formats';
import { say } from '../text/say';
import { behindSinks, lastConfirmedAge, oldestAge, sinkCase, waitingMost } from './delivery';
import { powersOf, type DeviceView, type Powers } from './view';

export type Mark = 'ok' | 'warning' | 'alarm' | 'stale' | 'none';

export interface Line {
  mark: Mark;
  text: string;
  to?: string;
}

export interface StatusText {
  which: string; // the case: a change of it is announced, a change of the numbers is not
  sentence: string;
  lines: Line[];
}

export interface Situation {
  status: Status | null;
  views: readonly DeviceView[];
  outbox: Outbox | null;
  outbox_elapsed_s: number;
  faults: readonly Fault[];
  now_ms: number;
  /** Contact with the gateway is lost since then: what it does now is not known. */
  lost_since_ms: number | null;
}

/** Below this many watts nothing worth a word flows. */
const nothing_w = 30;

interface Facts extends Situation {
  powers: Powers | null;
  grid: DeviceView | undefined;
}

interface Case {
  which: string;
  holds: (facts: Facts) => boolean;
  sentence: (facts: Facts) => string;
}

const watts = (value: number): string => together(power(Math.abs(value)));
const raised = (facts: Situation, ...kinds: string[]): Fault | undefined =>
  facts.faults.find((fault) => kinds.includes(fault.kind));
const grid = (facts: Facts): number => facts.powers?.grid ?? 0;
const sun = (facts: Facts): number => facts.powers?.solar ?? 0;
/** Something comes from a hybrid inverter: sun and battery cannot be told apart. */
const own = (facts: Facts): boolean => facts.powers?.hybrid === true && sun(facts) >= nothing_w;
const battery = (facts: Facts): number => facts.powers?.battery ?? 0;

const cases: Case[] = [
  {
    which: 'storage_failed',
    holds: (f) => raised(f, 'storage_failed', 'storage_full', 'records_dropped') !== undefined,
    sentence: (f) =>
      say(raised(f, 'storage_failed') ? 'status_storage_failed' : 'status_storage_full'),
  },
  {
    which: 'no_device',
    holds: (f) => f.views.length === 0,
    sentence: () => say('status_no_device'),
  },
  {
    which: 'no_contact',
    holds: (f) => f.lost_since_ms !== null && f.powers?.grid == null,
    sentence: () => say('status_not_known'),
  },
  {
    which: 'meter_silent',
    holds: (f) => f.grid !== undefined && f.powers?.grid == null && f.grid.device.state !== 'starting',
    sentence: () => say('status_not_known'),
  },
  {
    which: 'starting',
    holds: (f) => f.views.every((view) => view.device.state === 'starting'),
    sentence: () => say('status_starting'),
  },
  {
    which: 'all_silent',
    holds: (f) => f.views.every((view) => view.silent),
    sentence: () => say('status_all_silent'),
  },
  {
    which: 'devices_only',
    holds: (f) => f.powers?.grid == null,
    sentence: (f) => {
      const answering = f.views.filter((view) => view.device.state === 'online').length;
      return answering === f.views.length
        ? say('status_all_answer', { count: answering })
        : say('status_some_answer', { count: answering, of: count(f.views.length) });
    },
  },
  {
    which: 'export_own',
    holds: (f) => own(f) && grid(f) <= -nothing_w,
    sentence: (f) => say('status_export_own', { power: watts(grid(f)) }),
  },
  {
    which: 'even_own',
    holds: (f) => own(f) && grid(f) < nothing_w,
    sentence: () => say('status_even_own'),
  },
  {
    which: 'import_own',
    holds: (f) => own(f) && sun(f) >= grid(f),
    sentence: (f) => say('status_import_own', { power: watts(grid(f)) }),
  },
  {
    which: 'export_sun',
    holds: (f) => grid(f) <= -nothing_w && sun(f) >= nothing_w,
    sentence: (f) => say('status_export_sun', { power: watts(grid(f)) }),
  },
  {
    which: 'export',
    holds: (f) => grid(f) <= -nothing_w,
    sentence: (f) => say('status_export', { power: watts(grid(f)) }),
  },
  {
    which: 'even_sun',
    holds: (f) => grid(f) < nothing_w && sun(f) >= nothing_w && sun(f) >= -battery(f),
    sentence: () => say('status_even_sun'),
  },
  {
    which: 'even_battery',
    holds: (f) => grid(f) < nothing_w && battery(f) <= -nothing_w,
    sentence: () => say('status_even_battery'),
  },
  {
    which: 'even',
    holds: (f) => grid(f) < nothing_w,
    sentence: () => say('status_even'),
  },
  {
    which: 'import_sun',
    holds: (f) => sun(f) >= nothing_w && sun(f) >= grid(f),
    sentence: (f) => say('status_import_sun', { power: watts(grid(f)) }),
  },
  {
    which: 'import',
    holds: () => true,
    sentence: (f) => say('status_import', { power: watts(grid(f)) }),
  },
];

/** "since 13:52", from an age. */
export const sinceTime = (age_s: number, now_ms: number): string =>
  clock(now_ms - age_s * 1000, now_ms);

/** How delivery goes, in one line; null before the gateway has told. */
export function deliveryLine(
  outbox: Outbox | null,
  elapsed_s: number,
): Line | null {
  if (outbox === null) {
    return null;
  }
  const used = outbox.sinks.filter((sink) => sink.state !== 'off');
  if (used.length === 0) {
    return { mark: 'stale', text: say('delivery_no_sink'), to: '#/delivery' };
  }
  const behind = behindSinks(outbox, elapsed_s);
  if (behind.length > 0) {
    const worst = behind.reduce((a, b) => (b.waiting > a.waiting ? b : a));
    const reason = worst.reason ?? say(worst.state === 'connected' ? 'reason_no_confirm' : 'reason_no_answer');
    const parts = [
      say('delivery_behind', {
        count: worst.waiting,
        n: count(worst.waiting),
        age: wholeAge((worst.oldest_age_s ?? 0) + elapsed_s),
        sink: worst.name,
        reason: reason.replace(/[.\s]+$/, ''),
      }),
    ];
    if (worst.retry_in_s !== null) {
      parts.push(retryText(worst.retry_in_s - elapsed_s));
    }
    return { mark: 'warning', text: parts.join(' '), to: '#/delivery' };
  }
  const catching = used.find((sink) => sinkCase(sink, elapsed_s) === 'catching_up');
  if (catching) {
    return {
      mark: 'ok',
      text: say('delivery_catching_up', {
        count: catching.waiting,
        n: count(catching.waiting),
        sink: catching.name,
      }),
      to: '#/delivery',
    };
  }
  const confirmed = lastConfirmedAge(outbox);
  if (confirmed === null) {
    return { mark: 'stale', text: say('delivery_nothing_yet'), to: '#/delivery' };
  }
  const resting = used.some((sink) => sinkCase(sink, elapsed_s) === 'resting');
  if (resting && waitingMost(outbox) > 0) {
    return {
      mark: 'ok',
      text: say('delivery_resting', {
        count: waitingMost(outbox),
        n: count(waitingMost(outbox)),
        age: wholeAge((oldestAge(outbox) ?? 0) + elapsed_s),
      }),
      to: '#/delivery',
    };
  }
  return { mark: 'ok', text: say('delivery_done', { age: wholeAge(confirmed + elapsed_s) }) };
}

export const retryText = (in_s: number): string =>
  in_s >= 0.5 ? say('retry_in', { age: timeLeft(in_s) }) : say('retry_now');

export function statusOf(situation: Situation): StatusText {
  const facts: Facts = {
    ...situation,
    powers: powersOf(situation.views),
    grid: situation.views.find((view) => view.role === 'grid'),
  };
  const found = cases.find((one) => one.holds(facts))!;
  if (facts.lost_since_ms !== null) {
    const time = clock(facts.lost_since_ms, facts.now_ms, true);
    const line: Line = { mark: 'stale', text: say('last_values', { time }) };
    return { which: found.which, sentence: found.sentence(facts), lines: [line] };
  }
  const lines: Line[] = [];
  const disk = raised(facts, 'storage_failed', 'storage_full', 'records_dropped');
  if (disk) {
    lines.push({ mark: 'alarm', text: disk.text, to: '#/faults' });
  }
  const silent = facts.views.filter((view) => view.silent);
  if (found.which === 'meter_silent' && facts.grid) {
    lines.push({
      mark: 'alarm',
      text:
        facts.grid.age_s === null
          ? say('meter_never', { title: facts.grid.title })
          : say('meter_silent', {
              title: facts.grid.title,
              time: sinceTime(facts.grid.age_s, facts.now_ms),
            }),
      to: `#/devices/${facts.grid.device.name}`,
    });
  }
  const delivery = deliveryLine(facts.outbox, facts.outbox_elapsed_s);
  if (delivery) {
    lines.push(delivery);
  }
  const others = found.which === 'meter_silent' ? silent.filter((view) => view !== facts.grid) : silent;
  for (const [key, state] of [
    ['devices_silent', 'asleep'],
    ['devices_wrong', 'refusing'],
  ] as const) {
    const such = others.filter((view) => view.device.state === state);
    if (such.length > 0) {
      lines.push({
        mark: 'warning',
        text: say(key, {
          count: such.length,
          n: count(such.length),
          of: count(facts.views.length),
        }),
        to: such.length === 1 ? `#/devices/${such[0]!.device.name}` : '#/devices',
      });
    }
  }
  if (facts.status && facts.status.time === null) {
    lines.push({ mark: 'stale', text: say('clock_not_set') });
  }
  return { which: found.which, sentence: found.sentence(facts), lines };
}
