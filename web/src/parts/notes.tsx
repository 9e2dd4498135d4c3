// SPDX-License-Identifier: Apache-2.0
// Faults as notes: what happened, the consequence, where to go. At most so many, then a count.
import type { Fault } from '../api/shapes';
import { elapsed, type Page } from '../context';
import { sinceTime } from '../site/status';
import { count } from '../text/formats';
import { say, sayOr } from '../text/say';
import { Note } from './sheet';

const rank = { alarm: 0, warning: 1, notice: 2 };

export const worstFirst = (faults: readonly Fault[]): Fault[] =>
  faults
    .filter((fault) => fault.raised)
    .sort((a, b) => rank[a.severity] - rank[b.severity] || a.since_age_s - b.since_age_s);

export function faultTitle(page: Page, fault: Fault): string {
  const device = page.views.find((view) => view.device.name === fault.source);
  const since = fault.since_age_s + elapsed(page, page.live.faults?.at_ms ?? page.tick_ms);
  return sayOr(`fault_${fault.kind}`, fault.kind.replaceAll('_', ' '), {
    title: device?.title ?? fault.source,
    time: sinceTime(since, page.now_ms),
  });
}

/** The device or the target that the fault is about, as an address and what its button says. */
export function faultPlace(page: Page, fault: Fault): { to: string; action: string } | null {
  const device = page.views.find((view) => view.device.name === fault.source);
  if (device) {
    return { to: `#/devices/${device.device.name}`, action: say('open_it', { title: device.title }) };
  }
  const delivery = /^(sink|records|storage)_/.test(fault.kind);
  return delivery ? { to: '#/delivery', action: say('open_delivery') } : null;
}

/** The gateway's own sentence, which may begin with what the title says already. */
export const FaultNote = ({ page, fault }: { page: Page; fault: Fault }) => (
  <Note
    level={fault.severity}
    title={faultTitle(page, fault)}
    text={fault.text}
    {...(faultPlace(page, fault) ?? {})}
  />
);

interface NotesProps {
  page: Page;
  most: number;
  source?: string; // only those of this device
  only?: readonly Fault[];
}

export const FaultNotes = ({ page, most, source, only }: NotesProps) => {
  const all = worstFirst(only ?? page.live.faults?.body ?? []).filter(
    (fault) => source === undefined || fault.source === source,
  );
  if (all.length === 0) {
    return null;
  }
  return (
    <section class="notes" aria-label={say('faults')}>
      {all.slice(0, most).map((fault) => (
        <FaultNote key={`${fault.source} ${fault.kind}`} page={page} fault={fault} />
      ))}
      {all.length > most && (
        <a class="s" href="#/faults">
          {say('faults_more', { count: all.length - most, n: count(all.length - most) })}
        </a>
      )}
    </section>
  );
};
