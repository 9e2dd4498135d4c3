// SPDX-License-Identifier: Apache-2.0
// A line of 112 x 28 beside a row: zero line, gap where nothing was measured, dot at the last value.
import type { Role } from '../site/roles';

const width = 112;
const height = 28;

export interface SparkShape {
  line: string;
  zero: number;
  last: [number, number] | null;
}

export function sparkShape(values: readonly (number | null)[]): SparkShape {
  const known = values.filter((value): value is number => value !== null);
  const least = Math.min(0, ...known);
  const most = Math.max(least + 1e-9, 0, ...known);
  const x = (i: number): number => 1 + (i / Math.max(1, values.length - 1)) * (width - 4);
  const y = (value: number): number =>
    height - 2 - ((value - least) / (most - least)) * (height - 4);
  let line = '';
  let drawing = false;
  values.forEach((value, i) => {
    if (value === null) {
      drawing = false;
      return;
    }
    line += `${drawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    drawing = true;
  });
  const end = values[values.length - 1];
  return {
    line,
    zero: Math.round(y(0)) + 0.5,
    last: end == null ? null : [x(values.length - 1), y(end)],
  };
}

/** Hidden from screen readers: the row says the value. */
export const Spark = ({
  values,
  role,
  stale,
}: {
  values: readonly (number | null)[] | undefined;
  role: Role;
  stale: boolean;
}) => {
  const shape = values && values.length > 1 ? sparkShape(values) : null;
  return (
    <svg class={`spark from-${stale ? 'stale' : role}`} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {shape && (
        <>
          <path class="axis" d={`M0 ${shape.zero}H${width}`} />
          <path class="gauge" d={shape.line} />
          {shape.last && !stale && <circle class="end" cx={shape.last[0]} cy={shape.last[1]} r="2" />}
        </>
      )}
    </svg>
  );
};
