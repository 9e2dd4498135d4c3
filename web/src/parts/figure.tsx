// SPDX-License-Identifier: Apache-2.0
// A number with its unit set lighter; a live one keeps its prefix until it is clearly beyond it.
import { useRef } from 'preact/hooks';
import { absent, power, prefixStep, thin, type Figure as Written } from '../text/formats';

export const Figure = ({ of }: { of: Written | null }) =>
  of === null ? (
    <>{absent}</>
  ) : (
    <>
      {of.number}
      {of.unit && <span class="u">{thin + of.unit}</span>}
    </>
  );

/** Remembers in which prefix the value was shown. */
export function usePrefix(value: number | null): number | undefined {
  const before = useRef<number | undefined>(undefined);
  if (value !== null) {
    before.current = prefixStep(value, before.current);
  }
  return before.current;
}

/** Power without its sign: the word beside it tells the direction. */
export const Power = ({ watts }: { watts: number | null }) => {
  const prefix = usePrefix(watts);
  return <Figure of={watts === null ? null : power(Math.abs(watts), prefix)} />;
};
