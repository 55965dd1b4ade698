// Goal: a trail that was tampered with is located, however it is cut into pages. Method: chains of real
// digests; each way to tamper in turn, and random chains in random pages.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { instant } from '../../base/time.ts';
import { type ControlEvent, chainEvents, genesisHash } from './control-event.ts';
import { nextSeal } from './sealed-digest.ts';
import {
  endFault,
  sealedHeadFault,
  sealFault,
  sealReversal,
  startOfStream,
  takeEvents,
} from './trail-check.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const empty = { sequence: 0, hash: '' };
const start = 1_800_000_000_000;

function chainOf(length: number, times: readonly number[] = []): readonly ControlEvent[] {
  const events = Array.from({ length }, (_, index) => ({
    stream: 'identity',
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    kind: 'user_created',
    version: 1,
    occurredAt: instant(times[index] ?? start + index),
    actor: 'system',
    subject: `user:${index}`,
    data: { index },
  }));
  return chainEvents(empty, events, digest);
}

/** The check after all events, in pages of `size`. */
function checkOf(events: readonly ControlEvent[], size = events.length) {
  let check = startOfStream('identity', empty);
  for (let at = 0; at < events.length; at += size) {
    check = takeEvents(check, events.slice(at, at + size), digest);
  }
  return check;
}

function rowOf(events: readonly ControlEvent[]) {
  const { sequence, hash } = events.at(-1) ?? empty;
  return { sequence, hash, lastSequence: sequence };
}

holds(
  'a whole stream passes in pages of any size, and a changed event is located in them',
  fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.nat(),
    (n, size, pick) => {
      const chain = chainOf(n);
      const whole = checkOf(chain, size);
      assert.equal(endFault(whole, rowOf(chain)), undefined);
      assert.deepEqual([whole.events, whole.head.sequence, whole.reversal], [n, n, undefined]);
      const at = pick % n;
      const forged = chain.map((one, index) => (index === at ? { ...one, actor: 'nobody' } : one));
      const { fault } = checkOf(forged, size);
      assert.deepEqual([fault?.sequence, fault?.reason], [at + 1, 'wrong_hash']);
      assert.equal(fault?.found, chain[at]?.hash);
    },
  ),
  { runs: 300 },
);

test('a missing event, two that changed places and a forged link say what was there', () => {
  const chain = chainOf(6);
  const [, , third, fourth] = chain;
  assert.ok(third !== undefined && fourth !== undefined);
  const { fault: gap } = checkOf(chain.toSpliced(2, 1), 2);
  assert.deepEqual(
    [gap?.sequence, gap?.reason, gap?.expected, gap?.found],
    [3, 'gap', 'sequence 3', 'sequence 4'],
  );
  const swapped = chain.with(2, { ...fourth, sequence: 3 }).with(3, { ...third, sequence: 4 });
  const { fault: link } = checkOf(swapped, 3);
  assert.deepEqual(
    [link?.sequence, link?.reason, link?.expected, link?.found],
    [3, 'wrong_prev_hash', chain[1]?.hash, third.hash],
  );
  const { fault: first } = checkOf(chain.with(0, { ...chainOf(1)[0], ...third, sequence: 1 }));
  assert.deepEqual([first?.sequence, first?.expected], [1, genesisHash]);
});

test('a stream must end where its head says', () => {
  const chain = chainOf(4);
  const row = rowOf(chain);
  const reasonOf = (events: readonly ControlEvent[], end: typeof row) => {
    const fault = endFault(checkOf(events), end);
    return [fault?.sequence, fault?.reason];
  };
  assert.deepEqual(reasonOf(chain.slice(0, 2), { ...row, lastSequence: 2 }), [3, 'tail_cut']);
  assert.deepEqual(reasonOf([], { ...row, lastSequence: 0 }), [1, 'tail_cut']);
  assert.deepEqual(reasonOf(chain, { ...row, hash: 'f' }), [4, 'head_differs']);
  assert.deepEqual(reasonOf(chain, { ...row, lastSequence: 5 }), [5, 'beyond_head']);
  assert.deepEqual(reasonOf([], { ...empty, lastSequence: 0 }), [undefined, undefined]);
});

test('a clock that was set back is located, some disorder of late writers is not one', () => {
  const calm = checkOf(chainOf(3, [start, start - 60_000, start + 5]));
  assert.equal(calm.reversal, undefined);
  const { fault, reversal } = checkOf(
    chainOf(4, [start, start + 9, start - 59_992, start - 1e6]),
    1,
  );
  assert.equal(fault, undefined, 'the chain is whole');
  assert.deepEqual(
    [reversal?.sequence, reversal?.expected, reversal?.found],
    [3, '2027-01-15T08:00:00.009Z or later', '2027-01-15T07:59:00.008Z'],
  );
});

test('seals follow each other, and each fault of one has its place', () => {
  const heads = [{ stream: 'identity', sequence: 4, hash: 'h' }];
  const first = nextSeal(undefined, heads, instant(start), digest);
  const second = nextSeal(first, heads, instant(start + 60_000), digest);
  const genesis = { sequence: 0, digest: genesisHash };
  assert.equal(sealFault(genesis, first, digest), undefined);
  assert.equal(sealFault(first, second, digest), undefined);
  assert.deepEqual(
    [
      sealFault(genesis, second, digest),
      sealFault({ ...first, digest: 'f' }, second, digest),
      sealFault(first, { ...second, sealedAt: instant(start) }, digest),
    ].map((fault) => [fault?.sequence, fault?.reason]),
    [
      [1, 'gap'],
      [2, 'wrong_prev_digest'],
      [2, 'wrong_digest'],
    ],
  );
  assert.equal(sealReversal(first, second), undefined);
  const early = nextSeal(second, heads, instant(start - 1), digest);
  assert.deepEqual(
    [sealReversal(second, early)?.sequence, sealReversal(undefined, early)],
    [3, undefined],
  );
});

test('a sealed head is compared with the event there', () => {
  const head = { stream: 'identity', sequence: 4, hash: 'h' };
  const told = (hash: string | undefined, last: number) => {
    const fault = sealedHeadFault(head, hash, last);
    return [fault?.sequence, fault?.reason];
  };
  assert.deepEqual(told('h', 9), [undefined, undefined]);
  assert.deepEqual(told('x', 9), [4, 'sealed_differently']);
  assert.deepEqual(told(undefined, 9), [4, 'sealed_differently']);
  assert.deepEqual(told(undefined, 2), [3, 'tail_cut']);
});
