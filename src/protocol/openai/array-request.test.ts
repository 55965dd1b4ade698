// Goal: requests with the same options become one, and each gets back exactly its own answers. Method:
// tables of bodies; an engine that answers any joint body in any order, as a property.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  type ArrayKind,
  type ArrayPart,
  arrayPartOf,
  jointBody,
  partAnswer,
  splitAnswer,
} from './array-request.ts';

function partOf(kind: ArrayKind, body: object): ArrayPart | undefined {
  return arrayPartOf(kind, Buffer.from(JSON.stringify(body)));
}

function embeddings(body: object): ArrayPart | undefined {
  return partOf('embeddings', { model: 'e', ...body });
}

describe('what a request brings', () => {
  it('is one text, several, or tokens', () => {
    const rows = [
      [{ input: 'a' }, ['a'], 'text'],
      [{ input: ['a', 'b'] }, ['a', 'b'], 'text'],
      [{ input: [1, 2] }, [[1, 2]], 'tokens'],
      [{ input: [[1], [2, 3]] }, [[1], [2, 3]], 'tokens'],
    ] as const;
    for (const [body, items, form] of rows) {
      const part = embeddings(body);
      assert.deepEqual([part?.items, part?.form], [items, form]);
    }
    for (const input of [undefined, [], [[]], ['a', 1], [['a']], 7, null, {}]) {
      assert.equal(embeddings({ input }), undefined, JSON.stringify(input));
    }
  });

  it('goes with what has the same options, in whatever order, whoever asks', () => {
    const optionsOf = (body: object) => embeddings({ input: 'a', ...body })?.options;
    assert.equal(optionsOf({ dimensions: 8, user: 'ana' }), optionsOf({ dimensions: 8 }));
    assert.equal(
      optionsOf({ dimensions: 8, encoding_format: 'float' }),
      optionsOf({ encoding_format: 'float', dimensions: 8 }),
    );
    assert.notEqual(optionsOf({ dimensions: 8 }), optionsOf({ dimensions: 9 }));
    assert.notEqual(optionsOf({}), optionsOf({ truncate: true }));
  });

  it('goes alone with a number that would not come out as it came in', () => {
    for (const seed of ['9007199254740993', '1e999']) {
      const body = Buffer.from(`{"model":"m","prompt":"a","seed":${seed}}`);
      assert.equal(arrayPartOf('completions', body), undefined, seed);
    }
    assert.notEqual(partOf('completions', { prompt: 'a', seed: 7 }), undefined);
  });
});

describe('an answer that does not fit', () => {
  const parts = [embeddings({ input: 'a' }), embeddings({ input: 'b' })].flatMap((p) => p ?? []);
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [[], /no object/],
    [{}, /without a list/],
    [{ data: [{ index: 0 }] }, /1 answers to 2/],
    [{ data: [{ index: 0 }, { index: 0 }] }, /two answers of index 0/],
    [{ data: [{ index: 0 }, { index: 2 }] }, /without its index/],
    [{ data: [{ index: 0 }, null] }, /without its index/],
    [{ data: [{ index: 0 }, { index: 0.5 }] }, /without its index/],
  ];
  for (const [answer, words] of cases) {
    it(JSON.stringify(answer), () => {
      const split = splitAnswer(answer, parts);
      assert.match(split.ok ? '' : split.error, words);
    });
  }
});

describe('the answer of one part', () => {
  it('has its own id where there is one, and its own usage', () => {
    const part = partOf('completions', { prompt: 'a', n: 2 });
    const answer = {
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'm',
      choices: [
        { index: 1, text: 'y', finish_reason: 'stop' },
        { index: 0, text: 'x', finish_reason: 'length' },
      ],
      usage: { prompt_tokens: 9 },
    };
    const split = splitAnswer(answer, part === undefined ? [] : [part]);
    assert.ok(split.ok);
    const usage = { promptTokens: 3, completionTokens: 4, cachedTokens: 1 };
    const own = { id: 'cmpl-own', usage };
    const told = JSON.parse(
      partAnswer('completions', split.value.rest, split.value.lists[0] ?? [], own),
    );
    assert.deepEqual(told, {
      id: 'cmpl-own',
      object: 'text_completion',
      model: 'm',
      choices: [
        { index: 0, text: 'x', finish_reason: 'length' },
        { index: 1, text: 'y', finish_reason: 'stop' },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 7,
        prompt_tokens_details: { cached_tokens: 1 },
      },
    });
    const without = partAnswer('embeddings', { object: 'list' }, [], { id: 'x', usage: undefined });
    assert.deepEqual(JSON.parse(without), { object: 'list', data: [] });
  });
});

holds(
  'each part gets the answers to its own items, whatever the order they come in',
  fc.property(
    fc.array(fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer(),
    (inputs, n, seed) => {
      const parts = inputs.flatMap((prompt) => partOf('completions', { prompt, n }) ?? []);
      const asked = JSON.parse(jointBody(parts, 'm').toString());
      assert.deepEqual([asked.model, asked.n], ['m', n]);
      // The engine answers `item/k` to the k-th answer of an item.
      const choices = asked.prompt.flatMap((text: string, i: number) =>
        Array.from({ length: n }, (_, k) => ({ index: i * n + k, text: `${text}/${k}` })),
      );
      choices.sort(
        (a: { index: number }, b: { index: number }) =>
          Math.sin(seed + a.index) - Math.sin(seed + b.index),
      );
      const split = splitAnswer({ choices }, parts);
      assert.ok(split.ok);
      const texts = split.value.lists.map((list) => list.map(({ text }) => text));
      assert.deepEqual(
        texts,
        inputs.map((input) =>
          input.flatMap((t) => Array.from({ length: n }, (_, k) => `${t}/${k}`)),
        ),
      );
      for (const list of split.value.lists) {
        assert.deepEqual(
          list.map(({ index }) => index),
          list.map((_, i) => i),
        );
      }
    },
  ),
  { runs: 200 },
);
