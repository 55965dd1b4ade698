// Goal: batches are of one key and within their limit, nobody waits for longer than allowed, nothing
// urgent waits at all, and what fails is tried again and then given up (D.1). Method: traces by hand
// with the figures that come of them; random traces against the invariants.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { PolicyEngine } from '../policy/policy-engine.ts';
import { type BatchRequest, compatibilityKey } from './batch-request.ts';
import { type BatchEffect, BatchScheduler, type BatchSettings } from './batch-scheduler.ts';

const usual: BatchSettings = {
  maxBatchSize: 4,
  maxWaitMs: 10,
  waitingMax: 100,
  breaker: { failures: 3, successes: 1, openMs: 1000, halfOpenProbes: 1 },
  retryMs: 20,
  retryCeilingMs: 1000,
};

function request(id: string, more: Partial<BatchRequest> = {}): BatchRequest {
  return {
    id,
    modelId: 'm',
    modelVersion: '1',
    dims: [1, 128],
    dtype: 'f16',
    priorityClass: 3,
    memoryBytes: 100,
    arrivedMs: 0,
    ...more,
  };
}

class Bench {
  readonly policy = new PolicyEngine();
  freeBytes = Number.POSITIVE_INFINITY;
  readonly scheduler: BatchScheduler;

  constructor(settings: Partial<BatchSettings> = {}) {
    const memoryBudget = () => this.freeBytes;
    const ports = { memoryBudget, policy: this.policy };
    this.scheduler = new BatchScheduler({ ...usual, ...settings }, ports);
  }

  submit(...requests: readonly BatchRequest[]): void {
    for (const one of requests) {
      assert.equal(this.scheduler.submit(one, one.arrivedMs), undefined, one.id);
    }
  }

  tick(nowMs: number): string[] {
    return this.scheduler.tick(nowMs).map(wordsOf);
  }
}

/** `1 full a b` of a batch, `refuse memory a`, `give up a`. */
function wordsOf(effect: BatchEffect<BatchRequest>): string {
  if (effect.kind === 'refuse') return `refuse ${effect.reason} ${effect.request.id}`;
  if (effect.kind === 'give_up') return `give up ${effect.request.id}`;
  const { number, cause, members } = effect.batch;
  return `${number} ${cause} ${members.map(({ id }) => id).join(' ')}`;
}

describe('a group goes out', () => {
  it('when it is full, with no more than its limit, and the rest waits on', () => {
    const bench = new Bench();
    bench.submit(...['a', 'b', 'c', 'd', 'e'].map((id) => request(id)));
    assert.deepEqual(bench.tick(1), ['1 full a b c d']);
    assert.equal(bench.scheduler.depth, 1);
    assert.equal(bench.scheduler.nextDeadlineMs(), 10);
    assert.deepEqual(bench.tick(9), []);
    assert.deepEqual(bench.tick(10), ['2 timeout e']);
    assert.equal(bench.scheduler.nextDeadlineMs(), Number.POSITIVE_INFINITY);
  });

  it('when the first of it has waited for long enough, or meets its deadline', () => {
    const bench = new Bench();
    bench.submit(request('a'), request('b', { arrivedMs: 9 }));
    assert.deepEqual(bench.tick(9), []);
    assert.deepEqual(bench.tick(10), ['1 timeout a b']);
    bench.submit(request('c', { arrivedMs: 20, deadlineMs: 23 }));
    assert.equal(bench.scheduler.nextDeadlineMs(), 23);
    assert.deepEqual(bench.tick(23), ['2 timeout c']);
  });

  it('at once with an urgent request, which goes before those that came earlier', () => {
    const bench = new Bench({ maxBatchSize: 3 });
    bench.submit(request('a'), request('b', { arrivedMs: 1, priorityClass: 5 }));
    assert.deepEqual(bench.tick(1), ['1 priority b a']);
    bench.submit(
      ...[1, 2, 3, 5].map((c) => request(`c${c}`, { arrivedMs: 2, priorityClass: classOf(c) })),
    );
    assert.deepEqual(bench.tick(2), ['2 full c5 c3 c2']);
  });

  it('only with what has the same model, version, type and shape', () => {
    const bench = new Bench();
    bench.submit(
      request('a'),
      request('model', { modelId: 'n' }),
      request('version', { modelVersion: '2' }),
      request('type', { dtype: 'f32' }),
      request('shape', { dims: [1, 127] }),
      request('b', { dims: [2, 128], memoryBytes: 200 }),
    );
    assert.deepEqual(bench.tick(10), [
      '1 timeout shape',
      '2 timeout a b',
      '3 timeout type',
      '4 timeout version',
      '5 timeout model',
    ]);
  });

  it('with sequences of other lengths where padding makes them the same', () => {
    const bench = new Bench({ allowPadding: true });
    const lengths = [65, 128, 100, 64, 129];
    bench.submit(...lengths.map((n) => request(`n${n}`, { dims: [1, n] })));
    assert.deepEqual(bench.tick(10), [
      '1 timeout n65 n128 n100',
      '2 timeout n129',
      '3 timeout n64',
    ]);
  });

  it('groups with the most urgent first, then with the oldest', () => {
    const bench = new Bench();
    bench.submit(
      request('x', { modelId: 'x', arrivedMs: 2 }),
      request('y', { modelId: 'y', arrivedMs: 1 }),
      request('z', { modelId: 'z', arrivedMs: 3, priorityClass: 4 }),
    );
    assert.deepEqual(bench.tick(12), ['1 priority z', '2 timeout y', '3 timeout x']);
  });
});

