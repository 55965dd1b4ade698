// Goal: who waits goes in the order that the header promises, fairly and without starving. Method:
// stories about single rules, and lines driven by random arrivals for the invariants W2 and W3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';
import { type Demand, type Place, WaitingLine } from './waiting-line.ts';

const ageingMs = 5000;
const everybody = (): boolean => true;

function demand(more: Partial<Demand> = {}): Demand {
  return {
    lane: 'm',
    model: 'm',
    group: 'g',
    key: 'k',
    priorityClass: 3,
    tokens: 100,
    arrivedMs: 0,
    leaveByMs: 30_000,
    startByMs: undefined,
    ...more,
  };
}

/** Places everybody, one after the other, at `nowMs`. */
function served(line: WaitingLine<string>, nowMs = 0): string[] {
  const order: string[] = [];
  for (;;) {
    const next = line.next(nowMs, everybody);
    if (next === undefined) return order;
    line.placed(next, nowMs);
    order.push(next.who);
  }
}

test('The more urgent class goes first, and among equals who came first', () => {
  const line = new WaitingLine<string>(ageingMs);
  const classes: readonly PriorityClass[] = [3, 1, 5, 3, 2, 4, 5];
  for (const [at, priorityClass] of classes.entries()) {
    line.join(`${priorityClass}.${at}`, demand({ priorityClass }));
  }
  assert.deepEqual(served(line), ['5.2', '5.6', '4.5', '3.0', '3.3', '2.4', '1.1']);
});

test('Waiting raises a request by one class for each step of ageing, to the first at most', () => {
  const line = new WaitingLine<string>(ageingMs);
  const old = line.join('old', demand({ priorityClass: 1 }));
  const bands = [0, 4999, 5000, 10_000, 20_000, 90_000].map((now) => line.bandOf(old, now));
  assert.deepEqual(bands, [1, 1, 2, 3, 5, 5]);
});

test('Within a group goes who must begin first', () => {
  const line = new WaitingLine<string>(ageingMs);
  line.join('patient', demand());
  line.join('hurried', demand({ startByMs: 800 }));
  line.join('soon', demand({ startByMs: 2000 }));
  assert.deepEqual(served(line), ['hurried', 'soon', 'patient']);
});

test('A group that asks for much does not hold up one that asks for little', () => {
  const line = new WaitingLine<string>(ageingMs);
  for (let i = 0; i < 6; i++) line.join(`much.${i}`, demand({ group: 'much', tokens: 1000 }));
  for (let i = 0; i < 3; i++) line.join(`less.${i}`, demand({ group: 'less', tokens: 500 }));
  const order = served(line);
  assert.deepEqual(order.slice(0, 6), ['much.0', 'less.0', 'less.1', 'much.1', 'less.2', 'much.2']);
});

test('Absence earns a group nothing', () => {
  const line = new WaitingLine<string>(ageingMs);
  for (let i = 0; i < 9; i++) line.join(`here.${i}`, demand({ group: 'here' }));
  for (let i = 0; i < 5; i++) line.placed(line.next(0, everybody) as Place<string>, 0);
  for (let i = 0; i < 3; i++) line.join(`late.${i}`, demand({ group: 'late' }));
  assert.deepEqual(served(line).slice(0, 5), ['late.0', 'here.5', 'late.1', 'here.6', 'late.2']);
});

test('Within a group two keys take turns, and a group gains nothing by more keys', () => {
  const line = new WaitingLine<string>(ageingMs);
  for (let i = 0; i < 3; i++) line.join(`a1.${i}`, demand({ group: 'a', key: '1' }));
  for (let i = 0; i < 3; i++) line.join(`a2.${i}`, demand({ group: 'a', key: '2' }));
  for (let i = 0; i < 3; i++) line.join(`b.${i}`, demand({ group: 'b' }));
  const order = served(line).slice(0, 6);
  assert.deepEqual(order, ['a1.0', 'b.0', 'a2.0', 'b.1', 'a1.1', 'b.2']);
});

