// SPDX-License-Identifier: Apache-2.0
// The sums of the power-flow picture: who feeds whom, and the scale of the widths.

export interface Bands {
  solar_house: number;
  battery_house: number;
  grid_house: number;
  solar_battery: number;
  grid_battery: number;
  solar_grid: number;
  battery_grid: number;
}

/** Shares out in fixed order: solar to house, battery, grid; battery to house, grid; grid the rest. */
export function shareOut(p: { solar: number; battery: number; grid: number; house: number }): Bands {
  const solar = Math.max(0, p.solar);
  const charging = Math.max(0, p.battery);
  const giving = Math.max(0, -p.battery);
  const exported = Math.max(0, -p.grid);
  const house = Math.max(0, p.house);
  const solar_house = Math.min(solar, house);
  const battery_house = Math.min(giving, house - solar_house);
  const solar_battery = Math.min(solar - solar_house, charging);
  const solar_grid = Math.min(exported, solar - solar_house - solar_battery);
  return {
    solar_house,
    battery_house,
    grid_house: house - solar_house - battery_house,
    solar_battery,
    grid_battery: charging - solar_battery,
    solar_grid,
    battery_grid: Math.max(0, Math.min(giving - battery_house, exported - solar_grid)),
  };
}

/** The next of 1, 2, 5 times a power of ten that is not below the sum; at least 1 kW. */
export function scaleFor(sum: number): number {
  let step = 1000;
  for (const factor of [2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2]) {
    if (step >= sum) {
      break;
    }
    step *= factor;
  }
  return step;
}

export interface Scale {
  watts: number;
  wanted_since_ms: number | null;
}

/** The scale changes only after the sum has been beyond its bound for 30 s. */
export function nextScale(before: Scale | null, sum: number, now_ms: number): Scale {
  const wanted = scaleFor(sum);
  if (before === null) {
    return { watts: wanted, wanted_since_ms: null };
  }
  if (wanted === before.watts) {
    return before.wanted_since_ms === null ? before : { ...before, wanted_since_ms: null };
  }
  const since = before.wanted_since_ms ?? now_ms;
  return now_ms - since >= 30_000
    ? { watts: wanted, wanted_since_ms: null }
    : { watts: before.watts, wanted_since_ms: since };
}
