// What the tests of translation share: a conversation, and answers taken apart.

import assert from 'node:assert/strict';
import { isObject, type JsonObject } from '../openai/member-check.ts';
import { boundedObject, objectMember, objectsMember } from './json-text.ts';
import type { AnswerFacts, StreamTranslator, Translation } from './translation.ts';

export const facts: AnswerFacts = {
  requestId: 'req-1',
  createdSeconds: 1_780_000_000,
  includeUsage: false,
};

export const eventBytesMax = 4096;

export function chat(more: JsonObject = {}): JsonObject {
  return { model: 'alias', messages: [{ role: 'user', content: 'Hello' }], ...more };
}

/** The provider's request, parsed; fails when it was refused. */
export function requested(
  translation: Translation,
  body: JsonObject,
  isStream = false,
): { readonly path: string; readonly body: JsonObject } {
  const made = translation.request(Buffer.from(JSON.stringify(body)), 'model-1', isStream);
  assert.ok(made.ok, made.ok ? '' : made.error.message);
  return { path: made.value.path, body: parsed(made.value.body) };
}

/** Code and parameter of the refusal; fails when there was none. */
export function refused(translation: Translation, body: unknown): string {
  const made = translation.request(Buffer.from(JSON.stringify(body)), 'model-1', false);
  assert.ok(!made.ok, `it was not refused: ${JSON.stringify(body)}`);
  return `${made.error.code} ${made.error.param ?? ''}`.trim();
}

export function parsed(bytes: Buffer): JsonObject {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  assert.ok(isObject(value));
  return value;
}

/** The answer, parsed; fails when it was none. */
export function answered(translation: Translation, body: unknown): JsonObject {
  const answer = translation.answer(Buffer.from(JSON.stringify(body)), 'model-1', facts);
  assert.ok(answer.ok, answer.ok ? '' : answer.error);
  return parsed(answer.value);
}

/** The only choice of an answer. */
export function choiceOf(completion: JsonObject): JsonObject {
  const [choice, ...others] = objectsMember(completion, 'choices');
  assert.ok(choice !== undefined && others.length === 0);
  return choice;
}

/** All that a stream gives for `bytes` in pieces of the given lengths, the last one again and again. */
export function streamed(
  stream: StreamTranslator,
  bytes: Buffer,
  cuts: readonly number[] = [bytes.length],
): string {
  const parts: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = cuts[Math.min(i, cuts.length - 1)] ?? bytes.length;
    // A buffer of its own that is wiped: what was given in may be used again.
    const chunk = Buffer.from(bytes.subarray(at, at + length));
    parts.push(stream.push(chunk));
    chunk.fill(0x23);
    at += length;
  }
  parts.push(stream.end());
  return Buffer.concat(parts).toString('utf8');
}

export function eventsOf(text: string): readonly string[] {
  assert.ok(text === '' || text.endsWith('\n\n'), 'whole events');
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      assert.ok(event.startsWith('data: ') && !event.includes('\n'), event);
      return event.slice('data: '.length);
    });
}

/** The deltas and reasons of a stream as a client puts them together. */
export function assembled(text: string) {
  let content = '';
  const calls: { id: unknown; name: unknown; arguments: string }[] = [];
  const reasons: unknown[] = [];
  for (const event of eventsOf(text)) {
    const chunk = boundedObject(Buffer.from(event)) ?? {};
    for (const choice of objectsMember(chunk, 'choices')) {
      const delta = objectMember(choice, 'delta') ?? {};
      if (typeof delta['content'] === 'string') content += delta['content'];
      if (choice['finish_reason'] !== null) reasons.push(choice['finish_reason']);
      for (const piece of objectsMember(delta, 'tool_calls')) {
        const made = objectMember(piece, 'function') ?? {};
        const place = Number(piece['index']);
        calls[place] ??= { id: piece['id'], name: made['name'], arguments: '' };
        calls[place].arguments += String(made['arguments'] ?? '');
      }
    }
  }
  return { content, calls, reasons, isDone: eventsOf(text).at(-1) === '[DONE]' };
}
