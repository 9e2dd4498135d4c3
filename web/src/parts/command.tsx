// SPDX-License-Identifier: Apache-2.0
// A command on its way: sending, sent, and only after reading back confirmed; or refused, in words.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { CommandState } from '../api/shapes';
import type { Page } from '../context';
import { clock } from '../text/formats';
import { say, sayOr } from '../text/say';

export type Phase =
  | { at: 'ready' }
  | { at: 'sending'; value: number }
  | { at: 'sent'; value: number; id: string; time: string; slow: boolean }
  | { at: 'done'; ok: boolean; text: string; value?: number | null; at_ms?: number };

const ask_again_ms = 700;
const slow_after_ms = 10_000;

export const commandKey = (): string =>
  `web-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

/** One sentence for a result that is not "executed"; the gateway's own words follow where they add. */
export function refusal(result: Pick<CommandState, 'code' | 'text' | 'value'>, value: string): string {
  return sayOr(`code_${result.code ?? ''}`, result.text || String(result.code), { value });
}

export interface CommandWords {
  shown: (value: number) => string;
  toast: (shown: string) => string;
  done?: (shown: string) => string;
  refused?: (result: CommandState, shown: string) => string;
}

/** Sets one quantity of one device: sends, waits for the result, says it. */
export function useCommand(page: Page, target: string, name: string, words: CommandWords) {
  const [phase, setPhase] = useState<Phase>({ at: 'ready' });
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);

  const pending = phase.at === 'sent' ? phase.id : null;
  const result = pending ? page.live.results.get(pending) : undefined;

  // The socket brings the result; where it does not, asking does.
  useEffect(() => {
    if (pending === null) {
      return undefined;
    }
    const timer = setInterval(() => {
      ask<CommandState>(`commands/${encodeURIComponent(pending)}`)
        .then((state) => alive.current && state.state === 'done' && page.connection.takeResult(state))
        .catch(() => undefined);
    }, ask_again_ms);
    const slow = setTimeout(
      () => setPhase((now) => (now.at === 'sent' ? { ...now, slow: true } : now)),
      slow_after_ms,
    );
    return () => {
      clearInterval(timer);
      clearTimeout(slow);
    };
  }, [pending]);

  useEffect(() => {
    if (!result || result.state !== 'done') {
      return;
    }
    const shown = result.value === null ? '' : words.shown(result.value);
    if (result.code === 'executed') {
      const time = clock(Date.now(), Date.now(), true);
      setPhase({
        at: 'done',
        ok: true,
        value: result.value,
        at_ms: performance.now(),
        text: words.done?.(shown) ?? say('command_confirmed', { time, value: shown }),
      });
      page.toast(words.toast(shown));
    } else {
      setPhase({ at: 'done', ok: false, text: (words.refused ?? refusal)(result, shown) });
    }
  }, [result]);

  const send = (value: number): void => {
    setPhase({ at: 'sending', value });
    const body = { target, action: 'set', quantity: name, value };
    ask<{ id: string }>('commands', { body, key: commandKey() }).then(
      ({ id }) =>
        setPhase({
          at: 'sent',
          value,
          id,
          time: clock(Date.now(), Date.now(), true),
          slow: false,
        }),
      (error: unknown) =>
        setPhase({
          at: 'done',
          ok: false,
          text:
            error instanceof Refused
              ? error.message ||
                (error.status === 401 || error.status === 403
                  ? say('code_denied')
                  : say('http_status', { status: error.status }))
              : say('command_lost'),
        }),
    );
  };
  return { phase, send, busy: phase.at === 'sending' || phase.at === 'sent' };
}

/** Nobody may act without contact, or where no password tells who acts. */
export const mayAct = (page: Page): boolean => !page.offline && hasRight(page);

const hasRight = (page: Page): boolean => {
  const role = page.live.session?.role;
  return page.live.session === null || (role !== null && role !== 'viewer');
};

/** Why this page may not act: no password tells who acts, or who signed in may only look. */
export const whyNot = (page: Page): string =>
  say(page.live.session?.role ? 'control_needs_role' : 'control_needs_password');

interface LineProps {
  page: Page;
  phase: Phase;
  id: string;
  sent?: string; // instead of "Sent to the device"
}

export const PhaseLine = ({ page, phase, id, sent }: LineProps) => {
  let text = '';
  let mark = '';
  if (page.offline) {
    text = phase.at === 'sent' ? say('command_unsure') : say('offline_control');
    mark = 'stale';
  } else if (!mayAct(page)) {
    text = whyNot(page);
    mark = 'stale';
  } else if (phase.at === 'sending') {
    text = say('command_sending');
    mark = 'stale';
  } else if (phase.at === 'sent') {
    text = phase.slow ? say('command_slow') : (sent ?? say('command_sent', { time: phase.time }));
    mark = 'stale';
  } else if (phase.at === 'done') {
    text = phase.text;
    mark = phase.ok ? 'ok' : 'warning';
  }
  return (
    <p class="phase" role="status" id={id} data-phase={phase.at}>
      {mark && <i class={`dot ${mark}`} aria-hidden="true" />}
      <span>{text}</span>
    </p>
  );
};
