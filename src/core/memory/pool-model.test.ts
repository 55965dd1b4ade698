// Goal: no sequence of operations breaks an invariant, and each gives what the plainest account of a
// pool gives. Method: random commands run on a pool and on a list that is walked for every question;
// after each, the two are compared in full and the invariants checked.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { alignUp } from './alignment.ts';
import { drawn, invariantWatch, must, poolOf, requestOf } from './gpu-memory.test-support.ts';
import type { GpuMemoryPool } from './gpu-memory-pool.ts';
import { ListPool } from './list-pool.test-support.ts';
import { type BlockId, bestFitBlock, evictionCandidates } from './memory-block.ts';
import type { BlockMove } from './pool-changes.ts';

const totalBytes = 1024;

/** Both accounts, and which block of the one is which of the other; freed ones are kept. */
class Pair {
  readonly pool = poolOf(totalBytes);
  readonly list = new ListPool(totalBytes);
  readonly handles: { readonly id: BlockId; readonly key: number }[] = [];
  readonly #check = invariantWatch();
  now = 0;

  verify(): void {
    this.#check(this.pool);
    const held = this.list.held.map(({ tensorId, offset, size, status, lastAccessed }) => {
      const mark = status === 'allocated' ? '' : ` ${status}`;
      return `${tensorId} ${offset}..${offset + size}${mark} at ${lastAccessed}`;
    });
    const got = this.pool
      .blocks()
      .flatMap(({ status, lastAccessed }, i) =>
        status === 'free' ? [] : [`${drawn(this.pool)[i]} at ${lastAccessed}`],
      );
    assert.deepEqual(got, held);
  }
}

type Operation = (pair: Pair) => void;

/** The operation on one of the blocks granted so far, alive or not. */
function onSome(
  pick: number,
  operation: (pair: Pair, id: BlockId, key: number) => void,
): Operation {
  return (pair) => {
    const handle = pair.handles[pick % pair.handles.length];
    if (handle !== undefined) operation(pair, handle.id, handle.key);
  };
}

function allocate(size: number, alignment: number, pinned: boolean): Operation {
  return (pair) => {
    const actualSize = alignUp(size, alignment);
    const best = bestFitBlock(pair.pool.blocks(), actualSize, alignment);
    const from = best === undefined ? undefined : pair.pool.getBlock(best);
    const tensorId = `t${pair.handles.length}`;
    // Time often stands still, so that blocks of equal age are common.
    if (pair.handles.length % 4 === 0) pair.now += 1;
    const now = pair.now;
    const request = requestOf(size, { tensorId, alignment, pinned });
    const granted = pair.pool.allocate(request, now);
    const expected = pair.list.allocate(actualSize, alignment, { tensorId, pinned, now });
    if (typeof expected === 'string') {
      assert.ok(!granted.ok);
      assert.equal(granted.error.code, expected);
      assert.equal(from, undefined);
      return;
    }
    const { blockId, offset } = must(granted);
    assert.equal(offset, expected.offset);
    assert.equal(offset, alignUp(from?.offset ?? Number.NaN, alignment), 'as bestFitBlock says');
    pair.handles.push({ id: blockId, key: expected.key });
  };
}

const changes = {
  markCached: { from: ['allocated', 'cached'], to: 'cached' },
  pin: { from: ['allocated', 'cached'], to: 'pinned' },
  unpin: { from: ['pinned'], to: 'allocated' },
} as const;

function change(name: keyof typeof changes, pick: number): Operation {
  return onSome(pick, ({ pool, list }, id, key) => {
    const { from, to } = changes[name];
    const held = list.find(key);
    const isAllowed = from.some((status) => status === held?.status);
    const result = pool[name](id);
    assert.equal(result.ok, isAllowed);
    if (!result.ok) assert.equal(result.error.code, `block_${held?.status ?? 'free'}`);
    else if (held !== undefined) held.status = to;
  });
}

function free(pick: number): Operation {
  return onSome(pick, ({ pool, list }, id, key) => {
    const held = list.find(key);
    const result = pool.free(id);
    if (held === undefined) assert.ok(!result.ok && result.error.code === 'block_free');
    else assert.equal(must(result), held.size);
    if (held !== undefined) list.free(key);
  });
}

function touch(pick: number, back: number): Operation {
  return onSome(pick, (pair, id, key) => {
    const at = Math.max(0, pair.now - back);
    const held = pair.list.find(key);
    assert.equal(pair.pool.touch(id, at).ok, held !== undefined);
    if (held !== undefined) held.lastAccessed = Math.max(held.lastAccessed, at);
  });
}

function evict(needed: number): Operation {
  return ({ pool, list }) => {
    const order = evictionCandidates(pool.blocks());
    const { freedBytes, evicted } = must(pool.evict(needed));
    assert.equal(freedBytes, list.evict(needed));
    const ids = evicted.map(({ blockId }) => blockId);
    assert.deepEqual(ids, order.slice(0, ids.length), 'as evictionCandidates says');
  };
}

