// Goal: a pair has one breaker whoever asks first, no change of two threads is lost, and a place that
// was given to another backend is not written to by a slow thread. Method: examples on one thread, and
// every order of the memory steps of two (testing/interleavings.ts). The words here are simple ones: a
// count in the low half, not closed from 2 on, and a term above it.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import {
  type BreakerKey,
  BreakerTable,
  type BreakerWords,
  breakerKey,
  type EntryStep,
  goneWord,
  noEntry,
  type TableShape,
} from './breaker-table.ts';
import { type Explored, explore } from './testing/interleavings.ts';

const rules: BreakerWords = {
  termOf: (word) => word >> 16,
  isClosed: (word) => (word & 0xffff) < 2,
  renewed: (word) => ((word >> 16) + 1) << 16,
};
/** One more; from 2 on in the next term. */
const count: EntryStep = (word) => ((word & 0xffff) === 1 ? rules.renewed(word) + 2 : word + 1);
const clear: EntryStep = (word) => rules.renewed(word);
const refuse: EntryStep = () => -1;

const [a, b, c] = [breakerKey('a'), breakerKey('b'), breakerKey('c')];

function open(shape: TableShape = { buckets: 16, ways: 4 }): BreakerTable {
  return BreakerTable.open(BreakerTable.create(shape), rules);
}

describe('a breaker table', () => {
  it('finds one entry for a backend and one for each of its models, on every thread', () => {
    const parts = BreakerTable.create();
    const [one, other] = [BreakerTable.open(parts, rules), BreakerTable.open(parts, rules)];
    const keys = [
      breakerKey('x'),
      breakerKey('x', 'm'),
      breakerKey('x', 'n'),
      breakerKey('y', 'm'),
    ];
    assert.deepEqual(
      keys.map((key) => one.find(key)),
      keys.map(() => noEntry),
    );
    const made = keys.map((key) => one.insert(key));
    assert.equal(new Set(made).size, keys.length);
    assert.deepEqual(
      keys.map((key) => other.insert(key)),
      made,
    );
    assert.deepEqual([...other.entries()].sort(), [...made].sort());
  });

  it('keeps the time of a transition, and not that of what is none', () => {
    const table = open();
    const index = table.insert(a);
    table.step(index, a, count, 5000);
    assert.equal(table.since(index), 0);
    const at = 1_790_000_000_000;
    const after = table.step(index, a, count, at);
    assert.deepEqual([table.since(index), table.breaker(index)], [at | 0, after]);
    assert.notEqual(table.last.before, table.last.after);
    assert.equal(table.step(index, a, refuse, at + 1), -1);
    assert.equal(table.last.before, table.last.after);
  });

  it('knows whether all are closed, also after an open one was given back', () => {
    const table = open();
    const index = table.insert(a);
    assert.ok(table.isCalm);
    for (let i = 0; i < 2; i++) table.step(index, a, count, 1);
    assert.ok(!table.isCalm);
    table.release(a);
    assert.ok(table.isCalm);
    assert.equal(table.step(index, a, count, 1), goneWord);
    const again = table.insert(a);
    assert.ok(rules.isClosed(table.breaker(again)));
  });

  it('gives back all entries of a backend, or that of one model', () => {
    const table = open();
    const keys = [
      breakerKey('x'),
      breakerKey('x', 'm'),
      breakerKey('x', 'n'),
      breakerKey('y', 'm'),
    ];
    for (const key of keys) table.insert(key);
    table.release(breakerKey('x', 'n'));
    assert.deepEqual(
      keys.map((key) => table.find(key) !== noEntry),
      [true, true, false, true],
    );
    table.release(breakerKey('x'));
    assert.deepEqual(
      keys.map((key) => table.find(key) !== noEntry),
      [false, false, false, true],
    );
  });

  it('says that it is full, and has room again when a backend goes', () => {
    const table = open({ buckets: 1, ways: 2 });
    table.insert(a);
    table.insert(b);
    assert.equal(table.insert(c), noEntry);
    table.release(a);
    assert.notEqual(table.insert(c), noEntry);
  });
});

// ---- every order of the steps of two threads -------------------------------------------------

type Call =
  | { readonly kind: 'count' | 'release' | 'insert'; readonly key: BreakerKey }
  /** A step on the place where the key was before anything began. */
  | { readonly kind: 'late'; readonly key: BreakerKey };
type Answer = number | undefined;

const shape: TableShape = { buckets: 1, ways: 2 };
const places = [16, 24];

