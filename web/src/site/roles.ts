// SPDX-License-Identifier: Apache-2.0
// Which device is what: decided from its driver and from what it measures.
import type { Device, Latest } from '../api/shapes';

export type Role = 'grid' | 'solar' | 'battery' | 'gas' | 'load';

/** What one device could be, looked at alone. */
export function likelyRole(device: Pick<Device, 'driver'>, names: ReadonlySet<string>): Role {
  const any = (pattern: RegExp): boolean => [...names].some((name) => pattern.test(name));
  if (names.has('gas_volume_l') && !names.has('power_w')) {
    return 'gas';
  }
  if (device.driver === 'p1') {
    return 'grid';
  }
  if (names.has('relay_closed')) {
    return 'load'; // what can be switched off is not the way to the grid
  }
  const panels = any(/^dc_\w+_s\d+_/) || names.has('energy_production_wh');
  if (names.has('soc_permille') && !panels) {
    return 'battery';
  }
  if (panels || any(/^dc_/)) {
    return 'solar';
  }
  if (names.has('power_w') && any(/^energy_import_/)) {
    return 'grid';
  }
  return device.driver === 'sunspec' && names.size === 0 ? 'solar' : 'load';
}

/** How sure one can be that this is the meter between house and grid; the rest are sub-meters. */
function gridRank(device: Device, names: ReadonlySet<string>): number {
  return (
    (device.driver === 'p1' ? 8 : 0) +
    (/grid|main|mains|netz/.test(device.name) ? 4 : 0) +
    ([...names].some((name) => name.startsWith('energy_export_')) ? 2 : 0)
  );
}

/** The role of each device by name. At most one is the grid; further ones are loads. */
export function rolesOf(devices: readonly Device[], latest: readonly Latest[]): Map<string, Role> {
  const measured = new Map(
    latest.map((item) => [item.device, new Set(item.values.map((value) => value.name))]),
  );
  const none: ReadonlySet<string> = new Set();
  const roles = new Map<string, Role>();
  let best: { name: string; rank: number } | null = null;
  for (const device of devices) {
    const names = measured.get(device.name) ?? none;
    let role = likelyRole(device, names);
    if (role === 'grid') {
      const rank = gridRank(device, names);
      if (best === null || rank > best.rank) {
        if (best !== null) {
          roles.set(best.name, 'load');
        }
        best = { name: device.name, rank };
      } else {
        role = 'load';
      }
    }
    roles.set(device.name, role);
  }
  return roles;
}
