// SPDX-License-Identifier: Apache-2.0
// A text of the tables: one sentence, or its forms for one and for many.
export type Entry = string | { one: string; other: string };
