// SPDX-License-Identifier: Apache-2.0
// The sentence that opens a page and the facts below it; a change of the case is announced.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Line } from '../site/status';

interface Props {
  sentence: string;
  which: string;
  lines: Line[];
  crumb?: ComponentChildren;
  action?: ComponentChildren;
}

export const Status = ({ sentence, which, lines, crumb, action }: Props) => (
  <section class="status">
    <div class="said">
      {crumb && <p class="crumb">{crumb}</p>}
      <h1 tabIndex={-1}>{sentence}</h1>
      <p class="sub">
      {lines.map((line, i) => (
        <span key={i}>
          {line.mark !== 'none' && <i class={`dot ${line.mark}`} aria-hidden="true" />}
          {line.to ? <a href={line.to}>{line.text}</a> : <span>{line.text}</span>}
        </span>
      ))}
      </p>
    </div>
    {action}
    <Announce which={which} text={sentence} />
  </section>
);

/** Speaks when the case changes, not when a number in the sentence does. */
const Announce = ({ which, text }: { which: string; text: string }) => {
  const spoken = useSpoken(which, text);
  return (
    <p class="sr" role="status">
      {spoken}
    </p>
  );
};

function useSpoken(which: string, text: string): string {
  const before = useRef(which);
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    if (before.current !== which) {
      before.current = which;
      setSpoken(text);
    }
  }, [which]);
  return spoken;
}
