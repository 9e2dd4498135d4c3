// SPDX-License-Identifier: Apache-2.0
// A sheet answers one question; its states loading, empty and in trouble look the same everywhere.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../text/say';
import { Icon } from './icon';

interface SheetProps {
  id: string;
  title: string;
  side?: ComponentChildren;
  className?: string;
  busy?: boolean;
  children: ComponentChildren;
}

export const Sheet = ({ id, title, side, className = '', busy = false, children }: SheetProps) => (
  <section class={`sheet ${className}`} aria-labelledby={`h-${id}`} aria-busy={busy}>
    <header>
      <h2 id={`h-${id}`}>{title}</h2>
      {side}
    </header>
    {children}
  </section>
);

/** The shape of a sheet that is still asked for: appears after 300 ms, not before. */
export const Bones = ({ rows = 4 }: { rows?: number }) => {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class={late ? 'bones' : 'bones hidden'}>
      <span class="sr">{say('loading')}</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class={`bone b${i % 4}`} />
      ))}
    </div>
  );
};

export const Empty = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <div class="empty">
    <strong>{title}</strong>
    {children}
  </div>
);

interface NoteProps {
  level: 'notice' | 'warning' | 'alarm';
  title: string;
  text: string;
  to?: string;
  action?: string;
}

export const Note = ({ level, title, text, to, action }: NoteProps) => (
  <div class={`note ${level}`}>
    <Icon name="faults" />
    <strong>{title}</strong>
    <p>{text}</p>
    {to && action && (
      <a class="btn" href={to}>
        {action}
      </a>
    )}
  </div>
);
