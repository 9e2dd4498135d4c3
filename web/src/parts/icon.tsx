// SPDX-License-Identifier: Apache-2.0
// The icons: strokes of one width, always beside a word.
const strokes = {
  home: 'M3 9.2 10 3.5l7 5.7V16a.8.8 0 0 1-.8.8H3.8A.8.8 0 0 1 3 16zM8 16.8V12h4v4.8',
  battery: 'M5.5 5h9A1.5 1.5 0 0 1 16 6.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 4 15.5v-9A1.5 1.5 0 0 1 5.5 5zM8 5V3h4v2M7 13.8h6M7 10.8h6',
  solar: 'M6.8 10a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0M10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M4.7 15.3l1.4-1.4M13.9 6.1l1.4-1.4',
  grid: 'm6 17.5 2.5-15h3l2.5 15M4 6.5h12M5.5 10.5h9M7.4 9.5 13 14M12.6 9.5 7 14',
  gas: 'M10 2.5c.6 3-4.5 5-4.5 9.3a4.5 4.5 0 0 0 9 0c0-1.8-1-2.8-1.5-4.3-.9 1-1 1.6-1.5 2.2.2-2.8-.2-5.2-1.5-7.2z',
  load: 'M6 3h8a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM7 6.5h6V10H7zM7 13.5h1.5M11.5 13.5H13',
  delivery: 'M10 3v9M6.5 8.5 10 12l3.5-3.5M4 15.5h12',
  faults: 'M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.3v0',
  next: 'm8 5 5 5-5 5',
  prev: 'm12 5-5 5 5 5',
} as const;

export type IconName = keyof typeof strokes;

export const Icon = ({ name, className = '' }: { name: IconName; className?: string }) => (
  <svg class={`i ${className}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <path d={strokes[name]} />
  </svg>
);

export const Logo = () => (
  <svg viewBox="0 0 22 22" aria-hidden="true" focusable="false">
    <path class="logo-line" d="M3 6.5h9.5a4 4 0 0 1 4 4v1M3 11.5h5" />
    <circle class="logo-dot" cx="16.5" cy="16" r="2.6" />
  </svg>
);
