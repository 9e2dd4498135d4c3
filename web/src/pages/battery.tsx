// SPDX-License-Identifier: Apache-2.0
// A battery: how full, how healthy, what limits it and why.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Battery as Shape, Pack } from '../api/battery_shapes';
import { elapsed, type Page } from '../context';
import { AlertList } from '../parts/alert_list';
import { PackCells, type CellView } from '../parts/cells';
import { Choice } from '../parts/choice';
import { History } from '../parts/history';
import { Limits } from '../parts/limits';
import { Lower } from '../parts/lower';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { reserveOf } from '../site/battery';
import { batteryStatus, inverter_silent_s, isOver } from '../site/battery_status';
import {
  absent,
  age,
  amperes,
  count,
  current,
  energy,
  meterReading,
  power,
  share,
  temperature,
  thin,
  together,
  voltage,
} from '../text/formats';
import { say } from '../text/say';

const old_after_s = 10; // values older than this are told as old

const amps = (ma: number): string => `${amperes(ma)}${thin}A`;

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const ChargeBar = ({ permille, reserve }: { permille: number; reserve: number | null }) => {
  const places = {
    share: together(share(permille, 1)),
    reserve: reserve === null ? '' : together(share(reserve)),
  };
  return (
    <svg
      class="charge"
      viewBox="0 0 1000 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={say(reserve === null ? 'soc_name' : 'soc_name_reserve', places)}
    >
      <rect class="done" width={permille} height="20" />
      {reserve !== null && <rect class="mark" x={reserve - 2} y="-4" width="5" height="28" />}
    </svg>
  );
};

/** Temperatures of all packs: a dash and the reason where no sensor is. */
const temperatures = (packs: readonly Pack[]): [string, (number | null)[]][] => {
  const known = Math.max(0, ...packs.map((pack) => pack.temperatures_mc.length));
  return Array.from({ length: known }, (_, i) => [
    say('bat_temperatures', { index: i + 1 }),
    packs.map((pack) => pack.temperatures_mc[i] ?? null),
  ]);
};

const Degrees = ({ of }: { of: readonly (number | null)[] }) => (
  <>
    {of.map((mc, i) => (
      <span key={i}>
        {i > 0 ? ', ' : ''}
        {mc === null ? (
          <>
            {absent} <span class="faint">{say('no_sensor')}</span>
          </>
        ) : (
          together(temperature(mc))
        )}
      </span>
    ))}
  </>
);

const Charge = ({ battery }: { battery: Shape }) => {
  const { measured, packs, energy: sums } = battery;
  const { soc_permille: soc, capacity_mah, voltage_mv, current_ma, power_w } = measured;
  const full_wh =
    capacity_mah === undefined || voltage_mv === undefined ? null : (capacity_mah * voltage_mv) / 1e6;
  const reserve = reserveOf(battery);
  return (
    <div class="soc">
      <p class="big" data-value="soc">
        {soc === undefined ? (
          <>
            {absent} <span class="u">{say('soc_unknown')}</span>
          </>
        ) : (
          <>
            {share(soc, 1).number}
            <span class="u">{thin}%</span>
          </>
        )}
      </p>
      {soc !== undefined && (
        <div>
          <ChargeBar permille={soc} reserve={reserve} />
          <p class="under">
            <span>{reserve !== null && say('soc_reserve', { reserve: together(share(reserve)) })}</span>
            {full_wh !== null && (
              <span>
                {say('soc_energy', {
                  now: together(energy((full_wh * soc) / 1000)),
                  full: together(energy(full_wh)),
                })}
              </span>
            )}
          </p>
        </div>
      )}
      <dl class="facts tight">
        <Fact name={say('q_voltage')}>{voltage_mv === undefined ? absent : together(voltage(voltage_mv))}</Fact>
        <Fact name={say('q_current')}>
          {current_ma === undefined ? absent : `${current_ma > 0 ? '+' : ''}${together(current(current_ma))}`}
        </Fact>
        <Fact name={say('q_power')}>
          {power_w === undefined
            ? absent
            : `${together(power(Math.abs(power_w)))} ${
                power_w === 0 ? '' : say(power_w > 0 ? 'into_battery' : 'out_of_battery')
              }`}
        </Fact>
        {temperatures(packs).map(([name, of]) => (
          <Fact key={name} name={name}>
            <Degrees of={of} />
          </Fact>
        ))}
        {packs.some((pack) => pack.board_temperature_mc !== null) && (
          <Fact name={say('bat_board')}>
            <Degrees of={packs.map((pack) => pack.board_temperature_mc)} />
          </Fact>
        )}
        {measured.soh_permille !== undefined && (
          <Fact name={say('q_soh')}>{together(share(measured.soh_permille))}</Fact>
        )}
        {capacity_mah !== undefined && (
          <Fact name={say('bat_capacity')}>{`${count(Math.round(capacity_mah / 1000))}${thin}Ah`}</Fact>
        )}
        <Fact name={say('bat_energy')}>
          {say('bat_energy_both', {
            in: together(meterReading(sums.charge_wh)),
            out: together(meterReading(sums.discharge_wh)),
          })}
        </Fact>
        <Fact name={say('bat_stage')}>
          {say(`stage_${battery.stage}`)}
          <small>{say(`stage_${battery.stage}_what`)}</small>
        </Fact>
        {battery.limits && (
          <Fact name={say('charge_voltage')}>
            {say('charge_voltage_what', { voltage: together(voltage(battery.limits.charge_voltage_mv)) })}
          </Fact>
        )}
      </dl>
    </div>
  );
};

