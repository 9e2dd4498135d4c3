// SPDX-License-Identifier: Apache-2.0
// Charge and current of a battery over a day, a week, a month; the numbers as CSV from the gateway.
import { useEffect, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { History as Answer } from '../api/battery_shapes';
import type { Page } from '../context';
import { points_wanted, range_s, stepsOf, type Range } from '../site/history';
import { labelOf } from '../site/values';
import { age } from '../text/formats';
import { say } from '../text/say';
import { Chart, type Series } from './chart';
import { Choice } from './choice';
import { Bones, Empty, Note, Sheet } from './sheet';

const ranges: Range[] = ['day', 'week', 'month'];
const again_s: Record<Range, number> = { day: 60, week: 300, month: 900 };

const shown = [
  { name: 'soc_permille', by: 10, unit: '%', colour: 'load', area: false, from_zero: true },
  { name: 'current_ma', by: 1000, unit: 'A', colour: 'battery', area: true, from_zero: true },
] as const;

interface Loaded {
  range: Range;
  from: number;
  to: number;
  answers: Answer[];
}

type State = { loaded: Loaded | null; failed: string | null; lacking: boolean };

function useHistory(device: string, range: Range): State {
  const [state, setState] = useState<State>({ loaded: null, failed: null, lacking: false });
  useEffect(() => {
    let alive = true;
    const load = async (): Promise<void> => {
      if (document.hidden) {
        return;
      }
      const to = Date.now();
      const from = to - 1000 * range_s[range];
      try {
        const answers = await Promise.all(
          shown.map(({ name }) => {
            const query = { device, name, from, to, points: points_wanted };
            return ask<Answer>(`history?${new URLSearchParams(query as unknown as Record<string, string>)}`);
          }),
        );
        if (alive) {
          setState({ loaded: { range, from, to, answers }, failed: null, lacking: false });
        }
      } catch (error) {
        const lacking = error instanceof Refused && error.status === 404;
        const failed = error instanceof Refused && error.message ? error.message : say('reason_no_answer');
        if (alive) {
          setState((before) => ({ ...before, lacking, failed: lacking ? null : failed }));
        }
      }
    };
    void load();
    const timer = setInterval(() => void load(), 1000 * again_s[range]);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [device, range]);
  return state;
}

function seriesOf(device: string, title: string, loaded: Loaded, i: number): Series {
  const { name, by, ...look } = shown[i]!;
  const steps = stepsOf(loaded.answers[i]!, loaded.from, loaded.to);
  const scaled = (values: (number | null)[]): (number | null)[] =>
    values.map((value) => (value === null ? null : value / by));
  const query = new URLSearchParams({
    device,
    name,
    from: String(loaded.from),
    to: String(loaded.to),
    format: 'csv',
  });
  return {
    ...look,
    name: labelOf({ quantity: name, index: 0 }),
    key: name,
    title,
    steps: false,
    step_s: steps.step_s,
    to_unix_ms: steps.to_unix_ms,
    values: scaled(steps.mean),
    band: [scaled(steps.least), scaled(steps.most)],
    range: say(`history_${loaded.range}`),
    step: age(steps.step_s),
    csv: `api/v1/history?${query}`,
    ...(name === 'current_ma'
      ? { words: (value: number) => say(value > 0 ? 'charging' : value < 0 ? 'discharging' : 'resting') }
      : {}),
  };
}

export const History = ({ page, device, title }: { page: Page; device: string; title: string }) => {
  const [range, setRange] = useState<Range>('day');
  const { loaded, failed, lacking } = useHistory(device, range);
  return (
    <Sheet
      id="history"
      title={say('history')}
      busy={!loaded && !lacking && failed === null}
      side={
        lacking ? undefined : (
          <Choice
            label={say('history_range')}
            chosen={range}
            choose={setRange}
            choices={ranges.map((value) => ({ value, text: say(`history_choose_${value}`) }))}
          />
        )
      }
    >
      {lacking ? (
        <Empty title={say('history_lacking')}>{say('history_lacking_what')}</Empty>
      ) : (
        <>
          {failed !== null && !page.offline && (
            <Note
              level="warning"
              title={say('load_failed', { what: say('history') })}
              text={say('load_failed_what', { reason: failed })}
            />
          )}
          {loaded ? (
            <div class="history">
              {shown.map(({ name }, i) => (
                <div key={name} data-history={name}>
                  <Chart series={seriesOf(device, title, loaded, i)} />
                </div>
              ))}
            </div>
          ) : (
            failed === null && (
              <div class="chart-room">
                <Bones rows={3} />
              </div>
            )
          )}
        </>
      )}
    </Sheet>
  );
};
