// SPDX-License-Identifier: Apache-2.0
// How delivery to each target goes: up to date, behind, catching up; and how long it will take.
import type { Outbox, Sink } from '../api/shapes';

export type SinkCase =
  | 'up_to_date'
  | 'catching_up'
  | 'behind'
  | 'connecting'
  | 'resting' // connects by its time window, nothing is wrong
  | 'off';

/** Readings that wait longer than this for a connected target are a backlog. */
const backlog_s = 30;

export function sinkCase(sink: Sink, elapsed_s = 0): SinkCase {
  const oldest = sink.oldest_age_s === null ? 0 : sink.oldest_age_s + elapsed_s;
  const waits = sink.waiting > 0;
  switch (sink.state) {
    case 'off':
      return 'off';
    case 'connected': {
      if (!waits || oldest <= backlog_s) {
        return 'up_to_date';
      }
      const confirmed = sink.last_confirmed_age_s;
      return confirmed !== null && confirmed + elapsed_s <= backlog_s ? 'catching_up' : 'behind';
    }
    case 'connecting':
      return sink.reason !== null || oldest > backlog_s ? 'behind' : 'connecting';
    case 'waiting':
      return sink.reason !== null ? 'behind' : 'resting';
  }
}

/** What is remembered of a target while it is behind, to tell the share done and the time left. */
export interface CatchUp {
  most: number; // the backlog when it was largest
  marks: { at_ms: number; waiting: number }[]; // of the last seconds, oldest first
}

const marks_kept_ms = 10_000;

export function followSink(before: CatchUp | undefined, sink: Sink, now_ms: number): CatchUp | undefined {
  const state = sinkCase(sink);
  if (state !== 'behind' && state !== 'catching_up') {
    return undefined;
  }
  const mark = { at_ms: now_ms, waiting: sink.waiting };
  const recent = (before?.marks ?? []).filter((one) => now_ms - one.at_ms <= marks_kept_ms);
  return {
    most: Math.max(before?.most ?? 0, sink.waiting),
    marks: state === 'behind' ? [mark] : [...recent, mark],
  };
}

export interface Progress {
  done: number;
  of: number;
  permille: number;
  left_s: number | null; // null: not known yet
}

export function progressOf(catch_up: CatchUp | undefined, sink: Sink): Progress | null {
  if (!catch_up || catch_up.most === 0) {
    return null;
  }
  const done = Math.max(0, catch_up.most - sink.waiting);
  const first = catch_up.marks[0]!;
  const last = catch_up.marks[catch_up.marks.length - 1]!;
  const seconds = (last.at_ms - first.at_ms) / 1000;
  const rate = seconds > 0 ? (first.waiting - last.waiting) / seconds : 0;
  return {
    done,
    of: catch_up.most,
    permille: Math.round((1000 * done) / catch_up.most),
    left_s: rate > 0 ? sink.waiting / rate : null,
  };
}

/** Records that at least one target has not confirmed: the longest queue. */
export const waitingMost = (outbox: Outbox): number =>
  outbox.sinks.reduce((most, sink) => Math.max(most, sink.waiting), 0);

export const oldestAge = (outbox: Outbox): number | null =>
  outbox.sinks.reduce<number | null>(
    (oldest, sink) =>
      sink.oldest_age_s === null ? oldest : Math.max(oldest ?? 0, sink.oldest_age_s),
    null,
  );

/** The age of the confirmation that came last from the slowest target. */
export const lastConfirmedAge = (outbox: Outbox): number | null =>
  outbox.sinks
    .filter((sink) => sink.state !== 'off')
    .reduce<number | null>(
      (age, sink) =>
        sink.last_confirmed_age_s === null ? age : Math.max(age ?? 0, sink.last_confirmed_age_s),
      null,
    );

export const behindSinks = (outbox: Outbox, elapsed_s = 0): Sink[] =>
  outbox.sinks.filter((sink) => sinkCase(sink, elapsed_s) === 'behind');
