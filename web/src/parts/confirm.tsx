// SPDX-License-Identifier: Apache-2.0
// A question before something is done: what stays, what changes; the safe choice has the focus.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { say } from '../text/say';

interface Props {
  id: string;
  title: string;
  facts: readonly string[];
  action: string;
  act: () => void;
  leave: () => void;
  children?: ComponentChildren;
}

/** Open as long as it is drawn; Escape and the safe choice leave things as they are. */
export const Confirm = ({ id, title, facts, action, act, leave, children }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => before instanceof HTMLElement && before.isConnected && before.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={`confirm-${id}`} onClose={leave}>
      <h2 id={`confirm-${id}`}>{title}</h2>
      {children}
      <ul class="changes">
        {facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <div class="acts">
        <button class="btn" autofocus onClick={leave}>
          {say('keep')}
        </button>
        <button class="btn main" onClick={act}>
          {action}
        </button>
      </div>
    </dialog>
  );
};
