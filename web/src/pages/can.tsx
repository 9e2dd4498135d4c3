// SPDX-License-Identifier: Apache-2.0
// CAN traffic: what battery and inverter say on their line, decoded, stopped where one wants to read.
import { useEffect, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { CanSeen } from '../api/battery_shapes';
import type { Page } from '../context';
import { Choice } from '../parts/choice';
import { Bones, Empty, Note, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { bytesText, frameName, signalName, signalValue } from '../site/can';
import { inverter_silent_s } from '../site/battery_status';
import type { Line } from '../site/status';
import { absent, age, count, decimal, thin } from '../text/formats';
import { say } from '../text/say';
import { findBattery, isBattery } from './battery';

const every_ms = 1000;

type From = 'both' | 'battery' | 'inverter';

interface Traffic {
  seen: CanSeen[] | null;
  at_ms: number;
  failed: string | null;
}

/** Asks each second while it is not stopped and somebody looks. */
function useTraffic(name: string, stopped: boolean): Traffic {
  const [traffic, setTraffic] = useState<Traffic>({ seen: null, at_ms: 0, failed: null });
  useEffect(() => {
    let alive = true;
    const load = async (): Promise<void> => {
      if (document.hidden || !name) {
        return;
      }
      try {
        const { items } = await ask<{ items: CanSeen[] }>(`battery/${encodeURIComponent(name)}/can`);
        if (alive) {
          setTraffic({ seen: items, at_ms: performance.now(), failed: null });
        }
      } catch (error) {
        const failed = error instanceof Refused ? error.message : say('reason_no_answer');
        if (alive) {
          setTraffic((before) => ({ ...before, failed }));
        }
      }
    };
    if (stopped) {
      return undefined;
    }
    void load();
    const timer = setInterval(() => void load(), every_ms);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [name, stopped]);
  return traffic;
}

/** 0.98 s, 2 s; a dash for what came once. */
const interval = (ms: number | null): string =>
  ms === null ? absent : `${decimal(ms / 1000, ms < 9950 ? 2 : 0)}${thin}s`;

const Signals = ({ seen, id }: { seen: CanSeen; id: string }) => (
  <div class="tip" role="tooltip" id={id}>
    {seen.signals.length === 0 ? (
      <p>{say(seen.known ? 'can_no_signal' : 'can_unknown_what')}</p>
    ) : (
      <dl class="facts tight">
        {seen.signals.map((signal) => (
          <div key={signal.name}>
            <dt>{signalName(signal)}</dt>
            <dd>{signalValue(signal)}</dd>
          </div>
        ))}
      </dl>
    )}
  </div>
);

interface RowProps {
  seen: CanSeen;
  since_ms: number;
  open: boolean;
  point: (on: boolean) => void;
  pin: () => void;
  close: () => void;
}

const Row = ({ seen, since_ms, open, point, pin, close }: RowProps) => {
  const id = `tip-${seen.from}-${seen.id}`;
  const name = frameName(seen);
  const old = seen.age_ms === null ? absent : say('ago', { age: age((seen.age_ms + since_ms) / 1000) });
  return (
    <tr data-id={seen.id} onMouseEnter={() => point(true)} onMouseLeave={() => point(false)}>
      <td class="has-tip">
        <button
          class="frame-name"
          aria-expanded={open}
          aria-describedby={open ? id : undefined}
          onClick={pin}
          onFocus={() => point(true)}
          onBlur={() => point(false)}
          onKeyDown={(event) => event.key === 'Escape' && close()}
        >
          <b class="mono">{seen.id}</b> <span>{name || <span class="faint">{say('can_unknown')}</span>}</span>
        </button>
        <small>
          {say(seen.from === 'battery' ? 'can_from_battery' : 'can_from_inverter')}
          <span class="only-s">, {say('can_every', { interval: interval(seen.interval_ms) })}</span>
        </small>
        {open && <Signals seen={seen} id={id} />}
      </td>
      <td class="r hide-s nb">{interval(seen.interval_ms)}</td>
      <td class="r hide-s nb">{count(seen.count)}</td>
      <td class="r hide-s nb dim">{old}</td>
      <td class="mono bytes">
        {bytesText(seen.data) || absent}
        <small class="only-s">{old}</small>
      </td>
    </tr>
  );
};

const Table = ({ seen, since_ms }: { seen: readonly CanSeen[]; since_ms: number }) => {
  const [pointed, setPointed] = useState<string | null>(null);
  const [pinned, setPinned] = useState<string | null>(null);
  return (
    <table class="traffic">
      <thead>
        <tr>
          <th scope="col">{say('can_frame')}</th>
          <th scope="col" class="r hide-s">
            {say('can_interval')}
          </th>
          <th scope="col" class="r hide-s">
            {say('can_count')}
          </th>
          <th scope="col" class="r hide-s">
            {say('can_last')}
          </th>
          <th scope="col">{say('can_bytes')}</th>
        </tr>
      </thead>
      <tbody>
        {seen.map((one) => {
          const key = `${one.from} ${one.id}`;
          return (
            <Row
              key={key}
              seen={one}
              since_ms={since_ms}
              open={(pointed ?? pinned) === key}
              point={(on) => setPointed((now) => (on ? key : now === key ? null : now))}
              pin={() => setPinned((now) => (now === key ? null : key))}
              close={() => {
                setPinned(null);
                setPointed(null);
              }}
            />
          );
        })}
      </tbody>
    </table>
  );
};

export const Can = ({ page, name }: { page: Page; name: string }) => {
  const [stopped, setStopped] = useState(false);
  const [from, setFrom] = useState<From>('both');
  const battery = findBattery(page, name);
  const traffic = useTraffic(name, stopped || page.offline);
  if (!isBattery(battery)) {
    return <>{battery}</>;
  }
  const { inverter } = battery;
  const crumb = <a href={`#/battery/${encodeURIComponent(name)}`}>{battery.title || battery.name}</a>;
  const all = traffic.seen ?? [];
  const since_ms = traffic.seen === null ? 0 : page.tick_ms - traffic.at_ms;
  const talks = (who: string): boolean =>
    all.some((one) => one.from === who && one.age_ms !== null && one.age_ms < 1000 * inverter_silent_s);
  const which = !inverter
    ? 'none'
    : traffic.seen === null
      ? 'loading'
      : talks('battery')
        ? talks('inverter')
          ? 'both'
          : 'alone'
        : talks('inverter')
          ? 'listening'
          : 'quiet';
  const sentences = {
    none: say('inverter_none'),
    loading: say('status_loading'),
    both: say('can_both'),
    alone: say('can_alone'),
    listening: say('can_listening'),
    quiet: say('can_quiet'),
  };
  const advice = { none: say('inverter_none_what'), loading: '', both: '', alone: say('can_alone_what'), listening: say('bat_nothing_sent'), quiet: say('can_quiet_what') };
  const lines: Line[] = [
    ...(advice[which] ? [{ mark: 'warning' as const, text: advice[which] }] : []),
    ...(inverter
      ? [
          {
            mark: inverter.bus_state === 'off' ? ('alarm' as const) : ('none' as const),
            text: say('can_line', { bus: inverter.bus, state: say(`bus_${inverter.bus_state ?? 'unknown'}`) }),
          },
        ]
      : []),
  ];
  const shown = all.filter((one) => from === 'both' || one.from === from);
  return (
    <>
      <Status
        sentence={sentences[which]}
        which={`can ${which}`}
        lines={lines}
        crumb={crumb}
        action={
          inverter ? (
            <button class="btn" aria-pressed={stopped} onClick={() => setStopped(!stopped)}>
              {say(stopped ? 'can_go' : 'can_stop')}
            </button>
          ) : undefined
        }
      />
      {traffic.failed !== null && !page.offline && (
        <div class="notes">
          <Note
            level="warning"
            title={say('load_failed', { what: say('can') })}
            text={say('load_failed_what', { reason: traffic.failed })}
          />
        </div>
      )}
      {inverter && (
        <div class="cols">
          <Sheet
            id="can"
            title={say('can')}
            className="flush tips"
            busy={traffic.seen === null && traffic.failed === null}
            side={
              <Choice
                label={say('can_whose')}
                chosen={from}
                choose={setFrom}
                choices={[
                  { value: 'both', text: say('can_all') },
                  { value: 'battery', text: say('page_battery') },
                  { value: 'inverter', text: say('inverter') },
                ]}
              />
            }
          >
            {traffic.seen === null ? (
              traffic.failed === null && <Bones />
            ) : shown.length === 0 ? (
              <Empty title={say('can_empty')}>{say('can_empty_what')}</Empty>
            ) : (
              <Table seen={shown} since_ms={since_ms} />
            )}
          </Sheet>
          <Sheet id="counters" title={say('can_counters')}>
            <dl class="facts tight">
              {(
                [
                  ['inverter_sent', inverter.sent],
                  ['can_received', inverter.received],
                  ['inverter_dropped', inverter.dropped],
                  ['inverter_offs', inverter.bus_offs],
                ] as const
              ).map(
                ([key, value]) =>
                  value !== undefined && (
                    <div key={key}>
                      <dt>{say(key)}</dt>
                      <dd>{count(value)}</dd>
                    </div>
                  ),
              )}
            </dl>
          </Sheet>
        </div>
      )}
    </>
  );
};