function classOf(n: number): PriorityClass {
  return n === 1 || n === 2 || n === 4 || n === 5 ? n : 3;
}

describe('memory', () => {
  it('lowers the limit, and batches of one tick share what is free', () => {
    const bench = new Bench();
    bench.freeBytes = 350;
    bench.submit(...['a', 'b', 'c', 'd'].map((id) => request(id)));
    assert.deepEqual(bench.tick(1), ['1 full a b c']);
    assert.deepEqual(bench.tick(10), ['2 timeout d']);
  });

  it('refuses who does not fit alone, at the door and later', () => {
    const bench = new Bench();
    bench.freeBytes = 200;
    const large = request('large', { memoryBytes: 201 });
    assert.equal(bench.scheduler.submit(large, 0), 'memory');
    bench.submit(request('a', { memoryBytes: 150 }));
    bench.freeBytes = 100;
    assert.deepEqual(bench.tick(1), ['refuse memory a']);
    assert.equal(bench.scheduler.depth, 0);
  });

  it('counts for each item of a request that brings several', () => {
    const bench = new Bench();
    bench.freeBytes = 300;
    bench.submit(
      request('a', { dims: [2, 128], memoryBytes: 200 }),
      request('b', { dims: [2, 128], memoryBytes: 200 }),
    );
    assert.deepEqual(bench.tick(1), ['1 full a']);
    const many = request('many', { dims: [5, 128] });
    assert.equal(bench.scheduler.submit(many, 1), 'size');
  });
});

describe('who has waited for too long', () => {
  it('goes before every other of its group, whatever its class', () => {
    const bench = new Bench({ maxBatchSize: 1, starvationMs: 30 });
    bench.freeBytes = 100;
    bench.submit(request('low', { priorityClass: 1 }));
    const met: string[] = [];
    for (let at = 0; at <= 30; at += 10) {
      bench.submit(request(`high${at}`, { arrivedMs: at, priorityClass: 5 }));
      met.push(...bench.tick(at));
    }
    assert.deepEqual(met.slice(0, 4), [
      '1 full high0',
      '2 full high10',
      '3 full high20',
      '4 full low',
    ]);
  });
});

