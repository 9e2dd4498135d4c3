// SPDX-License-Identifier: Apache-2.0
import { en, type Entry, type Key } from './en';
export const de: Record<Key, Entry> = en;
