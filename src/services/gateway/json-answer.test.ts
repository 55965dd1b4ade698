// Goal: an answer up to 256 KiB is held whole, a longer one passes with every byte, and its usage is
// still found at its end.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimatedOutputTokens, JsonAnswer, parsedAnswer } from './json-answer.ts';

function pushed(answer: JsonAnswer, bytes: Buffer, size: number): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const passed = answer.push(bytes.subarray(at, at + size));
    if (passed !== undefined) out.push(passed);
  }
  return out;
}

describe('a JSON answer', () => {
  it('up to its limit is held and whole', () => {
    const bytes = Buffer.from(`{"a":"${'ü'.repeat(1000)}"}`);
    const answer = new JsonAnswer();
    assert.deepEqual(pushed(answer, bytes, 7), []);
    assert.equal(answer.isPassing, false);
    assert.ok(Buffer.from(answer.whole(), 'latin1').equals(bytes));
    const full = new JsonAnswer();
    assert.deepEqual(pushed(full, Buffer.alloc(262_144, ' '), 65_536), []);
    assert.equal(pushed(full, Buffer.from(' '), 1).length, 1);
  });

  it('above it passes on byte for byte, and tells its usage from its end', () => {
    const usage = '"usage":{"prompt_tokens":9,"completion_tokens":0}';
    const bytes = Buffer.from(`{"data":[${'1.25,'.repeat(100_000)}1],${usage}}`);
    for (const size of [1000, 65_536, bytes.length]) {
      const answer = new JsonAnswer();
      const out = Buffer.concat(pushed(answer, bytes, size));
      assert.ok(out.equals(bytes), `pieces of ${size}`);
      assert.ok(answer.isPassing);
      assert.deepEqual(answer.usageOfTail(), {
        kind: 'usage',
        promptTokens: 9,
        completionTokens: 0,
      });
    }
  });

  it('is an object and nothing else', () => {
    assert.deepEqual(parsedAnswer('{"a":1}'), { a: 1 });
    for (const text of ['', '[]', 'null', '1', '"a"', '{', '{} x', '<html>']) {
      assert.equal(parsedAnswer(text), undefined, text);
    }
  });
});

it('our own count of output is a token for four bytes of the text of every choice', () => {
  const count = (answer: object): number => estimatedOutputTokens(answer);
  assert.equal(count({ choices: [{ message: { content: 'x'.repeat(40) } }] }), 10);
  assert.equal(count({ choices: [{ text: '12345678' }, { text: '1234' }] }), 3);
  for (const odd of [{}, { choices: null }, { choices: [null, 1, {}, { message: null }] }]) {
    assert.equal(count(odd), 0);
  }
});
