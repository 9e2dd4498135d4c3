// SPDX-License-Identifier: Apache-2.0
// The one wrapper around uPlot: theme, axes, gaps, read-out, keys, touch, table and CSV.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { absent, clock, dayOf, decimal, thin } from '../text/formats';
import { say } from '../text/say';
import { csvOf, gapsOf, decimalsFor } from '../site/series';
import { Empty } from './sheet';

export interface Series {
  name: string; // as people say it
  key: string; // as the API says it, for the CSV
  title: string; // of the device
  colour: string; // a token: pv, grid, …
  unit: string;
  area: boolean;
  steps: boolean;
  from_zero: boolean;
  step_s: number;
  to_unix_ms: number;
  values: (number | null)[]; // in the unit
  words?: (value: number) => string; // "exporting"
  states?: (value: number) => string; // a switch: closed, open
  band?: [(number | null)[], (number | null)[]]; // the least and the most within each step
  range?: string; // "the last week"; without it the last hour
  step?: string; // how long a step is, in words
  csv?: string; // where the gateway gives it; without it the page makes it of what it has
}

const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const times = (series: Series): number[] =>
  series.values.map(
    (_, i) => series.to_unix_ms / 1000 - (series.values.length - 1 - i) * series.step_s,
  );

const hatched_from_s = 300;
const days_from_s = 2 * 86_400; // a longer axis names days

const plot_height = 240;

/** A gap of one step is drawn as one, but not told where steps are long. */
const hatched = (series: Series): number => Math.max(hatched_from_s, 2 * series.step_s);

const stepText = (series: Series): string => series.step ?? `${series.step_s}${thin}s`;

