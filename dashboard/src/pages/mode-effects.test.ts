// Goal: what a pin would change is told completely, and nothing that stays is told at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModeEffectsWire } from '../api/wire.ts';
import { changedGates, effectsOf, gates, heldBack } from './mode-effects.ts';

const normal: ModeEffectsWire = {
  mode: 'normal',
  description: 'Standard operations',
  retries: 3,
  least_class: 1,
  emergency_shedding: false,
  experiments: true,
  shadow_share: 1,
  canary_promotion: true,
  deployments: true,
  batching: 'all',
  batch_wait_share: 1,
  openai_batches: true,
  suite_runs: true,
  calm_ticks: null,
  cooldown_seconds: 60,
};
const watch: ModeEffectsWire = { ...normal, mode: 'watch', retries: 2, shadow_share: 0.5 };
const halted: ModeEffectsWire = {
  mode: 'halted',
  description: 'All operations suspended',
  retries: 0,
  least_class: 5,
  emergency_shedding: true,
  experiments: false,
  shadow_share: 0,
  canary_promotion: false,
  deployments: false,
  batching: 'none',
  batch_wait_share: 0,
  openai_batches: false,
  suite_runs: false,
  calm_ticks: 10,
  cooldown_seconds: 480,
};

test('only the gates that differ are changes, each with both values', () => {
  assert.deepEqual(changedGates(normal, watch), [
    { name: 'Retries', from: '3', to: '2' },
    { name: 'Shadow traffic', from: 'all', to: '50\u202f%' },
  ]);
  assert.deepEqual(changedGates(watch, watch), []);
});

test('halting changes every gate, and lifting it changes each back', () => {
  const there = changedGates(normal, halted);
  assert.equal(there.length, gates.length);
  const back = changedGates(halted, normal).map(({ name, from, to }) => ({
    name,
    from: to,
    to: from,
  }));
  assert.deepEqual(back, there);
});

test('normal holds nothing back, and a mode without effects says nothing', () => {
  assert.deepEqual(heldBack([normal, watch], 'normal'), []);
  assert.deepEqual(heldBack([normal], 'halted'), []);
  assert.deepEqual(heldBack([normal, watch], 'watch'), [
    'retries 2, normally 3',
    'shadow traffic 50\u202f%, normally all',
  ]);
  assert.equal(effectsOf([normal], 'watch'), undefined);
});
