// Goal: every rule of the pool operations of C.2 and each edge named there. Method: pools of a few
// blocks, drawn as text before and after.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  assertInvariants,
  codeOf,
  deviceOf,
  drawn,
  invariantWatch,
  must,
  poolOf,
  poolWith,
  requestOf,
  take,
} from './gpu-memory.test-support.ts';
import { GpuMemoryPool } from './gpu-memory-pool.ts';
import type { BlockId } from './memory-block.ts';

describe('gpu_memory', () => {
  test('a new pool is one free block over all memory of the device', () => {
    const pool = poolOf(80 * 2 ** 30);
    assert.deepEqual(drawn(pool), [`- 0..${80 * 2 ** 30}`]);
    assertInvariants(pool);
  });

  test('a device without memory has no block, and refuses every request for lack of capacity', () => {
    const pool = poolOf(0);
    assert.deepEqual(pool.blocks(), []);
    assert.equal(codeOf(pool.allocate(requestOf(1), 0)), 'capacity');
    assert.deepEqual(pool.defragment(), []);
    assertInvariants(pool);
  });

  test('a device or an option that makes no sense is refused with each field at fault', () => {
    const device = { ...deviceOf(2 ** 53), deviceId: '', memoryClockMhz: Number.NaN };
    const refused = GpuMemoryPool.create(device);
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, 'invalid_device');
    assert.deepEqual(
      refused.error.details?.map(({ field }) => field),
      ['deviceId', 'totalMemory', 'memoryClockMhz'],
    );
    for (const options of [
      { granuleBytes: 0 },
      { granuleBytes: 3 },
      { granuleBytes: 2 ** 53 },
      { allocationsMax: -1 },
      { allocationsMax: 500_001 },
    ]) {
      const code = codeOf(GpuMemoryPool.create(deviceOf(64), options));
      assert.equal(code, 'invalid_options', JSON.stringify(options));
    }
  });

  test('an allocation splits the block: what it takes comes first, the rest stays free', () => {
    const pool = poolOf(256);
    const allocation = take(pool, 'a', 64, { now: 7 });
    assert.equal(allocation.offset, 0);
    assert.equal(allocation.actualSize, 64);
    assert.deepEqual(drawn(pool), ['a 0..64', '- 64..256']);
    assert.deepEqual(pool.getBlock(allocation.blockId), {
      blockId: allocation.blockId,
      offset: 0,
      size: 64,
      status: 'allocated',
      tensorId: 'a',
      allocatedAt: 7,
      lastAccessed: 7,
    });
  });

  test('an exact fit leaves no empty block behind', () => {
    const { pool, id } = poolWith(256, ['a 64', '- 64', 'b 128']);
    assert.equal(take(pool, 'c', 64).offset, 64);
    assert.deepEqual(drawn(pool), ['a 0..64', 'c 64..128', 'b 128..256']);
    must(pool.free(id('a')));
    assertInvariants(pool);
  });

  test('the size is rounded up to the alignment, and the start to a multiple of it', () => {
    const pool = poolOf(4096);
    take(pool, 'a', 100);
    const allocation = take(pool, 'b', 513, { alignment: 512 });
    assert.equal(allocation.actualSize, 1024);
    assert.deepEqual(drawn(pool), ['a 0..100', '- 100..512', 'b 512..1536', '- 1536..4096']);
    assert.equal(pool.alignmentOf(allocation.blockId), 512);
    assertInvariants(pool);
  });

  test('padding before an aligned block is free for others', () => {
    const { pool } = poolWith(1024, ['a 100']);
    take(pool, 'b', 512, { alignment: 512 });
    assert.deepEqual(drawn(pool), ['a 0..100', '- 100..512', 'b 512..1024']);
    assert.equal(take(pool, 'c', 412).offset, 100);
    assert.equal(pool.stats().freeBytes, 0);
  });

  test('the smallest block that fits is taken where the first would do', () => {
    const { pool } = poolWith(1000, ['- 300', 'a 10', '- 100', 'b 10', '- 120', 'c 460']);
    assert.equal(take(pool, 'd', 100).offset, 310);
    assert.equal(take(pool, 'e', 100).offset, 420);
    assert.equal(take(pool, 'f', 100).offset, 0);
    assertInvariants(pool);
  });

  test('of equally small blocks that at the lowest offset is taken', () => {
    const { pool } = poolWith(400, ['- 100', 'a 50', '- 100', 'b 50', '- 100']);
    assert.deepEqual(
      [take(pool, 'c', 100), take(pool, 'd', 100), take(pool, 'e', 100)].map((one) => one.offset),
      [0, 150, 300],
    );
  });

  test('smaller blocks are passed over when no aligned address in them leaves room', () => {
    // Free: 8..72 and 80..208. A multiple of 64 with 64 bytes behind it is only at 128.
    const { pool } = poolWith(216, ['a 8', '- 64', 'b 8', '- 128', 'c 8']);
    assert.equal(take(pool, 'd', 64, { alignment: 64 }).offset, 128);
    assertInvariants(pool);
  });

  test('addresses beyond 32 bits are as exact as small ones', () => {
    const pool = poolOf(2 ** 50);
    take(pool, 'a', 2 ** 40 + 1);
    const allocation = take(pool, 'b', 5_000_000_001, { alignment: 4096 });
    assert.equal(allocation.offset, 2 ** 40 + 4096);
    assert.equal(allocation.actualSize, 5_000_003_584);
    assertInvariants(pool);
  });

  test('a pool of the largest safe integer is allocated to the last byte', () => {
    const pool = poolOf(Number.MAX_SAFE_INTEGER);
    take(pool, 'a', 1);
    assert.equal(codeOf(pool.allocate(requestOf(Number.MAX_SAFE_INTEGER), 0)), 'capacity');
    const { blockId } = take(pool, 'b', Number.MAX_SAFE_INTEGER - 1);
    assert.equal(pool.stats().freeBytes, 0);
    assert.equal(must(pool.free(blockId)), Number.MAX_SAFE_INTEGER - 1);
    assertInvariants(pool);
  });

  test('a request that makes no sense is refused by name before anything changes', () => {
    const pool = poolOf(1024);
    const before = pool.blocks();
    const cases = [
      { size: 0 },
      { size: -1 },
      { size: 1.5 },
      { size: Number.NaN },
      { size: 2 ** 53 },
      { alignment: 0 },
      { alignment: 3 },
      { alignment: 2 ** 53 },
      { alignment: Number.POSITIVE_INFINITY },
      { priority: Number.NaN },
      { tensorId: '' },
    ];
    for (const changes of cases) {
      const refused = pool.allocate({ ...requestOf(1), ...changes }, 0);
      assert.ok(!refused.ok, JSON.stringify(changes));
      assert.equal(refused.error.code, 'invalid_allocation', JSON.stringify(changes));
      assert.ok(refused.error.message.includes(Object.keys(changes)[0] ?? ''));
    }
    assert.equal(codeOf(pool.allocate(requestOf(1), -1)), 'invalid_allocation');
    assert.equal(codeOf(pool.allocate(requestOf(1), Number.NaN)), 'invalid_allocation');
    assert.deepEqual(pool.blocks(), before);
  });

  test('a shortage says whether bytes are missing or only a place, what was asked, what is there', () => {
    const { pool } = poolWith(256, ['- 64', 'a 64', '- 32', 'b 96']);
    const capacity = pool.allocate(requestOf(100, { tensorId: 'x' }), 0);
    assert.ok(!capacity.ok && capacity.error.code === 'capacity');
    assert.deepEqual([capacity.error.askedBytes, capacity.error.thereBytes], [100, 96]);
    const scattered = pool.allocate(requestOf(96, { tensorId: 'x' }), 0);
    assert.ok(!scattered.ok && scattered.error.code === 'fragmentation');
    assert.deepEqual([scattered.error.askedBytes, scattered.error.thereBytes], [96, 64]);
    for (const { message } of [capacity.error, scattered.error])
      assert.match(message, /tensor "x"/);
    assert.match(capacity.error.message, /100.*96/);
  });

  test('the rounded size counts against what is free', () => {
    const pool = poolOf(1000);
    assert.equal(codeOf(pool.allocate(requestOf(513, { alignment: 512 }), 0)), 'capacity');
    assert.equal(take(pool, 'a', 512, { alignment: 512 }).actualSize, 512);
    assert.equal(codeOf(pool.allocate(requestOf(512, { alignment: 512 }), 0)), 'capacity');
  });

  test('a full pool refuses, and grants again what comes free', () => {
    const { pool, id } = poolWith(128, ['a 64', 'b 64']);
    assert.equal(codeOf(pool.allocate(requestOf(1), 0)), 'capacity');
    must(pool.free(id('a')));
    assert.equal(take(pool, 'c', 64).offset, 0);
  });

  test('a pool can be one block, which is all there is', () => {
    const pool = poolOf(100);
    const { blockId } = take(pool, 'a', 100);
    assert.equal(pool.stats().blockCount, 1);
    assert.equal(must(pool.free(blockId)), 100);
    assert.deepEqual(drawn(pool), ['- 0..100']);
  });

  test('a freed block joins the free neighbour on its left, on its right, or both', () => {
    const cases: readonly (readonly [layout: readonly string[], expected: readonly string[]])[] = [
      [
        ['a 10', 'x 10', 'b 10'],
        ['a 0..10', '- 10..20', 'b 20..30'],
      ],
      [
        ['- 10', 'x 10', 'b 10'],
        ['- 0..20', 'b 20..30'],
      ],
      [
        ['a 10', 'x 10', '- 10'],
        ['a 0..10', '- 10..30'],
      ],
      [['- 10', 'x 10', '- 10'], ['- 0..30']],
    ];
    for (const [layout, expected] of cases) {
      const { pool, id } = poolWith(30, layout);
      assert.equal(must(pool.free(id('x'))), 10);
      assert.deepEqual(drawn(pool), expected, layout.join(', '));
      assertInvariants(pool);
    }
  });

  test('what is joined keeps the lowest id, and a freed block alone keeps its own', () => {
    const { pool, id } = poolWith(40, ['a 10', 'b 10', 'c 10', 'd 10']);
    must(pool.free(id('b')));
    assert.equal(pool.getBlock(id('b'))?.status, 'free');
    assert.equal(pool.getBlock(id('b'))?.tensorId, undefined);
    must(pool.free(id('c')));
    assert.equal(pool.getBlock(id('b'))?.size, 20);
    assert.equal(pool.getBlock(id('c')), undefined);
  });

  test('freeing twice fails, whether or not the block has been joined with others', () => {
    const { pool, id } = poolWith(40, ['a 10', 'b 10', 'c 10', 'd 10']);
    must(pool.free(id('b')));
    assert.equal(codeOf(pool.free(id('b'))), 'block_free');
    must(pool.free(id('c')));
    assert.equal(codeOf(pool.free(id('c'))), 'block_free');
    assert.equal(codeOf(pool.free(id('b'))), 'block_free');
    assertInvariants(pool);
  });

  test('an id that was never given is unknown to every operation', () => {
    const { pool, id } = poolWith(40, ['a 10']);
    const before = pool.blocks();
    const strangers = [0, -1, 1.5, id('a') + 0.5, Number.NaN, Infinity, 99, 2 ** 20 + 1, 2 ** 53];
    for (const stranger of strangers) {
      const unknown = stranger as BlockId;
      for (const result of [
        pool.free(unknown),
        pool.markCached(unknown),
        pool.pin(unknown),
        pool.unpin(unknown),
        pool.touch(unknown, 1),
      ]) {
        assert.equal(codeOf(result), 'block_not_found', String(stranger));
      }
      assert.equal(pool.getBlock(unknown), undefined);
      assert.equal(pool.alignmentOf(unknown), undefined);
    }
    assert.deepEqual(pool.blocks(), before);
  });

  test('an id is never given again, however often its place is', () => {
    const pool = poolOf(64);
    const check = invariantWatch();
    const seen = new Set<BlockId>();
    for (let turn = 0; turn < 500; turn++) {
      const { blockId } = take(pool, 'a', 1 + (turn % 64));
      assert.ok(!seen.has(blockId), `id ${blockId} at turn ${turn}`);
      seen.add(blockId);
      check(pool);
      must(pool.free(blockId));
      check(pool);
    }
    for (const spent of seen) if (pool.getBlock(spent)) seen.delete(spent);
    for (const spent of seen) assert.equal(codeOf(pool.free(spent)), 'block_free');
  });

  test('each status allows its own changes and refuses the others', () => {
    const changes = ['markCached', 'pin', 'unpin', 'touch', 'free'] as const;
    const allowed = {
      allocated: { markCached: 'cached', pin: 'pinned', touch: 'allocated', free: 'free' },
      cached: { markCached: 'cached', pin: 'pinned', touch: 'cached', free: 'free' },
      pinned: { unpin: 'allocated', touch: 'pinned', free: 'free' },
      free: {},
    } as const satisfies Record<string, Partial<Record<(typeof changes)[number], string>>>;
    for (const [status, ends] of Object.entries(allowed)) {
      for (const change of changes) {
        // Neighbours in use, so that a freed block stays one with its id.
        const { pool, id } = poolWith(30, ['a 10', 'x 10', 'b 10']);
        if (status === 'cached') must(pool.markCached(id('x')));
        if (status === 'pinned') must(pool.pin(id('x')));
        if (status === 'free') must(pool.free(id('x')));
        const before = pool.blocks();
        const result = change === 'touch' ? pool.touch(id('x'), 5) : pool[change](id('x'));
        const end = new Map(Object.entries(ends)).get(change);
        if (end === undefined) {
          assert.equal(codeOf(result), `block_${status}`, `${change} of a ${status} block`);
          assert.deepEqual(pool.blocks(), before, 'a refusal changes nothing');
        } else {
          assert.ok(result.ok, `${change} of a ${status} block`);
          assert.equal(pool.getBlock(id('x'))?.status, end, `${change} of a ${status} block`);
        }
        assertInvariants(pool);
      }
    }
  });

  test('a pinned request is pinned from the start', () => {
    const pool = poolOf(64);
    take(pool, 'a', 16, { pinned: true });
    assert.deepEqual(drawn(pool), ['a 0..16 pinned', '- 16..64']);
    assert.equal(pool.stats().pinnedBytes, 16);
  });

  test('a touch moves the last access forward and never back', () => {
    const { pool, id } = poolWith(10, ['a 10']);
    assert.equal(must(pool.touch(id('a'), 9)).lastAccessed, 9);
    assert.equal(must(pool.touch(id('a'), 4)).lastAccessed, 9);
    assert.equal(must(pool.touch(id('a'), 9)).allocatedAt, 0);
    assert.equal(codeOf(pool.touch(id('a'), Number.NaN)), 'invalid_time');
    assert.equal(codeOf(pool.touch(id('a'), -1)), 'invalid_time');
  });

  test('blocks handed out are copies', () => {
    const { pool, id } = poolWith(10, ['a 10']);
    const [listed] = pool.blocks();
    const got = pool.getBlock(id('a'));
    assert.notEqual(got, pool.getBlock(id('a')));
    Object.assign(got ?? {}, { status: 'free', size: 0 });
    Object.assign(listed ?? {}, { offset: 99 });
    assert.deepEqual(drawn(pool), ['a 0..10']);
    assertInvariants(pool);
  });

  test('the blocks of a tensor come by ascending offset', () => {
    const { pool } = poolWith(60, ['- 10', 'w 10', 'v 10', 'w 20']);
    take(pool, 'w', 10);
    assert.deepEqual(
      pool.blocksForTensor('w').map(({ offset }) => offset),
      [0, 10, 30],
    );
    assert.deepEqual(pool.blocksForTensor('nothing'), []);
  });

  test('figures add up at every step and count free blocks among the blocks', () => {
    const { pool, id } = poolWith(512, ['- 64', 'a 64', '- 192', 'b 100', 'c 28']);
    must(pool.pin(id('a')));
    must(pool.markCached(id('b')));
    assert.deepEqual(pool.stats(), {
      totalBytes: 512,
      allocatedBytes: 192,
      freeBytes: 320,
      pinnedBytes: 64,
      cachedBytes: 100,
      fragmentationRatio: 1 - 192 / 320,
      largestFreeBlock: 192,
      blockCount: 6,
      allocationCount: 3,
    });
    assertInvariants(pool);
  });

  test('the A.15 layout of free 64, 192 and 256 bytes is fragmented by one half', () => {
    const { pool } = poolWith(514, ['- 64', 'a 1', '- 192', 'b 1', '- 256']);
    assert.equal(pool.stats().fragmentationRatio, 0.5);
  });

  test('a granule applies to every request, and is no rounding to powers of two', () => {
    const pool = poolOf(10_000, { granuleBytes: 512 });
    assert.equal(take(pool, 'a', 1).actualSize, 512);
    assert.equal(take(pool, 'b', 1100, { alignment: 256 }).actualSize, 1536);
    assert.equal(take(pool, 'c', 1, { alignment: 1024 }).actualSize, 1024);
    assert.deepEqual(drawn(pool), ['a 0..512', 'b 512..2048', 'c 2048..3072', '- 3072..10000']);
    // 10 000 is no multiple of 512: the last 272 bytes cannot be given.
    assert.equal(take(pool, 'd', 6600).actualSize, 6656);
    assert.equal(codeOf(pool.allocate(requestOf(272), 0)), 'capacity');
    assertInvariants(pool);
  });

  test('a pool keeps account of so many allocations and no more', () => {
    const pool = poolOf(100, { allocationsMax: 2 });
    const { blockId } = take(pool, 'a', 1);
    take(pool, 'b', 1);
    assert.equal(codeOf(pool.allocate(requestOf(1), 0)), 'block_limit');
    must(pool.free(blockId));
    take(pool, 'c', 1);
  });

  test('a copy starts equal and then goes its own way', () => {
    const { pool, id } = poolWith(100, ['a 10', '- 20', 'b 30']);
    must(pool.markCached(id('b')));
    const twin = pool.copy();
    assert.deepEqual(twin.blocks(), pool.blocks());
    assert.deepEqual(twin.stats(), pool.stats());
    assert.deepEqual(take(twin, 'c', 15), take(pool, 'c', 15), 'the same next id and place');
    must(twin.evict(30));
    must(twin.free(id('a')));
    assert.equal(pool.getBlock(id('a'))?.status, 'allocated');
    assert.equal(pool.stats().cachedBytes, 30);
    assertInvariants(twin);
    assertInvariants(pool);
  });
});

