// Goal: the table of BR 8 row by row, then the numbered invariants over random histories.
// Method: the machine is driven as the checker drives it, with a status kept beside it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BackendStatus } from './backend.ts';
import {
  type HealthEvent,
  healthDefaults,
  newProbeRun,
  nextDeadline,
  type Pace,
  type ProbeFacts,
  type ProbeRun,
  probeIntervalMs,
  type SeenStatus,
  staggerShare,
  stepHealth,
} from './health.ts';

const config = healthDefaults;
const pace: Pace = { jitter: 0, stagger: 1 };
const facts: ProbeFacts = {
  latencyMs: 12,
  models: undefined,
  capacity: undefined,
  metadata: undefined,
  runtime: undefined,
  busy: false,
};
const success: HealthEvent = { type: 'ProbeSucceeded', facts, pace };
const failure: HealthEvent = { type: 'ProbeFailed', words: 'connection failed: refused', pace };
const loading: HealthEvent = { type: 'ModelLoading', pace };
const wrongKey: HealthEvent = { type: 'ConfigurationRefused', words: 'HTTP error: 401', pace };
const rateLimited = (seconds: number): HealthEvent => ({
  type: 'RateLimited',
  retryAfterMs: seconds * 1000,
  pace,
});

/** One backend as the registry holds it, and its run as the checker holds it. */
class Subject {
  run: ProbeRun = newProbeRun(0);
  seen: SeenStatus;
  nowMs = 0;

  constructor(status: BackendStatus = 'unknown', approved = true) {
    this.seen = { status, statusReason: undefined, lastError: undefined, approved };
  }

  tell(event: HealthEvent): void {
    const step = stepHealth(this.run, this.seen, event, this.nowMs, config);
    this.run = step.run;
    for (const { outcome } of step.effects) this.seen = { ...this.seen, ...outcome };
  }

  /** A probe from start to end, at its own time. */
  probe(...results: readonly HealthEvent[]): this {
    for (const result of results) {
      this.nowMs = Math.max(this.nowMs, nextDeadline(this.run) ?? this.nowMs);
      this.tell({ type: 'ProbeStarted' });
      this.nowMs += 5;
      this.tell(result);
    }
    return this;
  }

  get waitMs(): number {
    return (nextDeadline(this.run) ?? Number.NaN) - this.nowMs;
  }
}

const table: readonly [string, BackendStatus, readonly HealthEvent[], BackendStatus][] = [
  ['unknown, one success', 'unknown', [success], 'healthy'],
  ['unknown, one failure', 'unknown', [failure], 'unhealthy'],
  ['healthy, two failures', 'healthy', [failure, failure], 'healthy'],
  ['healthy, three failures', 'healthy', [failure, failure, failure], 'unhealthy'],
  [
    'healthy, a success resets the run',
    'healthy',
    [failure, failure, success, failure, failure],
    'healthy',
  ],
  ['unhealthy, one success', 'unhealthy', [success], 'unhealthy'],
  ['unhealthy, two successes', 'unhealthy', [success, success], 'healthy'],
  ['unhealthy, a failure resets the run', 'unhealthy', [success, failure, success], 'unhealthy'],
  ['draining, successes', 'draining', [success, success, success], 'draining'],
  ['draining, failures', 'draining', [failure, failure, failure, failure], 'draining'],
  ['draining, loading', 'draining', [loading], 'draining'],
  ['draining, wrong key', 'draining', [wrongKey], 'draining'],
  ['unknown, loading', 'unknown', [loading], 'unknown'],
  ['healthy, loading takes no traffic', 'healthy', [loading], 'unknown'],
  ['loading is no failure', 'healthy', [failure, failure, loading, success, failure], 'healthy'],
  ['loading, then one success', 'healthy', [loading, loading, success], 'healthy'],
  ['rate limited takes no traffic', 'healthy', [rateLimited(7)], 'unknown'],
  ['wrong key needs no third proof', 'healthy', [wrongKey], 'unhealthy'],
];

for (const [name, from, events, to] of table) {
  test(`status after: ${name}`, () => {
    assert.equal(new Subject(from).probe(...events).seen.status, to);
  });
}

