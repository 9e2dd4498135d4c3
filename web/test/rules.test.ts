// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
// @ts-expect-error plain scripts without types
import { contrast, failures } from '../lint/contrast.mjs';
// @ts-expect-error plain scripts without types
import { findings } from '../lint/styles.mjs';
import { de } from '../src/text/de';
import tokens from '../src/styles/tokens.css?raw';
import { en, type Entry } from '../src/text/en';

describe('style rules find what they are there for', () => {
  it.each([
    ['a.css', 'a { color: #fff; }'],
    ['a.css', 'a { color: rgb(0 0 0); }'],
    ['a.css', 'a { font-size: 12px; }'],
    ['a.css', 'a { font: 400 16px/24px serif; }'],
    ['a.tsx', '<p style={{ color: x }} />'],
    ['a.tsx', '<path fill="#1a1c1b" />'],
    ['a.html', '<script>go()</script>'],
    ['a.ts', 'e.innerHTML = x;'],
    ['a.css', '@import "https://example.org/a.css";'],
  ])('%s: %s', (name, line) => expect(findings(name, line)).toHaveLength(1));

  it.each([
    ['tokens.css', 'a { color: #fff; font-size: 12px; }'],
    ['a.tsx', '<a href="#/faults">'],
    ['a.css', 'a { font-size: var(--t-s); padding: 4px; }'],
    ['a.html', '<script type="module" src="/src/main.tsx"></script>'],
  ])('and leave %s alone: %s', (name, line) => expect(findings(name, line)).toEqual([]));
});

describe('contrast', () => {
  it('black on white is 21', () => expect(contrast('#000000', '#ffffff')).toBeCloseTo(21));
  it('holds for every pair of tokens.css', () => {
    expect(failures(tokens)).toEqual([]);
  });
  it('is seen to fail', () => {
    const css = tokens.replace('--ink-3: #646864', '--ink-3: #aaaaaa');
    expect(failures(css)).toContain('light: ink-3 on surface is 2.32, needs 4.5');
  });
});

describe('texts', () => {
  const places = (entry: Entry): string[] => {
    const text = typeof entry === 'string' ? entry : entry.other;
    return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort();
  };
  it('have the same places in both languages', () => {
    for (const [key, entry] of Object.entries(en)) {
      expect([key, places(de[key as keyof typeof en])]).toEqual([key, places(entry)]);
    }
  });
  it('have no exclamation mark and no word that says nothing', () => {
    for (const table of [en, de]) {
      const all = Object.values(table).flatMap((one) => (typeof one === 'string' ? [one] : [one.one, one.other]));
      const chatter = /!|\bplease\b|\bbitte\b|success|erfolgreich|\bsorry\b|invalid|something went/i;
      expect(all.filter((text) => chatter.test(text))).toEqual([]);
    }
  });
});
