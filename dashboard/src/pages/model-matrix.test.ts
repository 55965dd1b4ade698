// Goal: each model stands once, and its cells say what the backends said. Method: a fleet with every
// state that a cell can have.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend } from './fleet.test-support.ts';
import { cellMarks, modelMatrix } from './model-matrix.ts';

const fleet = [
  backend('a', ['chat', 'embed'], { loaded_models: ['chat'] }),
  backend('b', ['chat'], { closed_models: [{ id: 'chat', reason: 'loading' }] }),
  backend('c', ['chat', 'vision'], { routable: false }),
];

test('a row for each model by id, a cell for each backend that offers it', () => {
  const rows = modelMatrix(fleet, fleet);
  assert.deepEqual(
    rows.map(({ modelId, cells }) => [
      modelId,
      ...[...cells].map(([id, { state }]) => `${id} ${state}`),
    ]),
    [
      ['chat', 'a loaded', 'b loading', 'c offered'],
      ['embed', 'a available'],
      ['vision', 'c offered'],
    ],
  );
});

test('only a backend that takes requests and has not closed the model counts as serving it', () => {
  assert.deepEqual(
    modelMatrix(fleet, fleet).map(({ serving, holders }) => `${serving} of ${holders}`),
    ['1 of 3', '1 of 1', '0 of 1'],
  );
});

test('a closed model is closed whatever the engine says of its memory', () => {
  const closing = backend('a', ['chat'], {
    loaded_models: ['chat'],
    closed_models: [{ id: 'chat', reason: 'unloading' }],
  });
  assert.equal(modelMatrix([closing], [closing])[0]?.cells.get('a')?.state, 'unloading');
});

test('no two states of a cell have the same words', () => {
  const words = Object.values(cellMarks).map((mark) => mark.words);
  assert.equal(new Set(words).size, words.length);
});

test('an empty fleet has no rows', () => {
  assert.deepEqual(modelMatrix([], fleet), []);
});

test('a backend without a column still counts as one that holds the model', () => {
  const [row] = modelMatrix(fleet.slice(1, 2), fleet);
  assert.deepEqual([row?.modelId, row?.holders, row?.cells.size], ['chat', 3, 1]);
});