test('A full lane holds up no other, and who is passed over keeps its place', () => {
  const line = new WaitingLine<string>(ageingMs);
  line.join('hot.0', demand({ lane: 'hot' }));
  line.join('hot.1', demand({ lane: 'hot' }));
  line.join('cold', demand({ lane: 'cold', priorityClass: 1 }));
  const next = line.next(0, (place) => place.demand.lane !== 'hot');
  assert.equal(next?.who, 'cold');
  assert.deepEqual(served(line), ['hot.0', 'hot.1', 'cold']);
});

test('Who waited too long and who cannot begin in time leave with a reason of their own', () => {
  const line = new WaitingLine<string>(ageingMs);
  line.join('patient', demand({ leaveByMs: 1000 }));
  line.join('hurried', demand({ startByMs: 400 }));
  const told = (now: number) => line.overdue(now).map(([{ who }, why]) => `${who} ${why}`);
  assert.deepEqual(told(400), []);
  assert.deepEqual(told(401), ['hurried deadline']);
  assert.deepEqual(told(1000), ['patient time_out', 'hurried deadline']);
});

test('Leaving twice, and being placed after leaving, change nothing', () => {
  const line = new WaitingLine<string>(ageingMs);
  const place = line.join('one', demand());
  assert.deepEqual([line.leave(place), line.leave(place)], [true, false]);
  line.placed(place, 0);
  assert.equal(line.size, 0);
});

const requestOf = fc.record({
  group: fc.constantFrom('a', 'b'),
  tokens: fc.integer({ min: 0, max: 1000 }),
});

holds(
  'W2: what two waiting groups were given differs by at most their largest requests',
  fc.property(fc.array(requestOf, { minLength: 1, maxLength: 60 }), (requests) => {
    const line = new WaitingLine<string>(ageingMs);
    const waiting = new Map<string, number>();
    for (const [at, { group, tokens }] of requests.entries()) {
      line.join(`${at}`, demand({ group, tokens }));
      waiting.set(group, (waiting.get(group) ?? 0) + 1);
    }
    const given = new Map([
      ['a', 0],
      ['b', 0],
    ]);
    const largest = (of: string): number =>
      Math.max(1, ...requests.filter(({ group }) => group === of).map(({ tokens }) => tokens));
    while (line.size > 0) {
      const next = line.next(0, everybody) as Place<string>;
      const { group, tokens } = next.demand;
      const bothWait = (waiting.get('a') ?? 0) > 0 && (waiting.get('b') ?? 0) > 0;
      line.placed(next, 0);
      given.set(group, (given.get(group) ?? 0) + Math.max(1, tokens));
      waiting.set(group, (waiting.get(group) ?? 0) - 1);
      if (!bothWait) return;
      const apart = Math.abs((given.get('a') ?? 0) - (given.get('b') ?? 0));
      assert.ok(apart <= largest('a') + largest('b'), `${apart} tokens apart`);
    }
  }),
);

const floodOf = fc.record({
  groups: fc.integer({ min: 1, max: 6 }),
  tokens: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }),
  priorityClass: fc.constantFrom<PriorityClass>(1, 2, 3, 4, 5),
  serviceMs: fc.integer({ min: 10, max: 400 }),
});

holds(
  'W3: a flood of the most urgent class delays nobody beyond ageing and one turn of each group',
  fc.property(floodOf, ({ groups, tokens, priorityClass, serviceMs }) => {
    const line = new WaitingLine<string>(ageingMs);
    let drawn = 0;
    const flood = (group: number, nowMs: number): void => {
      const size = tokens[drawn++ % tokens.length] ?? 1;
      line.join(
        `flood ${group}`,
        demand({ group: `f${group}`, priorityClass: 5, tokens: size, arrivedMs: nowMs }),
      );
    };
    for (let group = 0; group < groups; group++) for (let i = 0; i < 3; i++) flood(group, 0);
    line.join('low', demand({ group: 'low', priorityClass }));
    const risenMs = (5 - priorityClass) * ageingMs;
    let after = 0;
    for (let nowMs = 0; ; nowMs += serviceMs) {
      const next = line.next(nowMs, everybody) as Place<string>;
      line.placed(next, nowMs);
      if (next.who === 'low') break;
      if (nowMs >= risenMs) after++;
      assert.ok(after <= groups, `${after} went before it, of ${groups} groups`);
      flood(Number(next.who.slice(6)), nowMs);
    }
  }),
  { runs: 300 },
);
