import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { plausibleTokensMax, readUsage, usageOfJson } from './usage.ts';

const usage = { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached: [1] } };
const expected = { kind: 'usage', promptTokens: 7, completionTokens: 3 };

function of(answer: unknown) {
  return usageOfJson(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)));
}

it('the usage of an answer is found at its end, with members before and behind it', () => {
  assert.deepEqual(of({ choices: [{ message: { content: 'a "usage": {' } }], usage }), expected);
  assert.deepEqual(of({ usage, choices: [], text: '}"usage"', timings: { a: [{}] } }), expected);
  assert.deepEqual(
    of(`{"a":"${'x'.repeat(100_000)}","usage" : ${JSON.stringify(usage)}}\n`),
    expected,
  );
  assert.deepEqual(of({ usage: { input_tokens: 7, output_tokens: 3 } }), expected);
  assert.deepEqual(of({ usage: { prompt_tokens: 7, total_tokens: 7 } }), {
    ...expected,
    completionTokens: 0,
  });
});

it('tokens from a cache are told where the backend tells of them, and never more than the prompt', () => {
  const told = (details: object) => of({ usage: { ...usage, ...details } });
  const cached = (tokens: unknown) => ({ prompt_tokens_details: { cached_tokens: tokens } });
  assert.deepEqual(told(cached(5)), { ...expected, cachedTokens: 5 });
  assert.deepEqual(told(cached(50)), { ...expected, cachedTokens: 7 });
  for (const nothing of [0, -1, 1.5, '5', null]) assert.deepEqual(told(cached(nothing)), expected);
  const responses = {
    input_tokens: 7,
    output_tokens: 3,
    input_tokens_details: { cached_tokens: 2 },
  };
  assert.deepEqual(of({ usage: responses }), { ...expected, cachedTokens: 2 });
});

it('usage is absent when it is not certain', () => {
  const unsure = [
    '',
    '{}',
    '{"usage":null}',
    '{"usage":',
    '{"usage":{"prompt_tokens":1}',
    '"usage"',
  ];
  const nested = [
    { a: { usage } },
    { a: [{ usage }] },
    [{ usage }],
    { text: JSON.stringify({ usage }) },
  ];
  for (const answer of unsure) assert.equal(of(answer).kind, 'absent', answer);
  for (const answer of nested) assert.equal(of(answer).kind, 'absent', JSON.stringify(answer));
  assert.equal(of(`{"usage":${JSON.stringify(usage)}}}`).kind, 'absent');
  assert.equal(of({ usage, a: 'x'.repeat(100_000) }).kind, 'absent');
});

it('case 223: a usage that is no pair of plausible counts is rejected', () => {
  for (const bad of [-1, '7', 2 ** 60, 1.5, null, true, plausibleTokensMax + 1]) {
    assert.equal(readUsage({ ...usage, prompt_tokens: bad }).kind, 'rejected');
    assert.equal(
      readUsage({ ...usage, prompt_tokens: bad, completion_tokens: 1 }).kind,
      'rejected',
    );
  }
  for (const bad of ['x', 5, [], {}]) assert.equal(readUsage(bad).kind, 'rejected');
  assert.equal(readUsage({ ...usage, completion_tokens: -1 }).kind, 'rejected');
  assert.equal(readUsage(undefined).kind, 'absent');
});

it('what is found is what a parser would find', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.boolean(), (before, behind, has) => {
      const answer = { before, ...(has ? { usage } : {}), behind };
      const found = of(answer);
      if (has) assert.deepEqual(found, expected);
      else assert.equal(found.kind, 'absent');
    }),
    { seed: 20_260_114, numRuns: 2000 },
  );
});
