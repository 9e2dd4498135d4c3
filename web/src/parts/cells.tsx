// SPDX-License-Identifier: Apache-2.0
// The cells of a pack as bars: how far each is from the average, or its voltage between its limits.
import { useState } from 'preact/hooks';
import type { Pack } from '../api/battery_shapes';
import { cellsOf, type Cells as Summary } from '../site/battery';
import { niceStep } from '../site/series';
import { absent, age, decimal, thin, together, voltage } from '../text/formats';
import { say } from '../text/say';
import { useWidth } from './width';

export type CellView = 'difference' | 'voltage';

const height = 226;
const left = 40;
const top = 22;
const bottom = 40;
const fine_mv = 100; // a spread below this is nothing to think about

const volts = (mv: number): string => together(voltage(mv));
const millivolts = (mv: number): string => `${decimal(mv)}${thin}mV`;

interface Scale {
  least: number;
  most: number;
  ticks: number[];
}

export function cellScale(values: readonly number[], view: CellView): Scale {
  const zero = view === 'difference' ? [0] : [];
  const low = Math.min(...values, ...zero);
  const high = Math.max(...values, ...zero);
  const step = niceStep(Math.max(high - low, view === 'difference' ? 8 : 40), 4);
  const least = Math.floor(low / step) * step;
  const most = Math.max(Math.ceil(high / step) * step, least + step);
  const ticks = [];
  for (let at = least; at <= most + step / 2 && ticks.length < 12; at += step) {
    ticks.push(at);
  }
  return { least, most, ticks };
}

interface Limit {
  mv: number;
  text: string;
}

const limitsOf = (pack: Pack): Limit[] =>
  (
    [
      [pack.cell_overvoltage_mv, 'line_overvoltage'],
      [pack.cell_full_mv, 'line_full'],
      [pack.cell_empty_mv, 'line_empty'],
      [pack.cell_undervoltage_mv, 'line_undervoltage'],
    ] as const
  ).flatMap(([mv, key]) => (mv === undefined ? [] : [{ mv, text: say(key) }]));

const signed = (mv: number): string => (mv > 0 ? `+${decimal(mv)}` : decimal(mv));

const Bars = ({ pack, cells, view }: { pack: Pack; cells: Summary; view: CellView }) => {
  const [box, width] = useWidth<HTMLDivElement>();
  const limits = view === 'voltage' ? limitsOf(pack) : [];
  const shown = (mv: number): number => (view === 'difference' ? mv - cells.mean_mv : mv);
  const known = pack.cells_mv.filter((mv): mv is number => mv !== null).map(shown);
  const scale = cellScale([...known, ...limits.map((one) => one.mv)], view);
  const y = (value: number): number =>
    top + ((scale.most - value) / (scale.most - scale.least)) * (height - top - bottom);
  const room = (width - left) / Math.max(1, pack.cells_mv.length);
  const bar = Math.min(22, room * 0.62);
  const base = view === 'difference' ? y(0) : y(scale.least);
  const picture = say('cells_picture', {
    count: pack.cells_mv.length,
    high: cells.highest + 1,
    high_v: volts(pack.cells_mv[cells.highest]!),
    low: cells.lowest + 1,
    low_v: volts(pack.cells_mv[cells.lowest]!),
  });
  return (
    <div class="cells" ref={box}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={picture} class="plot">
          <text x={0} y={9}>
            {view === 'difference' ? 'mV' : 'V'}
          </text>
          {scale.ticks.map((tick) => (
            <g key={tick}>
              <path
                class={tick === 0 || (view === 'voltage' && tick === scale.least) ? 'zero' : 'axis'}
                d={`M${left} ${Math.round(y(tick)) + 0.5}H${width}`}
              />
              <text x={left - 8} y={y(tick) + 4} text-anchor="end">
                {view === 'difference' ? signed(tick) : decimal(tick / 1000, 2)}
              </text>
            </g>
          ))}
          {pack.cells_mv.map((mv, i) => {
            const x = left + room * (i + 0.5);
            const marked = i === cells.highest || i === cells.lowest;
            const spare = i % 5 === 0 && Math.abs(i - cells.highest) > 1 && Math.abs(i - cells.lowest) > 1;
            const at = mv === null ? base : y(shown(mv));
            const above = at <= base;
            return (
              <g key={i} data-cell={i + 1}>
                {mv !== null && (
                  <rect
                    class={marked ? 'cell marked' : 'cell'}
                    x={x - bar / 2}
                    width={bar}
                    y={Math.min(base, at)}
                    height={Math.max(1.5, Math.abs(base - at))}
                    rx={1.5}
                  />
                )}
                {mv !== null && marked && (
                  <text
                    class="strong"
                    x={Math.min(width - 20, x)}
                    y={above ? at - 6 : at + 15}
                    text-anchor="middle"
                  >
                    {decimal(mv / 1000, 3)}
                  </text>
                )}
                {(room > 24 || marked || spare) && (
                  <text class={marked ? 'strong' : ''} x={x} y={height - 18} text-anchor="middle">
                    {i + 1}
                  </text>
                )}
                {pack.balancing[i] && (
                  <path class="balancing" d={`M${x - 5} ${height - 7}H${x + 5}M${x - 5} ${height - 3}H${x + 5}`} />
                )}
              </g>
            );
          })}
          {limits.map((limit) => (
            <g key={limit.text}>
              <path class="limit" d={`M${left} ${Math.round(y(limit.mv)) + 0.5}H${width}`} />
              <text class="halo" x={width} y={y(limit.mv) - 4} text-anchor="end">
                {`${limit.text} ${decimal(limit.mv / 1000, 3)}`}
              </text>
            </g>
          ))}
        </svg>
      )}
    </div>
  );
};

