// SPDX-License-Identifier: Apache-2.0
// The settings that a device keeps itself: change one safely. Old, new, written, read back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { Parameter } from '../api/battery_shapes';
import type { CommandState } from '../api/shapes';
import type { Page } from '../context';
import { mayAct, PhaseLine, refusal, useCommand, whyNot } from '../parts/command';
import { Confirm } from '../parts/confirm';
import { Bones, Empty, Note, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import {
  groupOfParameter,
  isAction,
  isReadable,
  parameter_groups,
  parameterMeaning,
  parameterName,
  parameterNumber,
  parameterText,
  parameterUnit,
  typedParameter,
} from '../site/parameters';
import { count } from '../text/formats';
import { say } from '../text/say';
import { findBattery, isBattery, titleOf } from './battery';

type Answer = { items: Parameter[] | null; failed: string | null; lacking: boolean };

const again_ms = 5000; // while a value is not read yet

function useParameters(device: string): Answer & { reload: () => void } {
  const [answer, setAnswer] = useState<Answer>({ items: null, failed: null, lacking: false });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let alive = true;
    ask<{ items: Parameter[] }>(`devices/${encodeURIComponent(device)}/parameters`).then(
      ({ items }) => alive && setAnswer({ items, failed: null, lacking: false }),
      (error: unknown) => {
        const lacking = error instanceof Refused && error.status === 404;
        const failed = error instanceof Refused && error.message ? error.message : say('reason_no_answer');
        if (alive) {
          setAnswer((before) => ({ ...before, failed: lacking ? null : failed, lacking }));
        }
      },
    );
    return () => void (alive = false);
  }, [device, turn]);
  const waiting = answer.failed !== null || answer.items?.some((one) => one.value === null && isReadable(one));
  useEffect(() => {
    if (!waiting) {
      return undefined;
    }
    const timer = setTimeout(() => setTurn((n) => n + 1), again_ms);
    return () => clearTimeout(timer);
  }, [waiting, turn]);
  return { ...answer, reload: () => setTurn((n) => n + 1) };
}

/** The device keeps an order between its thresholds, and switches nothing while a current flows. */
const denied = (result: CommandState, shown: string): string =>
  result.code === 'denied' ? [say('p_denied'), result.text].filter(Boolean).join(' ') : refusal(result, shown);

interface RowProps {
  page: Page;
  device: string;
  title: string;
  parameter: Parameter;
  changed: () => void;
}

const Row = ({ page, device, title, parameter, changed }: RowProps) => {
  const [text, setText] = useState<string | null>(null); // what is typed; null: not being changed
  const [wrong, setWrong] = useState(false);
  const [asking, setAsking] = useState<number | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const open = useRef<HTMLButtonElement>(null);
  const name = parameterName(parameter);
  const action = isAction(parameter);
  const { phase, send, busy } = useCommand(page, device, parameter.name, {
    shown: (value) => parameterText(parameter, value),
    toast: (shown) => (action ? say('p_done_toast', { name }) : say('command_toast', { title, label: name, value: shown })),
    ...(action ? { done: () => say('p_done') } : {}),
    refused: denied,
  });
  useEffect(() => {
    if (phase.at === 'done') {
      changed();
    }
  }, [phase.at]);
  const edited = useRef(false);
  useEffect(() => {
    if (text !== null) {
      edited.current = true;
      field.current?.select();
    } else if (edited.current) {
      edited.current = false;
      open.current?.focus(); // whoever came by keyboard goes on where the way began
    }
  }, [text === null]);
  const value = phase.at === 'done' && phase.ok && phase.value != null ? phase.value : parameter.value;
  const unit = parameterUnit(parameter);
  const meaning = parameterMeaning(parameter);
  const id = `p-${parameter.name}`;
  const range = {
    least: parameterNumber(parameter, parameter.least),
    most: parameterText(parameter, parameter.most),
  };
  const off = busy || !mayAct(page);
  const begin = (): void => {
    if (action) {
      setAsking(parameter.least);
    } else {
      setText(value === null ? '' : parameterNumber(parameter, value));
    }
  };
  const leave = (): void => {
    setText(null);
    setWrong(false);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = typedParameter(text ?? '', parameter);
    setWrong(wanted === null);
    if (wanted === null) {
      field.current?.focus();
    } else if (wanted === parameter.value) {
      leave();
    } else {
      setAsking(wanted);
    }
  };
  const act = (): void => {
    const wanted = asking!;
    setAsking(null);
    leave();
    send(wanted);
  };
  const shown = asking === null ? '' : parameterText(parameter, asking);
  return (
    <li data-parameter={parameter.name}>
      <div class="what">
        <b>{name}</b>
        {meaning && <p>{meaning}</p>}
        {parameter.writable && !action && <p class="faint">{say('set_range', range)}</p>}
      </div>
      {!action && (
        <p class="is" data-value={value ?? ''}>
          {parameterText(parameter, value)}
          {value === null && <small>{say(isReadable(parameter) ? 'p_not_read' : 'p_only_set')}</small>}
        </p>
      )}
      {parameter.writable && text === null && (
        <button
          class={action ? 'btn to-do' : 'btn'}
          ref={open}
          aria-disabled={off}
          aria-label={action ? undefined : say('p_change_name', { name })}
          onClick={() => off || begin()}
        >
          {action ? name : say('p_change')}
        </button>
      )}
      {text !== null && (
        <form class="edit" onSubmit={submit} noValidate onKeyDown={(event) => event.key === 'Escape' && leave()}>
          <label class="sr" for={id}>
            {say('set_new', { label: name })}
          </label>
          <input
            id={id}
            ref={field}
            inputMode="decimal"
            autocomplete="off"
            value={text}
            aria-invalid={wrong}
            aria-describedby={`${id}-wrong`}
            onInput={(event) => setText((event.target as HTMLInputElement).value)}
          />
          <span class="u">{unit}</span>
          <button class="btn main">{say('p_next')}</button>
          <button class="btn" type="button" onClick={leave}>
            {say('keep')}
          </button>
          <span class="wrong" id={`${id}-wrong`} role="alert">
            {wrong ? say('p_bad', { ...range, step: parameterNumber(parameter, 1) }) : ''}
          </span>
        </form>
      )}
      {phase.at !== 'ready' && <PhaseLine page={page} phase={phase} id={`${id}-phase`} />}
      {asking !== null && (
        <Confirm
          id={parameter.name}
          title={action ? say('p_act_title', { name }) : say('p_title', { name, value: shown })}
          facts={
            action
              ? [say('p_of', { title }), say('p_act_fact')]
              : [
                  say('p_old', { value: parameterText(parameter, value) }),
                  say('p_new', { value: shown }),
                  say('p_of', { title }),
                  say('p_read_back'),
                ]
          }
          action={action ? name : say('p_do', { value: shown })}
          act={act}
          leave={() => setAsking(null)}
        >
          {meaning && <p class="s dim">{meaning}</p>}
        </Confirm>
      )}
    </li>
  );
};

