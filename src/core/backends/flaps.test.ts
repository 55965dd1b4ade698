// Goal: a backend that goes up and down takes traffic back later and later, and always in the end.
// Method: the health machine driven by hand with a status beside it, then any history of results.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { BackendStatus } from './backend.ts';
import {
  type HealthEvent,
  healthDefaults,
  newProbeRun,
  type ProbeRun,
  recoveryNeeded,
  standingFlaps,
  stepHealth,
} from './health.ts';

const pace = { jitter: 0, stagger: 1 };
const good: HealthEvent = {
  type: 'ProbeSucceeded',
  facts: {
    latencyMs: 1,
    models: undefined,
    capacity: undefined,
    metadata: undefined,
    runtime: undefined,
    busy: false,
  },
  pace,
};
const bad: HealthEvent = { type: 'ProbeFailed', words: 'HTTP error: 500', pace };
const intervalMs = healthDefaults.intervalMs;

class Flapper {
  run: ProbeRun = newProbeRun(0);
  status: BackendStatus = 'unknown';
  nowMs = 0;

  probe(result: HealthEvent): void {
    for (const event of [{ type: 'ProbeStarted' } as const, result]) {
      const seen = {
        status: this.status,
        statusReason: undefined,
        lastError: undefined,
        approved: true,
      };
      const step = stepHealth(this.run, seen, event, this.nowMs, healthDefaults);
      this.run = step.run;
      for (const { outcome } of step.effects) this.status = outcome.status;
    }
    this.nowMs += intervalMs;
  }

  is(status: BackendStatus): boolean {
    return this.status === status;
  }

  /** Down by three failures, then up; how many good probes that took. */
  flap(): number {
    while (!this.is('unhealthy')) this.probe(bad);
    let probes = 0;
    while (!this.is('healthy')) {
      this.probe(good);
      probes++;
    }
    return probes;
  }

  get needed(): number {
    return recoveryNeeded(this.run, this.nowMs, healthDefaults);
  }
}

test('each time it goes down it takes twice as many good probes to come back, at most 16', () => {
  const backend = new Flapper();
  backend.probe(good);
  assert.deepEqual(
    Array.from({ length: 4 }, () => backend.flap()),
    [2, 4, 8, 16],
  );
  assert.ok(backend.flap() <= 16);
});

test('calm forgives: after ten minutes half of the flaps, after an hour all of them', () => {
  const backend = new Flapper();
  backend.probe(good);
  for (let i = 0; i < 3; i++) backend.flap();
  assert.equal(standingFlaps(backend.run, backend.run.flappedAt, healthDefaults), 3);
  backend.nowMs = backend.run.flappedAt + 600_000;
  assert.equal(standingFlaps(backend.run, backend.nowMs, healthDefaults), 1);
  assert.equal(backend.needed, 2);
  backend.nowMs = backend.run.flappedAt + 3_600_000;
  assert.equal(standingFlaps(backend.run, backend.nowMs, healthDefaults), 0);
  assert.equal(backend.flap(), 2);
});

test('a backend that fails every other probe never moves: neither threshold is met', () => {
  const backend = new Flapper();
  backend.probe(good);
  for (let i = 0; i < 50; i++) {
    backend.probe(i % 2 === 0 ? bad : good);
    assert.equal(backend.status, 'healthy');
  }
  const down = new Flapper();
  for (let i = 0; i < 50; i++) {
    down.probe(i % 2 === 0 ? bad : good);
    assert.equal(down.status, 'unhealthy');
  }
});

test('three failures and two good probes, for ever: traffic comes and goes less and less', () => {
  const backend = new Flapper();
  backend.probe(good);
  let moves = 0;
  for (let i = 0; i < 300; i++) {
    const before = backend.status;
    backend.probe(i % 5 < 3 ? bad : good);
    if (backend.status !== before) moves++;
  }
  // Without damping it would move 120 times; the second time down, two good ones do not bring it back
  // before ten minutes have forgiven the first.
  assert.ok(moves <= 30, `${moves} moves`);
});

test('an operator who drains and resumes starts the counting afresh', () => {
  const backend = new Flapper();
  backend.probe(good);
  for (let i = 0; i < 4; i++) backend.flap();
  const seen = {
    status: 'unknown',
    statusReason: undefined,
    lastError: undefined,
    approved: true,
  } as const;
  const { run } = stepHealth(
    backend.run,
    seen,
    { type: 'StartedAfresh' },
    backend.nowMs,
    healthDefaults,
  );
  assert.equal(
    recoveryNeeded(run, backend.nowMs, healthDefaults),
    healthDefaults.recoveryThreshold,
  );
});

holds(
  'I7: whatever happened before, 16 good probes in a row bring it back',
  fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (history) => {
    const backend = new Flapper();
    for (const isGood of history) backend.probe(isGood ? good : bad);
    for (let i = 0; i < healthDefaults.recoveryMax; i++) backend.probe(good);
    assert.equal(backend.status, 'healthy');
  }),
  { runs: 300 },
);
