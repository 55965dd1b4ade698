// Goal: notices and audit entries have one cap for all threads together; a place is told once; a
// thread that died can be followed by another. Method: several desks over one block, as the threads
// open it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditEntriesPerSecond, noticeOf, ThreadDesk } from './thread-desk.ts';

const startMs = 1_800_000_000_000;

function desks(threads = 2) {
  const control = ThreadDesk.create(threads, startMs);
  const opened = Array.from({ length: threads }, (_, i) => new ThreadDesk(control.parts, i));
  return { control, opened };
}

describe('notices of unreachable backends', () => {
  it('of all threads are taken at once, those of requests with most attempts first, each place once', () => {
    const { control, opened } = desks();
    const [a, b, c] = [1, 2, 3].map((slot) => ({ slot, generation: 1 }));
    assert.ok(a && b && c);
    opened[0]?.unreachable(a, 1);
    opened[1]?.unreachable(b, 3);
    opened[1]?.unreachable(a, 1);
    opened[0]?.unreachable(c, 99);
    assert.ok(opened[0]?.hasNotices);
    assert.deepEqual(control.takeUnreachable(), [c, b, a].map(noticeOf));
    assert.ok(!control.hasNotices);
    assert.deepEqual(control.takeUnreachable(), []);
  });

  it('never exceed their cap, and what does not fit is no fault', () => {
    const { control, opened } = desks();
    for (let i = 0; i < 2000; i++) opened[i % 2]?.unreachable({ slot: i, generation: 1 }, 1);
    assert.equal(control.takeUnreachable().length, 255);
    opened[0]?.unreachable({ slot: 7, generation: 1 }, 1);
    assert.equal(control.takeUnreachable().length, 1);
  });

  it('name the life of a slot, not the slot alone', () => {
    assert.notEqual(noticeOf({ slot: 5, generation: 1 }), noticeOf({ slot: 5, generation: 3 }));
    assert.notEqual(noticeOf({ slot: 4095, generation: 1 }), noticeOf({ slot: 0, generation: 2 }));
    assert.ok(noticeOf({ slot: 4095, generation: 2 ** 32 - 1 }) < 2 ** 32);
  });
});

describe('the audit budget', () => {
  it('is one for all threads, and comes back with time', () => {
    const { opened } = desks();
    const granted = (nowMs: number): number => {
      let count = 0;
      for (let i = 0; i < 1000; i++) if (opened[i % 2]?.mayAudit(nowMs)) count++;
      return count;
    };
    assert.equal(granted(startMs), auditEntriesPerSecond);
    assert.equal(granted(startMs), 0);
    assert.equal(granted(startMs + 500), auditEntriesPerSecond / 2);
    assert.equal(granted(startMs + 1_000_000), auditEntriesPerSecond);
    assert.equal(granted(startMs - 5000), 0);
  });
});

it('a thread that died is followed by another under its number', () => {
  const { control, opened } = desks();
  opened[1]?.unreachable({ slot: 9, generation: 1 }, 1);
  assert.throws(() => new ThreadDesk(control.parts, 1), /attached/);
  control.release(1);
  const successor = new ThreadDesk(control.parts, 1);
  successor.unreachable({ slot: 8, generation: 1 }, 2);
  assert.deepEqual(control.takeUnreachable(), [
    noticeOf({ slot: 8, generation: 1 }),
    noticeOf({ slot: 9, generation: 1 }),
  ]);
});
