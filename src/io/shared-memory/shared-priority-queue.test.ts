// Goal: what is particular to the shared queue: its shape, its threads, their deaths, and counters
// that go around. How it queues is tested with the plain one (core/queue/priority-queue.test.ts), what
// it does under many threads in the tests beside this one. Method: cases on one thread, with a port
// that ends the thread after any number of steps.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type QueueShape, queueLayout, queueWord } from './queue-layout.ts';
import { type SharedItem, SharedPriorityQueue } from './shared-priority-queue.ts';
import { createWordBlock, openWords } from './shared-words.ts';
import type { Words } from './words.ts';

const shape: QueueShape = { hardLimit: 10, levels: 3, lowestPriority: 1, threads: 2 };

function freshWords(given: QueueShape = shape): Words {
  const words = openWords(createWordBlock(SharedPriorityQueue.wordsFor(given)));
  SharedPriorityQueue.create(words, 0, given);
  return words;
}

const low = { id: 1, priority: 1 };
const middle = { id: 2, priority: 2 };
const high = { id: 3, priority: 3 };

describe('the shape', () => {
  test('holds ids of 32 bits and the priorities of its levels', () => {
    const given = { hardLimit: 3, levels: 64, lowestPriority: -10, threads: 1 };
    const queue = new SharedPriorityQueue(freshWords(given), 0, 0);
    const items = [
      { id: 2 ** 32 - 1, priority: -10 },
      { id: 0, priority: 53 },
      { id: 2 ** 31, priority: 0 },
    ];
    for (const item of items) assert.equal(queue.enqueue(item), true);
    assert.deepEqual(queue.peek(), items[1]);
    assert.deepEqual(queue.drain(), [items[1], items[2], items[0]]);
  });

  test('of an item that does not fit is a bug, and the queue stays as it is', () => {
    const queue = new SharedPriorityQueue(freshWords(), 0, 0);
    const bad: readonly SharedItem[] = [
      { id: 1, priority: 0 },
      { id: 1, priority: 4 },
      { id: 1, priority: 1.5 },
      { id: 1, priority: Number.NaN },
      { id: -1, priority: 1 },
      { id: 2 ** 32, priority: 1 },
      { id: 0.5, priority: 1 },
    ];
    for (const item of bad) {
      assert.throws(() => queue.enqueue(item), { name: 'AssertionFailed' }, JSON.stringify(item));
    }
    assert.equal(queue.size, 0);
  });

  test('of a queue has bounds', () => {
    const wordsFor = (change: Partial<QueueShape>) => (): number =>
      SharedPriorityQueue.wordsFor({ ...shape, ...change });
    const bad: readonly Partial<QueueShape>[] = [
      { hardLimit: -1 },
      { hardLimit: 65_536 },
      { hardLimit: 0.5 },
      { levels: 0 },
      { levels: 65 },
      { threads: 0 },
      { threads: 65 },
      { lowestPriority: 0.5 },
    ];
    for (const change of bad) {
      assert.throws(wordsFor(change), { name: 'AssertionFailed' }, JSON.stringify(change));
    }
    assert.ok(wordsFor({ hardLimit: 65_535, levels: 1, threads: 1 })() > 0);
  });

  test('gives each ring more cells than there may be items', () => {
    const cells = [0, 1, 2, 3, 4, 1000, 1023, 1024].map(
      (hardLimit) => queueLayout({ ...shape, hardLimit }).ringCells,
    );
    assert.deepEqual(cells, [1, 2, 4, 4, 8, 1024, 1024, 2048]);
  });

  test('lets a queue lie anywhere in its block, beside others', () => {
    const size = SharedPriorityQueue.wordsFor(shape);
    const words = openWords(createWordBlock(2 * size));
    for (const at of [0, size]) SharedPriorityQueue.create(words, at, shape);
    const [one, other] = [0, size].map((at) => new SharedPriorityQueue(words, at, 1));
    one?.enqueue(low);
    other?.enqueue(high);
    assert.deepEqual([one?.drain(), other?.drain()], [[low], [high]]);
    assert.throws(() => SharedPriorityQueue.create(words, 8, shape), /not at a cache line/);
  });
});

describe('threads', () => {
  test('see one queue', () => {
    const words = freshWords();
    const one = new SharedPriorityQueue(words, 0, 0);
    const other = new SharedPriorityQueue(words, 0, 1);
    one.enqueue(low);
    other.enqueue(high);
    one.enqueue(middle);
    assert.deepEqual([other.peek(), one.size], [high, 3]);
    assert.deepEqual([one.dequeue(), other.dequeue()], [high, middle]);
    other.enqueue(middle);
    assert.deepEqual(one.drain(), [middle, low]);
    assert.deepEqual([other.size, other.dequeue()], [0, undefined]);
  });

  test('drain in turn, each with a spare bank', () => {
    const words = freshWords();
    const threads = [0, 1].map((thread) => new SharedPriorityQueue(words, 0, thread));
    for (let round = 0; round < 40; round++) {
      const [one, other] = round % 3 === 0 ? threads : threads.toReversed();
      one?.enqueue({ id: round, priority: 1 });
      other?.enqueue({ id: 1000 + round, priority: 3 });
      const items = (round % 2 === 0 ? one : other)?.drain().map(({ id }) => id);
      assert.deepEqual(items, [1000 + round, round]);
    }
  });

  test('have a number each, which can be given back', () => {
    const words = freshWords();
    const queue = new SharedPriorityQueue(words, 0, 1);
    assert.throws(() => new SharedPriorityQueue(words, 0, 1), /attached to the queue already/);
    assert.throws(() => new SharedPriorityQueue(words, 0, 2), /thread 2 of 2/);
    queue.detach();
    new SharedPriorityQueue(words, 0, 1).enqueue(low);
  });

  test('do not attach where there is no queue', () => {
    const words = openWords(createWordBlock(1000));
    assert.throws(() => new SharedPriorityQueue(words, 0, 0), /no shared queue/);
  });
});

