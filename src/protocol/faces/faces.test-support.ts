// What the tests of the faces share: requests, answers and streams through one face.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defaultJsonLimits } from '../openai/json-scan.ts';
import { isObject, type JsonObject } from '../openai/member-check.ts';
import { readRequestBody } from '../openai/request-body.ts';
import { sameName } from './client-body.ts';
import type { ClientFace, FaceCall, FaceFacts, FaceStream } from './face.ts';

export const facts: FaceFacts = {
  requestId: '01928f7e-aaaa-7bbb-8ccc-0123456789ab',
  promptTokens: 7,
  startedMs: 1_780_000_000_000,
};

/** 250 ms after the request came. */
export const nowMs = facts.startedMs + 250;

const eventBytesMax = 4096;

/** The request as read; fails when it was refused. */
export function called(face: ClientFace, body: unknown): FaceCall {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const call = face.request(Buffer.from(text), defaultJsonLimits, sameName);
  assert.ok(call.ok, call.ok ? '' : `${call.error.code}: ${call.error.message}`);
  return call.value;
}

/** OpenAI's body; fails when the pipeline would refuse it. */
export function requested(
  face: ClientFace,
  body: unknown,
  kind: 'chat' | 'embeddings' = 'chat',
): JsonObject {
  const made = called(face, body).body;
  const read = readRequestBody(kind, made, defaultJsonLimits);
  assert.ok(read.ok, read.ok ? '' : read.error.message);
  return parsed(made);
}

/** Code and parameter of the refusal; fails when there was none. */
export function refused(face: ClientFace, body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const call = face.request(Buffer.from(text), defaultJsonLimits, sameName);
  assert.ok(!call.ok, `it was not refused: ${text}`);
  return `${call.error.code} ${call.error.param ?? ''}`.trim();
}

export function parsed(bytes: Buffer): JsonObject {
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  assert.ok(isObject(value));
  return value;
}

/** The text of the face's answer to OpenAI's one; fails when it was none. */
export function answerText(call: FaceCall, answer: unknown): string {
  const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
  const told = call.answer(body, facts, nowMs);
  assert.ok(told.ok, told.ok ? '' : told.error);
  return told.value.toString('utf8');
}

export function streamOf(call: FaceCall): FaceStream {
  return call.stream(facts, eventBytesMax);
}

/** All that a stream gives for `bytes` in pieces of the given lengths, the last one again and again. */
export function streamed(
  stream: FaceStream,
  bytes: Buffer,
  cuts: readonly number[] = [bytes.length],
): string {
  const parts: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = cuts[Math.min(i, cuts.length - 1)] ?? bytes.length;
    const piece = Buffer.from(bytes.subarray(at, at + length));
    parts.push(stream.push(piece, nowMs));
    piece.fill(0x23);
    at += length;
  }
  parts.push(stream.end(nowMs));
  return Buffer.concat(parts).toString('utf8');
}

/** OpenAI's stream of these deltas, ended by `finish`. */
export function openAiStream(
  deltas: readonly JsonObject[],
  finish: string,
  more: JsonObject = {},
): Buffer {
  const event = (delta: JsonObject, reason: string | null, beside: JsonObject = {}): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason, ...beside }] })}\n\n`;
  const usage = {
    prompt_tokens: 25,
    completion_tokens: 15,
    prompt_tokens_details: { cached_tokens: 5 },
  };
  return Buffer.from(
    deltas.map((delta) => event(delta, null)).join('') +
      event({}, finish, more) +
      `data: ${JSON.stringify({ choices: [], usage })}\n\n` +
      'data: [DONE]\n\n',
  );
}

/** The members of an interface in the types that an official client is published with. */
export function documentedMembers(packageName: string, file: string, name: string): string[] {
  const entry = createRequire(import.meta.url).resolve(packageName);
  const root = entry.slice(0, entry.lastIndexOf(packageName) + packageName.length);
  const text = readFileSync(join(dirname(join(root, 'x')), file), 'utf8');
  const start = text.indexOf(`interface ${name} {`);
  assert.ok(start >= 0, `${packageName} has no ${name}`);
  // Members stand one level deep, at the same indent as the first of them.
  const body = text.slice(start, text.indexOf('\n}', start));
  return [...body.matchAll(/^ {4}([a-z_]+)\??:/gm)].map(([, member]) => member ?? '');
}

/** Everything that parsing and printing again would change. */
export const oddArguments =
  '{"2": 1.0,"1":1e400, "id":12345678901234567890,"name":"caf\\u00e9 \\ud83d","a":{"b":[1.50,-0.0]}}';
