// Goal: whoever waits is offered what becomes free in order, leaves once, and gives its place back
// whatever ends it. Method: a room with a clock and a pool of free backends by lane in the test's
// hand, and waiters that write down what they hear.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PriorityClass } from '../../core/jobs/priority-class.ts';
import { noPlace } from '../../core/queue/waiting-places.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { Arena } from '../../io/shared-memory/arena.ts';
import { WaitingBoard } from '../../io/shared-memory/waiting-board.ts';
import type { WaitingSettings } from './messages.ts';
import { ThreadMetrics } from './thread-metrics.ts';
import { type OnStayOver, type Waiter, WaitingRoom, type Wish } from './waiting-room.ts';

const usual = { sizeMax: 10, waitMsMax: 30_000, ageingMs: 5000, pingMs: 15_000 };

class Bench {
  nowMs = 0;
  ended = 0;
  emergency = false;
  readonly heard: string[] = [];
  readonly free = new Map<string, number>();
  readonly arena = Arena.create({ capacity: 4, threads: 2 });
  readonly board = WaitingBoard.create(2);
  readonly #timers: TestContext['mock']['timers'];

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    this.#timers = t.mock.timers;
  }

  room(settings: Partial<WaitingSettings> = {}, thread = 0): WaitingRoom {
    return new WaitingRoom({
      settings: { ...usual, ...settings },
      board: new WaitingBoard(this.board, thread),
      metrics: new ThreadMetrics(),
      monotonicMs: () => this.nowMs,
      isEmergency: () => this.emergency,
      endedOf: () => this.ended,
      takePlace: (limit) => this.arena.takeQueuePlace(limit, thread),
      givePlace: () => this.arena.giveQueuePlace(thread),
      depth: () => this.arena.queueDepth(),
    });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.#timers.tick(ms);
  }

  /** A waiter that takes a free backend of its lane, when there is one. */
  waiter(name: string, lane = 'm'): Waiter {
    return {
      admitAgain: () => {
        const free = this.free.get(lane) ?? 0;
        if (free === 0) return 'still_full';
        this.free.set(lane, free - 1);
        this.heard.push(`${name} placed`);
        return 'placed';
      },
      isStillFull: () => (this.free.get(lane) ?? 0) === 0,
      giveUp: (cause: Refusal) => this.heard.push(`${name} ${cause.code}`),
      ping: () => this.heard.push(`${name} ping`),
    };
  }

  heardNow(): string[] {
    return this.heard.splice(0);
  }
}

const unheard: OnStayOver = () => {};

function wish(more: Partial<Wish> = {}): Wish {
  const priorityClass: PriorityClass = 3;
  return {
    lane: 'm',
    model: 'm',
    group: 'g',
    key: 'k',
    priorityClass,
    tokens: 10,
    startByMs: undefined,
    exclusionReasons: 1,
    ...more,
  };
}

test('What this thread frees goes at once to who goes next', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  room.enter(bench.waiter('usual'), wish(), unheard);
  room.enter(bench.waiter('urgent'), wish({ priorityClass: 5 }), unheard);
  bench.free.set('m', 1);
  room.released();
  assert.deepEqual(bench.heardNow(), ['urgent placed']);
  bench.free.set('m', 1);
  room.released();
  assert.deepEqual(bench.heardNow(), ['usual placed']);
  assert.equal(bench.arena.queueDepth(), 0);
});

test('What another thread frees is found within 10 ms', (t) => {
  const bench = new Bench(t);
  bench.room().enter(bench.waiter('one'), wish(), unheard);
  bench.free.set('m', 1);
  bench.pass(10);
  assert.deepEqual(bench.heardNow(), ['one placed']);
});

test('A full model does not hold up another', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  for (let i = 0; i < 3; i++)
    room.enter(bench.waiter(`hot ${i}`, 'hot'), wish({ lane: 'hot' }), unheard);
  room.enter(bench.waiter('cold', 'cold'), wish({ lane: 'cold', priorityClass: 1 }), unheard);
  bench.free.set('cold', 1);
  room.released();
  assert.deepEqual(bench.heardNow(), ['cold placed']);
});

test('A waiter that frees a backend while it is tried lets the offer begin anew', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  room.enter(bench.waiter('first', 'a'), wish({ lane: 'a', priorityClass: 5 }), unheard);
  room.enter(
    {
      admitAgain: () => {
        bench.free.set('a', 1);
        room.released();
        return 'over';
      },
      isStillFull: () => true,
      giveUp: () => undefined,
      ping: () => undefined,
    },
    wish({ lane: 'b' }),
    unheard,
  );
  room.released();
  assert.deepEqual(bench.heardNow(), ['first placed']);
  assert.equal(room.size, 0);
});

test('Beyond its places the queue refuses with the wait that it has seen', (t) => {
  const bench = new Bench(t);
  const room = bench.room({ sizeMax: 2 });
  assert.equal(room.enter(bench.waiter('a'), wish(), unheard), undefined);
  assert.equal(room.enter(bench.waiter('b'), wish(), unheard), undefined);
  const early = room.enter(bench.waiter('c'), wish(), unheard);
  assert.deepEqual([early?.code, early?.retryAfterSeconds], ['queue_full', 5]);
  bench.pass(1000);
  bench.ended = 1;
  bench.pass(1000);
  assert.equal(room.enter(bench.waiter('c'), wish(), unheard)?.retryAfterSeconds, 4);
  assert.equal(bench.arena.queueDepth(), 2);
});

