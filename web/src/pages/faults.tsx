// SPDX-License-Identifier: Apache-2.0
// Faults: what is wrong now, worst first.
import { elapsed, type Page } from '../context';
import { faultPlace, faultTitle, worstFirst } from '../parts/notes';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { count, wholeAge } from '../text/formats';
import { say } from '../text/say';

const marks = { alarm: 'alarm', warning: 'warning', notice: 'stale' } as const;

export const Faults = ({ page }: { page: Page }) => {
  const timed = page.live.faults;
  if (!timed) {
    return (
      <>
        <Status sentence={say('status_loading')} which="loading" lines={[]} />
        <Sheet id="faults" title={say('faults')} busy>
          <Bones />
        </Sheet>
      </>
    );
  }
  const faults = worstFirst(timed.body);
  const worst = faults[0];
  return (
    <>
      <Status
        sentence={
          faults.length === 0
            ? say('faults_title_none')
            : say('faults_title', { count: faults.length, n: count(faults.length) })
        }
        which={`faults ${faults.length}`}
        lines={[{ mark: worst ? marks[worst.severity] : 'ok', text: say('faults_line') }]}
      />
      <Sheet id="faults" title={say('faults')}>
        {faults.length === 0 ? (
          <Empty title={say('faults_none')}>{say('faults_none_what')}</Empty>
        ) : (
          <ul class="list">
            {faults.map((fault) => {
              const place = faultPlace(page, fault);
              return (
                <li key={`${fault.source} ${fault.kind}`} data-fault={fault.kind}>
                  <i class={`dot ${marks[fault.severity]}`} aria-hidden="true" />
                  <b>
                    <span class="sr">{say(`severity_${fault.severity}`)}: </span>
                    {faultTitle(page, fault)}
                  </b>
                  <span class="when">{wholeAge(fault.since_age_s + elapsed(page, timed.at_ms))}</span>
                  <p>
                    {fault.text} {place && <a href={place.to}>{place.action}</a>}
                  </p>
                </li>
              );
            })}
          </ul>
        )}
      </Sheet>
    </>
  );
};