describe('gpu_memory', () => {
  /** Blocks a, b, c of 10, 20 and 30 bytes, all cached; last used at 3, 1 and 2. */
  function cachedPool() {
    const { pool, id } = poolWith(100, ['a 10', 'b 20', 'c 30', 'd 40']);
    for (const [name, at] of [
      ['a', 3],
      ['b', 1],
      ['c', 2],
    ] as const) {
      must(pool.touch(id(name), at));
      must(pool.markCached(id(name)));
    }
    return { pool, id };
  }

  const evictedBy = (pool: GpuMemoryPool, needed: number) => {
    const { freedBytes, evicted } = must(pool.evict(needed));
    return [freedBytes, ...evicted.map(({ tensorId }) => tensorId)];
  };

  test('the longest unused blocks go first, until enough is freed', () => {
    assert.deepEqual(evictedBy(cachedPool().pool, 20), [20, 'b']);
    assert.deepEqual(evictedBy(cachedPool().pool, 21), [50, 'b', 'c']);
    assert.deepEqual(evictedBy(cachedPool().pool, 51), [60, 'b', 'c', 'a']);
  });

  test('whole blocks are freed, so it may be more than needed, or less when no more are cached', () => {
    assert.deepEqual(evictedBy(cachedPool().pool, 1), [20, 'b']);
    assert.deepEqual(evictedBy(cachedPool().pool, 1000), [60, 'b', 'c', 'a']);
    assert.deepEqual(evictedBy(poolOf(10), 5), [0]);
  });

  test('nothing needed evicts nothing, and no count of bytes is refused', () => {
    const { pool } = cachedPool();
    assert.deepEqual(evictedBy(pool, 0), [0]);
    for (const needed of [-1, 0.5, Number.NaN, Infinity]) {
      assert.equal(codeOf(pool.evict(needed)), 'invalid_eviction', String(needed));
    }
    assert.equal(pool.stats().cachedBytes, 60);
  });

  test('equally old blocks go by offset, and a touch puts a block at the end', () => {
    // d comes into the gap, so that it is the newest block at the lowest offset.
    const { pool, id } = poolWith(40, ['- 10', 'a 10', 'b 10', 'c 10']);
    must(pool.markCached(take(pool, 'd', 10).blockId));
    for (const name of ['c', 'a', 'b']) must(pool.markCached(id(name)));
    must(pool.touch(id('a'), 1));
    assert.deepEqual(evictedBy(pool, 40), [40, 'd', 'b', 'c', 'a']);
    assert.deepEqual(drawn(pool), ['- 0..40']);
  });

  test('pinned and allocated blocks are never evicted, also when they were cached before', () => {
    const { pool, id } = cachedPool();
    must(pool.pin(id('b')));
    assert.deepEqual(evictedBy(pool, 1000), [40, 'c', 'a']);
    must(pool.unpin(id('b')));
    assert.deepEqual(evictedBy(pool, 1000), [0]);
    assert.equal(pool.getBlock(id('b'))?.status, 'allocated');
    assertInvariants(pool);
  });

  test('what is evicted is told as it was, and joins its free neighbours', () => {
    const { pool, id } = cachedPool();
    const { evicted } = must(pool.evict(50));
    assert.deepEqual(evicted[0], {
      blockId: id('b'),
      offset: 10,
      size: 20,
      status: 'cached',
      tensorId: 'b',
      allocatedAt: 0,
      lastAccessed: 1,
    });
    assert.deepEqual(drawn(pool), ['a 0..10 cached', '- 10..60', 'd 60..100']);
    assert.equal(codeOf(pool.free(id('b'))), 'block_free');
  });
});

