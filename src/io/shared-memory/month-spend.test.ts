// Goal: no cent is lost, doubled or let through above a limit, in every order of the memory steps of
// two threads and across the turn of a month. Method: one thread first; then small programs over the
// port of testing/interleavings.ts, judged by a model in which each operation is one step; random
// walks against plain addition.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { MonthSpend, monthSpendMax, type SpendReservation } from './month-spend.ts';
import { createWordBlock, openWords } from './shared-words.ts';
import { explore } from './testing/interleavings.ts';
import { historyWords, isLinearizable, type Model } from './testing/linearizability.ts';
import type { Words } from './words.ts';

const november = 682;
const december = 683;

const words = openWords(createWordBlock(MonthSpend.wordsFor(2)));

function empty(month = november): MonthSpend {
  for (let at = 0; at < MonthSpend.wordsFor(2); at++) words.store(at, 0);
  const spend = new MonthSpend(words);
  spend.restore(month, 0);
  return spend;
}

test('what is reserved counts until the real cost takes its place', () => {
  const spend = empty();
  const reservation = spend.reserve(november, 700, undefined);
  assert.equal(spend.spent(november), 700);
  spend.settle(november, reservation, 250);
  assert.equal(spend.spent(november), 250);
  spend.settle(november, undefined, 5);
  assert.equal(spend.spent(november), 255);
});

test('a reservation fits exactly up to the limit', () => {
  const spend = empty();
  assert.ok(spend.reserve(november, 100, 100));
  assert.equal(spend.reserve(november, 1, 100), undefined);
  assert.ok(spend.reserve(november, 0, 100));
  assert.ok(spend.reserve(november, 1, undefined));
  assert.equal(spend.spent(november), 101);
});

test('on the 1st a month begins at nothing, and what November reserved does not reach it', () => {
  const spend = empty();
  const old = spend.reserve(november, 900, 1000);
  assert.equal(spend.spent(december), 0);
  assert.ok(spend.reserve(december, 1000, 1000));
  spend.settle(december, old, 300);
  assert.equal(spend.spent(december), 1300);
  // A thread whose clock is behind books on the month that has begun.
  assert.deepEqual(spend.reserve(november, 7, undefined), { month: december, microUsd: 7 });
  assert.equal(spend.spent(november), 1307);
});

test('great sums keep every micro-USD, and stop at the greatest', () => {
  const spend = empty();
  spend.restore(november, 2 ** 40 + 1);
  spend.settle(november, undefined, 2 ** 33);
  assert.equal(spend.spent(november), 2 ** 40 + 2 ** 33 + 1);
  spend.settle(november, undefined, monthSpendMax);
  assert.equal(spend.spent(november), monthSpendMax);
});

test('what a dead thread had reserved is free again, and what it had settled stays', () => {
  const owner = empty();
  const [first, second] = [new MonthSpend(words, 0), new MonthSpend(words, 1)];
  const settled = first.reserve(november, 2 ** 34, undefined);
  first.reserve(november, 2 ** 33, undefined);
  first.reserve(november, 7, undefined);
  second.reserve(november, 100, undefined);
  first.settle(november, settled, 5);
  owner.reclaim(0);
  assert.equal(owner.spent(november), 105);
  owner.reclaim(0);
  assert.equal(owner.spent(november), 105, 'its successor holds nothing');
  second.reserve(december, 9, undefined);
  owner.reclaim(1);
  assert.equal(owner.spent(december), 0, 'and what was of November has gone with it');
});

test('of a hundred requests against a budget for one, one is let in', () => {
  const spend = empty();
  const letIn = Array.from({ length: 100 }, () => spend.reserve(november, 10, 10));
  assert.equal(letIn.filter((one) => one !== undefined).length, 1);
});

holds(
  'any reservations and settlements come to the sum of the costs',
  fc.property(fc.array(fc.tuple(fc.nat(2 ** 33), fc.nat(2 ** 33)), { maxLength: 30 }), (uses) => {
    const spend = empty();
    const open = uses.map(([estimate]) => spend.reserve(november, estimate, undefined));
    for (const [index, [, cost]] of uses.entries()) spend.settle(november, open[index], cost);
    assert.equal(
      spend.spent(november),
      uses.reduce((sum, [, cost]) => sum + cost, 0),
    );
  }),
);

type Call =
  | { readonly kind: 'reserve'; readonly month: number; readonly amount: number }
  /** Settles what this thread reserved last. */
  | { readonly kind: 'settle'; readonly month: number; readonly cost: number }
  | { readonly kind: 'read'; readonly month: number };
type Answer = number | boolean | undefined;
/** `held` is what the thread that settles has reserved, on the month `heldOn`. */
type State = {
  readonly month: number;
  readonly spent: number;
  readonly held: number;
  readonly heldOn: number;
};

const limit = 10;
const reserve = (month: number, amount: number): Call => ({ kind: 'reserve', month, amount });
const settle = (month: number, cost: number): Call => ({ kind: 'settle', month, cost });
const read = (month: number): Call => ({ kind: 'read', month });

function performer(shared: Words): (call: Call) => Answer {
  const spend = new MonthSpend(shared);
  let last: SpendReservation | undefined;
  return (call) => {
    if (call.kind === 'read') return spend.spent(call.month);
    if (call.kind === 'settle') {
      spend.settle(call.month, last, call.cost);
      return undefined;
    }
    last = spend.reserve(call.month, call.amount, limit);
    return last !== undefined;
  };
}

/** Only one thread of each program settles: the one that reserves 6. */
const model: Model<State, Call, Answer> = {
  initial: { month: november, spent: 0, held: 0, heldOn: 0 },
  step(state, call) {
    const turned = call.month > state.month ? { ...state, month: call.month, spent: 0 } : state;
    const { month, spent } = turned;
    if (call.kind === 'read') return { state, answer: spent };
    if (call.kind === 'reserve') {
      if (spent + call.amount > limit) return { state, answer: false };
      const held = call.amount === 6 ? { held: 6, heldOn: month } : {};
      return { state: { ...turned, spent: spent + call.amount, ...held }, answer: true };
    }
    const before = turned.heldOn === month ? turned.held : 0;
    return { state: { ...turned, spent: spent + call.cost - before }, answer: undefined };
  },
  isSameAnswer: (one, other) => one === other,
  keyOf: ({ month, spent, held, heldOn }) => `${month} ${spent} ${held} ${heldOn}`,
};

const memory = new Int32Array(2);
memory[1] = november << 20;

const cases: readonly (readonly [words: string, calls: readonly (readonly Call[])[]])[] = [
  [
    'two threads reserve what only one of them can have',
    [
      [reserve(november, 6), read(november)],
      [reserve(november, 6), read(november)],
    ],
  ],
  [
    'one settles while another reserves',
    [
      [reserve(november, 6), settle(november, 2)],
      [reserve(november, 5), read(november)],
    ],
  ],
  [
    'the month turns between a reservation and its settlement',
    [
      [reserve(november, 6), settle(december, 2)],
      [reserve(december, 9), read(december)],
    ],
  ],
];

for (const [title, calls] of cases) {
  test(title, (t) => {
    const { runs } = explore<Call, Answer>({
      memory,
      programs: calls.map((own) => ({ open: performer, calls: own })),
      inspect: (now) => {
        const high = (now[1] ?? 0) >>> 0;
        assert.equal(high % 2 ** 20, 0, 'no great sum is ever seen');
      },
      judge: (history) => {
        assert.ok(isLinearizable(model, history), historyWords(history));
      },
      stepsAlone: 40,
    });
    t.diagnostic(`${runs} histories`);
    assert.ok(runs > 0);
  });
}
