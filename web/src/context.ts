// SPDX-License-Identifier: Apache-2.0
// What every page gets: the live state, the connection, the moment it is drawn for.
import type { Connection, Live } from './api/live';
import type { DeviceView } from './site/view';

export interface Page {
  live: Live;
  connection: Connection;
  views: DeviceView[];
  now_ms: number; // wall clock of the browser
  tick_ms: number; // monotonic, as in Live
  offline: boolean;
  toast: (text: string) => void;
}

export const elapsed = (page: Page, at_ms: number): number =>
  Math.max(0, (page.tick_ms - at_ms) / 1000);
