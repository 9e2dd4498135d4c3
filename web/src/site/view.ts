// SPDX-License-Identifier: Apache-2.0
// What the site is at this moment: devices with their roles, each value with its age now.
import type { Device, Latest, Value } from '../api/shapes';
import { rolesOf, type Role } from './roles';

export interface LiveValue extends Value {
  age_s: number;
}

export interface DeviceView {
  device: Device;
  role: Role;
  title: string;
  values: LiveValue[];
  /** The one value that stands for the device, or undefined where it has none yet. */
  main: LiveValue | undefined;
  age_s: number | null; // of the last reading
  silent: boolean; // asleep or refusing: what it shows is old
  pack: boolean; // part of a battery that stands for it
}

/** Older than three times the expected interval, at least 10 s. */
export const isStale = (age_s: number, poll_ms: number): boolean =>
  age_s > Math.max(10, (3 * poll_ms) / 1000);

const mains: Record<Role, RegExp> = {
  grid: /^power_w$/,
  solar: /^power_w$|^dc_power_w$/,
  battery: /^power_w$|^dc_power_w$/,
  gas: /^gas_volume_l$/,
  load: /^power_w$/,
};

function mainOf(role: Role, values: LiveValue[]): LiveValue | undefined {
  const fitting = values.filter((value) => mains[role].test(value.name));
  return (
    fitting.find((value) => value.name === 'power_w') ??
    fitting[0] ??
    values.find((value) => value.quantity === 'power_w') ??
    values[0]
  );
}

/** `seconds_since` tells how long ago the messages came in: ages go on counting between them. */
export function viewOf(
  devices: readonly Device[],
  latest: readonly Latest[],
  seconds_since: { devices: number; readings: (device: string) => number },
  packs: ReadonlySet<string> = new Set(),
): DeviceView[] {
  const roles = rolesOf(devices, latest);
  return devices.map((device) => {
    const item = latest.find((one) => one.device === device.name);
    const since = seconds_since.readings(device.name);
    const silent = device.state === 'asleep' || device.state === 'refusing';
    const values = (item?.values ?? []).map((value) => {
      const age_s = value.age_ms / 1000 + since;
      return { ...value, age_s, stale: value.stale || silent || isStale(age_s, device.poll_ms) };
    });
    const role = roles.get(device.name) ?? 'load';
    const ages = [
      item?.age_ms != null ? item.age_ms / 1000 + since : null,
      device.last_reading_age_ms != null
        ? device.last_reading_age_ms / 1000 + seconds_since.devices
        : null,
    ].filter((one): one is number => one !== null);
    return {
      device,
      role,
      title: device.title || device.name,
      values,
      main: mainOf(role, values),
      age_s: ages.length ? Math.min(...ages) : null,
      silent,
      pack: packs.has(device.name),
    };
  });
}

/** The number that may be shown as true now, or null. */
export const freshNumber = (value: LiveValue | undefined): number | null =>
  value && !value.stale ? value.value : null;

export interface Powers {
  grid: number | null; // + import
  solar: number | null | undefined; // undefined: there is none
  battery: number | null | undefined; // + charging
  house: number | null;
  hybrid: boolean; // an inverter with a battery inside: its power is not the sun's alone
}

const sum = (numbers: (number | null)[]): number | null | undefined =>
  numbers.length === 0
    ? undefined
    : numbers.reduce<number | null>((a, b) => (a === null || b === null ? null : a + b), 0);

/** What flows between the places; null where there is no grid meter to compute the house from. */
export function powersOf(views: readonly DeviceView[]): Powers | null {
  const of = (role: Role): (number | null)[] =>
    views.filter((view) => view.role === role && !view.pack).map((view) => freshNumber(view.main));
  const grid = of('grid')[0];
  if (grid === undefined) {
    return null;
  }
  const solar = sum(of('solar'));
  const battery = sum(of('battery'));
  const known = grid !== null && solar !== null && battery !== null;
  return {
    grid,
    solar,
    battery,
    hybrid: views.some(
      (view) =>
        view.role === 'solar' && view.values.some((value) => value.name === 'soc_permille'),
    ),
    house: known ? Math.max(0, grid + (solar ?? 0) - (battery ?? 0)) : null,
  };
}
