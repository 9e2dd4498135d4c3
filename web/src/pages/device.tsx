// SPDX-License-Identifier: Apache-2.0
// One device: what does it say, since when, and what can I tell it to do?
import { useState } from 'preact/hooks';
import type { Page } from '../context';
import { Chart, type Series } from '../parts/chart';
import { Control, PollNow } from '../parts/control';
import { Figure, usePrefix } from '../parts/figure';
import { FaultNotes } from '../parts/notes';
import { useRecent } from '../parts/recent';
import { Bones, Empty, Note, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import type { Line } from '../site/status';
import { chartUnit, fromZero, groupOf, groups, inSteps, labelOf, written, type Group } from '../site/values';
import type { DeviceView, LiveValue } from '../site/view';
import { age, count, power, thin, together } from '../text/formats';
import { say } from '../text/say';
import { kindOf, nothing_w, powerWord } from './words';

const chart_every_s = 10;
const with_registers = /^tinybms$/; // drivers of devices that keep settings of their own
const few_values = 6; // need no headings
const colours = { grid: 'grid', solar: 'pv', battery: 'battery', gas: 'gas', load: 'load' } as const;

const Tile = ({ view, value }: { view: DeviceView; value: LiveValue }) => {
  const prefix = usePrefix(groupOf(value.quantity) === 'power' ? value.value : null);
  return (
    <div class={value.stale ? 'tile stale' : 'tile'} data-value={value.name}>
      <dt>{labelOf(value)}</dt>
      <dd>
        <Figure
          of={
            value.value === null
              ? null
              : written(value.quantity, value.value, view.device, prefix)
          }
        />
      </dd>
      <dd class="foot">
        {value.value === null
          ? say('value_gone')
          : value.stale
            ? say('old', { age: age(value.age_s) })
            : say('ago', { age: age(value.age_s) })}
      </dd>
    </div>
  );
};

/** Three phases stand in threes; everything else in fours where there is room. */
const columns = (tiles: number): string => (tiles % 3 === 0 ? 'by-3' : 'by-4');

const Values = ({ view }: { view: DeviceView }) => {
  const by = new Map<Group, LiveValue[]>();
  for (const value of view.values) {
    const group = groupOf(value.quantity);
    by.set(group, [...(by.get(group) ?? []), value]);
  }
  if (by.size === 0) {
    return <Empty title={say('no_values')}>{say('no_values_what')}</Empty>;
  }
  if (view.values.length <= few_values) {
    return (
      <dl class={`tiles ${columns(view.values.length)}`}>
        {view.values.map((value) => (
          <Tile key={value.name} view={view} value={value} />
        ))}
      </dl>
    );
  }
  return (
    <div class="groups">
      {groups
        .filter((group) => by.has(group))
        .map((group) => (
          <div key={group}>
            <h3>{say(`group_${group}`)}</h3>
            <dl class={`tiles ${columns(by.get(group)!.length)}`}>
              {by.get(group)!.map((value) => (
                <Tile key={value.name} view={view} value={value} />
              ))}
            </dl>
          </div>
        ))}
    </div>
  );
};

const ChartSheet = ({ page, view }: { page: Page; view: DeviceView }) => {
  const [chosen, setChosen] = useState<string | null>(null);
  const value = view.values.find((one) => one.name === chosen) ?? view.main;
  const { recent, failed } = useRecent(
    value ? [{ device: view.device.name, name: value.name }] : [],
    chart_every_s,
  );
  if (!value) {
    return null;
  }
  const answer = recent.get(`${view.device.name} ${value.name}`);
  const label = labelOf(value);
  let body;
  if (!answer) {
    body =
      failed === null ? (
        <div class="chart-room">
          <Bones rows={3} />
        </div>
      ) : (
        <Note
          level="warning"
          title={say('load_failed', { what: say('chart') })}
          text={say('load_failed_what', { reason: failed || say('reason_no_answer') })}
        />
      );
  } else {
    const largest = Math.max(1, ...answer.values.map((one) => Math.abs(one ?? 0)));
    const { by, unit } = chartUnit(value.quantity, largest);
    const states = /^(relay_closed|connected|power_limit_enabled)$/.test(value.quantity);
    const role = view.role;
    const series: Series = {
      name: label,
      key: value.name,
      title: view.title,
      colour: colours[role],
      unit,
      area: value.quantity === 'power_w' && (role === 'solar' || role === 'battery'),
      steps: inSteps(value.quantity),
      from_zero: fromZero(value.quantity),
      step_s: answer.step_s,
      to_unix_ms: answer.to ?? page.now_ms,
      values: answer.values.map((one) => (one === null ? null : one / by)),
      ...(value.quantity === 'power_w' && (role === 'grid' || role === 'battery')
        ? { words: (shown: number) => powerWord(role, shown * by) }
        : {}),
      ...(states
        ? { states: (shown: number) => written(value.quantity, shown >= 0.5 ? 1 : 0).number }
        : {}),
    };
    body = <Chart series={series} />;
  }
  return (
    <Sheet
      id="chart"
      title={say('chart')}
      side={
        view.values.length > 1 ? (
          <select
            class="choose"
            aria-label={say('chart_choose')}
            value={value.name}
            onChange={(event) => setChosen((event.target as HTMLSelectElement).value)}
          >
            {groups.map((group) => {
              const mine = view.values.filter((one) => groupOf(one.quantity) === group);
              return (
                mine.length > 0 && (
                  <optgroup key={group} label={say(`group_${group}`)}>
                    {mine.map((one) => (
                      <option key={one.name} value={one.name}>
                        {labelOf(one)}
                      </option>
                    ))}
                  </optgroup>
                )
              );
            })}
          </select>
        ) : undefined
      }
    >
      {body}
    </Sheet>
  );
};

const About = ({ view }: { view: DeviceView }) => {
  const { device } = view;
  const told = (text: string) => text || <span class="faint">{say('not_told')}</span>;
  const rows: [string, preact.ComponentChildren][] = [
    [say('maker'), told(device.maker)],
    [say('model'), told(device.model)],
    [say('version'), told(device.version)],
    [say('serial'), told(device.serial)],
    [say('driver'), device.driver],
    [say('connection'), `${device.bus}, ${device.bus_type.replaceAll('_', ' ')} ${device.address}`],
    [say('readings'), count(device.readings)],
    [say('errors'), count(device.errors)],
  ];
  return (
    <dl class="facts">
      {rows.map(([name, what]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
};

const every = (ms: number): string =>
  ms < 1000 ? `${ms}${thin}ms` : age(ms / 1000);

function onlineSentence(view: DeviceView): string {
  const { title, main, role } = view;
  if (main?.quantity !== 'power_w' || main.value === null || main.stale) {
    return say('device_fresh', { title });
  }
  const places = { title, power: together(power(Math.abs(main.value))) };
  const inward = main.value >= 0;
  if (Math.abs(main.value) < nothing_w) {
    return say(`device_nothing_${role}`, places);
  }
  switch (role) {
    case 'grid':
      return say(inward ? 'device_grid_in' : 'device_grid_out', places);
    case 'battery':
      return say(inward ? 'device_charging' : 'device_discharging', places);
    case 'solar':
      return say('device_gives', places);
    default:
      return say(inward ? 'device_draws' : 'device_gives', places);
  }
}

function sentenceOf(view: DeviceView): string {
  const { title, device } = view;
  switch (device.state) {
    case 'asleep':
      return say('device_silent', { title });
    case 'refusing':
      return say('device_refusing', { title });
    case 'starting':
      return say('device_starting', { title });
    case 'online':
      return onlineSentence(view);
  }
}

export const Device = ({ page, name }: { page: Page; name: string }) => {
  const view = page.views.find((one) => one.device.name === name);
  const crumb = (
    <a href="#/devices">
      {say('back_devices')}
    </a>
  );
  if (!page.live.devices) {
    return (
      <>
        <Status sentence={say('status_loading')} which="loading" lines={[]} crumb={crumb} />
        <Sheet id="values" title={say('values')} busy>
          <Bones />
        </Sheet>
      </>
    );
  }
  if (!view) {
    return (
      <Status
        sentence={say('no_such_device', { name })}
        which="none"
        lines={[{ mark: 'stale', text: say('no_such_device_what') }]}
        crumb={crumb}
      />
    );
  }
  const { device } = view;
  const pushed = device.driver === 'p1';
  const lines: Line[] = [
    {
      mark: view.silent ? 'warning' : device.state === 'online' ? 'ok' : 'stale',
      text:
        view.age_s === null
          ? say('device_line_never', { poll: every(device.poll_ms) })
          : say(pushed ? 'device_line_pushed' : 'device_line', {
              age: age(view.age_s),
              poll: every(device.poll_ms),
            }),
    },
    device.state === 'asleep'
      ? { mark: 'none', text: say('device_silent_what') }
      : { mark: 'none', text: say('device_kept', { keep: every(device.keep_ms) }) },
  ];
  return (
    <>
      <Status
        sentence={sentenceOf(view)}
        which={device.state}
        lines={lines}
        crumb={
          <>
            {crumb} / {view.title}, {kindOf(view)}
          </>
        }
        action={pushed ? undefined : <PollNow page={page} view={view} />}
      />
      <FaultNotes page={page} most={2} source={name} />
      <div class="cols">
        <div class="w8 column">
          <ChartSheet page={page} view={view} key={name} />
          <Sheet
            id="values"
            title={say('values')}
            className="later"
            side={
              <span class="s">
                {view.age_s === null ? say('never') : say('ago', { age: age(view.age_s) })}
              </span>
            }
          >
            <Values view={view} />
          </Sheet>
        </div>
        <div class="w4 column">
          {device.settable.length > 0 && (
            <Sheet id="control" title={say('control')}>
              <Control page={page} view={view} key={name} />
            </Sheet>
          )}
          <Sheet id="about" title={say('what_it_is')} className="later">
            <About view={view} />
            {with_registers.test(device.driver) && (
              <p class="below">
                <a class="s" href={`#/devices/${encodeURIComponent(name)}/registers`}>
                  {say('p_open', { title: view.title })}
                </a>
              </p>
            )}
          </Sheet>
        </div>
      </div>
    </>
  );
};
