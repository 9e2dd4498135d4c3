// SPDX-License-Identifier: Apache-2.0
// The points of a history as a row of equal steps, absent where nothing was kept.
import type { History } from '../api/battery_shapes';

export type Range = 'day' | 'week' | 'month';

export const range_s: Record<Range, number> = { day: 86_400, week: 7 * 86_400, month: 30 * 86_400 };
export const points_wanted = 300;

export interface Steps {
  step_s: number;
  to_unix_ms: number;
  mean: (number | null)[];
  least: (number | null)[];
  most: (number | null)[];
}

/** The gateway sends what it has; a row as long as the range, with gaps, is what a chart needs. */
export function stepsOf(history: History, from_ms: number, to_ms: number): Steps {
  const times = history.points.map(([at]) => at);
  const apart = times.slice(1).map((at, i) => at - times[i]!);
  const finest = 1000 * Math.max(history.step_s, (to_ms - from_ms) / 1000 / points_wanted / 2);
  const step_ms = Math.max(finest, Math.min(...apart, Infinity) === Infinity ? finest : Math.min(...apart));
  const length = Math.max(2, Math.round((to_ms - from_ms) / step_ms) + 1);
  const absent = (): (number | null)[] => Array<number | null>(length).fill(null);
  const steps: Steps = {
    step_s: step_ms / 1000,
    to_unix_ms: to_ms,
    mean: absent(),
    least: absent(),
    most: absent(),
  };
  for (const [at, mean, least, most] of history.points) {
    const i = length - 1 - Math.round((to_ms - at) / step_ms);
    if (at >= from_ms && at <= to_ms && i >= 0 && i < length) {
      steps.mean[i] = mean;
      steps.least[i] = least;
      steps.most[i] = most;
    }
  }
  return steps;
}
