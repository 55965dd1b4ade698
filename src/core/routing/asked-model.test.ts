// Goal: a recorded request is asked of the model that the other settings mean. Method: one request with a
// sticky key and one without, under experiments that differ.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { modelUnder } from './asked-model.ts';
import { fleetOf, model, target } from './fleet.test-support.ts';
import type { TrafficSplit } from './split.ts';

const fleet = ['chat', 'next'].map((id) => target(id, { models: [model(id)] }));
const splitOf = (name: string, points: number): TrafficSplit => ({
  name,
  model: 'chat',
  salt: 's',
  arms: [
    { name: 'base', model: 'chat', basisPoints: 10_000 - points },
    { name: 'next', model: 'latest', basisPoints: points },
  ],
});
const under = (...splits: readonly TrafficSplit[]) =>
  fleetOf(fleet, { aliases: { latest: 'next' }, splits }).snapshot;
const drawn = { model: 'chat', split: { experiment: 'tone', arm: 'next', stickyHash: 7 } };
const plain = { model: 'chat' };

it('a request that an experiment had is drawn again under another one', () => {
  const recorded = under(splitOf('tone', 10_000));
  assert.equal(modelUnder(drawn, recorded, recorded), 'next');
  assert.equal(modelUnder(drawn, recorded, under(splitOf('tone', 0))), 'chat');
  assert.equal(modelUnder(drawn, recorded, under()), 'chat');
});

it('a request without a sticky key is known only where the experiment had left it out', () => {
  const recorded = under(splitOf('tone', 10_000));
  assert.equal(modelUnder(plain, recorded, recorded), 'chat');
  assert.equal(modelUnder(plain, under(), recorded), undefined);
  assert.equal(modelUnder({ model: 'next' }, under(), recorded), 'next');
});