const CellTable = ({ pack, cells, title }: { pack: Pack; cells: Summary; title: string | null }) => (
  <div class="scroll table-box" tabIndex={0} role="region" aria-label={[say('cells_table'), title].filter(Boolean).join(', ')}>
    <table>
      <thead>
        <tr>
          <th scope="col">{say('cell')}</th>
          <th scope="col" class="r">
            {say('cell_voltage')}
          </th>
          <th scope="col" class="r">
            {say('cell_from_mean')}
          </th>
        </tr>
      </thead>
      <tbody>
        {pack.cells_mv.map((mv, i) => (
          <tr key={i}>
            <td>
              {i + 1}
              <small>
                {[
                  i === cells.highest ? say('cell_is_highest') : '',
                  i === cells.lowest ? say('cell_is_lowest') : '',
                  pack.balancing[i] ? say('cell_is_balanced') : '',
                ]
                  .filter(Boolean)
                  .join(', ')}
              </small>
            </td>
            <td class="r">{mv === null ? absent : volts(mv)}</td>
            <td class="r">
              {mv === null ? absent : `${signed(Math.round(mv - cells.mean_mv))}${thin}mV`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** One pack; `title` where there are several. `old_s`: how old the voltages are, where that is too old. */
export const PackCells = ({
  pack,
  title,
  view,
  old_s,
}: {
  pack: Pack;
  title: string | null;
  view: CellView;
  old_s: number | null;
}) => {
  const [table, setTable] = useState(false);
  const cells = cellsOf(pack);
  if (!cells) {
    return (
      <div class="pack" data-pack={pack.device}>
        {title && <h3>{title}</h3>}
        <div class="empty">
          <strong>{say('cells_none')}</strong>
          {say('cells_none_what')}
        </div>
      </div>
    );
  }
  const places = { mean: volts(Math.round(cells.mean_mv)), difference: millivolts(cells.difference_mv) };
  const key = cells.difference_mv < fine_mv / 2 ? 'cells_fine' : cells.difference_mv < fine_mv ? 'cells_mean' : 'cells_much';
  return (
    <div class={old_s === null ? 'pack' : 'pack stale'} data-pack={pack.device}>
      {title && <h3>{title}</h3>}
      <p class="s dim">
        {old_s !== null && <b>{say('cells_old', { age: age(old_s) })} </b>}
        {say(key, places)}
        {cells.balancing.length > 0 &&
          ` ${say('cells_balancing', { count: cells.balancing.length, cells: cells.balancing.join(', ') })}`}
      </p>
      {table ? <CellTable pack={pack} cells={cells} title={title} /> : <Bars pack={pack} cells={cells} view={view} />}
      <div class="chart-foot">
        {table ? (
          <span />
        ) : (
          <ul class="keys">
            {cells.balancing.length > 0 && (
              <li>
                <svg width="12" height="8" aria-hidden="true" class="plot">
                  <path class="balancing" d="M1 2H11M1 6H11" />
                </svg>
                {say('key_balancing')}
              </li>
            )}
            <li>
              <i class="key bg-battery" aria-hidden="true" />
              {say('key_extremes')}
            </li>
          </ul>
        )}
        <span class="links">
          <button class="link" onClick={() => setTable(!table)} aria-pressed={table}>
            {say(table ? 'as_chart' : 'as_table')}
          </button>
        </span>
      </div>
    </div>
  );
};