describe('gpu_memory', () => {
  test('blocks slide together, and all free memory becomes one block', () => {
    const { pool, id } = poolWith(100, ['- 10', 'a 10', '- 20', 'b 20', 'c 5']);
    must(pool.markCached(id('b')));
    const before = pool.blocks().filter(({ status }) => status !== 'free');
    assert.deepEqual(pool.defragment(), [
      { blockId: id('a'), tensorId: 'a', fromOffset: 10, toOffset: 0, size: 10 },
      { blockId: id('b'), tensorId: 'b', fromOffset: 40, toOffset: 10, size: 20 },
      { blockId: id('c'), tensorId: 'c', fromOffset: 60, toOffset: 30, size: 5 },
    ]);
    assert.deepEqual(drawn(pool), ['a 0..10', 'b 10..30 cached', 'c 30..35', '- 35..100']);
    const after = pool.blocks().filter(({ status }) => status !== 'free');
    const place = { offset: 0 };
    assert.deepEqual(
      after.map((block) => ({ ...block, ...place })),
      before.map((block) => ({ ...block, ...place })),
      'nothing but the offset changes',
    );
    assertInvariants(pool);
  });

  test('a pinned block stays, and nothing moves past it', () => {
    const { pool, id } = poolWith(100, ['- 10', 'a 10', '- 10', 'p 10', '- 10', 'b 10']);
    must(pool.pin(id('p')));
    assert.deepEqual(
      pool.defragment().map(({ tensorId, toOffset }) => [tensorId, toOffset]),
      [
        ['a', 0],
        ['b', 40],
      ],
    );
    assert.deepEqual(drawn(pool), [
      'a 0..10',
      '- 10..30',
      'p 30..40 pinned',
      'b 40..50',
      '- 50..100',
    ]);
    assertInvariants(pool);
  });

  test('a moved block keeps its alignment, and the padding before it stays free', () => {
    const pool = poolOf(2048);
    take(pool, 'a', 100);
    const gap = take(pool, 'gap', 600);
    const aligned = take(pool, 'b', 256, { alignment: 256 });
    assert.equal(aligned.offset, 768);
    must(pool.free(gap.blockId));
    const [move, ...others] = pool.defragment();
    assert.deepEqual([move?.fromOffset, move?.toOffset, others.length], [768, 256, 0]);
    assert.deepEqual(drawn(pool), ['a 0..100', '- 100..256', 'b 256..512', '- 512..2048']);
    assertInvariants(pool);
  });

  test('a second run, a full pool and an empty one move nothing and keep every id', () => {
    const { pool, id } = poolWith(100, ['- 10', 'a 10', '- 20', 'b 20', 'c 5']);
    must(pool.pin(id('b')));
    pool.defragment();
    const before = pool.blocks();
    assert.deepEqual(pool.defragment(), []);
    assert.deepEqual(pool.blocks(), before);
    assert.deepEqual(poolWith(20, ['a 10', 'b 10']).pool.defragment(), []);
    assert.deepEqual(poolOf(20).defragment(), []);
  });

  test('moved cached blocks are evicted by their new offsets', () => {
    const { pool, id } = poolWith(60, ['- 10', 'a 10', 'b 10', '- 20', 'c 10']);
    must(pool.markCached(id('c')));
    pool.defragment();
    // c has come from 50 to 20, which is below 30, where d is now.
    must(pool.markCached(take(pool, 'd', 10).blockId));
    must(pool.markCached(id('b')));
    assert.deepEqual(
      must(pool.evict(30)).evicted.map(({ tensorId }) => tensorId),
      ['b', 'c', 'd'],
    );
    assert.deepEqual(drawn(pool), ['a 0..10', '- 10..60']);
  });
});
