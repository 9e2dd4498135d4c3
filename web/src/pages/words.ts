// SPDX-License-Identifier: Apache-2.0
// Words that several pages say of a device.
import type { Page } from '../context';
import { sinceTime } from '../site/status';
import type { Role } from '../site/roles';
import type { DeviceView } from '../site/view';
import { say, sayOr } from '../text/say';
import type { IconName } from '../parts/icon';

/** Below this many watts nothing worth a word flows. */
export const nothing_w = 20;

export const roleIcon: Record<Role, IconName> = {
  grid: 'grid',
  solar: 'solar',
  battery: 'battery',
  gas: 'gas',
  load: 'load',
};

/** The word beside a power: exporting, charging, running. */
export function powerWord(role: Role, watts: number): string {
  const even = Math.abs(watts) < nothing_w;
  switch (role) {
    case 'grid':
      return say(even ? 'even' : watts > 0 ? 'importing' : 'exporting');
    case 'solar':
      return say(even ? 'not_producing' : 'producing');
    case 'battery':
      return say(even ? 'resting' : watts > 0 ? 'charging' : 'discharging');
    default:
      return say(even ? 'idle' : 'drawing');
  }
}

/** Why a device shows no fresh value. */
export function silence(page: Page, view: DeviceView): string {
  if (view.device.state === 'starting') {
    return say('starting');
  }
  if (view.age_s === null) {
    return say('silent_never');
  }
  const time = sinceTime(view.age_s, page.now_ms);
  return view.silent
    ? say(view.device.state === 'refusing' ? 'wrong_since' : 'silent_since', { time })
    : say('old_value');
}

/** What it is, for people: maker and model, or the kind of driver. */
export function kindOf(view: DeviceView): string {
  const { maker, model, driver } = view.device;
  const told = [maker, model].filter(Boolean).join(' ');
  return told || sayOr(`kind_${driver}`, driver);
}