test('the reason and the last error say why, and a healthy backend has neither', () => {
  const subject = new Subject().probe(failure);
  assert.equal(subject.seen.lastError, 'connection failed: refused');
  subject.probe(success);
  assert.equal(subject.seen.lastError, 'connection failed: refused', 'still unhealthy');
  subject.probe(success);
  assert.equal(subject.seen.lastError, undefined);
  assert.equal(subject.probe(loading).seen.statusReason, 'warming');
  assert.equal(subject.probe(rateLimited(1)).seen.statusReason, 'rate_limited');
  assert.equal(subject.probe(wrongKey).seen.statusReason, 'config_error');
  assert.equal(subject.seen.lastError, 'HTTP error: 401');
  assert.equal(subject.probe(success, success).seen.statusReason, undefined);
  const busy: HealthEvent = { type: 'ProbeSucceeded', facts: { ...facts, busy: true }, pace };
  assert.equal(subject.probe(busy).seen.statusReason, 'busy');
  assert.equal(subject.seen.status, 'healthy');
});

test('a backend that nobody approved is marked so, healthy or not', () => {
  const subject = new Subject('unknown', false);
  assert.equal(subject.probe(success).seen.statusReason, 'pending_approval');
  assert.equal(subject.probe(failure, failure, failure).seen.statusReason, 'pending_approval');
});

test('facts reach the registry on success only', () => {
  const run = stepHealth(newProbeRun(0), new Subject().seen, { type: 'ProbeStarted' }, 0, config);
  const healthy = stepHealth(run.run, new Subject().seen, success, 1, config);
  assert.equal(healthy.effects[0]?.outcome.facts?.latencyMs, 12);
  const failed = stepHealth(run.run, new Subject().seen, failure, 1, config);
  assert.equal(failed.effects[0]?.outcome.facts, undefined);
});

test('the interval doubles from the eleventh failure on, up to 300 s', () => {
  const waits = [1, 10, 11, 12, 13, 14, 60, 5000].map((n) => probeIntervalMs(n, config) / 1000);
  assert.deepEqual(waits, [30, 30, 60, 120, 240, 300, 300, 300]);
  const subject = new Subject().probe(...new Array<HealthEvent>(13).fill(failure));
  assert.equal(subject.waitMs, 240_000);
});

test('jitter moves the wait by at most a tenth and never beyond the ceiling', () => {
  const subject = new Subject('healthy').probe(success);
  subject.probe({ ...success, pace: { jitter: 0.1, stagger: 1 } });
  assert.equal(subject.waitMs, 33_000);
  subject.probe({ ...success, pace: { jitter: -0.1, stagger: 1 } });
  assert.equal(subject.waitMs, 27_000);
  const late: HealthEvent = { ...failure, pace: { jitter: 0.1, stagger: 1 } };
  subject.probe(...new Array<HealthEvent>(20).fill(late));
  assert.equal(subject.waitMs, 300_000);
});

test('the first interval spreads the backends evenly, 100 ms apart at least', () => {
  const shares = [0, 1, 2].map((index) => staggerShare(index, 3, 30_000) * 30_000);
  assert.deepEqual(shares, [10_000, 20_000, 30_000]);
  const many = new Set(
    Array.from({ length: 1000 }, (_, index) => staggerShare(index, 1000, 30_000)),
  );
  assert.equal(many.size, 300);
  assert.ok(Math.min(...many) * 30_000 >= 100 - 1e-6);
  const subject = new Subject().probe({ ...success, pace: { jitter: 0, stagger: 1 / 3 } });
  assert.equal(subject.waitMs, 10_000);
});

test('a connect error in traffic asks for a probe at once, but never sooner than a second', () => {
  const subject = new Subject('healthy').probe(success);
  subject.nowMs += 300;
  subject.tell({ type: 'ConnectFailedInTraffic' });
  assert.equal(subject.waitMs, 700);
  subject.nowMs += 5_000;
  subject.tell({ type: 'ConnectFailedInTraffic' });
  assert.equal(subject.waitMs, -4_300, 'an earlier demand stands');
  assert.equal(subject.seen.status, 'healthy', 'traffic does not vote');
});

test('a connect error during a probe makes another probe follow a second later', () => {
  const subject = new Subject('healthy').probe(success);
  subject.nowMs += 30_000;
  subject.tell({ type: 'ProbeStarted' });
  assert.equal(nextDeadline(subject.run), undefined);
  subject.tell({ type: 'ConnectFailedInTraffic' });
  subject.tell(success);
  assert.equal(subject.waitMs, 1_000);
});

