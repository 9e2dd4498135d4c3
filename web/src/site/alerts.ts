// SPDX-License-Identifier: Apache-2.0
// Alerts in words: what, since when, whether it is over and who has seen it.
import type { Alert } from '../api/battery_shapes';
import { clock, count, decimal, thin, wholeAge } from '../text/formats';
import { say, sayOr } from '../text/say';

export type AlertFilter = 'open' | 'new' | 'over' | 'all';

/** Open is what still holds; new what nobody has acknowledged; over what has cleared. */
export function chosenAlerts(alerts: readonly Alert[], filter: AlertFilter): Alert[] {
  return alerts.filter(
    (alert) =>
      filter === 'all' ||
      (filter === 'new' && alert.status === 'active') ||
      (filter === 'open' && alert.status !== 'cleared') ||
      (filter === 'over' && alert.status === 'cleared'),
  );
}

export interface AlertTitle {
  text: string;
  ours: boolean; // false: the gateway's own sentence, in English
}

/** A kind that the tables know in the language of the reader, else the gateway's sentence. */
export function alertTitle(alert: Alert, title: string, time: string): AlertTitle {
  const text = sayOr(`alert_${alert.kind}`, '', { title }) || sayOr(`fault_${alert.kind}`, '', { title, time });
  return text ? { text, ours: true } : { text: alert.text, ours: false };
}

const units: Record<string, [number, number, string]> = {
  mv: [1000, 3, 'V'],
  ma: [1000, 1, 'A'],
  mdegc: [1000, 1, '°C'],
  mc: [1000, 1, '°C'],
  permille: [10, 1, '%'],
};

export function alertNumber(value: number, unit: string): string {
  const [by, digits, shown] = units[unit.toLowerCase()] ?? [1, 0, unit];
  return `${decimal(value / by, digits)}${shown ? thin + shown : ''}`;
}

/** "3.520 V, where 3.450 V is the bound"; empty where the alert is about no number. */
export const alertNumbers = (alert: Alert): string =>
  alert.value === null
    ? ''
    : alert.threshold === null
      ? alertNumber(alert.value, alert.unit)
      : say('alert_numbers', {
          value: alertNumber(alert.value, alert.unit),
          threshold: alertNumber(alert.threshold, alert.unit),
        });

export const alertSince = (alert: Alert, elapsed_s: number, now_ms: number): string =>
  clock(alert.since ?? now_ms - (alert.since_age_s + elapsed_s) * 1000, now_ms);

/** Whether it is over and who has seen it, as one sentence. */
export function alertState(alert: Alert, elapsed_s: number, now_ms: number): string {
  const by = alert.acknowledged_by
    ? say('alert_seen_by', { who: sayOr(`role_${alert.acknowledged_by}`, alert.acknowledged_by) })
    : '';
  if (alert.status === 'cleared') {
    const time =
      alert.cleared_age_s === null ? '' : clock(now_ms - (alert.cleared_age_s + elapsed_s) * 1000, now_ms);
    return [time ? say('alert_cleared', { time }) : say('alert_is_cleared'), by].filter(Boolean).join(' ');
  }
  return alert.status === 'acknowledged'
    ? by || say('alert_is_seen')
    : say('alert_lasts', { age: wholeAge(alert.since_age_s + elapsed_s) });
}

export interface AlertSummary {
  which: string;
  sentence: string;
}

export function alertSummary(alerts: readonly Alert[]): AlertSummary {
  const fresh = alerts.filter((alert) => alert.status === 'active').length;
  const open = alerts.filter((alert) => alert.status === 'acknowledged').length;
  if (fresh > 0) {
    return { which: `new ${fresh}`, sentence: say('alerts_new', { count: fresh, n: count(fresh) }) };
  }
  if (open > 0) {
    return { which: `open ${open}`, sentence: say('alerts_open', { count: open, n: count(open) }) };
  }
  return alerts.length > 0
    ? { which: 'over', sentence: say('alerts_over') }
    : { which: 'none', sentence: say('alerts_none') };
}
