// SPDX-License-Identifier: Apache-2.0
// The list of devices: what it is, its last hour, what it says now, how old that is.
import type { Page } from '../context';
import { kindOf, powerWord, roleIcon, silence } from '../pages/words';
import { written } from '../site/values';
import type { DeviceView } from '../site/view';
import { age } from '../text/formats';
import { say } from '../text/say';
import { Figure, Power } from './figure';
import { Icon } from './icon';
import { useRecent } from './recent';
import { Spark } from './spark';

const spark_every_s = 30;

const Now = ({ page, view }: { page: Page; view: DeviceView }) => {
  const main = view.main;
  if (!main || main.value === null) {
    return (
      <>
        <b class="faint">–</b>
        <small>{silence(page, view)}</small>
      </>
    );
  }
  if (main.stale) {
    return (
      <>
        <b>–</b>
        <small>{silence(page, view)}</small>
      </>
    );
  }
  const soc = view.values.find((value) => value.name === 'soc_permille' && !value.stale);
  return main.quantity === 'power_w' || main.quantity === 'dc_power_w' ? (
    <>
      <b>
        <Power watts={main.value} />
      </b>
      <small>
        {powerWord(view.role, main.value)}
        {soc?.value != null && `, ${Math.round(soc.value / 10)}\u202f%`}
      </small>
    </>
  ) : (
    <b>
      <Figure of={written(main.quantity, main.value, view.device)} />
    </b>
  );
};

export const DeviceTable = ({ page, views }: { page: Page; views: readonly DeviceView[] }) => {
  const { recent } = useRecent(
    views.flatMap((view) =>
      view.main ? [{ device: view.device.name, name: view.main.name }] : [],
    ),
    spark_every_s,
  );
  return (
    <table class="devices">
      <thead>
        <tr>
          <th scope="col">{say('device')}</th>
          <th scope="col" class="hide-s">
            {say('last_hour')}
          </th>
          <th scope="col" class="r">
            {say('now')}
          </th>
          <th scope="col" class="r hide-s">
            {say('last_reading')}
          </th>
        </tr>
      </thead>
      <tbody>
        {views.map((view) => {
          const old = view.silent || (view.main?.stale ?? false);
          return (
            <tr key={view.device.name} class={old ? 'go stale' : 'go'} data-device={view.device.name}>
              <td>
                <a class="who-is" href={`#/devices/${view.device.name}`}>
                  <span class={old ? '' : `c-${view.role}`}>
                    <Icon name={roleIcon[view.role]} />
                  </span>
                  <span>
                    <b>{view.title}</b>
                    <small>{kindOf(view)}</small>
                  </span>
                </a>
              </td>
              <td class="hide-s">
                <Spark
                  values={view.main && recent.get(`${view.device.name} ${view.main.name}`)?.values}
                  role={view.role}
                  stale={old}
                />
              </td>
              <td class="r now">
                <Now page={page} view={view} />
              </td>
              <td class="r hide-s nb dim">
                {view.age_s === null ? say('never') : say('ago', { age: age(view.age_s) })}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
};