test('news of life ends the back-off', () => {
  const subject = new Subject().probe(...new Array<HealthEvent>(14).fill(failure));
  assert.equal(subject.waitMs, 300_000);
  subject.nowMs += 10_000;
  subject.tell({ type: 'NewsOfLife' });
  assert.equal(subject.waitMs, 0);
  assert.equal(subject.probe(failure).waitMs, 60_000);
});

test('an operator does not wait', () => {
  const subject = new Subject('healthy').probe(success);
  subject.tell({ type: 'ProbeDemanded' });
  assert.equal(subject.waitMs, 0);
});

test('a fresh start forgets the counts', () => {
  const subject = new Subject('healthy').probe(failure, failure);
  subject.nowMs += 2_000;
  subject.tell({ type: 'StartedAfresh' });
  assert.equal(subject.waitMs, 0);
  assert.equal(subject.probe(failure, failure).seen.status, 'healthy');
});

test('Retry-After is honoured up to an hour', () => {
  assert.equal(new Subject().probe(success, rateLimited(120)).waitMs, 120_000);
  assert.equal(new Subject().probe(success, rateLimited(1)).waitMs, 30_000);
  assert.equal(new Subject().probe(success, rateLimited(1e9)).waitMs, 3_600_000);
});

test('a loading backend is asked again soon', () => {
  assert.equal(new Subject().probe(success, loading).waitMs, 5_000);
});

test('a result without a probe, and a second probe at once, are bugs of the caller', () => {
  const subject = new Subject();
  assert.throws(() => subject.tell(success), /without a probe/);
  subject.tell({ type: 'ProbeStarted' });
  assert.throws(() => subject.tell({ type: 'ProbeStarted' }), /one outstanding/);
});

test('the invariants hold over any history', () => {
  const anyPace = fc.record({
    jitter: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    stagger: fc.double({ min: 0.001, max: 1, noNaN: true }),
  });
  const result: fc.Arbitrary<HealthEvent> = fc.oneof(
    anyPace.map((p): HealthEvent => ({ type: 'ProbeSucceeded', facts, pace: p })),
    anyPace.map((p): HealthEvent => ({ type: 'ProbeFailed', words: 'x', pace: p })),
    anyPace.map((p): HealthEvent => ({ type: 'ModelLoading', pace: p })),
    anyPace.map((p): HealthEvent => ({ type: 'ConfigurationRefused', words: 'x', pace: p })),
    fc
      .tuple(anyPace, fc.integer({ min: -5, max: 1e10 }))
      .map(([p, ms]): HealthEvent => ({ type: 'RateLimited', retryAfterMs: ms, pace: p })),
  );
  const word: fc.Arbitrary<HealthEvent> = fc.constantFrom<HealthEvent>(
    { type: 'ConnectFailedInTraffic' },
    { type: 'NewsOfLife' },
    { type: 'StartedAfresh' },
  );
  const statuses = fc.constantFrom<BackendStatus>('healthy', 'unhealthy', 'unknown', 'draining');
  const history = fc.array(fc.tuple(result, fc.array(word, { maxLength: 3 }), fc.nat(400_000)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(statuses, fc.boolean(), history, (from, approved, steps) => {
      const subject = new Subject(from, approved);
      for (const [event, words, laterMs] of steps) {
        const before = subject.seen.status;
        subject.probe(event);
        const { run, seen } = subject;
        assert.ok(run.failures === 0 || run.successes === 0, 'I1');
        assert.equal(seen.status === 'draining', before === 'draining', 'I2');
        if (seen.status === 'healthy') assert.equal(seen.lastError, undefined, 'I3');
        assert.ok(subject.waitMs >= config.minGapMs, 'I5');
        const longest = event.type === 'RateLimited' ? 3_600_000 : config.backoffMaxMs;
        assert.ok(subject.waitMs <= longest, 'I5');
        const endedAt = subject.nowMs;
        subject.nowMs += laterMs;
        for (const one of words) {
          const failures = subject.run.failures;
          subject.tell(one);
          assert.ok(subject.run.failures <= failures, 'I4');
          assert.equal(subject.seen.status, seen.status, 'I4');
        }
        assert.ok((nextDeadline(subject.run) ?? 0) >= endedAt + config.minGapMs, 'I5');
      }
    }),
    { seed: 20260801, numRuns: 500 },
  );
});
