// SPDX-License-Identifier: Apache-2.0
// Looks a sentence up in the table of the reader's language and fills in its places.
import { de } from './de';
import { en, type Entry, type Key } from './en';

const tables: Record<string, Record<Key, Entry>> = { en, de };
let language = 'en';
let locale = 'en-GB';
let plurals = new Intl.PluralRules('en');

/** Chooses the first wanted language that has a table; figures follow the wanted region. */
export function chooseLanguage(wanted: readonly string[]): void {
  for (const tag of wanted) {
    const short = tag.slice(0, 2).toLowerCase();
    if (short in tables) {
      language = short;
      locale = tag;
      plurals = new Intl.PluralRules(short);
      return;
    }
  }
}

export const chosenLanguage = (): string => language;
export const chosenLocale = (): string => locale;

export type Places = Record<string, string | number>;

/** The sentence of `key`; where it has plural forms, places.count chooses. Numbers must be formatted. */
export function say(key: Key, places: Places = {}): string {
  const entry = tables[language]![key];
  const form =
    typeof entry === 'string'
      ? entry
      : plurals.select(Number(places.count ?? 0)) === 'one'
        ? entry.one
        : entry.other;
  return form.replace(/\{(\w+)\}/g, (_, name: string) => String(places[name] ?? ''));
}

/** Like say, for names that come from the gateway: the raw name where the table has none. */
export function sayOr(key: string, otherwise: string, places: Places = {}): string {
  return key in en ? say(key as Key, places) : otherwise;
}
