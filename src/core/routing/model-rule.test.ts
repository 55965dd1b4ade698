import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { matchesGlob } from '../security/glob.ts';
import { decide } from './decide.ts';
import type { DecideInput } from './decision-input.ts';
import { features, fleetOf, target } from './fleet.test-support.ts';
import { type ModelRule, ruleOf } from './model-rule.ts';

const plain: DecideInput = { tried: [], cursor: 0, seed: 1, budget: 'Normal' };
const rule = (facts: Partial<ModelRule>): ModelRule => ({
  model: '*',
  privacy: 'unrestricted',
  minTier: undefined,
  fallbackAllowed: true,
  ...facts,
});

test('a pattern matches the whole id: * any run, ? any one, all else itself', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['llama*', 'llama3:70b', true],
    ['llama*', 'my-llama', false],
    ['*llama*', 'my-llama-3', true],
    ['gpt-?', 'gpt-4', true],
    ['gpt-?', 'gpt-4o', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b', false],
    ['a.c', 'abc', false],
    ['*', '', true],
    ['', 'a', false],
    ['org/*', 'org/model:8b', true],
  ];
  for (const [pattern, text, matches] of cases) {
    assert.equal(matchesGlob(pattern, text), matches, `${pattern} on ${text}`);
  }
});

test('a pattern of many stars costs no more than its length times the text', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000)), false);
});

test('the first rule that matches holds', () => {
  const rules = [rule({ model: 'm-*', minTier: 3 }), rule({ privacy: 'restricted' })];
  assert.equal(ruleOf(rules, 'm-1')?.minTier, 3);
  assert.equal(ruleOf(rules, 'other')?.privacy, 'restricted');
  assert.equal(ruleOf([], 'm-1'), undefined);
});

describe('privacy', () => {
  const fleet = [target('cloud', { zone: 'open', priority: 0 }), target('own')];
  const settings = { policies: [rule({ privacy: 'restricted' })] };

  it('keeps a model in the restricted zone, and says so', () => {
    const { snapshot, counters } = fleetOf(fleet, settings);
    const decision = decide(snapshot, counters, features(), plain);
    assert.equal(decision.kind === 'route' && decision.target.id, 'own');
    assert.equal(decision.kind === 'route' && decision.routeReason, 'privacy-requirement');
    const [cloud] = decision.considered;
    assert.equal(cloud?.stage, 'privacy');
  });

  it('never goes to the open zone, also when the other one is ill or was tried', () => {
    const ill = [fleet[0] ?? target('cloud'), target('own', {}, { status: 2 })];
    const { snapshot, counters } = fleetOf(ill, settings);
    const decision = decide(snapshot, counters, features(), plain);
    assert.equal(decision.kind === 'refuse' && decision.refusal.code, 'no_healthy_backend');
    const well = fleetOf(fleet, settings);
    const after = decide(well.snapshot, well.counters, features(), { ...plain, tried: ['own'] });
    assert.equal(after.kind, 'refuse');
  });

  it('without a backend in it is refused as such', () => {
    const { snapshot, counters } = fleetOf([target('cloud', { zone: 'open' })], settings);
    const decision = decide(snapshot, counters, features(), plain);
    assert.equal(decision.kind === 'refuse' && decision.refusal.code, 'privacy_requirement');
  });
});

describe('tier', () => {
  const fleet = [target('small', { tier: 2 }), target('large', { tier: 4 }, { status: 2 })];

  const decided = (minTier: number, fallbackAllowed: boolean, mayUseLowerTier: boolean) => {
    const { snapshot, counters } = fleetOf(fleet, {
      policies: [rule({ minTier, fallbackAllowed })],
    });
    return decide(snapshot, counters, features({ mayUseLowerTier }), plain);
  };

  it('is kept, and another tier stands in only where client and rule allow it', () => {
    assert.equal(decided(3, true, false).kind, 'refuse');
    assert.equal(decided(3, false, true).kind, 'refuse');
    const lower = decided(3, true, true);
    assert.equal(lower.kind === 'route' && lower.target.id, 'small');
  });

  it('that nobody has is refused as such', () => {
    const decision = decided(5, true, false);
    assert.equal(decision.kind === 'refuse' && decision.refusal.code, 'tier_unavailable');
  });
});

describe('the budget of the month', () => {
  const fleet = [target('cloud', { zone: 'open', priority: 0 }), target('own', { priority: 90 })];

  it('halves the score of the open zone at the soft limit', () => {
    const { snapshot, counters } = fleetOf(fleet);
    const before = decide(snapshot, counters, features(), plain);
    const soft = decide(snapshot, counters, features(), { ...plain, budget: 'SoftLimit' });
    assert.equal(before.kind === 'route' && before.target.id, 'cloud');
    assert.equal(soft.kind === 'route' && soft.target.id, 'own');
    assert.equal(soft.considered[0]?.score, 5000);
  });

  it('at the hard limit warns, blocks the open zone, or blocks all', () => {
    const at = (hardLimitAction: 'warn' | 'block_cloud' | 'block_all') => {
      const { snapshot, counters } = fleetOf(fleet, { hardLimitAction });
      const decision = decide(snapshot, counters, features(), { ...plain, budget: 'HardLimit' });
      return decision.kind === 'route' ? decision.target.id : decision.refusal.code;
    };
    assert.equal(at('warn'), 'cloud');
    assert.equal(at('block_cloud'), 'own');
    assert.equal(at('block_all'), 'budget_exhausted');
  });
});

describe('breakers and quality', () => {
  const open = { gates: 1 };
  const decided = (gates: readonly number[], ejectedPercent = 50, cursor = 0) => {
    const { snapshot, counters } = fleetOf(
      gates.map((bits, i) => target(`b${i}`, {}, { gates: bits })),
      { ejectedPercent },
    );
    return decide(snapshot, counters, features(), { ...plain, cursor });
  };
  const outOf = (decision: ReturnType<typeof decided>) =>
    decision.considered.filter(({ stage }) => stage !== undefined).length;

  it('put a backend out, each with its own stage', () => {
    const stages = decided([1, 0, 3, 0, 4, 0]).considered.map(({ stage }) => stage);
    assert.deepEqual(stages, ['breaker', undefined, 'breaker', undefined, 'quality', undefined]);
  });

  it('let a probe through where a breaker is half open', () => {
    assert.equal(outOf(decided([2, 0])), 0);
  });

  it('put out at most the share that is allowed, and never the last', () => {
    assert.equal(outOf(decided([1, 1, 1, 1])), 2);
    assert.equal(outOf(decided([1, 1, 1, 1], 100)), 3);
    assert.equal(outOf(decided([1, 1, 1, 1], 0)), 0);
    assert.equal(outOf(decided([open.gates])), 0);
  });

  it('let others in again at each turn', () => {
    const spared = new Set(
      [0, 1, 2, 3].map((cursor) =>
        decided([1, 1, 1, 1], 100, cursor).considered.findIndex(({ stage }) => stage === undefined),
      ),
    );
    assert.equal(spared.size, 4);
  });
});
