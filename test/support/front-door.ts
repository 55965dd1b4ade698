// What the tests of the front door share: requests as text, and the book of refusals. A refused
// request is counted on its gateway thread and reported a little later, so the tests of a file note
// what they were refused for, and the last one of them compares the whole book with `/metrics`.

import assert from 'node:assert/strict';
import { eventually } from './postgres.ts';
import type { Product } from './product.ts';
import { errorCodeOf, type RawAnswer } from './raw-client.ts';

export const chatBody = JSON.stringify({
  model: 'sim-model',
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 2,
});

export type RequestText = {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly host?: string;
  /** Lines without line ends, after Host, Authorization and Content-Type. */
  readonly lines?: readonly string[];
  readonly body?: string;
};

/** A request for a chat completion as bytes; nothing is added that is not asked for. */
export function requestText(key: string, parts: RequestText = {}): string {
  const { method = 'POST', target = '/v1/chat/completions', version = 'HTTP/1.1' } = parts;
  const lines = [
    `${method} ${target} ${version}`,
    `Host: ${parts.host ?? '127.0.0.1'}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    ...(parts.lines ?? []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${parts.body ?? ''}`;
}

/** A whole and good request with a Content-Length. */
export function goodRequest(key: string, parts: RequestText = {}): string {
  const body = parts.body ?? chatBody;
  const lines = [...(parts.lines ?? []), `Content-Length: ${Buffer.byteLength(body)}`];
  return requestText(key, { ...parts, lines, body });
}

/** The values of one counter by the first of its labels. */
export async function counterByLabel(product: Product, name: string): Promise<Map<string, number>> {
  const answer = await fetch(`${product.url}/metrics`);
  const values = new Map<string, number>();
  for (const line of (await answer.text()).split('\n')) {
    const match = new RegExp(`^${name}\\{\\w+="([^"]*)"[^}]*\\} (\\d+)$`).exec(line);
    if (match !== null) values.set(match[1] as string, Number(match[2]));
  }
  return values;
}

const slowClient = 'slow_client';

/** The refusals that the tests of one file have caused, by the `kind` of the metric. */
export class RefusalBook {
  readonly #expected = new Map<string, number>();

  note(kind: string): void {
    this.#expected.set(kind, (this.#expected.get(kind) ?? 0) + 1);
  }

  /** Compares with `tensorforge_http_refused_total`, once the threads have reported. */
  async compare(product: Product): Promise<void> {
    const sorted = (counts: ReadonlyMap<string, number>) =>
      Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    const expected = JSON.stringify(sorted(this.#expected));
    let found = '';
    const isEqual = async () => {
      const counts = new Map(await counterByLabel(product, 'tensorforge_http_refused_total'));
      // On a machine that stands still for seconds a client of ours may be the slow one.
      if (!this.#expected.has(slowClient)) counts.delete(slowClient);
      found = JSON.stringify(sorted(counts));
      return found === expected;
    };
    await eventually('the counters of refusals', isEqual, 20_000).catch(() => undefined);
    assert.equal(found, expected);
  }
}

/** Holds an answer to its status and code on the OpenAI face. */
export function assertRefused(answer: RawAnswer | undefined, status: number, code: string): void {
  assert.ok(answer, 'an answer');
  assert.deepEqual(
    { status: answer.status, ...errorCodeOf(answer) },
    { status, face: 'openai', code },
  );
}
