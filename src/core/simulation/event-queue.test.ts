// Goal: events leave by time, and by order of scheduling within one (Q1, Q2). Method: random
// schedules against a stable sort.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { EventQueue } from './event-queue.ts';

describe('event queue', () => {
  holds(
    'events leave as a stable sort by time would have them, whenever they are taken',
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean())), (steps) => {
      const queue = new EventQueue<number>();
      let waiting: { readonly at: number; readonly event: number }[] = [];
      let now = 0;
      for (const [event, [delay, take]] of steps.entries()) {
        queue.schedule(now + delay, event);
        waiting.push({ at: now + delay, event });
        if (!take) continue;
        waiting = waiting.toSorted((a, b) => a.at - b.at);
        const expected = waiting.shift();
        assert.equal(queue.nextAt, expected?.at);
        const { at, event: taken } = queue.next() ?? {};
        assert.deepEqual({ at, event: taken }, expected);
        now = expected?.at ?? now;
      }
      assert.equal(queue.size, waiting.length);
    }),
  );

  it('refuses an event before the one that left last, and is empty at first', () => {
    const queue = new EventQueue<string>();
    assert.equal(queue.next(), undefined);
    assert.equal(queue.nextAt, undefined);
    queue.schedule(5, 'a');
    queue.next();
    assert.throws(() => queue.schedule(4, 'b'), /before 5/);
  });
});