function finals(memory: Int32Array, key: BreakerKey): number[] {
  return places.filter((at) => memory[at] === key.low && memory[at + 1] === key.high);
}

function run(
  before: readonly Call[],
  calls: readonly (readonly Call[])[],
  judge: (answers: readonly (readonly Answer[])[]) => void,
  inspect: (memory: Int32Array) => void = () => undefined,
): Explored {
  const performer = (table: BreakerTable, known: ReadonlyMap<string, number>) => (call: Call) => {
    switch (call.kind) {
      case 'insert':
        return table.insert(call.key);
      case 'count':
        return table.step(table.insert(call.key), call.key, count, 7);
      case 'late':
        return table.step(known.get(call.key.backend) ?? noEntry, call.key, count, 7);
      case 'release':
        table.release(call.key);
        return undefined;
    }
  };
  const memory = new Int32Array(BreakerTable.wordsFor(shape));
  const plain = new BreakerTable(plainWords(memory), shape, rules);
  const known = new Map<string, number>();
  for (const call of before) performer(plain, known)(call);
  for (const key of [a, b, c]) known.set(key.backend, plain.find(key));
  return explore<Call, Answer>({
    memory,
    programs: calls.map((own) => ({
      open: (words) => performer(new BreakerTable(words, shape, rules), known),
      calls: own,
    })),
    stepsAlone: 120,
    interruptionsMax: 3,
    inspect(words) {
      for (const key of [a, b, c]) {
        assert.ok(finals(words, key).length <= 1, 'two entries of one key');
      }
      // Whoever is between its two steps may have counted once too often, never too seldom.
      const open = places.filter((at) => !rules.isClosed(words[at + 2] ?? 0)).length;
      assert.ok((words[1] ?? 0) >= open, `${words[1]} counted, ${open} not closed`);
      inspect(words);
    },
    judge: (history) =>
      judge(history.map((thread) => thread.map(({ returned }) => returned?.answer))),
  });
}

function plainWords(memory: Int32Array) {
  const exchange = (at: number, from: readonly number[], to: readonly number[]): number => {
    if (from.some((value, i) => memory[at + i] !== (value | 0))) return 0;
    memory.set(to, at);
    return 1;
  };
  return {
    load: (at: number) => memory[at] ?? 0,
    glance: (at: number) => memory[at] ?? 0,
    store: (at: number, value: number) => void memory.set([value], at),
    scribble: (at: number, value: number) => void memory.set([value], at),
    compareExchange: (at: number, from: number, to: number) => exchange(at, [from], [to]),
    compareExchange64: (at: number, low: number, high: number, toLow: number, toHigh: number) =>
      exchange(at, [low, high], [toLow, toHigh]),
    pause: () => undefined,
  };
}

const counts = (key: BreakerKey): Call => ({ kind: 'count', key });
const releases = (key: BreakerKey): Call => ({ kind: 'release', key });
const inserts = (key: BreakerKey): Call => ({ kind: 'insert', key });
const late = (key: BreakerKey): Call => ({ kind: 'late', key });

test('two threads that ask for a new pair at once get one entry, and both of their counts are in it', () => {
  const { runs } = run([], [[counts(a)], [counts(a)]], (answers) => {
    const words = answers.flat().filter((word) => word !== undefined);
    // Alone it is the first count; together one of them is the second, which is a transition.
    if (words.length < 2) return;
    const kinds = words.map((word) => (rules.isClosed(word) ? 'first' : 'second')).sort();
    assert.deepEqual(kinds, ['first', 'second']);
  });
  assert.ok(runs > 0);
});

test('two threads that make entries of two pairs get two places', () => {
  run([], [[inserts(a)], [inserts(b)]], (answers) => {
    const [one, other] = answers.flat();
    if (one !== undefined && other !== undefined) assert.notEqual(one, other);
  });
});

test('a place that a released pair leaves is not counted on by its slow thread (T3)', () => {
  let moved = 0;
  run(
    [counts(a), counts(b)],
    [[late(a)], [releases(a), inserts(c)]],
    () => undefined,
    (memory) => {
      const [at] = finals(memory, c);
      if (at === undefined) return;
      moved++;
      assert.equal((memory[at + 2] ?? 0) & 0xffff, 0, 'the new owner was counted on');
    },
  );
  assert.ok(moved > 0);
});

test('what is cleared is calm again', () => {
  const table = open();
  const index = table.insert(a);
  for (let i = 0; i < 2; i++) table.step(index, a, count, 1);
  table.stepAll(clear, 2);
  assert.ok(table.isCalm);
});
