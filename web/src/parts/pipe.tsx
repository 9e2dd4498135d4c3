// SPDX-License-Identifier: Apache-2.0
// Delivery as a picture: read, on disk, one end per target with what it waits for and why.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Outbox, Sink } from '../api/shapes';
import { elapsed, type Page } from '../context';
import { oldestAge, progressOf, sinkCase, waitingMost, type Progress, type SinkCase } from '../site/delivery';
import { retryText } from '../site/status';
import { bytes, count, decimal, share, timeLeft, together, wholeAge } from '../text/formats';
import { say } from '../text/say';
import { Figure } from './figure';

/** A share as a bar; announced at each quarter. */
export const Bar = ({ permille, label }: { permille: number; label: string }) => {
  const quarter = Math.floor(permille / 250);
  const before = useRef(quarter);
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    if (quarter > before.current) {
      setSpoken(`${label}: ${together(share(quarter * 250))}`);
    }
    before.current = quarter;
  }, [quarter]);
  return (
    <>
      <svg
        class="bar"
        viewBox="0 0 1000 8"
        preserveAspectRatio="none"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(permille / 10)}
      >
        <rect class="done" width={Math.min(1000, permille)} height="8" />
      </svg>
      <span class="sr" role="status">
        {spoken}
      </span>
    </>
  );
};

const marks: Record<SinkCase, string> = {
  up_to_date: 'ok',
  catching_up: 'ok',
  behind: 'warning',
  connecting: 'stale',
  resting: 'ok',
  off: 'stale',
};

function headline(sink: Sink, which: SinkCase): string {
  const places = { count: sink.waiting, n: count(sink.waiting) };
  if (which === 'resting' && sink.waiting === 0) {
    return say('sink_up_to_date');
  }
  return say(`sink_${which}`, places);
}

/** What is to be said of a target below its headline, one sentence a line. */
export function sinkFacts(
  sink: Sink,
  which: SinkCase,
  elapsed_s: number,
  progress: Progress | null,
): string[] {
  const confirmed =
    sink.last_confirmed_age_s === null
      ? say('sink_confirmed_none')
      : say('sink_confirmed', {
          seq: count(sink.confirmed_to[sink.confirmed_to.length - 1] ?? 0),
          age: wholeAge(sink.last_confirmed_age_s + elapsed_s),
        });
  const oldest =
    sink.oldest_age_s === null ? [] : [say('sink_oldest', { age: wholeAge(sink.oldest_age_s + elapsed_s) })];
  switch (which) {
    case 'behind':
      return [
        [
          ...oldest,
          sink.reason ?? say(sink.state === 'connected' ? 'reason_no_confirm' : 'reason_no_answer'),
        ].join(': '),
        ...(sink.retry_in_s === null ? [] : [retryText(sink.retry_in_s - elapsed_s)]),
      ];
    case 'catching_up':
      return progress
        ? [say('sink_progress', { done: count(progress.done), of: count(progress.of) })]
        : [confirmed];
    case 'resting':
      return [
        ...(sink.waiting > 0 ? oldest : [confirmed]),
        ...(sink.retry_in_s === null
          ? []
          : [say('sink_next', { age: timeLeft(sink.retry_in_s - elapsed_s) })]),
      ];
    case 'off':
      return [];
    default:
      return [confirmed];
  }
}

const SinkEnd = ({ page, sink, elapsed_s }: { page: Page; sink: Sink; elapsed_s: number }) => {
  const which = sinkCase(sink, elapsed_s);
  const progress =
    which === 'catching_up' ? progressOf(page.live.catch_up.get(sink.name), sink) : null;
  return (
    <li class={`stop ${marks[which]}`} data-sink={sink.name} data-case={which}>
      <h3>
        <i class={`dot ${marks[which]}`} aria-hidden="true" />
        {sink.name}, {sink.endpoint}
      </h3>
      <b>
        {headline(sink, which)}
        {progress?.left_s != null && (
          <span class="u"> {say('sink_left', { age: timeLeft(progress.left_s) })}</span>
        )}
      </b>
      {sinkFacts(sink, which, elapsed_s, progress).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {progress && <Bar permille={progress.permille} label={say('sink_catching_up')} />}
    </li>
  );
};

/** The wires from the disk to so many ends. */
const Fork = ({ ends }: { ends: number }) => (
  <div class="fork">
    <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {Array.from({ length: ends }, (_, i) => {
        const y = (100 * (i + 0.5)) / ends;
        return <path key={i} d={`M8 50H30C60 50 50 ${y} 92 ${y}`} vector-effect="non-scaling-stroke" />;
      })}
    </svg>
  </div>
);

export const Pipe = ({ page, outbox }: { page: Page; outbox: Outbox }) => {
  const elapsed_s = elapsed(page, page.live.outbox?.at_ms ?? page.tick_ms);
  const { bytes_max, bytes_used } = outbox.storage;
  const used = bytes_max > 0 ? (1000 * bytes_used) / bytes_max : 0;
  const places = {
    share: together(share(used, used < 10 ? 1 : 0)),
    size: together(bytes(bytes_max)),
  };
  const oldest = oldestAge(outbox);
  const waiting = waitingMost(outbox);
  const online = page.views.filter((view) => view.device.state === 'online').length;
  const rate = page.live.per_second;
  return (
    <div class="pipe">
      <div class={`stop ${online > 0 ? 'ok' : 'warning'}`}>
        <h3>{say('pipe_read')}</h3>
        <b>
          <Figure of={rate === null ? null : { number: decimal(rate, rate < 9.95 ? 1 : 0), unit: '' }} />{' '}
          <span class="u">{say('pipe_a_second')}</span>
        </b>
        <p>
          {say('pipe_from', {
            count: page.views.length,
            n: count(online),
            of: count(page.views.length),
          })}
        </p>
      </div>
      <div class="wire" />
      <div class="stop ok">
        <h3>{say('pipe_disk')}</h3>
        <b data-waiting={waiting}>
          {count(waiting)} <span class="u">{say('pipe_waiting')}</span>
        </b>
        <p>
          {oldest === null
            ? say('pipe_used', places)
            : say('pipe_oldest', { ...places, age: wholeAge(oldest + elapsed_s) })}
        </p>
      </div>
      {outbox.sinks.length > 0 ? (
        <>
          <Fork ends={outbox.sinks.length} />
          <ul class="ends">
            {outbox.sinks.map((sink) => (
              <SinkEnd key={sink.name} page={page} sink={sink} elapsed_s={elapsed_s} />
            ))}
          </ul>
        </>
      ) : (
        <>
          <div class="fork" />
          <div class="ends">
            <p class="s dim">{say('delivery_no_sink')}</p>
          </div>
        </>
      )}
    </div>
  );
};
