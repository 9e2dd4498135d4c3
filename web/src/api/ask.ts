// SPDX-License-Identifier: Apache-2.0
// One request to the gateway's REST routes; a refusal carries the gateway's own words (RFC 9457).
import type { Problem } from './shapes';

/** The gateway answered, but not with what was asked for. Anything else thrown: no contact. */
export class Refused extends Error {
  readonly status: number;
  readonly title: string;
  constructor(status: number, problem: Problem | null) {
    super(problem?.detail || problem?.title || '');
    this.status = status;
    this.title = problem?.title ?? '';
  }
}

const patience_ms = 8000;

export async function ask<T = void>(
  path: string,
  options: { method?: string; body?: unknown; key?: string } = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  if (options.key) {
    headers['Idempotency-Key'] = options.key;
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience_ms);
  try {
    const answer = await fetch(`api/v1/${path}`, {
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: stop.signal,
      credentials: 'same-origin',
      cache: 'no-store',
    });
    const json = /json/.test(answer.headers.get('Content-Type') ?? '');
    if (!answer.ok) {
      throw new Refused(answer.status, json ? ((await answer.json()) as Problem) : null);
    }
    return (json ? await answer.json() : undefined) as T;
  } finally {
    clearTimeout(timer);
  }
}
