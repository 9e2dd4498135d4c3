// SPDX-License-Identifier: Apache-2.0
// Computes the contrast of every colour pair that the pages use from tokens.css, in both themes
// (WCAG 2.2 AA: 4.5:1 for text, 3:1 for marks and borders of controls).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const text = 4.5;
const mark = 3;
const everywhere = ['bg', 'surface', 'sunken'];

/** Which token must stand out against which. */
export const pairs = [
  ['ink', text, [...everywhere, 'warning-tint', 'alarm-tint', 'notice-tint']],
  ['ink-2', text, [...everywhere, 'warning-tint', 'alarm-tint', 'notice-tint']],
  ['ink-3', text, everywhere],
  ['on-ink', text, ['ink', 'ink-2']],
  ['line-strong', mark, ['bg', 'surface']],
  ...['pv', 'battery', 'grid', 'load', 'gas', 'ok', 'stale'].flatMap((name) => [
    [`${name}-text`, text, ['bg', 'surface']],
    [name, mark, ['bg', 'surface']],
  ]),
  ...['notice', 'warning', 'alarm'].flatMap((name) => [
    [`${name}-text`, text, ['bg', 'surface', `${name}-tint`]],
    [name, mark, ['bg', 'surface']],
  ]),
];

/** The values of both themes: what the dark block does not name it takes from the light one. */
export function themesOf(css) {
  const dark_at = css.indexOf('@media (prefers-color-scheme: dark)');
  const read = (block) =>
    Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\b/gi)].map((m) => [m[1], m[2]]));
  const light = read(css.slice(0, dark_at));
  return { light, dark: { ...light, ...read(css.slice(dark_at)) } };
}

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

export function failures(css) {
  const found = [];
  for (const [theme, values] of Object.entries(themesOf(css))) {
    for (const [token, needs, grounds] of pairs) {
      for (const ground of grounds) {
        const ratio = values[token] && values[ground] ? contrast(values[token], values[ground]) : 0;
        if (ratio < needs) {
          found.push(`${theme}: ${token} on ${ground} is ${ratio.toFixed(2)}, needs ${needs}`);
        }
      }
    }
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = fileURLToPath(new URL('../src/styles/tokens.css', import.meta.url));
  const found = failures(readFileSync(file, 'utf8'));
  found.forEach((line) => console.error(line));
  const checked = 2 * pairs.reduce((sum, [, , grounds]) => sum + grounds.length, 0);
  console.log(`contrast: ${checked} pairs, ${found.length} too weak`);
  process.exitCode = found.length ? 1 : 0;
}
