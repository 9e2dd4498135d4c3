// SPDX-License-Identifier: Apache-2.0
// Keys of a desktop: g and a letter open a page, ? lists them. They rest while someone types and
// can be switched off.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { say } from '../text/say';
import type { Key } from '../text/en';

const all_keys: [string, string, Key][] = [
  ['h', '#/', 'page_home'],
  ['b', '#/battery', 'page_battery'],
  ['d', '#/devices', 'page_devices'],
  ['s', '#/delivery', 'page_delivery'],
  ['f', '#/faults', 'page_faults'],
];
const patience_ms = 1500; // between g and the letter
const stored = 'jouleway-keys';

function readOff(): boolean {
  try {
    return localStorage.getItem(stored) === 'off';
  } catch {
    return false; // storage is forbidden: the keys are on
  }
}

function keepOff(off: boolean): void {
  try {
    localStorage.setItem(stored, off ? 'off' : 'on');
  } catch {
    // holds until the page is loaded again
  }
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input, select, textarea, [role=slider]');

export const Shortcuts = ({ battery }: { battery: boolean }) => {
  const keys = all_keys.filter(([key]) => battery || key !== 'b');
  const dialog = useRef<HTMLDialogElement>(null);
  const [off, setOff] = useState(readOff);
  // At once: a key right after the switch finds it switched.
  useLayoutEffect(() => {
    let g_at = -Infinity;
    const press = (event: KeyboardEvent): void => {
      if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      }
      const now = performance.now();
      const page = keys.find(([key]) => key === event.key);
      if (event.key === '?') {
        dialog.current?.showModal();
      } else if (event.key === 'g' && !off) {
        g_at = now;
      } else if (page && !off && now - g_at < patience_ms && !dialog.current?.open) {
        g_at = -Infinity;
        location.hash = page[1];
      }
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [off, battery]);
  return (
    <dialog ref={dialog} aria-labelledby="h-keys">
      <h2 id="h-keys">{say('keys_title')}</h2>
      <dl class="facts">
        {keys.map(([key, , page]) => (
          <div key={key}>
            <dt>{say(page)}</dt>
            <dd>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </dd>
          </div>
        ))}
        <div>
          <dt>{say('keys_this')}</dt>
          <dd>
            <kbd>?</kbd>
          </dd>
        </div>
      </dl>
      <p class="s dim">{say('chart_keys')}</p>
      <div class="acts">
        <button
          class="btn"
          aria-pressed={off}
          onClick={() => {
            keepOff(!off);
            setOff(!off);
          }}
        >
          {say(off ? 'keys_on' : 'keys_off')}
        </button>
        <button class="btn main" onClick={() => dialog.current?.close()}>
          {say('close')}
        </button>
      </div>
    </dialog>
  );
};