const CellsSheet = ({ page, battery }: { page: Page; battery: Shape }) => {
  const [view, setView] = useState<CellView>('difference');
  const since = elapsed(page, page.live.battery!.at_ms);
  const many = battery.packs.length > 1;
  return (
    <Sheet
      id="cells"
      title={say('cells')}
      side={
        <Choice
          label={say('cells_show')}
          chosen={view}
          choose={setView}
          choices={[
            { value: 'difference', text: say('cells_difference') },
            { value: 'voltage', text: say('cells_voltage') },
          ]}
        />
      }
    >
      <div class="packs">
        {battery.packs.map((pack) => {
          const age_s = pack.age_ms === null ? null : pack.age_ms / 1000 + since;
          return (
            <PackCells
              key={pack.device}
              pack={pack}
              view={view}
              title={many ? titleOf(page, pack.device) : null}
              old_s={age_s !== null && age_s > old_after_s ? age_s : null}
            />
          );
        })}
      </div>
      <p class="below">
        <a class="s" href={`#/battery/${encodeURIComponent(battery.name)}/registers`}>
          {say('registers_open')}
        </a>
      </p>
    </Sheet>
  );
};

const InverterSheet = ({ page, battery }: { page: Page; battery: Shape }) => {
  const { inverter, limits } = battery;
  if (!inverter) {
    return (
      <Sheet id="inverter" title={say('inverter')}>
        <Empty title={say('inverter_none')}>{say('inverter_none_what')}</Empty>
      </Sheet>
    );
  }
  const heard =
    inverter.heard_age_ms === null
      ? null
      : inverter.heard_age_ms / 1000 + elapsed(page, page.live.battery!.at_ms);
  const fine = heard !== null && heard <= inverter_silent_s;
  return (
    <Sheet
      id="inverter"
      title={say('inverter')}
      side={
        <a class="s" href={`#/battery/${encodeURIComponent(battery.name)}/can`}>
          {say('can_open')}
        </a>
      }
    >
      <dl class="facts tight">
        <Fact name={say('inverter_kind')}>{inverter.title}</Fact>
        <Fact name={say('inverter_heard')}>
          <i class={`dot ${fine ? 'ok' : 'warning'}`} aria-hidden="true" />{' '}
          {heard === null ? say('inverter_never') : say('ago', { age: age(heard) })}
        </Fact>
        <Fact name={say('inverter_told')}>
          {limits === null
            ? absent
            : say('inverter_told_what', {
                charge: amps(limits.charge_current_ma),
                discharge: amps(limits.discharge_current_ma),
                voltage: together(voltage(limits.charge_voltage_mv)),
              })}
        </Fact>
        <Fact name={say('inverter_line')}>{inverter.bus}</Fact>
        <Fact name={say('inverter_state')}>{say(`bus_${inverter.bus_state ?? 'unknown'}`)}</Fact>
        <Fact name={say('inverter_sent')}>{count(inverter.sent)}</Fact>
        <Fact name={say('inverter_dropped')}>{count(inverter.dropped)}</Fact>
        <Fact name={say('inverter_offs')}>{count(inverter.bus_offs)}</Fact>
      </dl>
    </Sheet>
  );
};

const shown_alerts = 3;