test('Nobody waits where none may, and fewer in an emergency', (t) => {
  const bench = new Bench(t);
  assert.equal(
    bench.room({ sizeMax: 0 }).enter(bench.waiter('a'), wish(), unheard)?.code,
    'queue_full',
  );
  bench.emergency = true;
  const room = bench.room();
  const codes = Array.from(
    { length: 8 },
    (_, i) => room.enter(bench.waiter(`${i}`), wish({ priorityClass: 5 }), unheard)?.code,
  );
  assert.deepEqual(codes.indexOf('queue_full'), 7);
});

test('Who waits too long, or cannot begin in time, is sent away once', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  room.enter(bench.waiter('patient'), wish(), unheard);
  room.enter(bench.waiter('hurried'), wish({ startByMs: 500 }), unheard);
  bench.pass(510);
  assert.deepEqual(bench.heardNow(), ['hurried queue_timeout']);
  for (let i = 0; i < 3; i++) bench.pass(10_000);
  assert.deepEqual(bench.heardNow(), ['patient ping', 'patient queue_timeout']);
  assert.equal(bench.arena.queueDepth(), 0);
});

test('Who left is not tried, not pinged and not sent away', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  const waiter = bench.waiter('gone');
  room.enter(waiter, wish(), unheard);
  assert.equal(room.enter(waiter, wish(), unheard), undefined);
  assert.equal(bench.arena.queueDepth(), 1, 'it has one place, however often it comes');
  room.leave(waiter);
  room.leave(waiter);
  bench.free.set('m', 1);
  room.released();
  bench.pass(40_000);
  assert.deepEqual(bench.heardNow(), []);
  assert.equal(bench.arena.queueDepth(), 0);
});

test('Closing sends everybody away at once and lets nobody in', (t) => {
  const bench = new Bench(t);
  const room = bench.room();
  room.enter(bench.waiter('a'), wish(), unheard);
  room.enter(bench.waiter('b'), wish(), unheard);
  room.close();
  assert.deepEqual(bench.heardNow(), ['a shutting_down', 'b shutting_down']);
  assert.equal(room.enter(bench.waiter('c'), wish(), unheard)?.code, 'shutting_down');
  assert.equal(bench.arena.queueDepth(), 0);
});

test('A newcomer stands behind who waits in its lane, unless it is more urgent', (t) => {
  const bench = new Bench(t);
  const [here, there] = [bench.room(), bench.room({}, 1)];
  assert.equal(here.mustQueue('m', 3), false);
  here.enter(bench.waiter('a'), wish(), unheard);
  const asked = [here.mustQueue('m', 3), here.mustQueue('m', 4), here.mustQueue('n', 3)];
  assert.deepEqual(asked, [true, false, false]);
  assert.deepEqual([there.mustQueue('m', 2), there.mustQueue('m', 4)], [true, false]);
});

test('A thread steps back for somebody more urgent on another, but not for ever', (t) => {
  const bench = new Bench(t);
  const [here, there] = [bench.room(), bench.room({}, 1)];
  here.enter(bench.waiter('usual'), wish(), unheard);
  there.enter(
    {
      admitAgain: () => 'still_full',
      isStillFull: () => true,
      giveUp: () => undefined,
      ping: () => undefined,
    },
    wish({ priorityClass: 5 }),
    unheard,
  );
  bench.free.set('m', 1);
  here.released();
  for (let i = 0; i < 4; i++) bench.pass(10);
  assert.deepEqual(bench.heardNow(), []);
  bench.pass(10);
  assert.deepEqual(bench.heardNow(), ['usual placed']);
});

test('Each stay is told once when it is over, with what was read when it was asked for', (t) => {
  const bench = new Bench(t);
  const room = bench.room({ sizeMax: 5 });
  const told: string[] = [];
  const enter = (name: string, more: Partial<Wish> = {}): Waiter => {
    const waiter = bench.waiter(name);
    room.enter(waiter, wish(more), ({ ended, waitedMs, reading }) => {
      const { depth, sizeMax, held, isEmergency } = reading;
      told.push(`${name} ${ended} ${waitedMs} ${depth}/${sizeMax} ${held} ${isEmergency}`);
    });
    return waiter;
  };
  enter('placed');
  bench.free.set('m', 1);
  bench.pass(10);
  enter('late', { startByMs: 20 });
  const left = enter('left', { group: 'h' });
  enter('lesser', { priorityClass: 1 });
  enter('patient');
  bench.emergency = true;
  enter('shed', { priorityClass: 2 });
  bench.pass(20);
  room.leave(left);
  room.leave(left);
  for (let i = 0; i < 3; i++) bench.pass(10_000);
  enter('last', { priorityClass: 5 });
  room.close();
  assert.deepEqual(told, [
    'placed placed 10 0/5 0 false',
    'shed full 0 4/5 3 true',
    'late deadline 20 0/5 0 false',
    'left left 20 1/5 0 false',
    'lesser timeout 30020 2/5 1 false',
    'patient timeout 30020 3/5 2 false',
    'last stopping 0 0/5 0 true',
  ]);
});

test('What is told of a stay says again whether there was a place', (t) => {
  const bench = new Bench(t);
  const room = bench.room({ sizeMax: 4 });
  const classes: readonly PriorityClass[] = [1, 5, 3, 2, 4, 5, 1, 5];
  for (const [i, priorityClass] of classes.entries()) {
    bench.emergency = i === 5;
    const asked = wish({ priorityClass, group: `g${i % 2}` });
    const onOver: OnStayOver = ({ reading, ended }) => {
      assert.equal(noPlace(priorityClass, reading) !== undefined, ended === 'full', `${i}`);
    };
    room.enter(bench.waiter(`${i}`), asked, onOver);
  }
  assert.ok(room.size > 0 && room.size < classes.length);
  room.close();
});
