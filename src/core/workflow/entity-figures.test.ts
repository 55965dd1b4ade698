// Goal: the figures over many jobs, each row of A.14 with its edges and the values of A.15.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  activeWorkflows,
  bottleneckState,
  completedOnlyPercent,
  completePercent,
  isStale,
  stateAge,
  stateDistribution,
  throughputPerHour,
} from './entity-figures.ts';

/** Entities in these states, with ids 0, 1, 2, ... */
function entities(...states: string[]): ReadonlyMap<string, string> {
  return new Map(states.map((state, index) => [`${index}`, state]));
}

describe('workflow', () => {
  test('those not at an end are active', () => {
    assert.equal(activeWorkflows(entities('queued', 'placed', 'running')), 3);
    assert.equal(activeWorkflows(entities('completed', 'cancelled', 'running')), 1);
    assert.equal(activeWorkflows(entities('gone')), 0);
    assert.equal(activeWorkflows(entities()), 0);
  });

  test('the distribution counts states, and those without entities are absent', () => {
    assert.deepEqual(
      stateDistribution(entities('placed', 'queued', 'placed')),
      new Map([
        ['placed', 2],
        ['queued', 1],
      ]),
    );
    assert.equal(stateDistribution(entities()).size, 0);
  });

  test('the bottleneck is the fullest state before the end, the earliest among equals', () => {
    assert.equal(bottleneckState(entities('running', 'running', 'queued')), 'running');
    assert.equal(bottleneckState(entities('running', 'placed')), 'placed');
    assert.equal(bottleneckState(entities('running', 'placed', 'queued')), 'queued');
    assert.equal(bottleneckState(entities('completed', 'completed', 'running')), 'running');
    assert.equal(bottleneckState(entities('completed', 'cancelled', 'gone')), undefined);
    assert.equal(bottleneckState(entities()), undefined);
  });

  test('cancelled counts as finished, and completed alone is told apart', () => {
    const mixed = entities('completed', 'cancelled', 'running', 'queued');
    assert.equal(completePercent(mixed), 50);
    assert.equal(completedOnlyPercent(mixed), 25);
    assert.equal(completePercent(entities('cancelled')), 100);
    assert.equal(completedOnlyPercent(entities('cancelled')), 0);
    assert.equal(completePercent(entities()), 0);
    assert.equal(completedOnlyPercent(entities()), 0);
  });

  test('throughput is per hour, and 0 where no time has passed', () => {
    assert.equal(throughputPerHour(90, 1800), 180);
    assert.equal(throughputPerHour(360, 3600), 360);
    assert.equal(throughputPerHour(0, 3600), 0);
    assert.equal(throughputPerHour(90, 0), 0);
    assert.equal(throughputPerHour(90, -1), 0);
  });

  test('age is signed, and stale is strictly older', () => {
    assert.equal(stateAge(100, 500), 400);
    assert.equal(stateAge(500, 100), -400);
    assert.equal(isStale(100, 200, 99), true);
    assert.equal(isStale(100, 200, 100), false);
    assert.equal(isStale(500, 100, 0), false);
    assert.equal(isStale(Number.NaN, 100, 0), false);
  });
});