/** Diagonal lines where nothing was measured for five minutes or more. */
function hatch(u: uPlot, series: Series): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = token('--stale-hatch');
  ctx.lineWidth = 2 * ratio;
  for (const gap of gapsOf(series.values, series.step_s, hatched(series))) {
    const t = u.data[0]!;
    const left = Math.max(bbox.left, u.valToPos(t[gap.from]!, 'x', true));
    const right = Math.min(bbox.left + bbox.width, u.valToPos(t[gap.to]!, 'x', true));
    if (right <= left) {
      continue;
    }
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += 6 * ratio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

function zeroLine(u: uPlot): void {
  const { ctx, bbox } = u;
  const y = Math.round(u.valToPos(0, 'y', true)) + 0.5;
  if (y < bbox.top || y > bbox.top + bbox.height) {
    return;
  }
  ctx.save();
  ctx.strokeStyle = token('--line-strong');
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function translucent(colour: string, alpha: string): string {
  const size = Math.round(Number(alpha || '.16') * 255);
  return colour + size.toString(16).padStart(2, '0');
}

/** The edges of a band are not lines of their own. */
const edge: uPlot.Series = { width: 0, points: { show: false }, spanGaps: false };

const dataOf = (series: Series): uPlot.AlignedData => [times(series), series.values, ...(series.band ?? [])];

function optionsOf(series: Series, width: number, moved: (i: number | null) => void): uPlot.Options {
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${Math.round(root * 0.75)}px ${token('--font')}`;
  const colour = token(`--${series.colour}`);
  const axis: uPlot.Axis = {
    font,
    stroke: token('--ink-3'),
    ticks: { show: false },
  };
  return {
    width,
    height: plot_height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 8, width: 1.5, fill: colour, stroke: token('--surface') },
      drag: { x: true, y: false },
    },
    scales: {
      x: { time: true },
      y: {
        range: (_, least, most) => {
          const bottom = series.from_zero ? Math.min(0, least ?? 0) : (least ?? 0);
          const top = series.from_zero ? Math.max(0, most ?? 0) : (most ?? 0);
          const room = top - bottom || Math.max(1e-3, Math.abs(top) * 0.01);
          return [
            bottom < 0 || !series.from_zero ? bottom - room * 0.06 : 0,
            top > 0 || !series.from_zero ? top + room * 0.06 : 0,
          ];
        },
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 64,
        values: (_, splits) => {
          const span = splits.length > 1 ? splits[splits.length - 1]! - splits[0]! : 0;
          if (span > days_from_s) {
            return splits.map((at) => dayOf(at * 1000));
          }
          const fine = splits.length > 1 && splits[1]! - splits[0]! < 60;
          return splits.map((at) => clock(at * 1000, at * 1000, fine));
        },
      },
      {
        ...axis,
        size: (_, values) => 14 + 7.5 * Math.max(1, ...(values ?? []).map((one) => one.length)),
        space: 36,
        grid: { stroke: token('--line'), width: 1 },
        values: (_, splits) => {
          const step = splits.length > 1 ? Math.abs(splits[1]! - splits[0]!) : 1;
          return splits.map((at) => series.states?.(at) ?? decimal(at, decimalsFor(step)));
        },
        ...(series.states ? { splits: () => [0, 1] } : {}),
      },
    ],
    series: [
      {},
      {
        stroke: colour,
        width: 1.75,
        spanGaps: false,
        points: { show: false },
        ...(series.area ? { fill: translucent(colour, token('--area-alpha')), fillTo: 0 } : {}),
        ...(series.steps ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
      },
      ...(series.band ? [edge, edge] : []),
    ],
    ...(series.band
      ? { bands: [{ series: [3, 2], fill: translucent(colour, token('--area-alpha')) }] as uPlot.Band[] }
      : {}),
    hooks: {
      drawAxes: [zeroLine, (u) => hatch(u, series)],
      setCursor: [(u) => moved(u.cursor.idx ?? null)],
    },
  };
}

function lastKnown(values: readonly (number | null)[]): number {
  for (let i = values.length - 1; i >= 0; i--) {
    if (values[i] !== null) {
      return i;
    }
  }
  return values.length - 1;
}

/** How far two fingers are apart. */
function spread(fingers: ReadonlyMap<number, number>): number {
  const [a, b] = [...fingers.values()];
  return a === undefined || b === undefined ? 0 : Math.max(20, Math.abs(a - b));
}

const Plot = ({ series, at, setAt }: { series: Series; at: number; setAt: (i: number | null) => void }) => {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const fingers = useRef(new Map<number, number>());
  const now = useRef(series);
  now.current = series;
  const shape = `${series.key} ${series.unit} ${series.colour} ${series.states ? 1 : 0} ${series.range ?? ''}`;

  useLayoutEffect(() => {
    const element = box.current!;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(now.current, element.clientWidth, setAt),
        dataOf(now.current),
        element,
      );
    };
    make();
    const size = new ResizeObserver(() => {
      if (plot.current && plot.current.width !== element.clientWidth) {
        plot.current.setSize({ width: element.clientWidth, height: plot_height });
      }
    });
    size.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      size.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    const u = plot.current;
    if (u) {
      const t = u.data[0]!;
      const whole = u.scales.x!.min === t[0] && u.scales.x!.max === t[t.length - 1];
      u.setData(dataOf(series), whole);
    }
  }, [series.to_unix_ms, series.values]);

  const place = (i: number): void => {
    const u = plot.current!;
    const j = Math.max(0, Math.min(series.values.length - 1, i));
    u.setCursor({ left: u.valToPos(u.data[0]![j]!, 'x'), top: plot_height / 2 });
    setAt(j);
  };
  const zoom = (factor: number | null): void => {
    const u = plot.current!;
    const t = u.data[0]!;
    const first = t[0]!;
    const last = t[t.length - 1]!;
    if (factor === null) {
      u.setScale('x', { min: first, max: last });
      return;
    }
    const { min, max } = u.scales.x!;
    const half = Math.max(series.step_s * 6, ((max! - min!) / 2) * factor);
    const middle = Math.min(Math.max(t[at]!, first + half), last - half);
    u.setScale('x', { min: Math.max(first, middle - half), max: Math.min(last, middle + half) });
  };
  const key = (event: KeyboardEvent): void => {
    const far = Math.max(1, Math.round(600 / series.step_s));
    const by = event.shiftKey ? far : 1;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => place(at - by),
      ArrowRight: () => place(at + by),
      Home: () => place(0),
      End: () => place(series.values.length - 1),
      '+': () => zoom(0.5),
      '-': () => zoom(2),
      Escape: () => {
        zoom(null);
        plot.current!.setCursor({ left: -10, top: -10 });
        setAt(null);
      },
    };
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  };
  // uPlot follows the mouse itself; a finger that moves sideways moves the cross-hair as well,
  // two fingers stretch the time.
  const touch = (event: PointerEvent): void => {
    const u = plot.current;
    if (event.pointerType === 'mouse' || !u) {
      return;
    }
    const before = spread(fingers.current);
    fingers.current.set(event.pointerId, event.clientX);
    const after = spread(fingers.current);
    if (fingers.current.size === 1) {
      place(u.posToIdx(event.clientX - u.over.getBoundingClientRect().left));
    } else if (before > 0 && after > 0) {
      zoom(before / after);
    }
  };
  const lift = (event: PointerEvent): void => void fingers.current.delete(event.pointerId);
  const value = series.values[at];
  return (
    <div
      ref={box}
      class="chart"
      tabIndex={0}
      role="slider"
      aria-label={say(series.range ? 'chart_name_range' : 'chart_name', {
        label: series.name,
        title: series.title,
        range: series.range ?? '',
        step: stepText(series),
      })}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={series.values.length - 1}
      aria-valuenow={at}
      aria-valuetext={`${clock(timeAt(series, at), Date.now())}: ${readOut(series, value)}`}
      aria-describedby={`keys-${series.key}`}
      onKeyDown={key}
      onPointerDown={touch}
      onPointerMove={touch}
      onPointerUp={lift}
      onPointerCancel={lift}
    />
  );
};

const timeAt = (series: Series, i: number): number =>
  series.to_unix_ms - (series.values.length - 1 - i) * series.step_s * 1000;

function readOut(series: Series, value: number | null | undefined): string {
  if (value == null) {
    return say('chart_no_number');
  }
  if (series.states) {
    return series.states(value);
  }
  const shown = series.words ? Math.abs(value) : value;
  const figures = decimal(shown, decimalsFor(Math.max(Math.abs(value) / 100, 1e-3)));
  const word = series.words?.(value);
  return `${figures}${series.unit ? thin + series.unit : ''}${word ? ` ${word}` : ''}`;
}

const Table = ({ series }: { series: Series }) => (
  <div class="scroll table-box" tabIndex={0} role="region" aria-label={series.range ? `${series.name}, ${series.range}` : say('chart_title', { label: series.name })}>
    <table>
      <thead>
        <tr>
          <th scope="col">{say('time')}</th>
          <th scope="col" class="r">
            {series.name}
            {series.unit && !series.states ? `, ${series.unit}` : ''}
          </th>
        </tr>
      </thead>
      <tbody>
        {series.values.map((_, k) => {
          const i = series.values.length - 1 - k; // the latest first
          const value = series.values[i];
          return (
            <tr key={i}>
              <td>{clock(timeAt(series, i), Date.now(), true)}</td>
              <td class="r">
                {value == null
                  ? absent
                  : (series.states?.(value) ??
                    decimal(value, decimalsFor(Math.max(Math.abs(value) / 100, 1e-3))))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </div>
);

const fileName = (series: Series): string =>
  `${series.title}-${series.key}.csv`.replace(/[^\w.-]+/g, '-').toLowerCase();

function download(series: Series): void {
  const file = new Blob([csvOf(series)], { type: 'text/csv' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = fileName(series);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** What is missing, said below the plot. */
function gapText(series: Series): string {
  const gaps = gapsOf(series.values, series.step_s, hatched(series));
  const last = gaps[gaps.length - 1];
  if (!last) {
    return '';
  }
  const now = Date.now();
  const gap = say('chart_gap', {
    from: clock(timeAt(series, last.from), now),
    to: clock(timeAt(series, last.to), now),
  });
  return gaps.length === 1 ? gap : say('chart_gaps', { count: gaps.length, gap });
}

export const Chart = ({ series }: { series: Series }) => {
  const [picked, setPicked] = useState<number | null>(null);
  const [table, setTable] = useState(false);
  useEffect(() => setPicked(null), [series.key, series.range]);
  if (series.values.every((value) => value === null)) {
    return <Empty title={say('chart_empty')}>{say('chart_empty_what')}</Empty>;
  }
  const at = Math.min(picked ?? lastKnown(series.values), series.values.length - 1);
  return (
    <>
      <p class="read">
        <b>{clock(timeAt(series, at), Date.now(), true)}</b>
        <span>
          <i class={`key line bg-${series.colour}`} aria-hidden="true" />
          {series.name} <b>{readOut(series, series.values[at])}</b>
        </span>
        <span class="faint">{say('chart_resolution', { step: stepText(series) })}</span>
      </p>
      {table ? (
        <Table series={series} />
      ) : (
        <>
          <p class="unit" aria-hidden="true">
            {series.states ? '' : series.unit}
          </p>
          <Plot series={series} at={at} setAt={setPicked} />
        </>
      )}
      <div class="chart-foot">
        <span class="s dim">{gapText(series)}</span>
        <span class="links">
          <button class="link" onClick={() => setTable(!table)} aria-pressed={table}>
            {say(table ? 'as_chart' : 'as_table')}
          </button>
          {series.csv ? (
            <a class="link" href={series.csv} download={fileName(series)}>
              {say('csv')}
            </a>
          ) : (
            <button class="link" onClick={() => download(series)}>
              {say('csv')}
            </button>
          )}
        </span>
      </div>
      <p class="sr" id={`keys-${series.key}`}>
        {say('chart_keys')}
      </p>
    </>
  );
};