const AlertsSheet = ({ page, battery }: { page: Page; battery: Shape }) => {
  const all = page.live.alerts?.body;
  if (!all) {
    return null;
  }
  const mine = new Set([battery.name, ...battery.packs.map((pack) => pack.device)]);
  const alerts = all.filter((alert) => mine.has(alert.source));
  return (
    <Sheet
      id="alerts"
      title={say('alerts')}
      side={
        <a class="s" href="#/alerts">
          {say('alerts_all', { count: all.length, n: count(all.length) })}
        </a>
      }
    >
      {alerts.length === 0 ? (
        <Empty title={say('alerts_quiet')}>{say('alerts_quiet_what')}</Empty>
      ) : (
        <AlertList page={page} alerts={alerts.slice(0, shown_alerts)} />
      )}
    </Sheet>
  );
};

export const titleOf = (page: Page, device: string): string =>
  page.views.find((view) => view.device.name === device)?.title ?? device;

const Others = ({ page, name }: { page: Page; name: string }) => (
  <>
    {page.live.battery!.body.map((one, i) => (
      <span key={one.name}>
        {i > 0 ? ' · ' : ''}
        {one.name === name ? (
          <b>{one.title || one.name}</b>
        ) : (
          <a href={`#/battery/${encodeURIComponent(one.name)}`}>{one.title || one.name}</a>
        )}
      </span>
    ))}
  </>
);

/** The battery of that name, the first without one; else what the page says instead. */
export function findBattery(page: Page, name: string | undefined): Shape | ComponentChildren {
  const all = page.live.battery;
  if (!all && !page.live.lacking.has('battery')) {
    return (
      <>
        <Status sentence={say('status_loading')} which="loading" lines={[]} />
        <Sheet id="soc" title={say('soc')} busy>
          <Bones />
        </Sheet>
      </>
    );
  }
  const found = name ? all?.body.find((one) => one.name === name) : all?.body[0];
  return (
    found ?? (
      <Status
        sentence={all?.body.length && name ? say('no_such_battery', { name }) : say('no_battery')}
        which="no_battery"
        lines={[{ mark: 'stale', text: say('no_battery_what') }]}
        action={
          <a class="btn" href={all?.body.length ? '#/battery' : '#/'}>
            {all?.body.length ? say('battery_open') : say('to_home')}
          </a>
        }
      />
    )
  );
}

export const isBattery = (found: Shape | ComponentChildren): found is Shape =>
  typeof found === 'object' && found !== null && 'bounds' in found;

export const Battery = ({ page, name }: { page: Page; name: string | undefined }) => {
  const over_since = useRef<number | null>(null);
  const battery = findBattery(page, name);
  if (!isBattery(battery)) {
    return <>{battery}</>;
  }
  const since = elapsed(page, page.live.battery!.at_ms);
  const over = isOver(battery, 'charge') || isOver(battery, 'discharge');
  over_since.current = over ? (over_since.current ?? page.tick_ms) : null;
  const status = batteryStatus({
    battery,
    elapsed_s: since,
    now_ms: page.now_ms,
    lost_since_ms: page.live.lost?.since_unix_ms ?? null,
    titleOf: (device) => titleOf(page, device),
    alerts: page.live.alerts?.body ?? [],
    over_s: over_since.current === null ? 0 : (page.tick_ms - over_since.current) / 1000,
  });
  const many = page.live.battery!.body.length > 1;
  const age_s = battery.age_ms === null ? null : battery.age_ms / 1000 + since;
  return (
    <>
      <Status {...status} crumb={many ? <Others page={page} name={battery.name} /> : undefined} />
      <div class="cols">
        <div class="w5 column">
          <Sheet
            id="soc"
            title={say('soc')}
            className={age_s !== null && age_s > old_after_s ? 'stale' : ''}
            side={<span class="s">{age_s === null ? say('never') : say('ago', { age: age(age_s) })}</span>}
          >
            <Charge battery={battery} />
          </Sheet>
        </div>
        <div class="w7 column">
          <CellsSheet page={page} battery={battery} />
        </div>
        <Sheet
          id="limits"
          title={say('limits')}
          side={
            <span class="s hide-s">{say(battery.inverter ? 'limits_sent' : 'limits_not_sent')}</span>
          }
        >
          <Limits battery={battery} />
        </Sheet>
        <div class="w7 column">
          <History page={page} device={battery.name} title={battery.title || battery.name} key={battery.name} />
          <Sheet id="lower" title={say('lower')} className="later">
            <Lower page={page} battery={battery} key={battery.name} />
          </Sheet>
        </div>
        <div class="w5 column">
          <AlertsSheet page={page} battery={battery} />
          <InverterSheet page={page} battery={battery} />
        </div>

      </div>
    </>
  );
};
