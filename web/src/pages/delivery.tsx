// SPDX-License-Identifier: Apache-2.0
// Delivery: what waits, for whom, why, until when.
import type { Outbox, OutboxClass } from '../api/shapes';
import { elapsed, type Page } from '../context';
import { FaultNotes } from '../parts/notes';
import { Bar, Pipe } from '../parts/pipe';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { behindSinks, sinkCase, waitingMost } from '../site/delivery';
import { deliveryLine } from '../site/status';
import { bytes, count, share, together, wholeAge } from '../text/formats';
import { say, sayOr } from '../text/say';

function title(outbox: Outbox, elapsed_s: number): { which: string; sentence: string } {
  const waiting = waitingMost(outbox);
  const places = { count: waiting, n: count(waiting) };
  const cases = outbox.sinks.map((sink) => sinkCase(sink, elapsed_s));
  if (cases.every((one) => one === 'off')) {
    return { which: 'no_sink', sentence: say('delivery_title_no_sink') };
  }
  const behind = behindSinks(outbox, elapsed_s);
  if (behind.length > 0) {
    const names = { count: behind.length, n: count(behind.length), sink: behind[0]!.name };
    return { which: 'behind', sentence: say('delivery_title_behind', names) };
  }
  if (cases.includes('catching_up')) {
    return { which: 'catching_up', sentence: say('delivery_title_catching') };
  }
  if (cases.includes('resting') && waiting > 0) {
    return { which: 'resting', sentence: say('delivery_title_resting', places) };
  }
  return outbox.sinks.every((sink) => sink.last_confirmed_age_s === null)
    ? { which: 'nothing', sentence: say('delivery_title_nothing') }
    : { which: 'done', sentence: say('delivery_title_done') };
}

const lost = (row: OutboxClass): string => {
  const parts = (['dropped', 'expired', 'damaged', 'rejected'] as const)
    .filter((what) => row[what] > 0)
    .map((what) => say(`lost_${what}`, { count: row[what], n: count(row[what]) }));
  return parts.length ? parts.join(', ') : say('lost_none');
};

const Classes = ({ outbox }: { outbox: Outbox }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">{say('class_kind')}</th>
        <th scope="col" class="r">
          {say('class_accepted')}
        </th>
        <th scope="col" class="r">
          {say('class_lost')}
        </th>
      </tr>
    </thead>
    <tbody>
      {outbox.classes.map((row) => (
        <tr key={row.class}>
          <td>{sayOr(`class_${row.class}`, row.class)}</td>
          <td class="r">{count(row.accepted_to)}</td>
          <td class="r">{lost(row)}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Targets = ({ page, outbox }: { page: Page; outbox: Outbox }) => {
  const elapsed_s = elapsed(page, page.live.outbox!.at_ms);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{say('target')}</th>
          <th scope="col" class="r">
            {say('waiting')}
          </th>
          <th scope="col" class="r hide-s">
            {say('in_flight')}
          </th>
          <th scope="col" class="r hide-s">
            {say('sent')}
          </th>
          <th scope="col" class="r">
            {say('confirmed')}
          </th>
        </tr>
      </thead>
      <tbody>
        {outbox.sinks.map((sink) => (
          <tr key={sink.name}>
            <td>
              <b>{sink.name}</b>
              <small class="address">
                {sink.type.toUpperCase()}, {sink.endpoint}
              </small>
            </td>
            <td class="r">{count(sink.waiting)}</td>
            <td class="r hide-s">{count(sink.in_flight)}</td>
            <td class="r hide-s nb">{together(bytes(sink.sent_bytes))}</td>
            <td class="r nb">
              {sink.last_confirmed_age_s === null
                ? say('never')
                : say('ago', { age: wholeAge(sink.last_confirmed_age_s + elapsed_s) })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};

/** What one reads out to whoever helps; folded away for everyone else. */
const Numbers = ({ outbox }: { outbox: Outbox }) => (
  <details>
    <summary>{say('numbers')}</summary>
    <dl class="facts">
      <div>
        <dt>{say('epoch')}</dt>
        <dd class="mono">{outbox.epoch}</dd>
      </div>
      <div>
        <dt>{say('boot')}</dt>
        <dd>{count(outbox.boot)}</dd>
      </div>
      {outbox.sinks.map((sink) => (
        <div key={sink.name}>
          <dt>
            {sink.name}: {say('confirmed_to')}
          </dt>
          <dd>{sink.confirmed_to.map((seq) => count(seq)).join(' · ')}</dd>
          {sink.durable_to && (
            <>
              <dt>
                {sink.name}: {say('durable_to')}
              </dt>
              <dd>{sink.durable_to.map((seq) => count(seq)).join(' · ')}</dd>
            </>
          )}
        </div>
      ))}
    </dl>
  </details>
);

export const Delivery = ({ page }: { page: Page }) => {
  const outbox = page.live.outbox?.body;
  if (!outbox) {
    return (
      <>
        <Status sentence={say('status_loading')} which="loading" lines={[]} />
        <Sheet id="delivery" title={say('delivery')} busy>
          <Bones />
        </Sheet>
      </>
    );
  }
  const elapsed_s = elapsed(page, page.live.outbox!.at_ms);
  const line = deliveryLine(outbox, elapsed_s);
  const { bytes_max, bytes_used, bytes_written } = outbox.storage;
  const used = bytes_max > 0 ? Math.round((1000 * bytes_used) / bytes_max) : 0;
  return (
    <>
      <Status
        {...title(outbox, elapsed_s)}
        lines={line ? [{ mark: line.mark, text: line.text }] : []}
      />
      <FaultsOfDelivery page={page} outbox={outbox} />
      <div class="cols">
        <Sheet
          id="delivery"
          title={say('delivery')}
          side={<span class="s hide-s">{say('delivery_rule')}</span>}
        >
          <Pipe page={page} outbox={outbox} />
        </Sheet>
        <Sheet id="targets" title={say('targets')} className="flush w7">
          {outbox.sinks.length === 0 ? (
            <Empty title={say('no_sink')}>{say('no_sink_what')}</Empty>
          ) : (
            <Targets page={page} outbox={outbox} />
          )}
        </Sheet>
        <Sheet id="classes" title={say('classes')} className="flush w5">
          <Classes outbox={outbox} />
        </Sheet>
        <Sheet
          id="storage"
          title={say('storage')}
          side={
            <span class="s">
              {say('storage_used', {
                used: together(bytes(bytes_used)),
                size: together(bytes(bytes_max)),
              })}
            </span>
          }
        >
          <Bar permille={used} label={say('storage_name', { share: together(share(used)) })} />
          <p class="s dim below">
            {say('storage_written', { bytes: together(bytes(bytes_written)) })}
          </p>
          <Numbers outbox={outbox} />
        </Sheet>
      </div>
    </>
  );
};

const FaultsOfDelivery = ({ page, outbox }: { page: Page; outbox: Outbox }) => {
  const sources = new Set(outbox.sinks.map((sink) => sink.name));
  const faults = (page.live.faults?.body ?? []).filter(
    (fault) => sources.has(fault.source) || /^(storage|records)_/.test(fault.kind),
  );
  return faults.length > 0 ? <FaultNotes page={page} most={2} only={faults} /> : null;
};
