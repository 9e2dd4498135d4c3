// SPDX-License-Identifier: Apache-2.0
// The sums of a chart: where it has gaps, how finely its axis counts, its CSV.

export interface Gap {
  from: number; // index of the last value before it, or 0
  to: number; // index of the first value after it, or the last
}

/** Stretches of absent values that last at least `least_s`; what was before the first value is none. */
export function gapsOf(
  values: readonly (number | null)[],
  step_s: number,
  least_s: number,
): Gap[] {
  const gaps: Gap[] = [];
  let start = -1;
  const first = values.findIndex((value) => value !== null);
  for (let i = Math.max(0, first); first >= 0 && i <= values.length; i++) {
    const gone = i < values.length && values[i] === null;
    if (gone && start < 0) {
      start = i;
    }
    if (!gone && start >= 0) {
      if ((i - start) * step_s >= least_s) {
        gaps.push({ from: Math.max(0, start - 1), to: Math.min(i, values.length - 1) });
      }
      start = -1;
    }
  }
  return gaps;
}

/** Decimals that tell steps of this size apart. */
export function decimalsFor(step: number): number {
  if (!(step > 0) || step >= 1) {
    return 0;
  }
  return Math.min(3, Math.ceil(-Math.log10(step) - 1e-9));
}

export interface CsvSeries {
  key: string;
  unit: string;
  step_s: number;
  to_unix_ms: number;
  values: readonly (number | null)[];
}

/** ISO 8601 times, plain numbers with a point, the unit in the head, absent left empty. */
export function csvOf(series: CsvSeries): string {
  const head = `time,${series.key}${series.unit ? ` [${series.unit}]` : ''}`;
  const rows = series.values.map((value, i) => {
    const at = series.to_unix_ms - (series.values.length - 1 - i) * series.step_s * 1000;
    return `${new Date(at).toISOString()},${value === null ? '' : Number(value.toFixed(6))}`;
  });
  return `${[head, ...rows].join('\r\n')}\r\n`;
}

/** A step of 1, 2 or 5 times a power of ten, so that about `parts` of them cover the span. */
export function niceStep(span: number, parts: number): number {
  const rough = Math.max(1e-9, span) / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5, 10].find((factor) => power * factor >= rough * 0.999) ?? 10);
}
