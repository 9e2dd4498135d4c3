// SPDX-License-Identifier: Apache-2.0
// The owner's temporary limit: it can only lower what is allowed, and ends by itself.
import { useRef, useState } from 'preact/hooks';
import type { Battery } from '../api/battery_shapes';
import { elapsed, type Page } from '../context';
import { boundOf, limitOf } from '../site/battery';
import { amperes, thin, timeLeft } from '../text/formats';
import { say } from '../text/say';
import { mayAct, PhaseLine, useCommand } from './command';
import { Confirm } from './confirm';
import { typed } from './control';

const quantity = 'charge_current_limit_ma';
const amps = (ma: number): string => `${amperes(ma)}${thin}A`;

/** The one that holds, and for how long still. */
const Active = ({ page, battery }: { page: Page; battery: Battery }) => {
  const remote = battery.rules.find((one) => one.rule === 'remote' && one.charge_current_ma !== null);
  if (!remote) {
    return null;
  }
  const limit = amps(remote.charge_current_ma!);
  const left_s =
    remote.input === null ? null : remote.input / 1000 - elapsed(page, page.live.battery!.at_ms);
  return (
    <p class="active" data-remote={remote.charge_current_ma}>
      <i class="dot warning" aria-hidden="true" />
      <span>
        {left_s === null
          ? say('lower_active_open', { limit })
          : say('lower_active', { limit, age: timeLeft(left_s) })}
      </span>
    </p>
  );
};

export const Lower = ({ page, battery }: { page: Page; battery: Battery }) => {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const [asking, setAsking] = useState<number | null>(null);
  const { phase, send, busy } = useCommand(page, battery.name, quantity, {
    shown: amps,
    toast: (limit) => say('lower_done', { limit }),
    done: (limit) => say('lower_done', { limit }),
  });
  const bound = boundOf(battery, 'charge');
  const most = amperes(bound);
  const now = limitOf(battery, 'charge');
  const off = busy || !mayAct(page);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (off) {
      return;
    }
    const wanted = typed(text, 1000, { name: quantity, least: 0, most: bound });
    setWrong(wanted === null);
    if (wanted === null) {
      field.current?.focus();
    } else {
      setAsking(wanted);
    }
  };
  return (
    <form class="control" onSubmit={submit} noValidate>
      <Active page={page} battery={battery} />
      <p class="s dim">{say('lower_what')}</p>
      <div class="field">
        <label for="lower">{say('lower_field')}</label>
        <span class="hint" id="lower-hint">
          {say('lower_range', { most })}
        </span>
        <input
          id="lower"
          ref={field}
          inputMode="decimal"
          autocomplete="off"
          value={text}
          aria-invalid={wrong}
          aria-describedby="lower-hint lower-wrong"
          onInput={(event) => setText((event.target as HTMLInputElement).value)}
        />
        <span class="wrong" id="lower-wrong">
          {wrong ? say('lower_bad', { most }) : ''}
        </span>
      </div>
      <div class="acts">
        <button class="btn" aria-disabled={off} aria-describedby="phase-lower">
          {say('lower_button')}
        </button>
      </div>
      <PhaseLine page={page} phase={phase} id="phase-lower" sent={say('lower_sent')} />
      {asking !== null && (
        <Confirm
          id="lower"
          title={say('lower_title', { limit: amps(asking) })}
          facts={[
            ...(now === null ? [] : [say('lower_now', { limit: amps(now) })]),
            say('lower_then', { limit: amps(asking) }),
            say('lower_still'),
          ]}
          action={say('lower_do', { limit: amps(asking) })}
          act={() => {
            setAsking(null);
            send(asking);
          }}
          leave={() => setAsking(null)}
        />
      )}
    </form>
  );
};
