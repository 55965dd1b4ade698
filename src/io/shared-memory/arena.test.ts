// Goal: the counters of BR 4.3 to the digit, the life of a slot (4.2), and that nothing is lost when
// real threads count at the same time. Method: one thread first, then four at once on one arena.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { Arena, type ArenaHandle } from './arena.ts';
import type { CounterResult, CounterTask } from './counter-worker.test-support.ts';
import { headerWords, missing, slot as slotWord, slotWords } from './layout.ts';

function arenaWithOne(threads = 1): { readonly arena: Arena; readonly handle: ArenaHandle } {
  const arena = Arena.create({ capacity: 8, threads });
  return { arena, handle: arena.open(0, 0) };
}

describe('pending', () => {
  it('counts up and down and answers the value after', () => {
    const { arena, handle } = arenaWithOne();
    assert.deepEqual([arena.increment(handle, 0), arena.increment(handle, 0)], [1, 2]);
    assert.deepEqual([arena.decrement(handle, 0), arena.decrement(handle, 0)], [1, 0]);
  });

  it('stays at zero, says so each time, and counts the clamps', () => {
    const { arena, handle } = arenaWithOne();
    for (let i = 0; i < 5; i++) assert.equal(arena.decrement(handle, 0), -1);
    assert.equal(arena.read(handle)?.pendingRequests, 0);
    const words = new Uint32Array(arena.parts.words);
    assert.equal(words[headerWords + slotWord.clampEvents], 5);
    assert.equal(arena.increment(handle, 0), 1);
  });

  it('n up and n down is zero again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), (n) => {
        const { arena, handle } = arenaWithOne();
        for (let i = 0; i < n; i++) arena.increment(handle, 0);
        for (let i = 0; i < n; i++) arena.decrement(handle, 0);
        assert.equal(arena.pending(0), 0);
      }),
      { numRuns: 256, seed: 43 },
    );
  });

  it('of one slot is not that of its neighbour', () => {
    const { arena, handle } = arenaWithOne();
    const other = arena.open(1, 7);
    arena.increment(other, 0);
    arena.addTotal(other);
    arena.recordFirstByte(other, 9);
    assert.deepEqual(arena.read(handle), {
      pendingRequests: 0,
      totalRequests: 0,
      avgLatencyMs: 0,
      latencySamples: 0,
      firstByteMs: 0,
      firstByteSamples: 0,
    });
    assert.deepEqual([arena.capacityOf(0), arena.capacityOf(1)], [0, 7]);
  });
});

describe('a latency', () => {
  const averages = (...samples: number[]): number[] => {
    const { arena, handle } = arenaWithOne();
    return samples.map((sample) => {
      arena.recordProbeLatency(handle, sample);
      return arena.read(handle)?.avgLatencyMs ?? -1;
    });
  };

  it('of 100, 200 and 150 is 100, 120 and 126', () => {
    assert.deepEqual(averages(100, 200, 150), [100, 120, 126]);
  });

  it('of 0 is a sample like any other, and an average of 0 is replaced', () => {
    assert.deepEqual(averages(0), [0]);
    assert.deepEqual(averages(0, 100), [0, 100]);
    assert.deepEqual(averages(4, 0, 0, 0, 0), [4, 3, 2, 1, 0]);
    const { arena, handle } = arenaWithOne();
    assert.equal(arena.read(handle)?.latencySamples, 0);
    arena.recordProbeLatency(handle, 0);
    assert.equal(arena.read(handle)?.latencySamples, 1);
  });

  it('is cut to whole milliseconds and does not overflow', () => {
    assert.deepEqual(averages(1.9), [1]);
    assert.deepEqual(averages(4_294_967_295, 4_294_967_295), [4_294_967_295, 4_294_967_295]);
    assert.deepEqual(averages(1e300), [4_294_967_295]);
    assert.deepEqual(averages(4_294_967_295, 0), [4_294_967_295, 3_435_973_836]);
  });

  it('that is none is a TypeError and changes nothing', () => {
    const { arena, handle } = arenaWithOne();
    for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => arena.recordProbeLatency(handle, bad), TypeError);
      assert.throws(() => arena.recordFirstByte(handle, bad), TypeError);
    }
    assert.equal(arena.read(handle)?.latencySamples, 0);
  });

  it('on average lies between the least and the greatest sample', () => {
    const samples = fc.array(fc.nat(9999), { minLength: 1, maxLength: 99 });
    fc.assert(
      fc.property(samples, (given) => {
        const last = averages(...given).at(-1) ?? -1;
        assert.ok(last >= Math.min(...given) && last <= Math.max(...given));
      }),
      { numRuns: 256, seed: 44 },
    );
  });

  it('from above reaches a constant input, from below comes within four', () => {
    assert.equal(averages(1000, ...new Array<number>(60).fill(50)).at(-1), 50);
    const rising = averages(1, ...new Array<number>(60).fill(50)).at(-1) ?? 0;
    assert.ok(rising >= 46 && rising <= 50, `${rising}`);
  });

  it('of inference is what counts, where there is one', () => {
    const { arena, handle } = arenaWithOne();
    arena.recordProbeLatency(handle, 80);
    assert.equal(arena.latencyMs(0), 80);
    arena.recordFirstByte(handle, 0);
    assert.equal(arena.latencyMs(0), 0);
    arena.recordFirstByte(handle, 30);
    assert.equal(arena.latencyMs(0), 30);
    assert.equal(arena.read(handle)?.avgLatencyMs, 80);
  });
});

