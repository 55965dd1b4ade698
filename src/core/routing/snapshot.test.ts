// Goal: aliases and the index by model (BR 13), as a request sees them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fleetOf, model, settings, target } from './fleet.test-support.ts';
import { buildSnapshot, resolveModel } from './snapshot.ts';

const aliases = { a: 'b', b: 'c', c: 'real', far: 'a', loop: 'loop', own: 'a' };

function snapshotWith(...models: string[]) {
  const targets = [target('one', { models: models.map((id) => model(id)) })];
  return buildSnapshot(1, targets, settings({ aliases }));
}

it('an alias is followed for three hops at most', () => {
  const snapshot = snapshotWith('real');
  assert.equal(resolveModel(snapshot, 'c'), 'real');
  assert.equal(resolveModel(snapshot, 'a'), 'real');
  assert.equal(resolveModel(snapshot, 'far'), 'c');
});

it('a real model wins over an alias of its name, also in the middle of a chain', () => {
  assert.equal(resolveModel(snapshotWith('a', 'real'), 'a'), 'a');
  assert.equal(resolveModel(snapshotWith('b', 'real'), 'a'), 'b');
});

it('what is neither stays as it is, names of the prototype too, and a loop ends', () => {
  const snapshot = snapshotWith('real');
  for (const name of ['nobody', '__proto__', 'constructor', 'toString', 'loop', '']) {
    assert.equal(resolveModel(snapshot, name), name);
  }
});

it('names are compared exactly', () => {
  const snapshot = snapshotWith('Real');
  assert.equal(snapshot.byModel.has('real'), false);
  assert.equal(snapshot.byModel.has('Real'), true);
});

it('offers stand in the order of their ids, whatever order the backends came in', () => {
  const targets = ['c', 'a', 'b'].map((id) => target(id));
  const ids = [targets, [...targets].reverse()].map((list) =>
    buildSnapshot(1, list, settings())
      .byModel.get('m')
      ?.map((offer) => offer.target.id),
  );
  assert.deepEqual(ids, [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

it('cloud backends are marked as such and the others are not', () => {
  const { snapshot } = fleetOf([
    target('cloud', { backendType: 'openai' }),
    target('local', { backendType: 'vllm' }),
  ]);
  const marks = snapshot.byModel.get('m')?.map((offer) => [offer.target.id, offer.isCloud]);
  assert.deepEqual(marks, [
    ['cloud', true],
    ['local', false],
  ]);
});
