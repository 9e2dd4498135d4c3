// SPDX-License-Identifier: Apache-2.0
// What limits a battery: a row for each rule, the reason of the one that limits now, its curve.
import { useState } from 'preact/hooks';
import type { Battery } from '../api/battery_shapes';
import {
  boundOf,
  curveOf,
  inputText,
  isReduced,
  limitOf,
  ruleName,
  ruleRows,
  whyOf,
  type Direction,
  type RuleRow,
} from '../site/battery';
import { absent, amperes, count, thin } from '../text/formats';
import { say } from '../text/say';
import { CurvePicture } from './curve';

const few = 5; // rules are shown at once

const amps = (ma: number): string => `${amperes(ma)}${thin}A`;

/** The current that flows in that direction, rounded as it is written. */
function flowing(battery: Battery, way: Direction): number | null {
  const { current_ma } = battery.measured;
  if (current_ma === undefined) {
    return null;
  }
  return Math.max(0, way === 'charge' ? current_ma : -current_ma);
}

const Row = ({ row, flow_permille }: { row: RuleRow; flow_permille: number | null }) => (
  <li class={row.now ? 'now' : ''} data-rule={row.rule.rule}>
    <span class="n">
      {ruleName(row.rule)}
      {row.now && (
        <>
          {' '}
          <span class="tag">{say('limits_now')}</span>
        </>
      )}
    </span>
    <svg class="t" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="done" width={row.permille} height="6" />
      {row.now && flow_permille !== null && (
        <rect class="flow-now" x={flow_permille - 4} y="-4" width="8" height="14" />
      )}
    </svg>
    <span class="v">{amps(row.limit_ma)}</span>
  </li>
);

const Way = ({ battery, way }: { battery: Battery; way: Direction }) => {
  const [all, setAll] = useState(false);
  const rows = ruleRows(battery, way);
  const limit = limitOf(battery, way);
  const bound = boundOf(battery, way);
  const flow = flowing(battery, way);
  const flow_permille = flow === null ? null : Math.min(1000, Math.round((1000 * flow) / Math.max(1, bound)));
  const reduced = isReduced(battery, way);
  const shown = all ? rows : reduced ? rows.slice(0, few) : [];
  return (
    <div class="way" data-way={way}>
      <div class="row-head">
        <h3>{say(way === 'charge' ? 'limits_charging' : 'limits_discharging')}</h3>
        <span>
          <b data-limit={way}>{limit === null ? absent : amps(limit)}</b>
          <span class="u"> {say('limits_of', { bound: amps(bound) })}</span>
        </span>
      </div>
      {!reduced && <p class="s dim">{say('limits_none')}</p>}
      {shown.length > 0 && (
        <ol class="limits">
          {shown.map((row, i) => (
            <Row key={`${row.rule.rule} ${row.rule.pack} ${i}`} row={row} flow_permille={flow_permille} />
          ))}
        </ol>
      )}
      <div class="chart-foot">
        <ul class="keys">
          <li>
            {reduced && <i class="key tick" aria-hidden="true" />}
            {say('limits_flowing')} <b>{flow === null ? absent : amps(Math.round(flow / 100) * 100)}</b>
          </li>
        </ul>
        {rows.length > shown.length || (all && (!reduced || rows.length > few)) ? (
          <span class="links">
            <button class="link" aria-expanded={all} onClick={() => setAll(!all)}>
              {all ? say('limits_less') : say('limits_all', { count: rows.length, n: count(rows.length) })}
            </button>
          </span>
        ) : null}
      </div>
    </div>
  );
};

const Reason = ({ battery, way }: { battery: Battery; way: Direction }) => {
  const row = ruleRows(battery, way).find((one) => one.now);
  if (!row || !isReduced(battery, way)) {
    return null;
  }
  const why = whyOf(row.rule, row.limit_ma);
  const curve = curveOf(battery, row, way);
  return (
    <div class="reason" data-why={way}>
      <div class="why">
        <h3>
          {say(way === 'charge' ? 'limits_charging' : 'limits_discharging')}:{' '}
          {say('limits_why', { limit: amps(row.limit_ma) })}
        </h3>
        <p>
          {why.text} {why.lifts}
        </p>
        {why.told && <p lang="en">{why.told}</p>}
      </div>
      {curve && (
        <div>
          <h3>{curve.name}</h3>
          <CurvePicture
            curve={curve}
            label={say('curve_now', { value: inputText(row.rule), limit: amps(row.limit_ma) })}
          />
        </div>
      )}
    </div>
  );
};

export const Limits = ({ battery }: { battery: Battery }) => (
  <div class="two">
    <div class="ways">
      <Way battery={battery} way="charge" />
      <Way battery={battery} way="discharge" />
    </div>
    <div class="reasons">
      <Reason battery={battery} way="charge" />
      <Reason battery={battery} way="discharge" />
    </div>
  </div>
);