const Groups = ({ page, device, title, items, changed }: Omit<RowProps, 'parameter'> & { items: readonly Parameter[] }) => (
  <div class="cols">
    {parameter_groups.map((group) => {
      const mine = items.filter((one) => groupOfParameter(one) === group);
      return (
        mine.length > 0 && (
          <Sheet key={group} id={`p-${group}`} title={say(`pg_${group}`)}>
            <p class="s dim group-what">{say(`pg_${group}_what`)}</p>
            <ul class="parameters">
              {mine.map((one) => (
                <Row key={one.name} page={page} device={device} title={title} parameter={one} changed={changed} />
              ))}
            </ul>
          </Sheet>
        )
      );
    })}
  </div>
);

/** The settings of one device; `crumb` is the way back to where one came from. */
export const Registers = ({ page, device, crumb }: { page: Page; device: string; crumb: ComponentChildren }) => {
  const { items, failed, lacking, reload } = useParameters(device);
  const title = titleOf(page, device);
  if (lacking || items?.length === 0) {
    return (
      <Status
        sentence={say('p_none', { title })}
        which="no_parameters"
        lines={[{ mark: 'stale', text: say('p_none_what') }]}
        crumb={crumb}
        action={
          <a class="btn" href={`#/devices/${encodeURIComponent(device)}`}>
            {say('open_it', { title })}
          </a>
        }
      />
    );
  }
  const unread = items?.filter((one) => one.value === null && isReadable(one)).length ?? 0;
  return (
    <>
      <Status
        sentence={items ? say('p_sentence', { title }) : say('status_loading')}
        which={items ? 'parameters' : 'loading'}
        lines={[
          { mark: 'warning', text: say('p_care') },
          ...(items && !mayAct(page) && !page.offline ? [{ mark: 'stale' as const, text: whyNot(page) }] : []),
          ...(unread > 0 ? [{ mark: 'stale' as const, text: say('p_unread', { count: unread, n: count(unread) }) }] : []),
        ]}
        crumb={crumb}
      />
      {failed !== null && !page.offline && (
        <div class="notes">
          <Note
            level="warning"
            title={say('load_failed', { what: say('p_all') })}
            text={say('load_failed_what', { reason: failed })}
          />
        </div>
      )}
      {items ? (
        <Groups page={page} device={device} title={title} items={items} changed={reload} />
      ) : (
        failed === null && (
          <Sheet id="p" title={say('p_all')} busy>
            <Bones />
          </Sheet>
        )
      )}
    </>
  );
};

/** Those of a battery's packs: the first one, or the named. */
export const BatteryRegisters = ({ page, name, device }: { page: Page; name: string; device: string | undefined }) => {
  const battery = findBattery(page, name);
  if (!isBattery(battery)) {
    return <>{battery}</>;
  }
  const at = `#/battery/${encodeURIComponent(name)}`;
  const chosen = battery.packs.find((pack) => pack.device === device) ?? battery.packs[0];
  if (!chosen) {
    return <Empty title={say('cells_none')}>{say('no_battery_what')}</Empty>;
  }
  return (
    <Registers
      key={chosen.device}
      page={page}
      device={chosen.device}
      crumb={
        <>
          <a href={at}>{battery.title || battery.name}</a>
          {battery.packs.length > 1 &&
            battery.packs.map((pack) => (
              <span key={pack.device}>
                {' · '}
                {pack === chosen ? (
                  <b>{titleOf(page, pack.device)}</b>
                ) : (
                  <a href={`${at}/registers/${encodeURIComponent(pack.device)}`}>{titleOf(page, pack.device)}</a>
                )}
              </span>
            ))}
        </>
      }
    />
  );
};
