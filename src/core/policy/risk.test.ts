// Goal: the figures of A.8 with their edges: what is inclusive, what is strict, what is empty.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  aggregateRisk,
  escalationNeeded,
  meetsSlo,
  riskScore,
  sloPercent,
  withinGrace,
} from './risk.ts';

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

describe('policy', () => {
  test('an objective is met up to and including its bound', () => {
    assert.equal(meetsSlo(30, 60), true);
    assert.equal(meetsSlo(60, 60), true);
    assert.equal(meetsSlo(60.001, 60), false);
    assert.equal(meetsSlo(90, 60), false);
    assert.equal(meetsSlo(Number.NaN, 60), false);
  });

  test('the share of kept objectives is a percentage, 100 without any record', () => {
    assert.equal(sloPercent([]), 100);
    assert.equal(sloPercent([{ actual: 90, slo: 60 }]), 0);
    assert.equal(
      sloPercent([
        { actual: 60, slo: 60 },
        { actual: 61, slo: 60 },
        { actual: 1, slo: 2 },
        { actual: 5, slo: 2 },
      ]),
      50,
    );
  });

  test('risk is severity times probability, and together the mean of the products', () => {
    assert.equal(riskScore(4, 0.5), 2);
    assert.equal(riskScore(5, 0), 0);
    assert.equal(aggregateRisk([]), 0);
    close(
      aggregateRisk([
        [6, 0.5],
        [2, 0.25],
        [9, 1 / 3],
      ]),
      13 / 6,
    );
    assert.equal(aggregateRisk([[10, 0.5]]), 5);
  });

  test('a rate at the threshold does not escalate', () => {
    assert.equal(escalationNeeded(0.05, 0.05), false);
    assert.equal(escalationNeeded(0.0501, 0.05), true);
    assert.equal(escalationNeeded(Number.NaN, 0.05), false);
  });

  test('the end of a grace period belongs to it', () => {
    assert.equal(withinGrace(9, 10), true);
    assert.equal(withinGrace(10, 10), true);
    assert.equal(withinGrace(11, 10), false);
    assert.equal(withinGrace(Number.NaN, 10), false);
  });
});