/** What the device holds when each granted block is filled with a mark of its own. */
function filled(pool: GpuMemoryPool): Uint32Array {
  const bytes = new Uint32Array(totalBytes);
  for (const { status, offset, size, blockId } of pool.blocks()) {
    if (status !== 'free') bytes.fill(blockId, offset, offset + size);
  }
  return bytes;
}

function assertMovesKeepData(pool: GpuMemoryPool, data: Uint32Array, moves: readonly BlockMove[]) {
  for (const { fromOffset, toOffset, size } of moves) {
    data.copyWithin(toOffset, fromOffset, fromOffset + size);
  }
  for (const { status, offset, size, blockId } of pool.blocks()) {
    if (status === 'free') continue;
    const own = data.subarray(offset, offset + size);
    assert.ok(
      own.every((mark) => mark === blockId >>> 0),
      `block ${blockId} kept its data`,
    );
  }
}

function defragment(): Operation {
  return ({ pool, list, handles }) => {
    const data = filled(pool);
    const moves = pool.defragment();
    const moved = list.defragment();
    assert.deepEqual(
      moves.map(({ blockId }) => handles.find(({ id }) => id === blockId)?.key),
      moved,
    );
    assertMovesKeepData(pool, data, moves);
  };
}

const picks = fc.nat(30);
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 400 }),
  fc.constantFrom(16, 32, 64),
);
const alignments = fc.constantFrom(1, 1, 2, 8, 16, 64, 256);

const operations: fc.Arbitrary<{ readonly words: string; readonly run: Operation }> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(sizes, alignments, fc.nat(9)).map(([size, alignment, n]) => ({
      words: `allocate ${size} at ${alignment}${n === 0 ? ' pinned' : ''}`,
      run: allocate(size, alignment, n === 0),
    })),
  },
  { weight: 5, arbitrary: picks.map((pick) => ({ words: `free ${pick}`, run: free(pick) })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('markCached', 'markCached', 'pin', 'unpin'), picks)
      .map(([name, pick]) => ({ words: `${name} ${pick}`, run: change(name, pick) })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(picks, fc.nat(20))
      .map(([pick, back]) => ({ words: `touch ${pick} ${back} ago`, run: touch(pick, back) })),
  },
  { weight: 1, arbitrary: fc.nat(500).map((n) => ({ words: `evict ${n}`, run: evict(n) })) },
  { weight: 1, arbitrary: fc.constant({ words: 'defragment', run: defragment() }) },
);

class Step implements fc.Command<object, Pair> {
  readonly #words: string;
  readonly #run: Operation;

  constructor(words: string, run: Operation) {
    this.#words = words;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(_: object, pair: Pair): void {
    this.#run(pair);
    pair.verify();
  }

  toString(): string {
    return this.#words;
  }
}

const commands = fc.commands([operations.map(({ words, run }) => new Step(words, run))], {
  maxCommands: 60,
  size: 'max',
});

describe('gpu_memory', () => {
  holds(
    'any sequence of operations keeps the invariants and does what a list of blocks would',
    fc.property(commands, (steps) => {
      fc.modelRun(() => ({ model: {}, real: new Pair() }), steps);
    }),
  );

  holds(
    'sizes beyond 32 bits are placed as small ones are',
    fc.property(
      fc.array(fc.record({ size: sizes, alignment: alignments, frees: fc.nat(60) })),
      (steps) => {
        const unit = 2 ** 33;
        const [small, large] = [poolOf(totalBytes), poolOf(totalBytes * unit)];
        const ids: (readonly [BlockId, BlockId])[] = [];
        for (const { size, alignment, frees } of steps) {
          const granted = small.allocate(requestOf(size, { alignment }), 0);
          const scaled = requestOf(size * unit, { alignment: alignment * unit });
          const other = large.allocate(scaled, 0);
          assert.equal(other.ok, granted.ok);
          if (granted.ok && other.ok) {
            assert.equal(other.value.offset, granted.value.offset * unit);
            ids.push([granted.value.blockId, other.value.blockId]);
          }
          const [pair] = ids.splice(frees, 1);
          if (pair === undefined) continue;
          must(small.free(pair[0]));
          must(large.free(pair[1]));
        }
        const fragmented = small.stats().fragmentationRatio;
        assert.equal(large.stats().fragmentationRatio, fragmented);
      },
    ),
  );

  holds(
    'the same operations give the same ids, places and figures again',
    fc.property(fc.array(operations, { maxLength: 40 }), (steps) => {
      const [one, other] = [new Pair(), new Pair()];
      for (const { run } of steps) {
        run(one);
        run(other);
      }
      assert.deepEqual(one.pool.blocks(), other.pool.blocks());
      assert.deepEqual(one.pool.copy().blocks(), one.pool.blocks());
      assert.deepEqual(one.pool.copy().stats(), one.pool.stats());
    }),
  );
});
