// SPDX-License-Identifier: Apache-2.0
// The power-flow picture: solar above, grid left, battery right, house below, for ever.
import { useRef } from 'preact/hooks';
import { nextScale, shareOut, type Bands, type Scale } from '../site/flow';
import type { Powers } from '../site/view';

type Place = 'solar' | 'grid' | 'battery' | 'house';
type Band = keyof Bands;

const width = 300;
const height = 250;
const track = 128;
const widest = 116; // of a band that carries the whole scale
const margin = 10;
const thinnest_w = 20; // below this no band is drawn; its value is still written

const sides: Record<Place, Band[]> = {
  solar: ['solar_grid', 'solar_house', 'solar_battery'],
  house: ['grid_house', 'solar_house', 'battery_house'],
  grid: ['solar_grid', 'battery_grid', 'grid_battery', 'grid_house'],
  battery: ['solar_battery', 'battery_grid', 'grid_battery', 'battery_house'],
};
const upright = (place: Place): boolean => place === 'solar' || place === 'house';

function point(place: Place, along: number): [number, number] {
  switch (place) {
    case 'solar':
      return [along, margin];
    case 'house':
      return [along, height - margin];
    case 'grid':
      return [margin, along];
    case 'battery':
      return [width - margin, along];
  }
}

/** A curve that leaves and arrives at right angles to the two sides. */
function curve(from: Place, to: Place, a: [number, number], b: [number, number]): string {
  const [x1, y1] = a;
  const [x2, y2] = b;
  const bend = 0.62;
  const mx = (x1 + x2) / 2;
  const my = (y1 + y2) / 2;
  const c1 = upright(from)
    ? [x1, upright(to) ? my : y1 + (y2 - y1) * bend]
    : [upright(to) ? x1 + (x2 - x1) * bend : mx, y1];
  const c2 = upright(to)
    ? [x2, upright(from) ? my : y2 - (y2 - y1) * bend]
    : [upright(from) ? x2 - (x2 - x1) * bend : mx, y2];
  const n = (v: number): string => v.toFixed(1);
  return `M${n(x1)} ${n(y1)}C${n(c1[0]!)} ${n(c1[1]!)} ${n(c2[0]!)} ${n(c2[1]!)} ${n(x2)} ${n(y2)}`;
}

interface Drawn {
  band: Band;
  from: Place;
  d: string;
  wide: number;
  at: [number, number];
  turn: number;
}

function draw(bands: Bands, per_watt: number): { drawn: Drawn[]; bars: Record<Place, number> } {
  const wide = (band: Band): number => (bands[band] < thinnest_w ? 0 : bands[band] * per_watt);
  const bars = {} as Record<Place, number>;
  const middles = {} as Record<Place, Partial<Record<Band, number>>>;
  for (const place of Object.keys(sides) as Place[]) {
    bars[place] = sides[place].reduce((sum, band) => sum + wide(band), 0);
    let at = (upright(place) ? width : height) / 2 - bars[place] / 2;
    middles[place] = {};
    for (const band of sides[place]) {
      middles[place][band] = at + wide(band) / 2;
      at += wide(band);
    }
  }
  const drawn: Drawn[] = [];
  for (const band of Object.keys(bands) as Band[]) {
    if (wide(band) === 0) {
      continue;
    }
    const [from, to] = band.split('_') as [Place, Place];
    const at = point(to, middles[to][band]!);
    drawn.push({
      band,
      from,
      d: curve(from, to, point(from, middles[from][band]!), at),
      wide: Math.max(1.5, wide(band)),
      at,
      turn: to === 'house' ? 90 : to === 'solar' ? -90 : to === 'battery' ? 0 : 180,
    });
  }
  return { drawn, bars };
}

const Side = ({ place, bar }: { place: Place; bar: number }) => {
  const flat = upright(place);
  const middle = (flat ? width : height) / 2;
  const y = place === 'solar' || place === 'grid' ? 2 : (flat ? height : width) - 6;
  const shape = (length: number) =>
    flat
      ? { x: middle - length / 2, y, width: length, height: 4 }
      : { x: y, y: middle - length / 2, width: 4, height: length };
  return (
    <>
      <rect class="track" rx="2" {...shape(track)} />
      {bar > 0 && <rect class={`fill-${place}`} rx="2" {...shape(Math.max(bar, 4))} />}
    </>
  );
};

const known = (value: number | null | undefined): number => value ?? 0;

/** `say` is the whole picture as one sentence. Places that the site does not have are left out. */
export const FlowPicture = ({ powers, say, now_ms }: { powers: Powers; say: string; now_ms: number }) => {
  const scale = useRef<Scale | null>(null);
  const grid = known(powers.grid);
  const solar = known(powers.solar);
  const battery = known(powers.battery);
  const sum = Math.max(0, solar) + Math.max(0, -battery) + Math.max(0, grid);
  if (powers.house !== null) {
    scale.current = nextScale(scale.current, sum, now_ms);
  }
  const bands =
    powers.house === null
      ? null
      : shareOut({ solar, battery, grid, house: powers.house });
  // A sum beyond the scale keeps its proportions and fills the side until the scale follows.
  const per_watt = widest / Math.max(scale.current?.watts ?? 1000, sum, 1);
  const { drawn, bars } = bands
    ? draw(bands, per_watt)
    : { drawn: [], bars: { solar: 0, grid: 0, battery: 0, house: 0 } };
  return (
    <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={say}>
      {powers.solar !== undefined && <Side place="solar" bar={bars.solar} />}
      <Side place="grid" bar={bars.grid} />
      {powers.battery !== undefined && <Side place="battery" bar={bars.battery} />}
      <Side place="house" bar={bars.house} />
      {drawn.map((band) => (
        <g key={band.band} class={`from-${band.from}`}>
          <path class="band" d={band.d} stroke-width={band.wide} />
          <path class="pulse" d={band.d} />
          <path
            class="arrow"
            d="M-5 -4.5 2 0-5 4.5z"
            transform={`translate(${band.at[0].toFixed(1)} ${band.at[1].toFixed(1)}) rotate(${band.turn})`}
          />
        </g>
      ))}
    </svg>
  );
};
