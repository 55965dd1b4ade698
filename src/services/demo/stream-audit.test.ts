// Goal: the audit tells a clean end from every other one, however the bytes are split.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamAudit, type StreamEnd } from './stream-audit.ts';

const content = 'data: {"choices":[{"index":0,"delta":{"content":"sea é"}}]}\n\n';
const error = 'data: {"error":{"message":"The backend failed.","code":"bad_gateway"}}\n\n';
const done = 'data: [DONE]\n\n';

function endOf(text: string): StreamEnd {
  const audit = new StreamAudit();
  audit.push(new TextEncoder().encode(text));
  return audit.end();
}

test('content and one end mark are a complete stream', () => {
  assert.deepEqual(endOf(content + content + done), { kind: 'complete' });
});

test('one error event and the end mark are a cut, with the words of the error', () => {
  const cut = { kind: 'cut', words: 'The backend failed.' };
  assert.deepEqual(endOf(content + error + done), cut);
});

test('every other end is broken and says in what', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /0 \[DONE\]/],
    [content, /0 \[DONE\]/],
    [content + error, /0 \[DONE\]/],
    [content + error + error + done, /2 error events/],
    [content + done + done, /2 \[DONE\].*events after \[DONE\]/],
    [content + error + content + done, /content after an error event/],
    [content + done + error, /events after \[DONE\]/],
    [`${content + done}data: {"cho`, /inside an event/],
  ];
  for (const [text, words] of cases) {
    const end = endOf(text);
    assert.equal(end.kind, 'broken', text);
    assert.match(end.kind === 'broken' ? end.words : '', words);
  }
});

test('comments are no events, and content that speaks of errors is content', () => {
  const audit = new StreamAudit();
  const talk = `data: ${JSON.stringify({ choices: [{ delta: { content: 'an "error": none' } }] })}\n\n`;
  audit.push(new TextEncoder().encode(`: keep-alive\n\n${talk}${done}`));
  assert.equal(audit.contentEvents, 1);
  assert.deepEqual(audit.end(), { kind: 'complete' });
});

test('every split of the same bytes gives the same verdict', () => {
  const bytes = new TextEncoder().encode(content + content + error + done);
  const borders = fc.uniqueArray(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
  fc.assert(
    fc.property(borders, (cuts) => {
      const audit = new StreamAudit();
      let from = 0;
      for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
        audit.push(bytes.subarray(from, to));
        from = to;
      }
      assert.equal(audit.contentEvents, 2);
      assert.deepEqual(audit.end(), { kind: 'cut', words: 'The backend failed.' });
    }),
    { seed: 20261121 },
  );
});
