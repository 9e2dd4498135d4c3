// SPDX-License-Identifier: Apache-2.0
// The last hour of one value, asked for again as long as the page shows it.
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api/ask';
import type { Recent } from '../api/shapes';

const kept = new Map<string, Recent>(); // so that going back to a page draws at once
const kept_most = 64;

/** A gateway that runs for less than an hour gives less: the hour keeps its width. */
export function wholeHour(recent: Recent): Recent {
  const lacking = Math.max(0, Math.round(3600 / recent.step_s) - recent.values.length);
  return { ...recent, values: [...Array<null>(lacking).fill(null), ...recent.values] };
}

export function useRecent(
  wanted: readonly { device: string; name: string }[],
  every_s: number,
): { recent: Map<string, Recent>; failed: string | null } {
  const [, redraw] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const key = wanted.map((one) => `${one.device} ${one.name}`).join('\n');
  useEffect(() => {
    let alive = true;
    const load = async (): Promise<void> => {
      if (document.hidden) {
        return;
      }
      for (const one of wanted) {
        const query = new URLSearchParams({ device: one.device, name: one.name });
        try {
          const recent = await ask<Recent>(`readings/recent?${query}`);
          kept.set(`${one.device} ${one.name}`, wholeHour(recent));
          setFailed(null);
        } catch (error) {
          setFailed(error instanceof Error ? error.message : '');
        }
        if (!alive) {
          return;
        }
      }
      while (kept.size > kept_most) {
        kept.delete(kept.keys().next().value!);
      }
      redraw((n) => n + 1);
    };
    void load();
    const timer = setInterval(() => void load(), every_s * 1000);
    return () => {
      alive = false;
      clearInterval(timer);
    };
  }, [key, every_s]);
  return { recent: kept, failed };
}
