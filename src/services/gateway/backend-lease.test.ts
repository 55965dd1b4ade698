// Goal: a lease counts its request once, whoever gives it back and how often, and never into a slot
// that another backend has. Method: an arena, random orders of taking and giving back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { Arena } from '../../io/shared-memory/arena.ts';
import { BackendLease } from './backend-lease.ts';

test('a lease that is given back twice was one request', () => {
  const arena = Arena.create({ capacity: 1, threads: 1 });
  const handle = arena.open(0, 0);
  const lease = BackendLease.take(arena, handle, 0, 0);
  assert.ok(lease !== undefined);
  lease.firstByte(40, 0);
  assert.deepEqual([lease.isHeld, arena.pending(0)], [true, 1]);
  assert.deepEqual([lease.release(), lease.release()], [false, false]);
  lease.firstByte(4000, 0);
  const counters = arena.read(handle);
  assert.deepEqual(
    [counters?.pendingRequests, counters?.totalRequests, counters?.firstByteMs, lease.isHeld],
    [0, 1, 40, false],
  );
});

test('there is none of a backend that is gone, and one that outlives it writes nothing', () => {
  const arena = Arena.create({ capacity: 1, threads: 1 });
  const handle = arena.open(0, 0);
  const lease = BackendLease.take(arena, handle, 0, 0);
  arena.close(handle);
  assert.equal(BackendLease.take(arena, handle, 0, 0), undefined);
  lease?.release();
  assert.equal(arena.pendingOf(0), 0);
  const next = arena.open(0, 0);
  assert.equal(arena.read(next)?.totalRequests, 0);
});

test('a count that somebody else has spoilt is told, and stays at zero', () => {
  const arena = Arena.create({ capacity: 1, threads: 1 });
  const handle = arena.open(0, 0);
  const lease = BackendLease.take(arena, handle, 0, 0);
  arena.decrement(handle);
  assert.equal(lease?.release(), true);
  assert.equal(arena.pending(0), 0);
});

test('the last place of a backend goes to one of those who found it free', () => {
  const arena = Arena.create({ capacity: 1, threads: 2 });
  const handle = arena.open(0, 1);
  const lease = BackendLease.takeWithin(arena, handle, 0, 10);
  assert.ok(lease instanceof BackendLease);
  assert.equal(BackendLease.takeWithin(arena, handle, 1, 10), 'full');
  assert.deepEqual([arena.pending(0), arena.pendingOf(0)], [1, 1]);
  lease.release();
  assert.equal(arena.read(handle)?.totalRequests, 1, 'one was served, and one only');
  arena.setCapacity(handle, 0);
  assert.ok(BackendLease.takeWithin(arena, handle, 0, 10) instanceof BackendLease);
  arena.close(handle);
  assert.equal(BackendLease.takeWithin(arena, handle, 0, 10), undefined);
});

holds(
  'what is pending is the number of leases that are held, in any order of giving back',
  fc.property(fc.array(fc.nat(19), { maxLength: 60 }), (picks) => {
    const arena = Arena.create({ capacity: 1, threads: 1 });
    const handle = arena.open(0, 0);
    const leases: BackendLease[] = [];
    for (const pick of picks) {
      const known = leases[pick];
      if (known !== undefined) assert.equal(known.release(), false);
      else leases.push(BackendLease.take(arena, handle, 0, 0) as BackendLease);
    }
    const held = leases.filter(({ isHeld }) => isHeld).length;
    assert.equal(arena.pending(0), held);
    assert.equal(arena.read(handle)?.totalRequests, leases.length - held);
  }),
);