describe('a request that is withdrawn', () => {
  it('is in no batch, and leaves the others their order', () => {
    const bench = new Bench();
    bench.submit(...['a', 'b', 'c'].map((id) => request(id)));
    assert.equal(bench.scheduler.withdraw('b'), true);
    assert.equal(bench.scheduler.withdraw('b'), false);
    assert.deepEqual(bench.tick(10), ['1 timeout a c']);
    assert.equal(bench.scheduler.withdraw('a'), false, 'it was sent');
  });

  it('does not come back when it backs off', () => {
    const bench = new Bench();
    bench.submit(request('a'), request('b'));
    bench.tick(10);
    bench.scheduler.settle(1, 'failure', 11);
    assert.equal(bench.scheduler.withdraw('a'), true);
    assert.deepEqual(bench.tick(31), ['2 timeout b']);
  });
});

describe('a batch that fails', () => {
  it('is tried again with longer and longer waits, and then given up one by one', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 100 } });
    bench.submit(request('a'), request('b'));
    const met: string[] = [];
    let nowMs = 10;
    for (let number = 1; number <= 3; number++) {
      met.push(`${nowMs}: ${bench.tick(nowMs)}`);
      // From the second failure in a row on the mode is watch, which allows two retries.
      bench.policy.reset();
      const given = bench.scheduler.settle(number, 'failure', nowMs).map(wordsOf);
      met.push(...given);
      const next = bench.scheduler.nextDeadlineMs();
      if (Number.isFinite(next)) assert.deepEqual(bench.tick(next - 1), []);
      nowMs = next;
    }
    assert.deepEqual(met, [
      '10: 1 timeout a b',
      '30: 2 timeout a b',
      '70: 3 timeout a b',
      'give up a',
      'give up b',
    ]);
  });

  it('is told to the policy with the failures in a row, and fewer retries are left in a stricter mode', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 100 } });
    const modes: string[] = [];
    for (let number = 1; number <= 4; number++) {
      const at = 1000 * number;
      bench.submit(request(`r${number}`, { arrivedMs: at, priorityClass: 5 }));
      bench.tick(at);
      bench.scheduler.settle(number, 'failure', at);
      bench.scheduler.withdraw(`r${number}`);
      modes.push(bench.policy.current);
    }
    assert.deepEqual(modes, ['normal', 'watch', 'restricted', 'halted']);
    const late = request('late', { arrivedMs: 9000 });
    assert.equal(bench.scheduler.submit(late, 9000), 'mode');
  });

  it('begins to count anew after a good one', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 100 } });
    for (const [i, outcome] of (['failure', 'success', 'failure'] as const).entries()) {
      bench.submit(request(`r${i}`, { priorityClass: 5 }));
      bench.tick(i);
      bench.scheduler.settle(i + 1, outcome, i);
      bench.scheduler.withdraw(`r${i}`);
    }
    assert.equal(bench.policy.current, 'normal');
  });

  it('opens the breaker of its model, which refuses what comes, then lets a probe through', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 1 } });
    bench.submit(request('a'));
    bench.tick(10);
    bench.scheduler.settle(1, 'failure', 10);
    assert.equal(bench.scheduler.submit(request('b'), 11), 'breaker_open');
    assert.equal(bench.scheduler.submit(request('n', { modelId: 'n' }), 11), undefined);
    assert.deepEqual(bench.tick(30), ['refuse breaker_open a', '2 timeout n']);
    bench.submit(
      request('c', { arrivedMs: 1010, priorityClass: 5 }),
      request('d', { arrivedMs: 1010, dims: [1, 64] }),
    );
    assert.deepEqual(bench.tick(1020), ['3 priority c', 'refuse breaker_open d']);
    bench.scheduler.settle(3, 'success', 1030);
    bench.submit(request('e', { arrivedMs: 1030 }));
    assert.deepEqual(bench.tick(1040), ['4 timeout e']);
  });

  it('because of what it was asked is no failure of anybody', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 1 } });
    bench.submit(request('a'));
    bench.tick(10);
    assert.deepEqual(bench.scheduler.settle(1, 'refused', 11), []);
    assert.equal(bench.policy.current, 'normal');
    assert.equal(bench.scheduler.submit(request('b'), 12), undefined);
  });

  it('is forgiven after as many good ones in a row as the mode asks for', () => {
    const bench = new Bench();
    bench.policy.escalate(2);
    for (let number = 1; number <= 5; number++) {
      assert.equal(bench.policy.current, 'watch');
      bench.submit(request(`r${number}`, { priorityClass: 5 }));
      bench.tick(number);
      bench.scheduler.settle(number, 'success', number);
    }
    assert.equal(bench.policy.current, 'normal');
  });
});

