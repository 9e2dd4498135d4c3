// SPDX-License-Identifier: Apache-2.0
// Home: is everything all right, and where does the energy go now?
import { elapsed, type Page } from '../context';
import { DeviceTable } from '../parts/device_table';
import { Power } from '../parts/figure';
import { FlowPicture } from '../parts/flow';
import { Icon } from '../parts/icon';
import { FaultNotes } from '../parts/notes';
import { Pipe } from '../parts/pipe';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { statusOf } from '../site/status';
import { freshNumber, powersOf, type DeviceView, type Powers } from '../site/view';
import { clock, power, share, together } from '../text/formats';
import { say } from '../text/say';
import { powerWord, silence } from './words';

const watts = (value: number): string => together(power(Math.abs(value)));

/** The whole picture as one sentence, for who does not see it. */
export function flowSentence(powers: Powers): string {
  if (powers.house === null || powers.grid === null) {
    return say('flow_unknown');
  }
  const parts: string[] = [];
  if (powers.solar != null) {
    parts.push(say(powers.hybrid ? 'flow_hybrid' : 'flow_solar', { power: watts(powers.solar) }));
  }
  if (powers.battery != null) {
    parts.push(
      say(powers.battery < 0 ? 'flow_discharging' : 'flow_charging', {
        power: watts(powers.battery),
      }),
    );
  }
  parts.push(say(powers.grid < 0 ? 'flow_export' : 'flow_import', { power: watts(powers.grid) }));
  parts.push(say('flow_house', { power: watts(powers.house) }));
  return parts.join(' ');
}

const FlowPlace = ({
  page,
  place,
  value,
  views,
  hybrid = false,
}: {
  page: Page;
  place: 'solar' | 'grid' | 'battery';
  value: number | null;
  views: readonly DeviceView[];
  hybrid?: boolean;
}) => {
  const mine = views.filter((view) => view.role === place && !view.pack);
  const old = mine.find((view) => freshNumber(view.main) === null);
  const soc = mine
    .flatMap((view) => view.values)
    .find((one) => one.name === 'soc_permille' && !one.stale && one.value !== null);
  return (
    <div class={`node ${place}`} data-place={place}>
      <span class={`n ${value === null ? 'faint' : `c-${place}`}`}>
        <Icon name={place} />
        {say(hybrid ? 'place_hybrid' : `place_${place}`)}
      </span>
      <b class={value === null ? 'faint' : ''}>
        <Power watts={value} />
      </b>
      {value === null ? (
        <span class="faint">{old ? silence(page, old) : ''}</span>
      ) : (
        place !== 'solar' && <span>{powerWord(place, value)}</span>
      )}
      {soc && <span>{say('full', { share: together(share(soc.value!)) })}</span>}
    </div>
  );
};

/** Loads that are measured by themselves, as a list beside the house. */
const Loads = ({ page, loads }: { page: Page; loads: readonly DeviceView[] }) => (
  <div class="loads">
    <h3>{say('of_which')}</h3>
    <ul>
      {loads.map((view) => {
        const value = freshNumber(view.values.find((one) => one.name === 'power_w'));
        const relay = view.values.find((one) => one.name === 'relay_closed' && !one.stale);
        return (
          <li key={view.device.name}>
            <a href={`#/devices/${view.device.name}`}>{view.title}</a>
            <b class={value === null ? 'faint' : ''}>
              <Power watts={value} />
            </b>
            <span class="s dim">
              {value === null ? silence(page, view) : powerWord('load', value)}
              {relay?.value != null && `, ${say(relay.value ? 'with_relay_closed' : 'with_relay_open')}`}
            </span>
          </li>
        );
      })}
    </ul>
  </div>
);

/** The house is a sum: it is known only where every place around it is. */
function whyNoHouse(page: Page): string {
  const missing = page.views.find(
    (view) => /^(grid|solar|battery)$/.test(view.role) && freshNumber(view.main) === null,
  );
  return missing ? say('not_computed', { title: missing.title }) : '';
}

const FlowSheet = ({ page, powers }: { page: Page; powers: Powers }) => {
  const loads = page.views.filter(
    (view) => view.role === 'load' && view.values.some((value) => value.name === 'power_w'),
  );
  return (
    <Sheet
      id="flow"
      title={say('now')}
      side={<span class="s">{clock(page.now_ms, page.now_ms, true)}</span>}
    >
      <div class={loads.length > 0 ? 'flow-with-loads' : ''}>
        <div class="flow">
          {powers.solar !== undefined && (
            <FlowPlace
              page={page}
              place="solar"
              value={powers.solar}
              views={page.views}
              hybrid={powers.hybrid}
            />
          )}
          <FlowPlace page={page} place="grid" value={powers.grid} views={page.views} />
          {powers.battery !== undefined && (
            <FlowPlace page={page} place="battery" value={powers.battery} views={page.views} />
          )}
          <FlowPicture powers={powers} say={flowSentence(powers)} now_ms={page.tick_ms} />
          <div class="node house" data-place="house">
            <span class={`n ${powers.house === null ? 'faint' : 'c-load'}`}>
              <Icon name="home" />
              {say('place_house')}
            </span>
            <b class={powers.house === null ? 'faint' : ''}>
              <Power watts={powers.house} />
            </b>
            {powers.house === null && <span class="faint">{whyNoHouse(page)}</span>}
          </div>
        </div>
        {loads.length > 0 && <Loads page={page} loads={loads} />}
      </div>
    </Sheet>
  );
};

export const Home = ({ page }: { page: Page }) => {
  const { live, views } = page;
  const ready = live.status !== null && live.devices !== null;
  const status = ready
    ? statusOf({
        status: live.status!.body,
        views,
        outbox: live.outbox?.body ?? null,
        outbox_elapsed_s: elapsed(page, live.outbox?.at_ms ?? page.tick_ms),
        faults: live.faults?.body ?? [],
        now_ms: page.now_ms,
        lost_since_ms: live.lost?.since_unix_ms ?? null,
      })
    : { which: 'loading', sentence: say('status_loading'), lines: [] };
  const powers = powersOf(views);
  // An alarm stands above everything; a warning leaves the picture on the first screen of a phone.
  const alarm = live.faults?.body.some((fault) => fault.raised && fault.severity === 'alarm');
  // That the clock is not set stands in the status already.
  const faults = (live.faults?.body ?? []).filter((fault) => fault.kind !== 'clock_not_set');
  return (
    <>
      <Status {...status} />
      {alarm && <FaultNotes page={page} most={2} only={faults} />}
      <div class="cols">
        {powers && <FlowSheet page={page} powers={powers} />}
        {!alarm && <FaultNotes page={page} most={2} only={faults} />}
        <Sheet id="devices" title={say('devices')} className="flush" busy={!ready}>
          {!ready ? (
            <Bones />
          ) : views.length === 0 ? (
            <Empty title={say('no_device')}>{say('no_device_what')}</Empty>
          ) : (
            <DeviceTable page={page} views={views} />
          )}
        </Sheet>
        <Sheet
          id="delivery"
          title={say('delivery')}
          side={<span class="s hide-s">{say('delivery_rule')}</span>}
          busy={live.outbox === null}
        >
          {live.outbox === null ? <Bones /> : <Pipe page={page} outbox={live.outbox.body} />}
        </Sheet>
      </div>
    </>
  );
};