describe('a slot', () => {
  it('given to another backend is not written to by who still holds the old handle', () => {
    const { arena, handle } = arenaWithOne();
    arena.increment(handle, 0);
    arena.close(handle);
    const next = arena.open(0, 3);
    assert.notEqual(next.generation, handle.generation);
    arena.increment(next, 0);
    assert.equal(arena.decrement(handle, 0), undefined);
    assert.equal(arena.increment(handle, 0), undefined);
    arena.addTotal(handle);
    arena.recordFirstByte(handle, 9);
    arena.recordProbeLatency(handle, 9);
    arena.setStatus(handle, 'healthy');
    arena.setCapacity(handle, 99);
    assert.equal(arena.read(handle), undefined);
    assert.deepEqual(arena.read(next), {
      pendingRequests: 1,
      totalRequests: 0,
      avgLatencyMs: 0,
      latencySamples: 0,
      firstByteMs: 0,
      firstByteSamples: 0,
    });
    assert.deepEqual([arena.statusCode(0), arena.capacityOf(0)], [0, 3]);
  });

  it('is live while its generation is odd, begins with nothing, and is opened and closed once', () => {
    const { arena, handle } = arenaWithOne();
    assert.equal(handle.generation % 2, 1);
    assert.throws(() => arena.open(0, 0), /is live/);
    arena.setStatus(handle, 'unhealthy');
    arena.addTotal(handle);
    arena.close(handle);
    assert.equal(arena.generationOf(0) % 2, 0);
    assert.throws(() => arena.close(handle), /not live/);
    const next = arena.open(0, 0);
    assert.equal(arena.read(next)?.totalRequests, 0);
    assert.equal(arena.statusCode(0), 0);
    assert.throws(() => arena.open(8, 0), /slot 8/);
  });

  it('has the size that the layout says', () => {
    assert.equal(slotWords * 4, 96);
    assert.equal(headerWords * 4, 64);
  });
});

describe('the peak average of the first byte', () => {
  it('jumps to a worse sample, and forgets it by half in ten seconds', () => {
    const { arena, handle } = arenaWithOne();
    assert.equal(arena.peakMs(handle.slot, 0), 0);
    arena.recordPeak(handle, 80, 1000);
    arena.recordPeak(handle, 400, 1000);
    assert.equal(arena.peakMs(handle.slot, 1000), 400);
    assert.equal(arena.peakMs(handle.slot, 11_000), 200);
    assert.equal(arena.peakMs(handle.slot, 21_000), 100);
  });

  it('comes down to better samples as the time goes', () => {
    const { arena, handle } = arenaWithOne();
    arena.recordPeak(handle, 400, 0);
    arena.recordPeak(handle, 100, 10_000);
    assert.equal(arena.peakMs(handle.slot, 10_000), 250, 'half of the peak, half of the sample');
  });

  it('does not move by a clock that goes back, and is never 0 once it was measured', () => {
    const { arena, handle } = arenaWithOne();
    arena.recordPeak(handle, 50, 10_000);
    assert.equal(arena.peakMs(handle.slot, 5000), 50);
    assert.equal(arena.peakMs(handle.slot, 10_000_000), 1);
  });
});

