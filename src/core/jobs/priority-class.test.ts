// Goal: classes, labels, objectives and the reading of texts of A.7. Method: tables with each edge.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  classifyPriority,
  defaultSloMinutes,
  isPriorityClass,
  nearestPriorityClass,
  priorityLabel,
} from './priority-class.ts';

test('each class has its objective, and any other number has 60 minutes', () => {
  assert.deepEqual([5, 4, 3, 2, 1].map(defaultSloMinutes), [15, 30, 60, 120, 240]);
  assert.deepEqual([0, 6, -1, 2.5, Number.NaN].map(defaultSloMinutes), [60, 60, 60, 60, 60]);
});

test('each class has its label, and any other number is unknown', () => {
  const labels = ['critical', 'high', 'medium', 'low', 'info'];
  assert.deepEqual([5, 4, 3, 2, 1].map(priorityLabel), labels);
  for (const other of [0, 6, -1, 2.5, Number.NaN]) {
    assert.equal(priorityLabel(other), 'unknown', String(other));
  }
});

test('exactly the whole numbers 1 to 5 are classes', () => {
  assert.ok([1, 2, 3, 4, 5].every(isPriorityClass));
  assert.ok(![0, 6, 1.5, Number.NaN, Number.POSITIVE_INFINITY].some(isPriorityClass));
});

test('a number is held within the classes and its fraction cut off', () => {
  const numbers = [
    Number.NEGATIVE_INFINITY,
    -3,
    0,
    0.9,
    1,
    1.9,
    4.99,
    5,
    5.5,
    99,
    Number.MAX_VALUE,
  ];
  assert.deepEqual(numbers.map(nearestPriorityClass), [1, 1, 1, 1, 1, 1, 4, 5, 5, 5, 5]);
  assert.throws(() => nearestPriorityClass(Number.NaN), /priority class/);
});

test('a text means the most urgent class of which it holds a word', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['critical', 5],
    ['emergency', 5],
    ['high', 4],
    ['urgent', 4],
    ['medium', 3],
    ['moderate', 3],
    ['low', 2],
    ['minor', 2],
    ['info', 1],
    ['', 1],
    ['routine', 1],
    ['CRITICAL failure', 5],
    ['Urgent: rerun', 4],
    ['low latency, high volume', 4],
    ['not critical, low', 5],
    ['priority=medium;', 3],
    ['high_priority', 4],
    ['low-priority', 2],
    ['(minor)', 2],
  ];
  for (const [text, expected] of rows) assert.equal(classifyPriority(text), expected, text);
});

test('parts of words mean nothing', () => {
  const texts = ['slow', 'below', 'workflow', 'highest', 'hightower', 'urgently', 'lowland'];
  for (const text of [...texts, 'uncritical', 'minority', 'mediums', 'low2', 'lowé', 'éhigh']) {
    assert.equal(classifyPriority(text), 1, text);
  }
});
