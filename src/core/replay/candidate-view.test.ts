// Goal: what a person is told about a backend that lost is true. Method: the change that is told is
// made, and the production decision decides again; small cases by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { decide } from '../routing/decide.ts';
import {
  type Figures,
  features,
  fleetOf,
  settings,
  type TestTarget,
  target,
} from '../routing/fleet.test-support.ts';
import type { RoutingSettings } from '../routing/snapshot.ts';
import { candidateViews } from './candidate-view.ts';

function viewsOf(targets: readonly TestTarget[], more: Partial<RoutingSettings> = {}, cursor = 0) {
  const { snapshot, counters } = fleetOf(targets, more);
  const decision = decide(snapshot, counters, features(), {
    tried: [],
    cursor,
    seed: 1,
    budget: 'Normal',
  });
  const chosen = decision.kind === 'route' ? decision.target.id : undefined;
  const views = candidateViews(decision.considered, chosen, settings(more));
  return { chosen, views, of: (id: string) => views.find((view) => view.backend_id === id) };
}

test('the terms of a score sum to it and the figures are those that were read', () => {
  const { of } = viewsOf([
    target('a', { priority: 10 }, { pending: 3, capacity: 12, latencyMs: 215 }),
    target('b', { priority: 50 }, { pending: 0 }),
  ]);
  const a = of('a');
  assert.ok(a?.terms !== null && a?.terms !== undefined);
  assert.deepEqual(a.terms, { priority: 90 * 50, load: 75 * 30, latency: 79 * 20 });
  assert.equal(a.terms.priority + a.terms.load + a.terms.latency, a.score);
  assert.deepEqual(a.figures, { pending: 3, capacity: 12, first_byte_ms: 215 });
  assert.deepEqual(of('b')?.figures, { pending: 0, capacity: null, first_byte_ms: null });
});

test('a backend that lost by load is told how many requests fewer would have done', () => {
  const { chosen, of } = viewsOf([
    target('a', {}, { pending: 5, latencyMs: 100 }),
    target('b', {}, { pending: 2, latencyMs: 100 }),
  ]);
  assert.equal(chosen, 'b');
  assert.equal(of('a')?.would_have_won, 'with 4 fewer in flight or with first byte under 60 ms');
  assert.equal(of('b')?.would_have_won, null);
  assert.equal(of('b')?.reason, 'chosen');
  assert.equal(of('a')?.reason, 'lower score');
});

test('a full backend is told of its load only, others that were left out of nothing', () => {
  const { of } = viewsOf([
    target('full', { priority: 0 }, { pending: 4, capacity: 4, latencyMs: 10 }),
    target('gone', {}, { status: 2 }),
    target('ok', { priority: 90 }, { pending: 9, latencyMs: 900 }),
  ]);
  assert.equal(of('full')?.would_have_won, 'with 1 fewer in flight');
  assert.equal(of('gone')?.would_have_won, null);
  assert.equal(of('full')?.stage, 'capacity');
});

test('other strategies say turn, draw and priority', () => {
  const pair = [target('a', { priority: 7 }), target('b', { priority: 3 })];
  const of = (more: Partial<RoutingSettings>, id: string) =>
    viewsOf(pair, more).of(id)?.would_have_won;
  assert.equal(of({ strategy: 'round_robin' }, 'b'), 'at its turn, number 2 of 2');
  const random = viewsOf(pair, { strategy: 'random' });
  const lost = random.chosen === 'a' ? 'b' : 'a';
  assert.match(random.of(lost)?.would_have_won ?? '', /by another draw: 2 had the same chance/);
  assert.equal(of({ strategy: 'priority_only' }, 'a'), 'with priority 2 instead of 7');
  const level = viewsOf([target('a'), target('b')]);
  assert.equal(level.of('b')?.would_have_won, 'at its turn: it was level with the chosen one');
  assert.equal(level.of('b')?.reason, 'level, but not its turn');
});

test('without settings the faces still get figures and reasons', () => {
  const { snapshot, counters } = fleetOf([target('a'), target('b', {}, { pending: 1 })]);
  const decision = decide(snapshot, counters, features(), {
    tried: [],
    cursor: 0,
    seed: 1,
    budget: 'Normal',
  });
  const views = candidateViews(decision.considered, 'a', undefined);
  assert.deepEqual(
    views.map((view) => [view.terms, view.would_have_won, view.reason]),
    [
      [null, null, 'chosen'],
      [null, null, 'lower score'],
    ],
  );
});

const oneTarget = fc.record({
  priority: fc.integer({ min: -5, max: 110 }),
  pending: fc.integer({ min: 0, max: 30 }),
  capacity: fc.constantFrom(0, 0, 8, 16, 32),
  latencyMs: fc.integer({ min: 0, max: 1500 }),
});

function changed(
  words: string,
  { figures, priority }: TestTarget,
): Partial<Figures & { p: number }> {
  const number = (pattern: RegExp): number => Number(pattern.exec(words)?.[1]);
  if (words.includes('fewer')) return { pending: figures.pending - number(/with (\d+) fewer/) };
  if (words.includes('under')) return { latencyMs: number(/under (\d+) ms/) - 1 };
  return words.includes('priority') ? { p: number(/priority (-?\d+) instead/) } : { p: priority };
}

holds(
  'each change that is told wins when it is made, and half a step less does not',
  fc.property(
    fc.array(oneTarget, { minLength: 2, maxLength: 6 }),
    fc.constantFrom('smart' as const, 'priority_only' as const),
    (facts, strategy) => {
      const targets = facts.map(({ priority, ...figures }, index) =>
        target(`b${index}`, { priority }, figures),
      );
      const { views } = viewsOf(targets, { strategy });
      for (const [index, view] of views.entries()) {
        const told = view.would_have_won;
        if (told === null || told.includes('turn')) continue;
        for (const words of told.split(' or ')) {
          const base = targets[index];
          assert.ok(base !== undefined);
          const { p = base.priority, ...figures } = changed(words, base);
          const again = targets.map((each, at) =>
            at === index ? target(each.id, { priority: p }, { ...each.figures, ...figures }) : each,
          );
          assert.equal(viewsOf(again, { strategy }).chosen, base.id, words);
          if (figures.pending === undefined) continue;
          const less = { ...base.figures, pending: figures.pending + 1 };
          const still = targets.map((each, at) =>
            at === index ? target(each.id, { priority: p }, less) : each,
          );
          // One fewer is not enough, unless the cursor would have chosen among level ones.
          const after = viewsOf(still, { strategy });
          if (after.chosen === base.id) {
            assert.ok(
              after.views.some((other) => other.would_have_won?.includes('level') === true),
            );
          }
        }
      }
    },
  ),
);