describe('tokens in flight', () => {
  it('are counted in and out, and never fall below none', () => {
    const { arena, handle } = arenaWithOne();
    arena.addTokens(handle, 500, 0);
    arena.addTokens(handle, 300, 0);
    assert.equal(arena.tokens(handle.slot), 800);
    arena.addTokens(handle, -500, 0);
    assert.equal(arena.tokens(handle.slot), 300);
    arena.addTokens(handle, -900, 0);
    assert.equal(arena.tokens(handle.slot), 0);
  });

  it('of a thread that died are taken back', () => {
    const arena = Arena.create({ capacity: 2, threads: 2 });
    const handle = arena.open(0, 0);
    arena.addTokens(handle, 500, 0);
    arena.addTokens(handle, 70, 1);
    arena.reclaimThread(0);
    assert.equal(arena.tokens(0), 70);
    arena.close(handle);
    assert.equal(arena.open(0, 0).generation, 3);
    assert.equal(arena.tokens(0), 0);
  });
});

describe('what a thread held when it died', () => {
  it('is taken back from every slot, and from no other thread', () => {
    const arena = Arena.create({ capacity: 4, threads: 2 });
    const [a, b] = [arena.open(0, 0), arena.open(1, 0)];
    for (let i = 0; i < 3; i++) arena.increment(a, 0);
    arena.increment(b, 0);
    arena.increment(a, 1);
    assert.equal(arena.reclaimThread(0), 4);
    assert.deepEqual([arena.pending(0), arena.pending(1)], [1, 0]);
    assert.equal(arena.reclaimThread(0), 0);
    assert.equal(arena.decrement(a, 1), 0);
  });

  it('is not taken from the backend that has the slot now', () => {
    const { arena, handle } = arenaWithOne(2);
    arena.increment(handle, 0);
    arena.close(handle);
    const next = arena.open(0, 0);
    arena.increment(next, 1);
    assert.equal(arena.reclaimThread(0), 0);
    assert.equal(arena.pending(0), 1);
  });
});

describe('a lease of a slot that is closed', () => {
  it('holds the slot until it is given back or its thread is dead', () => {
    const { arena, handle } = arenaWithOne(2);
    arena.increment(handle, 0);
    arena.increment(handle, 1);
    arena.close(handle);
    assert.equal(arena.pendingOf(0), 2);
    assert.equal(arena.decrement(handle, 0), undefined);
    assert.equal(arena.pendingOf(0), 1);
    assert.equal(arena.reclaimThread(1), 1);
    assert.equal(arena.pendingOf(0), 0);
  });

  it('given back after the slot went to another takes nothing from it', () => {
    const { arena, handle } = arenaWithOne();
    arena.increment(handle, 0);
    arena.close(handle);
    const next = arena.open(0, 0);
    arena.increment(next, 0);
    assert.equal(arena.decrement(handle, 0), undefined);
    assert.deepEqual([arena.pending(0), arena.pendingOf(0)], [1, 1]);
  });
});

describe('what an engine says of itself', () => {
  it('is there when it was told, each figure for itself, and gone when it is too old', () => {
    const { arena, handle } = arenaWithOne();
    assert.equal(arena.read(handle)?.engine, undefined);
    arena.setEngineLoad(handle, { running: 3, waiting: 0, kvUse: 0.123456 });
    assert.deepEqual(arena.read(handle)?.engine, { running: 3, waiting: 0, kvUse: 0.123456 });
    arena.setEngineLoad(handle, { running: undefined, waiting: 7, kvUse: undefined });
    const told = { running: undefined, waiting: 7, kvUse: undefined };
    assert.deepEqual(arena.read(handle)?.engine, told);
    arena.setEngineLoad(handle, undefined);
    assert.equal(arena.read(handle)?.engine, undefined);
  });

  it('that makes no sense is missing, and too much is the most that a word holds', () => {
    const { arena, handle } = arenaWithOne();
    arena.setEngineLoad(handle, { running: -1, waiting: Number.NaN, kvUse: 0 });
    assert.deepEqual(arena.read(handle)?.engine, {
      running: undefined,
      waiting: undefined,
      kvUse: 0,
    });
    arena.setEngineLoad(handle, { running: 1e12, waiting: 0, kvUse: 0 });
    assert.equal(arena.read(handle)?.engine?.running, missing - 1);
  });

  it('is missing from a slot that opens again, and is not told by a dead handle', () => {
    const { arena, handle } = arenaWithOne();
    arena.setEngineLoad(handle, { running: 3, waiting: 0, kvUse: 1 });
    arena.close(handle);
    const next = arena.open(0, 0);
    arena.setEngineLoad(handle, { running: 3, waiting: 0, kvUse: 1 });
    assert.equal(arena.read(next)?.engine, undefined);
  });
});

