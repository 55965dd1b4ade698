// Goal: what one thread learns of a backend, all threads act on; probes are claimed once; each
// transition is told by the thread that made it. Method: two openings of one table, as threads have it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakerReadings } from '../../core/resilience/breaker-word.ts';
import { type BreakerMoved, type BreakerOffer, type BreakerPermit, Breakers } from './breakers.ts';

const at = 1_800_000_000_000;
const rule = { failures: 5, successes: 2, openMs: 30_000, probes: 1 };
const offer = (backend: string, model = 'm'): BreakerOffer => ({
  target: { id: backend },
  model: { id: model },
});

function threads() {
  const parts = Breakers.create(rule);
  const told: BreakerMoved[] = [];
  const open = () => new Breakers(parts, (moved) => told.push(moved));
  return { one: open(), other: open(), told };
}

function permitOf(breakers: Breakers, what: BreakerOffer, nowMs = at): BreakerPermit {
  const permit = breakers.take(what, nowMs);
  assert.ok(permit !== undefined, 'the breakers refused');
  return permit;
}

function fail(breakers: Breakers, what: BreakerOffer, times: number, nowMs = at): void {
  for (let i = 0; i < times; i++) permitOf(breakers, what, nowMs).end('failure', nowMs, 'reset');
}

const names = (told: readonly BreakerMoved[]) =>
  told.map(({ backend, model, to }) => `${backend}${model === undefined ? '' : `/${model}`} ${to}`);

test('failures that two threads met open the breakers of backend and model for both', () => {
  const { one, other, told } = threads();
  const box = offer('box');
  fail(one, box, 3);
  assert.ok(one.isCalm);
  fail(other, box, 2);
  assert.ok(!one.isCalm);
  assert.deepEqual(names(told), ['box open', 'box/m open']);
  assert.equal(told[0]?.words, 'reset');
  for (const thread of [one, other]) {
    assert.equal(thread.reading(box, at + 29_999), breakerReadings.open);
    assert.equal(thread.take(box, at + 29_999), undefined);
  }
});

test('a model that fails is out, and the other models of its backend are not', () => {
  const { one, told } = threads();
  const [bad, good] = [offer('box', 'bad'), offer('box', 'good')];
  for (let i = 0; i < 5; i++) {
    fail(one, bad, 1);
    permitOf(one, good).end('success', at);
  }
  assert.deepEqual(names(told), ['box/bad open']);
  assert.equal(one.reading(bad, at), breakerReadings.open);
  assert.equal(one.reading(good, at), breakerReadings.closed);
});

test('one probe goes among all threads; its successes close both breakers', () => {
  const { one, other, told } = threads();
  const box = offer('box');
  fail(one, box, 5);
  const later = at + 30_000;
  assert.equal(other.reading(box, later), breakerReadings.probe);
  const probe = permitOf(other, box, later);
  assert.equal(one.reading(box, later), breakerReadings.probing);
  assert.equal(one.take(box, later), undefined);
  probe.end('success', later);
  permitOf(one, box, later).end('success', later);
  assert.ok(one.isCalm);
  const moves = names(told).slice(2);
  assert.deepEqual(moves, ['box half_open', 'box/m half_open', 'box closed', 'box/m closed']);
});

test('a probe whose client left is free for the next, and a permit ends once', () => {
  const { one } = threads();
  const box = offer('box');
  fail(one, box, 5);
  const later = at + 30_000;
  const probe = permitOf(one, box, later);
  probe.end('none', later);
  probe.end('failure', later, 'reset');
  assert.equal(one.reading(box, later), breakerReadings.probe);
});

test('a probe that the model refuses is given back to the backend', () => {
  const { one } = threads();
  const [m, n] = [offer('box', 'm'), offer('box', 'n')];
  // The model opens, then the backend, later, by another model.
  fail(one, m, 4);
  permitOf(one, n).end('success', at);
  fail(one, m, 1);
  fail(one, n, 4);
  const early = at + 30_000;
  const probe = permitOf(one, m, early);
  assert.equal(one.take(m, early), undefined);
  probe.end('success', early);
  assert.equal(one.reading(m, early), breakerReadings.probe);
});

test('the last backend takes requests while its breakers are open, which hear nothing of it (P2)', () => {
  const { one } = threads();
  const box = offer('box');
  fail(one, box, 5);
  const permit = one.take(box, at, true);
  assert.ok(permit !== undefined);
  permit.end('success', at);
  assert.equal(one.reading(box, at), breakerReadings.open);
});
