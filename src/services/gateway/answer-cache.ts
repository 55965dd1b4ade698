// Whole answers of one gateway thread, for the same question of the same group when no backend is left
// (graceful degradation, platform specification D.4). Off unless it is configured.
//
//   C1  An answer is found only by the group that got it, for the same interface, model and question:
//       members in another order are the same question, anything else is another one.
//   C2  It holds at most `bytesMax`; the oldest go first. None is given when it is older than asked.

import { hash } from 'node:crypto';
import { canonicalJson } from '../../base/canonical.ts';
import type { RequestKind } from '../../protocol/openai/request-body.ts';

export type KeptAnswer = {
  readonly contentType: string;
  /** A character a byte; one JSON object. */
  readonly text: string;
};

/** Whose question it is, to whom. */
export type Question = {
  readonly groupName: string;
  readonly kind: RequestKind;
  readonly model: string;
  readonly body: Buffer;
};

type Entry = KeptAnswer & { readonly keptMs: number; readonly bytes: number };

/** A longer answer is not kept. */
const answerBytesMax = 1_048_576;
/** What an entry costs beside its text. */
const entryBytes = 300;

/** A number beyond the range of a double has no canonical form. */
function finite(_name: string, value: unknown) {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** Names the question; nothing can be read from it. `body` is valid JSON. */
export function questionKey({ groupName, kind, model, body }: Question): string {
  const question = canonicalJson(JSON.parse(body.toString('utf8'), finite));
  return hash('sha256', canonicalJson([groupName, kind, model, question]), 'base64');
}

export class AnswerCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `nowMs`: monotonic. */
  keep(key: string, answer: KeptAnswer, nowMs: number, bytesMax: number): void {
    const bytes = answer.text.length + entryBytes;
    this.#drop(key);
    if (answer.text.length > answerBytesMax || bytes > bytesMax) return;
    this.#entries.set(key, { ...answer, keptMs: nowMs, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= bytesMax) return;
      this.#drop(oldest);
    }
  }

  /** The answer with its age, ms; undefined where there is none of at most `ageMsMax`. */
  find(
    key: string,
    nowMs: number,
    ageMsMax: number,
  ): { readonly answer: KeptAnswer; readonly ageMs: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const ageMs = Math.max(0, nowMs - entry.keptMs);
    if (ageMs <= ageMsMax) return { answer: entry, ageMs };
    this.#drop(key);
    return undefined;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** The answer, saying of itself that it is an older one: `"degraded": true` comes first. */
export function degradedText(text: string): string {
  const open = text.indexOf('{') + 1;
  const rest = text.slice(open);
  const comma = rest.trimStart().startsWith('}') ? '' : ',';
  return `{"degraded":true${comma}${rest}`;
}
