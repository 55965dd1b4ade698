// Goal: the planner does no more than a request needs, says what it did, and leaves a pool alone for
// which nothing helps. Method: pools drawn before and after; random pools for the two promises.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { allocateWithReclaim, planAllocation } from './allocation-plan.ts';
import {
  assertInvariants,
  codeOf,
  drawn,
  must,
  poolWith,
  requestOf,
} from './gpu-memory.test-support.ts';

/** What it took: names evicted, then names moved. */
function effects(plan: ReturnType<typeof allocateWithReclaim>) {
  const { evicted, moves } = must(plan);
  return {
    evicted: evicted.map(({ tensorId }) => tensorId),
    moved: moves.map(({ tensorId }) => tensorId),
  };
}

/** a, b and c of 10, 20 and 30 bytes cached in this order of age, between pinned ones. */
function crowded() {
  const built = poolWith(100, ['a 10', 'p 10', 'b 20', 'q 10', 'c 30', '- 20']);
  for (const name of ['p', 'q']) must(built.pool.pin(built.id(name)));
  for (const [at, name] of ['a', 'b', 'c'].entries()) {
    must(built.pool.touch(built.id(name), at));
    must(built.pool.markCached(built.id(name)));
  }
  return built;
}

describe('gpu_memory', () => {
  test('a request that fits takes its place and nothing else happens', () => {
    const { pool } = crowded();
    const plan = allocateWithReclaim(pool, requestOf(20, { tensorId: 'x' }), 9);
    assert.deepEqual(effects(plan), { evicted: [], moved: [] });
    assert.equal(must(plan).allocation.offset, 80);
  });

  test('what is short is evicted by age, and no more than covers it', () => {
    const { pool, id } = poolWith(100, ['- 10', 'a 30', 'b 30', 'c 30']);
    for (const name of ['a', 'b', 'c']) must(pool.markCached(id(name)));
    const plan = allocateWithReclaim(pool, requestOf(40, { tensorId: 'x' }), 9);
    assert.deepEqual(effects(plan), { evicted: ['a'], moved: [] });
    assert.deepEqual(drawn(pool), ['x 0..40', 'b 40..70 cached', 'c 70..100 cached']);
  });

  test('free bytes in the wrong places are moved together, and the cache is kept', () => {
    const { pool, id } = poolWith(100, ['- 20', 'a 20', '- 20', 'b 20', '- 20']);
    must(pool.markCached(id('b')));
    const plan = allocateWithReclaim(pool, requestOf(60, { tensorId: 'x' }), 9);
    assert.deepEqual(effects(plan), { evicted: [], moved: ['a', 'b'] });
    assert.deepEqual(drawn(pool), ['a 0..20', 'b 20..40 cached', 'x 40..100']);
  });

  test('a request can take both: evicting first, then moving what is left', () => {
    const { pool, id } = poolWith(100, ['a 20', 'b 20', 'c 20', 'd 40']);
    for (const name of ['a', 'c']) must(pool.markCached(id(name)));
    const plan = allocateWithReclaim(pool, requestOf(40, { tensorId: 'x' }), 9);
    assert.deepEqual(effects(plan), { evicted: ['a', 'c'], moved: ['b', 'd'] });
    assert.deepEqual(drawn(pool), ['b 0..20', 'd 20..60', 'x 60..100']);
  });

  test('nothing is moved at or below the threshold of fragmentation', () => {
    const { pool } = poolWith(100, ['- 40', 'a 20', '- 40']);
    const request = requestOf(60);
    const threshold = { fragmentationThreshold: 0.5 };
    assert.equal(codeOf(allocateWithReclaim(pool, request, 9, threshold)), 'fragmentation');
    const plan = allocateWithReclaim(pool, request, 9, { fragmentationThreshold: 0.49 });
    assert.deepEqual(effects(plan), { evicted: [], moved: ['a'] });
  });

  test('a block that is large enough but badly aligned is moved to where it is not', () => {
    // Free: 0..24 and 32..96, of which the part from the multiple of 64 on has 32 bytes.
    const { pool, id } = poolWith(128, ['- 24', 'a 8', 'b 64', 'c 32']);
    must(pool.free(id('b')));
    const request = requestOf(64, { alignment: 64, tensorId: 'x' });
    const refused = pool.allocate(request, 0);
    assert.ok(!refused.ok && refused.error.code === 'fragmentation');
    assert.deepEqual([refused.error.askedBytes, refused.error.thereBytes], [64, 64]);
    const plan = allocateWithReclaim(pool, request, 9);
    assert.deepEqual(effects(plan), { evicted: [], moved: ['a', 'c'] });
    assert.deepEqual(drawn(pool), ['a 0..8', 'c 8..40', '- 40..64', 'x 64..128']);
  });

  test('a refusal evicts and moves nothing, and tells what is still short', () => {
    const { pool } = crowded();
    const before = pool.blocks();
    const capacity = allocateWithReclaim(pool, requestOf(81), 9);
    assert.ok(!capacity.ok && capacity.error.code === 'capacity');
    assert.equal(capacity.error.thereBytes, 80, 'with everything cached evicted');
    // Pinned p and q cut what could be free into 10, 20 and 50 bytes.
    assert.equal(codeOf(allocateWithReclaim(pool, requestOf(51), 9)), 'fragmentation');
    assert.equal(codeOf(allocateWithReclaim(pool, requestOf(0), 9)), 'invalid_allocation');
    assert.deepEqual(pool.blocks(), before);
  });

  test('a plan tells what would be done, and does not do it', () => {
    const { pool, id } = poolWith(100, ['a 20', 'b 20', 'c 20', 'd 40']);
    for (const name of ['a', 'c']) must(pool.markCached(id(name)));
    const before = pool.blocks();
    const request = requestOf(40, { tensorId: 'x' });
    const plan = planAllocation(pool, request, 9);
    assert.deepEqual(effects(plan), { evicted: ['a', 'c'], moved: ['b', 'd'] });
    assert.deepEqual(pool.blocks(), before);
    assert.deepEqual(allocateWithReclaim(pool, request, 9), plan);
    assert.notDeepEqual(pool.blocks(), before);
  });

  const layouts = fc.array(
    fc.record({
      size: fc.integer({ min: 1, max: 60 }),
      status: fc.constantFrom('free', 'allocated', 'cached', 'cached', 'pinned'),
    }),
    { maxLength: 14 },
  );

  holds(
    'a refusal changes nothing, and a grant has evicted or moved no pinned block',
    fc.property(
      layouts,
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom(1, 16, 64),
      (layout, size, alignment) => {
        const parts = layout.map(({ size: bytes }, i) => `b${i} ${bytes}`);
        const { pool, id } = poolWith(900, parts);
        for (const [i, { status }] of layout.entries()) {
          if (status === 'free') must(pool.free(id(`b${i}`)));
          if (status === 'cached') must(pool.markCached(id(`b${i}`)));
          if (status === 'pinned') must(pool.pin(id(`b${i}`)));
        }
        const before = pool.blocks();
        const plan = allocateWithReclaim(pool, requestOf(size, { alignment }), 9);
        assertInvariants(pool);
        if (!plan.ok) assert.deepEqual(pool.blocks(), before);
        for (const block of before) {
          if (block.status === 'pinned') assert.deepEqual(pool.getBlock(block.blockId), block);
        }
      },
    ),
  );
});