class Killed extends Error {}

/** Lets `steps` steps pass; the next one ends the thread. */
function mortalWords(words: Words, steps: { left: number }): Words {
  const mortal = <Args extends readonly unknown[], Result>(step: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      if (steps.left === 0) throw new Killed();
      steps.left -= 1;
      return step(...args);
    };
  };
  return {
    load: mortal(words.load),
    store: mortal(words.store),
    compareExchange: mortal(words.compareExchange),
    compareExchange64: mortal(words.compareExchange64),
    glance: mortal(words.glance),
    scribble: mortal(words.scribble),
    pause: words.pause,
  };
}

type Death = {
  readonly remaining: readonly SharedItem[];
  readonly released: boolean;
  readonly survivor: SharedPriorityQueue;
  readonly words: Words;
};

/** What is left of low, middle and high when thread 1 dies after `steps` steps of `act`. */
function dying(act: (queue: SharedPriorityQueue) => void, steps: number): Death | 'survived' {
  const words = freshWords();
  const survivor = new SharedPriorityQueue(words, 0, 0);
  for (const item of [low, middle, high]) survivor.enqueue(item);
  const left = { left: Number.POSITIVE_INFINITY };
  const queue = new SharedPriorityQueue(mortalWords(words, left), 0, 1);
  left.left = steps;
  try {
    act(queue);
    return 'survived';
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
  const { size } = survivor;
  const remaining = survivor.drain();
  assert.equal(remaining.length, size);
  return { remaining, released: survivor.release(1), survivor, words };
}

function deaths(act: (queue: SharedPriorityQueue) => void): readonly Death[] {
  const all: Death[] = [];
  for (let steps = 0; ; steps++) {
    const death = dying(act, steps);
    if (death === 'survived') return all;
    all.push(death);
  }
}

describe('a thread that dies at any step', () => {
  const added = { id: 4, priority: 2 };

  test('of an enqueue has added its item wholly or not at all', () => {
    const met = new Set<string>();
    for (const { remaining, released } of deaths((queue) => queue.enqueue(added))) {
      met.add(remaining.map(({ id }) => id).join());
      assert.equal(released, true);
    }
    assert.deepEqual([...met], ['3,2,1', '3,2,4,1']);
  });

  test('of a dequeue has taken the item that it was given, or none', () => {
    const met = new Set<string>();
    for (const { remaining, released } of deaths((queue) => queue.dequeue())) {
      met.add(remaining.map(({ id }) => id).join());
      assert.equal(released, true);
    }
    assert.deepEqual([...met], ['3,2,1', '2,1']);
  });

  test('of a drain has taken all that it was given, or nothing, and keeps its number', () => {
    const met = new Set<string>();
    for (const { remaining, released } of deaths((queue) => queue.drain())) {
      met.add(`${remaining.map(({ id }) => id).join()} ${released}`);
    }
    assert.deepEqual([...met], ['3,2,1 true', '3,2,1 false', ' false']);
  });

  test('leaves its number to a successor, who works on', () => {
    for (const { words, released } of deaths((queue) => queue.enqueue(added))) {
      assert.equal(released, true);
      const successor = new SharedPriorityQueue(words, 0, 1);
      assert.equal(successor.enqueue(high), true);
      assert.equal(successor.enqueue(low), true);
      assert.deepEqual(successor.drain(), [high, low]);
    }
  });

  test('of a drain leaves a queue that works on without it', () => {
    for (const { words, survivor, released } of deaths((queue) => queue.drain())) {
      survivor.enqueue(low);
      survivor.enqueue(high);
      assert.deepEqual([survivor.drain(), survivor.enqueue(middle)], [[high, low], true]);
      if (!released) assert.throws(() => new SharedPriorityQueue(words, 0, 1), /attached/);
    }
  });
});

test('versions, positions and stamps go around 2^32, the number of drains around 2^25', () => {
  const given = { hardLimit: 3, levels: 1, lowestPriority: 1, threads: 1 };
  const words = freshWords(given);
  const { banks, hints, cells, ringCells } = queueLayout(given);
  const start = -5;
  words.store(queueWord.control + 1, start);
  words.store(banks, start);
  words.store(banks + hints, start);
  words.store(queueWord.bank, -(2 ** 7));
  for (let position = start; position < start + ringCells; position++) {
    const cell = banks + cells + (position & (ringCells - 1)) * 2;
    words.store(cell + 1, position + 1 - ringCells);
  }
  const queue = new SharedPriorityQueue(words, 0, 0);
  const [one, two] = [
    { id: 7, priority: 1 },
    { id: 8, priority: 1 },
  ];
  for (let round = 0; round < 20; round++) {
    assert.deepEqual([queue.enqueue(one), queue.enqueue(two)], [true, true]);
    if (round >= 10 && round % 2 === 0) assert.deepEqual(queue.drain(), [one, two]);
    else assert.deepEqual([queue.dequeue(), queue.size, queue.dequeue()], [one, 1, two]);
    assert.equal(queue.dequeue(), undefined);
  }
});
