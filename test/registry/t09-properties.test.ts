// T09 (specification BR 6.2): the counters hold their laws when threads count at the same time.
// Method: random cases on four real threads that start each case from a barrier (crew.test-support.ts).

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { present } from '../../src/base/assert.ts';
import { Arena, type ArenaHandle } from '../../src/io/shared-memory/arena.ts';
import { headerWords, slot as slotWord, slotWords } from '../../src/io/shared-memory/layout.ts';
import { holds } from '../support/properties.ts';
import { Crew, type CrewTask, crewSize } from './crew.test-support.ts';
import { routing } from './records.test-support.ts';

const runs = 256;
const arena = Arena.create({ capacity: 1, threads: crewSize });
const words = new Uint32Array(arena.parts.words);
const crew = new Crew(routing);
crew.all({ type: 'attach', parts: arena.parts }, {});
after(() => crew.end());

/** A backend of its own for each case. */
function fresh<Result>(body: (handle: ArenaHandle) => Result): Result {
  const handle = arena.open(0, 0);
  try {
    return body(handle);
  } finally {
    for (let thread = 0; thread < crewSize; thread++) arena.reclaimThread(thread);
    arena.close(handle);
  }
}

function clamps(): number {
  return words[headerWords + slotWord.clampEvents] ?? 0;
}

/** `items` dealt out to the threads. */
function dealt<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: crewSize }, (_, thread) =>
    items.filter((_, i) => i % crewSize === thread),
  );
}

function counts(handle: ArenaHandle, steps: readonly string[]): readonly number[] {
  const tasks = steps.map((own): CrewTask => ({ type: 'count', handle, steps: own }));
  return crew.run(tasks).flatMap((answer) => answer.counts);
}

function stepsOf(n: number, step: string): readonly string[] {
  return dealt(new Array<string>(n).fill(step)).map((own) => own.join(''));
}

test('the slot under test is the first of the arena', () => {
  fresh((handle) => assert.equal(handle.slot, 0));
  assert.ok(words.length >= headerWords + slotWords);
});

holds(
  'n counted up and n counted down is nothing pending',
  fc.property(fc.integer({ min: 1, max: 99 }), (n) =>
    fresh((handle) => {
      counts(handle, stepsOf(n, '+'));
      assert.equal(arena.pending(0), n);
      counts(handle, stepsOf(n, '-'));
      assert.deepEqual([arena.pending(0), clamps()], [0, 0]);
    }),
  ),
  { runs },
);

holds(
  'n counted up by all threads at once is n pending, and the values are a permutation of 1 to n',
  fc.property(fc.integer({ min: 1, max: 49 }), (n) =>
    fresh((handle) => {
      const values = counts(handle, stepsOf(n, '+'));
      assert.equal(arena.pending(0), n);
      assert.deepEqual(
        values.toSorted((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i + 1),
      );
    }),
  ),
  { runs },
);

holds(
  'a latency that all threads measure ends between the least and the greatest sample',
  fc.property(fc.array(fc.nat(9999), { minLength: 1, maxLength: 99 }), (samples) =>
    fresh((handle) => {
      crew.run(dealt(samples).map((own) => ({ type: 'measure', handle, samples: own })));
      const counters = present(arena.read(handle), 'counters of the slot');
      assert.ok(counters.avgLatencyMs >= Math.min(...samples), `${counters.avgLatencyMs}`);
      assert.ok(counters.avgLatencyMs <= Math.max(...samples), `${counters.avgLatencyMs}`);
      assert.equal(counters.latencySamples, samples.length);
    }),
  ),
  { runs },
);

holds(
  'n counted down from nothing is nothing, and each one is told as a clamp',
  fc.property(fc.integer({ min: 1, max: 99 }), (n) =>
    fresh((handle) => {
      const values = counts(handle, stepsOf(n, '-'));
      // -1 stands for 0 and a warning, which whoever counts gives out with the name of the backend.
      assert.deepEqual(values, new Array<number>(n).fill(-1));
      assert.deepEqual([arena.pending(0), clamps()], [0, n]);
    }),
  ),
  { runs },
);

const leaseSteps = fc.array(fc.string({ unit: fc.constantFrom('+', '-', '='), maxLength: 40 }), {
  minLength: crewSize,
  maxLength: crewSize,
});

holds(
  'leases taken and given back in any order, also twice, leave pending those that are held',
  fc.property(leaseSteps, (steps) =>
    fresh((handle) => {
      const answers = crew.run(steps.map((own) => ({ type: 'lease', handle, steps: own })));
      const held = answers.reduce((sum, answer) => sum + (answer.counts[0] ?? 0), 0);
      assert.deepEqual(
        answers.flatMap(({ faults }) => faults),
        [],
      );
      assert.deepEqual([arena.pending(0), clamps()], [held, 0]);
      const taken = [...steps.join('')].filter((step) => step === '+').length;
      assert.equal(arena.read(handle)?.totalRequests, taken - held);
    }),
  ),
  { runs },
);

holds(
  'what a thread held is taken back from what is pending, and nothing else (A3)',
  fc.property(leaseSteps, fc.nat(crewSize - 1), (steps, dead) =>
    fresh((handle) => {
      const answers = crew.run(steps.map((own) => ({ type: 'lease', handle, steps: own })));
      const held = answers.map((answer) => answer.counts[0] ?? 0);
      const all = held.reduce((sum, count) => sum + count, 0);
      assert.equal(arena.reclaimThread(dead), held[dead]);
      assert.equal(arena.pending(0), all - (held[dead] ?? 0));
      assert.equal(arena.pendingOf(0), all - (held[dead] ?? 0));
    }),
  ),
  { runs },
);
