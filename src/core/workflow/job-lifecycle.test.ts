// Goal: the graph of A.14 and what is said of its states. Method: the whole table of 25 pairs, the
// whole closure, and each edge that a row names; text that names no state is tried everywhere.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  allowedTransitions,
  canRequestCancel,
  canResume,
  canTransition,
  estimatedCompletion,
  isTerminalState,
  isValidPath,
  isValidState,
  jobLifecycle,
  reachableFrom,
  shortestPath,
} from './job-lifecycle.ts';

const states = ['queued', 'placed', 'running', 'completed', 'cancelled'];
const unknownTexts = ['', 'Queued', 'departed', 'constructor', '__proto__'];

describe('workflow', () => {
  test('of the 25 pairs of states exactly five are edges', () => {
    const table: Readonly<Record<string, string>> = {
      //          queued placed running completed cancelled
      queued: '. x . . x',
      placed: '. . x . x',
      running: '. . . x .',
      completed: '. . . . .',
      cancelled: '. . . . .',
    };
    let edges = 0;
    for (const from of states) {
      for (const [index, to] of states.entries()) {
        const isEdge = table[from]?.split(' ')[index] === 'x';
        assert.equal(canTransition(from, to), isEdge, `${from} -> ${to}`);
        if (isEdge) edges += 1;
      }
    }
    assert.equal(edges, 5);
    assert.equal(jobLifecycle.initial, 'queued');
  });

  test('unknown text has no edge, no path, and is no state', () => {
    for (const text of unknownTexts) {
      assert.equal(isValidState(text), false, text);
      assert.equal(isTerminalState(text), false, text);
      assert.deepEqual(allowedTransitions(text), [], text);
      assert.deepEqual(reachableFrom(text), [], text);
      assert.equal(shortestPath(text, text), undefined, text);
      assert.equal(canResume(text), false, text);
      assert.equal(canRequestCancel(text), false, text);
      assert.equal(estimatedCompletion(text, 10), 0, text);
      for (const state of states) {
        assert.equal(canTransition(text, state), false, text);
        assert.equal(canTransition(state, text), false, text);
      }
    }
  });

  test('the five names are states, and two of them are terminal', () => {
    assert.ok(states.every(isValidState));
    assert.deepEqual(states.filter(isTerminalState), ['completed', 'cancelled']);
  });

  test('allowed transitions come in the order of the lifecycle', () => {
    assert.deepEqual(states.map(allowedTransitions), [
      ['placed', 'cancelled'],
      ['running', 'cancelled'],
      ['completed'],
      [],
      [],
    ]);
  });

  test('what is reachable is the exact closure, ascending, without the start', () => {
    assert.deepEqual(states.map(reachableFrom), [
      ['cancelled', 'completed', 'placed', 'running'],
      ['cancelled', 'completed', 'running'],
      ['completed'],
      [],
      [],
    ]);
  });

  test('a shortest path has both ends, and only itself where they are one', () => {
    assert.deepEqual(shortestPath('queued', 'completed'), [
      'queued',
      'placed',
      'running',
      'completed',
    ]);
    assert.deepEqual(shortestPath('placed', 'completed'), ['placed', 'running', 'completed']);
    assert.deepEqual(shortestPath('queued', 'cancelled'), ['queued', 'cancelled']);
    assert.deepEqual(shortestPath('cancelled', 'cancelled'), ['cancelled']);
    assert.equal(shortestPath('running', 'cancelled'), undefined);
    assert.equal(shortestPath('completed', 'queued'), undefined);
    assert.equal(shortestPath('queued', 'gone'), undefined);
  });

  test('a path is valid when every adjacent pair is an edge, the first one too', () => {
    const paths: readonly [readonly string[], boolean][] = [
      [[], true],
      [['queued'], true],
      [['gone'], true],
      [['queued', 'placed', 'running', 'completed'], true],
      [['placed', 'cancelled'], true],
      [['queued', 'running', 'completed'], false],
      [['queued', 'placed', 'placed'], false],
      [['queued', 'placed', 'running', 'cancelled'], false],
      [['gone', 'queued'], false],
      [['', 'queued'], false],
    ];
    for (const [path, isValid] of paths) assert.equal(isValidPath(path), isValid, path.join());
  });

  test('a cancellation may be requested, and work resumed, until the end', () => {
    assert.deepEqual(states.filter(canRequestCancel), ['queued', 'placed', 'running']);
    assert.deepEqual(states.filter(canResume), ['queued', 'placed', 'running']);
  });

  test('the time to completion counts steps, and is 0 where nothing leads to it', () => {
    const estimates = states.map((state) => estimatedCompletion(state, 10));
    assert.deepEqual(estimates, [30, 20, 10, 0, 0]);
    assert.equal(estimatedCompletion('placed', 2.5), 5);
  });
});