describe('the serving mode', () => {
  it('shortens the wait, then lets urgent requests through only', () => {
    const bench = new Bench();
    bench.submit(request('a'));
    assert.equal(bench.scheduler.nextDeadlineMs(), 10);
    bench.policy.escalate(2);
    assert.equal(bench.scheduler.nextDeadlineMs(), 5);
    bench.policy.escalate(2);
    assert.deepEqual(bench.tick(0), ['1 timeout a']);
    assert.equal(bench.scheduler.submit(request('b'), 0), 'mode');
    assert.equal(bench.scheduler.submit(request('c', { priorityClass: 4 }), 0), undefined);
  });
});

describe('beyond its places', () => {
  it('nobody comes to wait, and the load is told', () => {
    const bench = new Bench({ waitingMax: 2 });
    bench.submit(request('a'), request('b'));
    assert.equal(bench.scheduler.submit(request('c'), 0), 'shed');
    const { depth, status } = bench.scheduler.health;
    assert.deepEqual([depth, status], [2, 'critical']);
  });
});

describe('the figures', () => {
  it('are those of a trace that was counted by hand', () => {
    const bench = new Bench({ breaker: { ...usual.breaker, failures: 100 } });
    // 4 of 4 at 0, answered at 30; 1 of 4 at 10, answered at 20; 2 of 4 at 100, answered at 160;
    // 1 of 4 at 200, which fails.
    bench.submit(...['a', 'b', 'c', 'd', 'e'].map((id) => request(id)));
    bench.tick(0);
    bench.tick(10);
    bench.scheduler.settle(2, 'success', 20);
    bench.scheduler.settle(1, 'success', 30);
    bench.submit(
      request('f', { arrivedMs: 100, priorityClass: 4 }),
      request('g', { arrivedMs: 100 }),
    );
    bench.tick(100);
    bench.scheduler.settle(3, 'success', 160);
    bench.submit(request('h', { arrivedMs: 190 }));
    bench.tick(200);
    bench.scheduler.settle(4, 'failure', 210);
    assert.deepEqual(bench.scheduler.figures(), {
      batches: 4,
      failed: 1,
      items: 7,
      fillRate: (1 + 0.25 + 0.5 + 0.25) / 4,
      latencyMs: { p50: 30, p95: 60, p99: 60 },
      // Seven items from 0 to 160 ms.
      itemsPerSecond: 43.75,
      causes: { full: 1, timeout: 2, priority: 1 },
    });
  });

  it('are zeros before anything went out', () => {
    assert.deepEqual(new Bench().scheduler.figures(), {
      batches: 0,
      failed: 0,
      items: 0,
      fillRate: 0,
      latencyMs: { p50: 0, p95: 0, p99: 0 },
      itemsPerSecond: 0,
      causes: { full: 0, timeout: 0, priority: 0 },
    });
  });
});

type Step =
  | { readonly kind: 'submit'; readonly more: Partial<BatchRequest> }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'settle'; readonly isGood: boolean }
  | { readonly kind: 'withdraw'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      more: fc.record({
        modelId: fc.constantFrom('m', 'n'),
        dims: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(64, 128)),
        priorityClass: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const, 5 as const),
      }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(15) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), isGood: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('withdraw' as const), which: fc.nat(40) }),
  },
);

