// SPDX-License-Identifier: Apache-2.0
// The curve of a rule: what it allows over what it looks at, with the point where it is now.
import type { Curve } from '../site/battery';
import { decimalsFor, niceStep } from '../site/series';
import { decimal, thin } from '../text/formats';
import { useWidth } from './width';

const height = 150;
const left = 40;

export const CurvePicture = ({ curve, label }: { curve: Curve; label: string }) => {
  const [box, width] = useWidth<HTMLDivElement>();
  const xs = [...curve.points.map(([at]) => at), curve.at[0]];
  const first = Math.min(...xs);
  const last = Math.max(...xs);
  const room = (last - first || 1) * 0.08;
  const from = first - room;
  const to = last + room;
  const top_a = Math.max(...curve.points.map(([, a]) => a), curve.at[1], 0.001);
  const x = (at: number): number => left + ((at - from) / (to - from)) * (width - left - 10);
  const y = (a: number): number => 18 + ((top_a - a) / top_a) * (height - 40);
  const line = [
    [from, curve.points[0]![1]] as const,
    ...curve.points,
    [to, curve.points[curve.points.length - 1]![1]] as const,
  ];
  const step = niceStep(last - first || 1, 4);
  const ticks: number[] = [];
  for (let k = Math.ceil(from / step); k * step <= to && ticks.length < 8; k++) {
    ticks.push(k * step);
  }
  const end = ticks.length - 1;
  const [at_x, at_y] = [x(curve.at[0]), y(curve.at[1])];
  const right = at_x < left + (width - left) * 0.5;
  return (
    <div class="curve" ref={box}>
      {width > 0 && (
        <svg width={width} height={height} class="plot" role="img" aria-label={curve.say}>
          <text x={0} y={9}>
            A
          </text>
          {[0, top_a / 2, top_a].map((tick) => (
            <g key={tick}>
              <path class={tick ? 'axis' : 'zero'} d={`M${left} ${Math.round(y(tick)) + 0.5}H${width}`} />
              <text x={left - 8} y={y(tick) + 4} text-anchor="end">
                {decimal(tick, tick % 1 && top_a < 10 ? 1 : 0)}
              </text>
            </g>
          ))}
          {ticks.map((tick, i) => (
            <text
              key={i}
              x={i === end ? Math.min(width, x(tick) + 24) : x(tick)}
              y={height - 4}
              text-anchor={i === end ? 'end' : 'middle'}
            >
              {decimal(tick, decimalsFor(step))}
              {i === end ? `${thin}${curve.unit}` : ''}
            </text>
          ))}
          <path class="rule" d={`M${line.map(([at, a]) => `${x(at)} ${y(a)}`).join('L')}`} />
          <path class="to-point" d={`M${at_x} ${at_y}V${y(0)}M${at_x} ${at_y}H${left}`} />
          <circle class="point" cx={at_x} cy={at_y} r="5" />
          <text
            class="strong halo"
            x={at_x + (right ? 11 : -11)}
            y={Math.max(14, at_y - 4)}
            text-anchor={right ? 'start' : 'end'}
          >
            {label}
          </text>
        </svg>
      )}
    </div>
  );
};
