// Goal: rules RD8 and RD9: a decision is a function of its recorded input, so the flow through the
// whole platform gives the same bytes when it is run again and when its recording is replayed, in
// whatever order and however often the recording was delivered. Method: random starts, of which the
// matrix knows only those that follow from an index.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/base/canonical.ts';
import { type AllocatorOrder, documents } from '../support/documents.ts';
import { holds } from '../support/properties.ts';
import { decideAgain, type FlowStart, flowStart, packed, replayFlow, runFlow } from './flow.ts';

const priorityClass = fc.integer({ min: 1, max: 7 });
const minutes = fc.integer({ min: 1, max: 300 });
const order: fc.Arbitrary<AllocatorOrder> = fc.tuple(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.nat(200),
  fc.oneof(fc.nat(90), fc.constantFrom('soon', '', '12')),
);
const route = fc.record({
  channel: fc.constantFrom('alpha', 'beta', 'gamma', 'delta'),
  latency: fc.integer({ min: -1, max: 9 }),
});

const start: fc.Arbitrary<FlowStart> = fc.record({
  index: fc.nat(1_000_000),
  classes: fc.tuple(priorityClass, priorityClass),
  slos: fc.tuple(minutes, minutes),
  orders: fc.uniqueArray(order, { selector: ([id]) => id, minLength: 1, maxLength: 6 }),
  routes: fc.array(route, { maxLength: 5 }),
  blocked: fc.subarray(['alpha', 'beta', 'gamma']),
  mode: fc.constantFrom('normal', 'watch', 'restricted', 'halted'),
  burst: fc.nat(4),
  depth: fc.nat(60),
  delivered: fc.uniqueArray(
    fc.record({ id: fc.constantFrom('k', 'z', 'm'), sequence: fc.nat(20) }),
    { selector: ({ sequence }) => sequence, maxLength: 8 },
  ),
});

function shufflesOf<T>(items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

holds(
  'the flow run twice gives the same bytes, and so does every decision on its recorded input',
  fc.property(start, (begin) => {
    const recorded = runFlow(documents, begin);
    assert.equal(canonicalJson(runFlow(documents, begin)), canonicalJson(recorded));
    for (const event of recorded) {
      const again = canonicalJson(decideAgain(documents, event));
      assert.equal(again, canonicalJson(event.output), event.kind);
    }
  }),
);

holds(
  'the recording delivered again, in part and in any order, replays to the same bytes',
  fc.property(
    start.chain((begin) => {
      const recorded = packed(runFlow(documents, begin));
      const deliveries = fc
        .subarray([...recorded])
        .chain((repeated) => shufflesOf([...recorded, ...repeated]));
      return fc.tuple(fc.constant(begin), deliveries);
    }),
    ([begin, deliveries]) => {
      const recorded = canonicalJson(runFlow(documents, begin));
      assert.equal(canonicalJson(replayFlow(documents, deliveries)), recorded);
    },
  ),
);

test('a recording of other decisions is told apart by replaying it', () => {
  const recorded = runFlow(documents, flowStart(documents, 7));
  const forged = recorded.map((event) =>
    event.kind === 'shed' ? { ...event, output: event.output !== true } : event,
  );
  const replayed = canonicalJson(replayFlow(documents, packed(forged)));
  assert.notEqual(replayed, canonicalJson(forged));
  assert.equal(replayed, canonicalJson(recorded));
});