/** Plays a trace and tells every effect; `check` looks at each as it comes. */
function play(
  steps: readonly Step[],
  check: (effect: BatchEffect<BatchRequest>, nowMs: number) => void,
): readonly string[] {
  const bench = new Bench({ breaker: { ...usual.breaker, failures: 1000 } });
  const told: string[] = [];
  const out: number[] = [];
  let nowMs = 0;
  let count = 0;
  const hear = (effects: readonly BatchEffect<BatchRequest>[]): void => {
    for (const effect of effects) {
      check(effect, nowMs);
      told.push(wordsOf(effect));
      if (effect.kind === 'send') out.push(effect.batch.number);
    }
  };
  for (const one of steps) {
    if (one.kind === 'submit') {
      const dims = one.more.dims ?? [1];
      const memoryBytes = 100 * (dims[0] ?? 1);
      const id = `r${count++}`;
      bench.scheduler.submit(request(id, { ...one.more, memoryBytes, arrivedMs: nowMs }), nowMs);
    } else if (one.kind === 'pass') {
      nowMs += one.ms;
      hear(bench.scheduler.tick(nowMs));
      // S2: who backs off has been sent before.
      bench.policy.reset();
    } else if (one.kind === 'withdraw') bench.scheduler.withdraw(`r${one.which}`);
    else {
      const number = out.shift();
      if (number === undefined) continue;
      hear(bench.scheduler.settle(number, one.isGood ? 'success' : 'failure', nowMs));
      bench.policy.reset();
    }
  }
  return told;
}

holds(
  'batches are of one key and within their limit, and who is in one waits no more',
  fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const over = new Set<string>();
    play(steps, (effect) => {
      if (effect.kind !== 'send') {
        over.add(effect.request.id);
        return;
      }
      const { members, size, limit } = effect.batch;
      assert.equal(new Set(members.map((one) => compatibilityKey(one, false))).size, 1);
      assert.ok(size <= limit && limit <= usual.maxBatchSize);
      for (const { id } of members) assert.ok(!over.has(id), `${id} was given up`);
      assert.equal(new Set(members.map(({ id }) => id)).size, members.length);
    });
  }),
  { runs: 300 },
);

holds(
  'where memory allows everybody leaves within the wait, and the urgent at the next tick',
  fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const bench = new Bench();
    const left = new Map<string, number>();
    const came = new Map<string, BatchRequest>();
    let nowMs = 0;
    for (const one of steps) {
      if (one.kind === 'submit') {
        const made = request(`r${came.size}`, { ...one.more, arrivedMs: nowMs });
        if (bench.scheduler.submit(made, nowMs) === undefined) came.set(made.id, made);
      } else if (one.kind === 'pass') {
        const until = nowMs + one.ms;
        // The shell ticks when it is told to.
        for (let due = nowMs; due <= until; due = bench.scheduler.nextDeadlineMs()) {
          nowMs = Math.max(nowMs, due);
          for (const effect of bench.scheduler.tick(nowMs)) {
            if (effect.kind !== 'send') continue;
            for (const { id } of effect.batch.members) left.set(id, nowMs);
          }
        }
        nowMs = until;
      }
    }
    for (const [id, { arrivedMs, priorityClass }] of came) {
      const leftMs = left.get(id);
      if (leftMs === undefined) assert.ok(nowMs - arrivedMs <= usual.maxWaitMs, `${id} waits`);
      else if (priorityClass >= 4) assert.equal(leftMs, arrivedMs);
      else assert.ok(leftMs - arrivedMs <= usual.maxWaitMs, `${id} left at ${leftMs}`);
    }
  }),
  { runs: 300 },
);

holds(
  'the same trace gives the same batches',
  fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const nothing = (): void => undefined;
    assert.deepEqual(play(steps, nothing), play(steps, nothing));
  }),
  { runs: 100 },
);

it('times with fractions are those of a monotonic clock', () => {
  const bench = new Bench();
  bench.submit(request('a', { arrivedMs: 0.25 }));
  assert.deepEqual(bench.tick(10), []);
  assert.deepEqual(bench.tick(10.25), ['1 timeout a']);
  assert.equal(instant(10.25), 10);
});