describe('the header', () => {
  it('holds the cursor, connections, requests in flight, version and heartbeat apart', () => {
    const { arena } = arenaWithOne();
    const other = new Arena(arena.parts);
    assert.deepEqual(
      [arena.nextCursor('m'), other.nextCursor('m'), arena.nextCursor('m')],
      [0, 1, 2],
    );
    assert.equal(arena.nextCursor('another'), 0, 'each model has turns of its own');
    assert.deepEqual([arena.addConnections(1, 0), other.addConnections(1, 0)], [1, 2]);
    assert.equal(other.addConnections(-1, 0), 1);
    assert.equal(arena.addInFlight(1, 0), 1);
    arena.setRegistryVersion(9);
    arena.beat(1_800_000_000);
    assert.deepEqual(
      [
        other.openConnections(),
        other.inFlight(),
        other.registryVersion(),
        other.heartbeatSeconds(),
      ],
      [1, 1, 9, 1_800_000_000],
    );
  });

  it('is given back what a dead thread counted there', () => {
    const arena = Arena.create({ capacity: 2, threads: 2 });
    arena.addConnections(1, 0);
    arena.addConnections(1, 1);
    arena.addInFlight(1, 1);
    arena.reclaimThread(1);
    assert.deepEqual([arena.openConnections(), arena.inFlight()], [1, 0]);
    arena.reclaimThread(1);
    assert.deepEqual([arena.openConnections(), arena.inFlight()], [1, 0]);
  });

  it('of another layout is not attached to', () => {
    const { arena } = arenaWithOne();
    new Uint32Array(arena.parts.words)[0] = 999;
    assert.throws(() => new Arena(arena.parts), /layout version/);
  });
});

const workerFile = new URL('./counter-worker.test-support.ts', import.meta.url);

function runThreads(arena: Arena, handle: ArenaHandle, steps: readonly string[]) {
  const gate = new SharedArrayBuffer(4);
  return Promise.all(
    steps.map((own, thread) => {
      const task: CounterTask = {
        parts: arena.parts,
        handle,
        thread,
        gate,
        threads: steps.length,
        steps: own,
      };
      const worker = new Worker(workerFile, { workerData: task });
      return new Promise<CounterResult>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }).finally(() => worker.terminate());
    }),
  );
}

describe('four threads at once', { timeout: 60_000 }, () => {
  it('take leases whose numbers are a permutation, none lost and none twice', async () => {
    const arena = Arena.create({ capacity: 1, threads: 4 });
    const handle = arena.open(0, 0);
    const each = 20_000;
    const results = await runThreads(arena, handle, new Array<string>(4).fill('+'.repeat(each)));
    const taken = results.flatMap((result) => result.taken).sort((a, b) => a - b);
    assert.equal(taken.length, 4 * each);
    assert.ok(taken.every((value, i) => value === i + 1));
    assert.equal(arena.pending(0), 4 * each);
    // A3: what the ledger of a dead thread holds is exactly what it took.
    assert.deepEqual(
      [0, 1, 2, 3].map((thread) => arena.reclaimThread(thread)),
      [each, each, each, each],
    );
    assert.equal(arena.pending(0), 0);
  });

  it('give back what they took, without a clamp, and no total or sample is lost', async () => {
    const arena = Arena.create({ capacity: 1, threads: 4 });
    const handle = arena.open(0, 0);
    const rounds = 8000;
    // Each thread ends with as many leases as its number.
    const steps = [0, 1, 2, 3].map((thread) => '+L-T'.repeat(rounds) + '+'.repeat(thread));
    const results = await runThreads(arena, handle, steps);
    assert.ok(results.every((result) => result.clamps === 0));
    const counters = arena.read(handle);
    assert.equal(counters?.pendingRequests, 6);
    assert.equal(counters?.totalRequests, 4 * rounds);
    assert.equal(counters?.firstByteSamples, 4 * rounds);
    assert.ok((counters?.firstByteMs ?? 0) >= 100 && (counters?.firstByteMs ?? 0) <= 103);
  });
});
