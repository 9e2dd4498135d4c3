// SPDX-License-Identifier: Apache-2.0
// What can be set on a device. A control says "sent", and only after reading back "confirmed".
import { useRef, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { Settable } from '../api/shapes';
import type { Page } from '../context';
import { chartUnit, labelOf, written } from '../site/values';
import type { DeviceView, LiveValue } from '../site/view';
import { age, clock, decimal, together } from '../text/formats';
import { say } from '../text/say';
import { commandKey, mayAct, PhaseLine, useCommand, whyNot, type Phase } from './command';

/** The name without its index, as the tables of quantities know it: relay_closed, power_limit_permille. */
const asValue = (name: string) => ({ quantity: name, index: 0 });

function useSetting(page: Page, view: DeviceView, name: string) {
  const label = labelOf(asValue(name));
  return useCommand(page, view.device.name, name, {
    shown: (value) => together(written(name, value, view.device)),
    toast: (shown) => say('command_toast', { title: view.title, label, value: shown }),
  });
}

/** What was read back holds until a newer reading comes: the two never contradict each other. */
function afterReadBack(page: Page, phase: Phase, value: LiveValue | undefined): LiveValue | undefined {
  if (!value || phase.at !== 'done' || phase.value == null || phase.at_ms === undefined) {
    return value;
  }
  const read_at_ms = page.tick_ms - value.age_s * 1000;
  return read_at_ms < phase.at_ms
    ? { ...value, value: phase.value, stale: false, age_s: 0 }
    : value;
}

const isSwitch = (settable: Settable): boolean => settable.least === 0 && settable.most === 1;

const SwitchControl = ({ page, view, settable }: { page: Page; view: DeviceView; settable: Settable }) => {
  const { phase, send, busy } = useSetting(page, view, settable.name);
  const value = afterReadBack(
    page,
    phase,
    view.values.find((one) => one.name === settable.name),
  );
  const known = value !== undefined && value.value !== null;
  const closed = known && value.value !== 0;
  const relay = settable.name === 'relay_closed';
  const label = labelOf(asValue(settable.name));
  const id = `phase-${settable.name}`;
  // Known and fresh: only the way out of it is offered. The label stays while the device works.
  const wanted = phase.at === 'sending' || phase.at === 'sent' ? phase.value : null;
  const choices = wanted !== null ? [wanted] : known && !value.stale ? [closed ? 0 : 1] : [1, 0];
  const off = busy || !mayAct(page);
  return (
    <div class="control" data-control={settable.name}>
      <div class="control-now">
        <h3>{label}</h3>
        <b class={value?.stale ? 'stale' : ''}>
          {known ? written(settable.name, value.value!, view.device).number : '–'}
        </b>
        <p>
          {!known
            ? say('relay_unknown')
            : value.stale
              ? say('relay_was', { age: age(value.age_s) })
              : relay
              ? say(closed ? 'relay_closed_means' : 'relay_open_means')
              : ''}
        </p>
      </div>
      <div class="acts">
        {choices.map((to, i) => (
          <button
            key={i}
            class={i === 0 ? 'btn main' : 'btn'}
            aria-describedby={id}
            aria-disabled={off}
            onClick={() => off || send(to)}
          >
            {to === 1
              ? say(relay ? 'relay_close' : 'switch_on')
              : say(relay ? 'relay_open' : 'switch_off')}
          </button>
        ))}
      </div>
      <PhaseLine page={page} phase={phase} id={id} />
    </div>
  );
};

/** What was typed as a whole number in the unit of the API, or null; comma and point both do. */
export function typed(text: string, by: number, settable: Settable): number | null {
  if (!/^\s*[-\u2212]?\d+([.,]\d+)?\s*$/.test(text)) {
    return null;
  }
  const wanted = Math.round(Number(text.replace('\u2212', '-').replace(',', '.')) * by);
  return wanted >= settable.least && wanted <= settable.most ? wanted : null;
}

const NumberControl = ({ page, view, settable }: { page: Page; view: DeviceView; settable: Settable }) => {
  const { phase, send, busy } = useSetting(page, view, settable.name);
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const value = view.values.find((one) => one.name === settable.name);
  const label = labelOf(asValue(settable.name));
  const { by, unit } = chartUnit(settable.name, 0); // typed in % and A, not in permille and mA
  const id = `set-${settable.name}`;
  const bound = (number: number): string => decimal(number / by, Number.isInteger(number / by) ? 0 : 1);
  const places = {
    least: bound(settable.least),
    most: together({ number: bound(settable.most), unit }),
  };
  const off = busy || !mayAct(page);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (off) {
      return;
    }
    const wanted = typed(text, by, settable);
    setWrong(wanted === null);
    if (wanted === null) {
      field.current?.focus();
    } else {
      send(wanted);
    }
  };
  return (
    <form class="control" data-control={settable.name} onSubmit={submit} noValidate>
      <div class="control-now">
        <h3>{label}</h3>
        <b class={value?.stale ? 'stale' : ''}>
          {value?.value == null ? '–' : together(written(settable.name, value.value, view.device))}
        </b>
      </div>
      <div class="field">
        <label for={id}>{say('set_new', { label })}</label>
        <span class="hint" id={`${id}-hint`}>
          {say('set_range', places)}
        </span>
        <input
          id={id}
          ref={field}
          inputMode="decimal"
          autocomplete="off"
          value={text}
          aria-invalid={wrong}
          aria-describedby={`${id}-hint ${id}-wrong`}
          onInput={(event) => setText((event.target as HTMLInputElement).value)}
        />
        <span class="wrong" id={`${id}-wrong`}>
          {wrong ? say('set_bad', places) : ''}
        </span>
      </div>
      <div class="acts">
        <button class="btn main" aria-disabled={off} aria-describedby={`phase-${settable.name}`}>
          {say('set_value', { label })}
        </button>
      </div>
      <PhaseLine page={page} phase={phase} id={`phase-${settable.name}`} />
    </form>
  );
};

export const Control = ({ page, view }: { page: Page; view: DeviceView }) => (
  <div class="controls">
    {view.device.settable.map((settable) =>
      isSwitch(settable) ? (
        <SwitchControl key={settable.name} page={page} view={view} settable={settable} />
      ) : (
        <NumberControl key={settable.name} page={page} view={view} settable={settable} />
      ),
    )}
  </div>
);

/** Asks a device at once instead of at its next turn. */
export const PollNow = ({ page, view }: { page: Page; view: DeviceView }) => {
  const [said, setSaid] = useState('');
  const poll = (): void => {
    const body = { target: view.device.name, action: 'read' };
    ask('commands', { body, key: commandKey() }).then(
      () => setSaid(say('poll_sent', { time: clock(Date.now(), Date.now(), true) })),
      (error: unknown) =>
        setSaid(
          error instanceof Refused
            ? error.message || say('http_status', { status: error.status })
            : say('command_lost'),
        ),
    );
  };
  return (
    <div class="poll">
      <button class="btn" onClick={() => !mayAct(page) || poll()} aria-disabled={!mayAct(page)}>
        {say('poll_now')}
      </button>
      <span class="s dim" role="status">
        {mayAct(page) || page.offline ? said : whyNot(page)}
      </span>
    </div>
  );
};
